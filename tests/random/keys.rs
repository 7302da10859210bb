//! Items with keys against a simple model of which run and which wait.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use abreast::{Limit, Outcome, parallel_map};
use futures::Stream;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Board, Driver};

/// What a run hands over.
type Item = (usize, Result<usize, ()>);

/// The keys of items, and how many run.
#[derive(Clone, Debug)]
struct Plan {
    keys: Vec<u8>,
    concurrency: usize,
    per_key: usize,
    look_ahead: usize,
}

fn plans() -> impl Strategy<Value = Plan> {
    let keys = vec(0_u8..5, 0..40);
    (keys, 1_usize..7, 1_usize..4, 1_usize..12).prop_map(
        |(keys, concurrency, per_key, look_ahead)| Plan {
            keys,
            concurrency,
            per_key,
            look_ahead,
        },
    )
}

/// What runs and what waits, as it should be.
#[derive(Default)]
struct Model {
    pulled: usize,
    running: BTreeSet<usize>,
    waiting: BTreeSet<usize>,
}

impl Model {
    fn has_room(&self, plan: &Plan, item: usize) -> bool {
        let key = plan.keys[item];
        let same = self
            .running
            .iter()
            .filter(|&&other| plan.keys[other] == key);
        same.count() < plan.per_key
    }

    /// Returns the oldest item in sight whose key has room. Pulls no more than it must.
    fn next(&mut self, plan: &Plan) -> Option<usize> {
        let oldest = self.waiting.iter().copied();
        if let Some(item) = oldest.into_iter().find(|&item| self.has_room(plan, item)) {
            self.waiting.remove(&item);
            return Some(item);
        }
        while self.waiting.len() < plan.look_ahead && self.pulled < plan.keys.len() {
            let item = self.pulled;
            self.pulled += 1;
            if self.has_room(plan, item) {
                return Some(item);
            }
            self.waiting.insert(item);
        }
        None
    }

    fn fill(&mut self, plan: &Plan) {
        while self.running.len() < plan.concurrency {
            let Some(item) = self.next(plan) else { break };
            self.running.insert(item);
        }
    }
}

/// Returns the tasks that were polled and still run.
fn running(board: &Board, len: usize) -> BTreeSet<usize> {
    (0..len)
        .filter(|&task| board.polls(task) > 0 && !board.is_dropped(task))
        .collect()
}

/// Polls a stream once, without a waker.
fn next<S: Stream>(stream: &mut Driver<S>) -> Poll<Option<S::Item>> {
    let cx = &mut Context::from_waker(Waker::noop());
    stream.future.as_mut().poll_next(cx)
}

/// A run of a plan over items that count how many of them there are, and how many were pulled.
macro_rules! run {
    ($plan:expr, $board:expr, $pulled:expr, $alive:expr) => {{
        let (board, pulled, alive) = ($board.clone(), $pulled, $alive);
        let keys = $plan.keys.clone();
        let items = (0..keys.len()).map(move |index| {
            pulled.set(pulled.get() + 1);
            (index, alive.clone())
        });
        parallel_map(items, move |(index, _)| board.task(index))
            .concurrency($plan.concurrency)
            .per_key($plan.per_key, move |&(index, _)| keys[index])
            .look_ahead($plan.look_ahead)
    }};
}

