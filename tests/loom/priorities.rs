//! A model of the queue of a pool whose jobs have priorities: each job is started once, the highest priority first.

use crate::pool::state::{Next, PoolState};
use loom::sync::Arc;
use loom::thread;

type State = PoolState<u64, ()>;

/// The number of jobs that are started until one that waits gains a level of priority.
const AGING: u32 = 3;

fn model(f: impl Fn() + Sync + Send + 'static) {
    loom::model(f);
}

/// Creates a pool with jobs of these priorities, and returns their ids.
fn pool<const N: usize>(priorities: [i32; N]) -> (Arc<State>, [u64; N]) {
    let state = State::new(2, usize::MAX, AGING, 1);
    assert!(state.set_workers(2, 0).is_empty());
    let ids = priorities.map(|priority| push(&state, priority));
    (Arc::new(state), ids)
}

fn push(state: &State, priority: i32) -> u64 {
    let accepted = match priority == 0 && state.may_arrive() {
        true => state.accept_in_a_row(0),
        false => state.accept(0, priority),
    };
    accepted.ok().expect("it is open").id
}

/// Starts the next job, if there is one.
fn start(state: &State) -> Option<u64> {
    match state.next(0, &()) {
        Next::Run { id, .. } => Some(id),
        Next::Wait | Next::Leave => None,
    }
}

#[test]
fn the_highest_priority_goes_first() {
    model(|| {
        let (state, [a, b, c, d]) = pool([0, 0, 5, 5]);
        let started = [(); 4].map(|()| start(&state));
        assert_eq!(started, [c, d, a, b].map(Some));
        assert_eq!(start(&state), None);
    });
}

#[test]
fn a_ranked_queue_ranks_all() {
    model(|| {
        let (state, [a, b, c]) = pool([3, -1, 0]);
        let started = [(); 3].map(|()| start(&state));
        assert_eq!(started, [a, c, b].map(Some));
    });
}

#[test]
fn a_job_that_waits_gains_priority() {
    model(|| {
        let (state, [old, _]) = pool([0, 1]);
        // Each of these has a level more.
        for _ in 0..AGING {
            assert_ne!(start(&state), Some(old));
            push(&state, 1);
        }
        assert_eq!(start(&state), Some(old));
    });
}

#[test]
fn another_priority_keeps_the_age() {
    model(|| {
        let (state, [old, _]) = pool([-1, 5]);
        for _ in 0..AGING {
            assert_ne!(start(&state), Some(old));
            push(&state, 5);
        }
        assert!(state.set_priority(old, 4));
        assert_eq!(start(&state), Some(old));
    });
}

#[test]
fn a_changed_priority_loses_no_job() {
    model(|| {
        let (state, [first, second]) = pool([0, 0]);
        let other = state.clone();
        let raises = thread::spawn(move || other.set_priority(second, 1));
        let started = start(&state);
        // It can only be too late for a job that has been started.
        let raised = raises.join().unwrap();
        assert!(raised || started == Some(second));
        let mut all = [started, start(&state)];
        all.sort_unstable();
        assert_eq!(all, [Some(first), Some(second)]);
        assert_eq!(start(&state), None);
    });
}

#[test]
fn ranked_jobs_are_cancelled_or_started() {
    model(|| {
        let (state, [first, second, third]) = pool([1, 2, 3]);
        assert!(state.remove(third).is_some());
        let other = state.clone();
        let cancels = thread::spawn(move || other.remove(second).is_some());
        let started = [start(&state), start(&state)];
        let is_started = started.contains(&Some(second));
        assert_ne!(cancels.join().unwrap(), is_started);
        assert!(started.contains(&Some(first)));
    });
}

#[test]
fn two_workers_share_ranked_jobs() {
    model(|| {
        let (state, [first, second]) = pool([1, 0]);
        let other = state.clone();
        let other = thread::spawn(move || start(&other));
        let mut started = [start(&state), other.join().unwrap()];
        started.sort_unstable();
        assert_eq!(started, [Some(first), Some(second)]);
    });
}
