//! Limits against a simple model of who has a permit.

use std::task::Poll;

use abreast::limit::{AcquirePermit, Permit};
use abreast::{Limit, parallel};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Board, Driver};

/// Returns how many of the first `len` tasks were polled and still run.
fn running(board: &Board, len: usize) -> usize {
    (0..len)
        .filter(|&task| board.polls(task) > 0 && !board.is_dropped(task))
        .count()
}

#[derive(Clone, Debug)]
enum Step {
    /// Somebody comes and is polled.
    Acquire(usize),
    /// One that waits is polled, woken or not.
    Poll(usize),
    /// One that waits is dropped.
    Leave(usize),
    /// A permit is given back.
    GiveBack(usize),
    TryAcquire,
    Set(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_usize..5).prop_map(Step::Acquire),
        2 => any::<usize>().prop_map(Step::Poll),
        1 => any::<usize>().prop_map(Step::Leave),
        3 => any::<usize>().prop_map(Step::GiveBack),
        1 => Just(Step::TryAcquire),
        1 => (0_usize..6).prop_map(Step::Set),
    ];
    vec(step, 0..120)
}

/// One that waits, as it should be.
struct Waiter {
    weight: usize,
    granted: bool,
    future: Driver<AcquirePermit>,
}

/// A limit as it should be.
struct Model {
    limit: usize,
    line: Vec<Waiter>,
    taken: Vec<Permit>,
}

impl Model {
    fn in_use(&self) -> usize {
        let granted = self.line.iter().filter(|waiter| waiter.granted);
        let granted: usize = granted.map(|waiter| waiter.weight).sum();
        let taken: usize = self.taken.iter().map(Permit::weight).sum();
        granted + taken
    }

    fn fits(&self, weight: usize) -> bool {
        let in_use = self.in_use();
        self.limit > 0 && (in_use == 0 || in_use + weight <= self.limit)
    }

    /// Grants permits from the front on, as long as they fit.
    fn grant(&mut self) {
        while let Some(next) = self.line.iter().position(|waiter| !waiter.granted) {
            if !self.fits(self.line[next].weight) {
                break;
            }
            self.line[next].granted = true;
        }
    }

    fn waiting(&self) -> usize {
        self.line.iter().filter(|waiter| !waiter.granted).count()
    }
}

proptest! {
    #[test]
    fn a_limit_does_as_its_model(steps in steps()) {
        let limit = Limit::new(3);
        let mut model = Model { limit: 3, line: Vec::new(), taken: Vec::new() };
        for step in steps {
            match step {
                Step::Acquire(weight) => {
                    let may_take = model.waiting() == 0 && model.fits(weight);
                    let mut future = Driver::new(limit.acquire_many(weight));
                    match future.poll() {
                        Poll::Ready(permit) => {
                            prop_assert!(may_take);
                            model.taken.push(permit);
                        }
                        Poll::Pending => {
                            prop_assert!(!may_take);
                            model.line.push(Waiter { weight, granted: false, future });
                        }
                    }
                }
                Step::Poll(pick) if !model.line.is_empty() => {
                    let place = pick % model.line.len();
                    let granted = model.line[place].granted;
                    match model.line[place].future.poll() {
                        Poll::Ready(permit) => {
                            prop_assert!(granted);
                            model.line.remove(place);
                            model.taken.push(permit);
                        }
                        Poll::Pending => prop_assert!(!granted),
                    }
                }
                Step::Leave(pick) if !model.line.is_empty() => {
                    model.line.remove(pick % model.line.len());
                    model.grant();
                }
                Step::GiveBack(pick) if !model.taken.is_empty() => {
                    drop(model.taken.swap_remove(pick % model.taken.len()));
                    model.grant();
                }
                Step::TryAcquire => {
                    let may_take = model.waiting() == 0 && model.fits(1);
                    let permit = limit.try_acquire();
                    prop_assert_eq!(permit.is_some(), may_take);
                    model.taken.extend(permit);
                }
                Step::Set(permits) => {
                    limit.set(permits);
                    model.limit = permits;
                    model.grant();
                }
                _ => {}
            }
            prop_assert_eq!(limit.in_use(), model.in_use());
            prop_assert_eq!(limit.waiting(), model.waiting());
            // Whoever has a permit was woken for it, and nobody else was.
            for waiter in &model.line {
                let wakes = waiter.future.wakes();
                prop_assert!(wakes <= usize::from(waiter.granted));
            }
        }
    }

    /// Runs that share a limit, whose tasks end in any order.
    #[test]
    fn limits_are_full_and_not_exceeded(
        permits in 1_usize..5,
        lens in vec(0_usize..12, 1..4),
        steps in vec((any::<usize>(), any::<usize>(), any::<bool>()), 0..80),
    ) {
        let limit = Limit::new(permits);
        let boards: Vec<_> = lens.iter().map(|&len| Board::new(len)).collect();
        let run = |board: &Board| Driver::new(parallel(board.tasks()).concurrency(3).limit(&limit));
        let mut runs: Vec<_> = boards.iter().map(run).collect();
        let mut done = vec![false; runs.len()];
        let settle = |runs: &mut Vec<Driver<_>>, done: &mut Vec<bool>| loop {
            let mut went_on = false;
            for (run, done) in runs.iter_mut().zip(done.iter_mut()) {
                if !*done && (run.polls == 0 || run.wakes() > 0) {
                    *done = run.run().is_ready();
                    went_on = true;
                }
            }
            if !went_on {
                break;
            }
        };
        settle(&mut runs, &mut done);
        for (run, task, fewer) in steps {
            let which = run % boards.len();
            let len = lens[which];
            let running_now: Vec<_> = (0..len)
                .filter(|&task| boards[which].polls(task) > 0 && !boards[which].is_dropped(task))
                .collect();
            if let Some(&task) = running_now.get(task % running_now.len().max(1)) {
                boards[which].end(task, if fewer { Err("no") } else { Ok(task) });
            }
            settle(&mut runs, &mut done);

            // As many run as may: by the limit, or by what the runs have left to do.
            let each = boards.iter().zip(&lens).map(|(board, &len)| running(board, len));
            let total: usize = each.sum();
            let could: usize = boards
                .iter()
                .zip(&lens)
                .map(|(board, &len)| {
                    let ended = (0..len).filter(|&task| board.is_dropped(task)).count();
                    (len - ended).min(3)
                })
                .sum();
            prop_assert_eq!(total, could.min(permits));
            prop_assert_eq!(limit.in_use(), total);
        }
    }
}
