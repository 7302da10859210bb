//! How much one poll does: there is one budget for all windows within the outermost one.
#![cfg(feature = "std")]

use std::cell::Cell;
#[cfg(panic = "unwind")]
use std::future::pending;
use std::future::{Future, ready};
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::{Driver, yield_times};
use abreast::{gather, parallel};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const BUDGET: usize = 128;

/// Polls until the run has ended, and returns the most that `count` has grown in one poll.
fn most_in_a_poll<F: Future>(count: &Cell<usize>, mut run: Driver<F>) -> usize {
    let mut most = 0;
    loop {
        let before = count.get();
        let polled = run.poll();
        most = most.max(count.get() - before);
        if polled.is_ready() {
            return most;
        }
        assert_eq!(run.wakes(), 1, "there is more to do");
    }
}

#[test]
fn every_first_poll_counts() {
    let started = Cell::new(0);
    let tasks = (0..1_000).map(|_| {
        started.set(started.get() + 1);
        ready(Ok::<_, ()>(()))
    });
    let run = Driver::new(parallel(tasks).concurrency(1_000));
    assert_eq!(most_in_a_poll(&started, run), BUDGET);
}

#[test]
fn passes_spend_what_starting_leaves() {
    let polls = Cell::new(0);
    // All have started when the budget is nearly spent, and those that wake themselves are to be visited next.
    let run = parallel((0..120).map(|index| {
        let polls = &polls;
        async move {
            for _ in 0..if index < 19 { 100 } else { 0 } {
                polls.set(polls.get() + 1);
                yield_times(1).await;
            }
            polls.set(polls.get() + 1);
            Ok::<_, ()>(())
        }
    }));
    let most = most_in_a_poll(&polls, Driver::new(run.concurrency(20)));
    assert_eq!(most, BUDGET);
}

#[test]
fn nested_windows_share_the_budget() {
    let polls = Cell::new(0);
    let run = parallel((0..20).map(|_| {
        let polls = &polls;
        async move {
            let inner = parallel((0..20).map(|_| async move {
                for _ in 0..3 {
                    polls.set(polls.get() + 1);
                    yield_times(1).await;
                }
                Ok::<_, ()>(())
            }));
            assert!(inner.concurrency(20).await.all_succeeded());
            Ok::<_, ()>(())
        }
    }));
    let most = most_in_a_poll(&polls, Driver::new(run.concurrency(20)));
    assert!((BUDGET / 2..=BUDGET + 1).contains(&most), "{most}");
}

#[test]
fn fixed_sets_share_the_budget() {
    let polls = Cell::new(0);
    let leaf = || {
        let polls = &polls;
        async move {
            for _ in 0..3 {
                polls.set(polls.get() + 1);
                yield_times(1).await;
            }
        }
    };
    let run = parallel((0..50).map(|_| async {
        let list = gather([leaf(), leaf(), leaf(), leaf()]);
        let tuple = gather((leaf(), leaf(), leaf(), leaf()));
        gather((list, tuple)).await;
        Ok::<_, ()>(())
    }));
    let most = most_in_a_poll(&polls, Driver::new(run.concurrency(50)));
    assert_eq!(polls.get(), 50 * 8 * 3);
    assert!((BUDGET / 2..=BUDGET + 1).contains(&most), "{most}");
}

#[test]
fn windows_of_one_take_two() {
    for alone in 0..2 {
        let polled = Cell::new(0);
        let task = |index| {
            let polled = &polled;
            async move {
                if index >= alone {
                    let inner = parallel([async {
                        polled.set(polled.get() + 1);
                        Ok::<_, ()>(())
                    }]);
                    assert!(inner.await.all_succeeded());
                }
                Ok::<_, ()>(())
            }
        };
        let mut run = Driver::new(parallel((0..200).map(task)).concurrency(200));
        assert!(run.poll().is_pending());
        // The last of them has two in any case, and leaves nothing of them.
        assert_eq!(polled.get(), BUDGET / 2);
    }
}

#[test]
fn tasks_may_block_on_windows() {
    // The inner window is polled over and over while nothing is left of the budget.
    for outer in [1, 2, BUDGET, BUDGET + 1] {
        let run = parallel((0..outer).map(|_| async {
            let inner = || {
                parallel((0..300).map(|_| async {
                    yield_times(2).await;
                    Ok::<_, ()>(())
                }))
            };
            for _ in 0..2 {
                assert!(Driver::new(inner().concurrency(7)).finish().all_succeeded());
            }
            Ok::<_, ()>(())
        }));
        assert!(Driver::new(run.concurrency(outer)).finish().all_succeeded());
    }
}

#[cfg(panic = "unwind")]
#[test]
fn a_panic_gives_the_budget_back() {
    let tasks = (0..300).map(|index| async move {
        let inner = parallel((0..10).map(|_| async move {
            assert!(index != 7, "the task panics");
            Ok::<_, ()>(())
        }));
        inner.await;
        pending::<Result<(), ()>>().await
    });
    let mut run = Driver::new(parallel(tasks).concurrency(300));
    assert!(catch_unwind(AssertUnwindSafe(|| run.poll())).is_err());

    // The next poll has all of it again, on this thread and for any window.
    let started = Cell::new(0);
    let tasks = (0..1_000).map(|_| {
        started.set(started.get() + 1);
        pending::<Result<(), ()>>()
    });
    assert!(
        Driver::new(parallel(tasks).concurrency(1_000))
            .poll()
            .is_pending()
    );
    assert_eq!(started.get(), BUDGET);
}
