//! When the tasks of a race start: at once, after a delay, or after a failure. Needs the feature `test-util`.
#![cfg(feature = "test-util")]

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, ready};
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;

use crate::support::{Board, Driver};
use abreast::time::VirtualClock;
use abreast::{RaceError, RaceResult, fall_through, race};
use futures::future::FusedFuture;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const DELAY: Duration = Duration::from_millis(250);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// When racers started, and which: each runs for so long, and then returns.
#[derive(Default)]
struct Starts {
    clock: VirtualClock,
    log: RefCell<Vec<(usize, u128)>>,
}

impl Starts {
    async fn racer(
        &self,
        index: usize,
        takes: u64,
        result: Result<usize, &'static str>,
    ) -> Result<usize, &'static str> {
        let now = self.clock.now().as_millis();
        self.log.borrow_mut().push((index, now));
        self.clock.sleep(ms(takes)).await;
        result
    }

    fn log(&self) -> Vec<(usize, u128)> {
        self.log.borrow().clone()
    }
}

#[test]
fn a_tuple_falls_through_in_order() {
    let starts = Starts::default();
    let racer = |index, result| starts.racer(index, 100, result);
    let tasks = (
        racer(0, Err("no")),
        async { racer(1, Ok(1)).await },
        racer(2, Ok(2)),
    );
    let winner = starts.clock.run(fall_through(tasks)).unwrap();
    assert_eq!(winner.winner_index, 1);
    assert_eq!(starts.log(), [(0, 0), (1, 100)]);
}

#[test]
fn a_tuple_starts_with_a_delay() {
    let starts = Starts::default();
    let racer = |index| starts.racer(index, 300, Ok(index));
    let tasks = (racer(0), async { racer(1).await }, racer(2));
    let run = race(tasks).stagger(DELAY, starts.clock.timer());
    assert_eq!(starts.clock.run(run).unwrap().winner_index, 0);
    assert_eq!(starts.log(), [(0, 0), (1, 250)]);
}

#[test]
fn a_delay_starts_one_more() {
    let starts = Starts::default();
    let racers = (0..5).map(|index| starts.racer(index, 600, Ok(index)));
    let winner = starts
        .clock
        .run(race(racers).stagger(DELAY, starts.clock.timer()));
    assert_eq!(winner.unwrap().winner_index, 0);
    assert_eq!(starts.log(), [(0, 0), (1, 250), (2, 500)]);
    assert_eq!(starts.clock.now(), ms(600));
}

#[test]
fn a_failure_restarts_the_delay() {
    let starts = Starts::default();
    let racers = [
        starts.racer(0, 100, Err("refused")),
        starts.racer(1, 1000, Err("late")),
        starts.racer(2, 1000, Ok(2)),
        starts.racer(3, 1000, Ok(3)),
    ];
    let winner = starts
        .clock
        .run(race(racers).stagger(DELAY, starts.clock.timer()));
    assert_eq!(winner.unwrap().winner_index, 2);
    assert_eq!(starts.log(), [(0, 0), (1, 100), (2, 350), (3, 600)]);
    assert_eq!(starts.clock.now(), ms(1350));
}

#[test]
fn each_of_two_failures_starts_one() {
    let starts = Starts::default();
    let racers = [
        starts.racer(0, 300, Err("a")),
        starts.racer(1, 50, Err("b")),
        starts.racer(2, 1000, Ok(2)),
        starts.racer(3, 1000, Ok(3)),
        starts.racer(4, 1000, Ok(4)),
    ];
    let winner = starts
        .clock
        .run(race(racers).stagger(DELAY, starts.clock.timer()));
    assert_eq!(winner.unwrap().winner_index, 2);
    assert_eq!(
        starts.log(),
        [(0, 0), (1, 250), (2, 300), (3, 300), (4, 550)]
    );
}

#[test]
fn instant_failures_follow_at_once() {
    let starts = Starts::default();
    let racers = (0..100).map(|index| starts.racer(index, 0, Err("no")));
    let RaceError::AllFailed(failures) = starts
        .clock
        .run(race(racers).stagger(DELAY, starts.clock.timer()))
        .unwrap_err()
    else {
        panic!("there were tasks")
    };
    assert_eq!(failures.len(), 100);
    assert_eq!(starts.clock.now(), Duration::ZERO);
}