proptest! {
    #[test]
    fn keys_do_as_their_model(plan in plans(), ends in vec(any::<(usize, bool)>(), 0..60)) {
        let len = plan.keys.len();
        let (board, pulled, alive) = (Board::new(len), Cell::new(0), Rc::new(()));
        let mut run = Driver::new(run!(plan, board, &pulled, &alive));
        let mut model = Model::default();
        let mut result = run.run();
        for (pick, succeeds) in ends.into_iter().chain(std::iter::repeat_n((0, true), len)) {
            model.fill(&plan);
            if result.is_ready() {
                break;
            }
            // What runs is exactly what should, and nothing was pulled that need not be.
            prop_assert_eq!(&running(&board, len), &model.running);
            prop_assert_eq!(pulled.get(), model.pulled);
            prop_assert_eq!(Rc::strong_count(&alive), 1 + model.waiting.len());
            let task = model.running.iter().nth(pick % model.running.len()).copied();
            let task = task.expect("something runs, or it hangs");
            model.running.remove(&task);
            board.end(task, if succeeds { Ok(task) } else { Err("no") });
            result = run.run();
        }
        // Each result is in the place of its item.
        let Poll::Ready(result) = result else {
            panic!("it hangs");
        };
        prop_assert_eq!(result.len(), len);
        let is_right = |(index, outcome): (usize, &Outcome<_, _>)| match outcome {
            Outcome::Succeeded(value) => *value == index,
            Outcome::Failed(_) => true,
            Outcome::Cancelled => false,
        };
        prop_assert!(result.iter().enumerate().all(is_right));
    }

    #[test]
    fn streams_never_run_dry(
        plan in plans(),
        ends in vec(any::<usize>(), 1..60),
        is_ordered in any::<bool>(),
        ends_at_once in 1_usize..4,
    ) {
        let len = plan.keys.len();
        let (board, pulled, alive) = (Board::new(len), Cell::new(0), Rc::new(()));
        let run = run!(plan, board, &pulled, &alive);
        let mut run = Driver::new(if is_ordered {
            futures::future::Either::Left(run.into_ordered_stream())
        } else {
            futures::future::Either::Right(run.into_stream())
        });
        let mut taken = Vec::new();
        let mut ends = ends.into_iter().cycle();
        loop {
            let polled = next(&mut run);
            let now = running(&board, len);
            // The limits hold for each key, and for what runs or waits to be taken.
            for key in 0..5 {
                let same = now.iter().filter(|&&index| plan.keys[index] == key);
                prop_assert!(same.count() <= plan.per_key);
            }
            prop_assert!(board.created() - taken.len() <= plan.concurrency + 1);
            prop_assert!(Rc::strong_count(&alive) <= 1 + plan.look_ahead);
            match polled {
                Poll::Ready(None) => break,
                Poll::Ready(Some((index, result))) => {
                    prop_assert_eq!(result, Ok(index));
                    taken.push(index);
                }
                Poll::Pending => {
                    prop_assert!(!now.is_empty(), "it hangs");
                    let now: Vec<_> = now.into_iter().collect();
                    for pick in ends.by_ref().take(ends_at_once) {
                        let task = now[pick % now.len()];
                        board.end(task, Ok(task));
                    }
                }
            }
        }
        if !is_ordered {
            taken.sort_unstable();
        }
        prop_assert!(taken.into_iter().eq(0..len));
    }

    #[test]
    fn a_keys_tasks_start_in_order(plan in plans(), yields in vec(0_usize..4, 40)) {
        let started = std::cell::RefCell::new(Vec::new());
        let run = parallel_map(0..plan.keys.len(), |index| {
            started.borrow_mut().push(index);
            let yields = crate::support::yield_times(yields[index]);
            async move {
                yields.await;
                Ok::<_, ()>(index)
            }
        });
        let run = run
            .concurrency(plan.concurrency)
            .per_key(plan.per_key, |&index| plan.keys[index])
            .look_ahead(plan.look_ahead);
        let result = Driver::new(run).finish();
        prop_assert!(result.into_values() == Ok((0..plan.keys.len()).collect()));
        let started = started.into_inner();
        for key in 0..5 {
            let same = started.iter().filter(|&&index| plan.keys[index] == key);
            prop_assert!(same.is_sorted());
        }
    }

    #[test]
    fn a_dropped_run_leaves_nothing(plan in plans(), ends in vec(any::<usize>(), 0..30)) {
        let len = plan.keys.len();
        let (board, pulled, alive) = (Board::new(len), Cell::new(0), Rc::new(()));
        let limit = Limit::new(5);
        let mut run = Driver::new(run!(plan, board, &pulled, &alive).weigh(&limit, |_| 2));
        for pick in ends {
            if run.run().is_ready() {
                break;
            }
            let now: Vec<_> = running(&board, len).into_iter().collect();
            prop_assert!(!now.is_empty(), "it hangs");
            prop_assert!(now.len() <= plan.concurrency.min(2));
            board.end(now[pick % now.len()], Ok(0));
        }
        drop(run);
        prop_assert_eq!((board.alive(), Rc::strong_count(&alive)), (0, 1));
        prop_assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
    }

    #[test]
    fn what_panics_loses_only_its_item(
        plan in plans(),
        bad in vec((0_usize..40, 0_u8..4), 0..6),
        is_ordered in any::<bool>(),
    ) {
        // The handler, the key, the weight or the task panics on an item.
        let panics = |index: usize, place: u8| {
            assert!(!bad.contains(&(index, place)), "no");
        };
        let limit = Limit::new(4);
        let run = parallel_map(0..plan.keys.len(), |index| {
            panics(index, 0);
            async move {
                crate::support::yield_now().await;
                panics(index, 3);
                Ok::<_, ()>(index)
            }
        });
        let key = |&index: &usize| {
            panics(index, 1);
            plan.keys[index]
        };
        let run = run
            .concurrency(plan.concurrency)
            .per_key(plan.per_key, key)
            .look_ahead(plan.look_ahead)
            .weigh(&limit, |&index| {
                panics(index, 2);
                1 + index % 3
            });
        let mut taken = Vec::new();
        let mut take = |run: &mut dyn FnMut() -> Poll<Option<Item>>| {
            let mut idle = 0;
            while idle < 1000 {
                match catch_unwind(AssertUnwindSafe(&mut *run)) {
                    Ok(Poll::Ready(Some((_, result)))) => taken.extend(result),
                    Ok(Poll::Ready(None)) => return true,
                    Ok(Poll::Pending) | Err(_) => idle += 1,
                }
            }
            false
        };
        let has_ended = if is_ordered {
            let mut run = Driver::new(run.into_ordered_stream());
            take(&mut || next(&mut run))
        } else {
            let mut run = Driver::new(run.into_stream());
            take(&mut || next(&mut run))
        };
        prop_assert!(has_ended, "it hangs");
        if !is_ordered {
            taken.sort_unstable();
        }
        let is_good = |index: &usize| bad.iter().all(|(bad, _)| bad != index);
        prop_assert!(taken.into_iter().eq((0..plan.keys.len()).filter(is_good)));
        prop_assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
    }
}