#[test]
fn the_last_racer_sets_no_timer() {
    let clock = VirtualClock::new();
    let board = Board::new(2);
    let mut run = Driver::new(race(board.tasks()).stagger(DELAY, clock.timer()));
    assert!(run.run().is_pending());
    assert_eq!((board.created(), clock.timers_set()), (1, 1));
    clock.advance(DELAY);
    assert!(run.run().is_pending());
    assert_eq!((board.created(), clock.timers_set()), (2, 1));
    assert_eq!(clock.timers_running(), 0);
    board.end(1, Ok(7));
    assert_eq!(run.finish().unwrap().winner_index, 1);
    assert_eq!((board.polls(0), board.polls(1)), (1, 2));
}

#[test]
fn timer_and_racers_wake_separately() {
    let clock = VirtualClock::new();
    let board = Board::new(3);
    let mut run = Driver::new(race(board.tasks()).stagger(DELAY, clock.timer()));
    assert!(run.run().is_pending());
    board.wake(0);
    assert!(run.run().is_pending());
    assert_eq!((board.polls(0), board.created()), (2, 1));
    clock.advance(DELAY);
    assert!(run.run().is_pending());
    assert_eq!((board.polls(0), board.polls(1), board.created()), (2, 1, 2));
}

#[test]
fn racers_that_wake_poll_no_timer() {
    let polls = Cell::new(0);
    let board = Board::new(2);
    let timer = |_| {
        poll_fn(|_| {
            polls.set(polls.get() + 1);
            Poll::<()>::Pending
        })
    };
    let mut run = Driver::new(race(board.tasks()).stagger(DELAY, timer));
    assert!(run.run().is_pending());
    board.wake(0);
    assert!(run.run().is_pending());
    assert_eq!((board.polls(0), polls.get()), (2, 1));
}

#[test]
fn a_winner_drops_the_timer() {
    let clock = VirtualClock::new();
    let board = Board::new(3);
    let mut run = Driver::new(race(board.tasks()).stagger(DELAY, clock.timer()));
    assert!(run.run().is_pending());
    board.end(0, Ok(1));
    assert!(run.finish().is_ok());
    assert_eq!((board.created(), board.alive()), (1, 0));
    drop(run);
    assert_eq!(clock.timers_running(), 0);
}

#[test]
fn endless_delays_make_a_fall_through() {
    let board = Board::new(3);
    let mut run = Driver::new(race(board.tasks()).stagger(DELAY, |_| pending::<()>()));
    assert!(run.run().is_pending());
    board.end(0, Err("no"));
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 2);
    board.end(1, Ok(5));
    assert_eq!(
        run.finish().unwrap(),
        RaceResult {
            value: 5,
            winner_index: 1
        }
    );
    assert_eq!(board.created(), 2);
}

#[test]
fn no_delay_makes_a_race() {
    let board = Board::new(30);
    let mut run = Driver::new(race(board.tasks()).stagger(DELAY, |_| ready(())));
    assert!(run.run().is_pending());
    assert_eq!((board.created(), board.total_polls()), (30, 30));
}

#[test]
fn a_lying_hint_costs_one_timer() {
    let clock = VirtualClock::new();
    let board = Board::new(2);
    let one = board.tasks().enumerate().filter(|(index, _)| *index == 0);
    let mut run = Driver::new(race(one.map(|(_, task)| task)).stagger(DELAY, clock.timer()));
    assert!(run.run().is_pending());
    clock.advance(DELAY);
    assert!(run.run().is_pending());
    board.end(0, Err("no"));
    assert!(matches!(run.finish(), Err(RaceError::AllFailed(failures)) if failures.len() == 1));
}

#[test]
fn a_staggered_race_needs_tasks() {
    let clock = VirtualClock::new();
    let nobody: [std::future::Ready<Result<(), ()>>; 0] = [];
    let run = race(nobody).stagger(DELAY, clock.timer());
    assert_eq!(clock.run(run), Err(RaceError::NoTasks));
    assert_eq!(clock.timers_set(), 0);
}

#[test]
fn fall_through_creates_tasks_after_failures() {
    let board = Board::new(4);
    let errors = RefCell::new(Vec::new());
    let hook = |error: &&'static str, index| errors.borrow_mut().push((index, *error));
    let mut run = Driver::new(fall_through(board.tasks()).on_error(hook));
    for failed in 0..2 {
        assert!(run.run().is_pending());
        assert_eq!((board.created(), board.alive()), (failed + 1, 1));
        board.end(failed, Err("no"));
    }
    assert!(run.run().is_pending());
    board.end(2, Ok(9));
    assert!(!run.future.is_terminated());
    assert_eq!(
        run.finish().unwrap(),
        RaceResult {
            value: 9,
            winner_index: 2
        }
    );
    assert!(run.future.is_terminated());
    assert_eq!(board.created(), 3, "the fourth was never needed");
    assert_eq!(board.alive(), 0);
    assert_eq!(board.total_polls(), 6);
    assert_eq!(*errors.borrow(), [(0, "no"), (1, "no")]);
}

#[test]
fn fall_through_keeps_every_error() {
    let tasks = ["a", "b", "c"].map(|error| async move { Err::<(), _>(error) });
    let error = Driver::new(fall_through(tasks)).finish().unwrap_err();
    assert_eq!(error.last(), Some(&"c"));
    let RaceError::AllFailed(failures) = error else {
        panic!("there were tasks")
    };
    assert_eq!(
        failures.into_iter().collect::<Vec<_>>(),
        [(0, "a"), (1, "b"), (2, "c")]
    );
}

#[test]
fn fall_through_needs_tasks() {
    let board = Board::new(0);
    assert_eq!(
        Driver::new(fall_through(board.tasks())).finish(),
        Err(RaceError::NoTasks)
    );
}

#[test]
fn fall_through_yields_to_the_executor() {
    let mut run = Driver::new(fall_through((0..10_000).map(|n| ready(Err::<(), _>(n)))));
    assert!(
        matches!(run.finish(), Err(RaceError::AllFailed(failures)) if failures.len() == 10_000)
    );
    assert!(run.polls > 1);
}

#[cfg(panic = "unwind")]
#[test]
fn fall_through_survives_a_panicking_task() {
    let tasks = [0, 1].map(|index| async move {
        assert_ne!(index, 0, "the first panics");
        Ok::<_, ()>(index)
    });
    let mut run = Driver::new(fall_through(tasks));
    let panicked = catch_unwind(AssertUnwindSafe(|| run.poll()));
    assert!(panicked.is_err());
    assert_eq!(run.finish().unwrap().winner_index, 1);
}

#[cfg(panic = "unwind")]
#[test]
fn fall_through_survives_a_panicking_iterator() {
    let mut pulls = 0;
    let tasks = std::iter::from_fn(|| {
        pulls += 1;
        assert_ne!(pulls, 1, "the first pull panics");
        Some(ready(Ok::<_, ()>(pulls)))
    });
    let mut run = Driver::new(fall_through(tasks));
    assert!(catch_unwind(AssertUnwindSafe(|| run.poll())).is_err());
    assert_eq!(run.finish().unwrap().value, 2);
}

#[test]
fn dropping_drops_the_running_task() {
    let board = Board::new(3);
    let mut run = Driver::new(fall_through(board.tasks()));
    assert!(run.run().is_pending());
    drop(run);
    assert_eq!((board.created(), board.alive()), (1, 0));
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn every_race_is_send() {
    fn check<T: Send + Unpin>(run: T) {
        drop(run);
    }
    let clock = VirtualClock::new();
    let tasks = || [ready(Ok::<_, ()>(1))];
    check(fall_through(tasks()));
    check(race(tasks()));
    check(race(tasks()).stagger(DELAY, clock.timer()));
    check(
        race(tasks())
            .stagger(DELAY, smol::Timer::after)
            .on_error(|_, _| {}),
    );
}

#[test]
fn a_pinned_timer_is_accepted() {
    let clock = VirtualClock::new();
    let timer = |duration| {
        let sleep = clock.sleep(duration);
        async move {
            sleep.await;
            // Not `Unpin`, as the sleep of tokio is not.
        }
    };
    let board = Board::new(2);
    let mut run = Driver::new(race(board.tasks()).stagger(DELAY, timer));
    assert!(matches!(run.run(), Poll::Pending));
    clock.advance(DELAY);
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 2);
}
