//! A consumer within the window: tasks go on while it awaits, and nothing is polled that was not woken.

use std::cell::{Cell, RefCell};
use std::future::ready;
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::support::{Board, Driver, yield_now, yield_times};
use abreast::{parallel, parallel_stream};
use futures::executor::block_on;
use futures::future::{FusedFuture, poll_fn};
use futures::lock::Mutex;
use futures::stream::{self, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

type Item = (usize, Result<usize, &'static str>);

#[test]
fn results_come_as_tasks_end() {
    let board = Board::new(4);
    let seen = RefCell::new(Vec::<Item>::new());
    let mut run = Driver::new(
        parallel(board.tasks())
            .concurrency(3)
            .for_each(async |index, result| seen.borrow_mut().push((index, result))),
    );
    assert!(run.run().is_pending());
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    assert_eq!(*seen.borrow(), [(1, Ok(1))], "at once");
    board.end(3, Err("no"));
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    board.end(2, Ok(2));
    assert!(!run.future.is_terminated());
    let consumed = run.finish();
    assert!(run.future.is_terminated());
    assert_eq!((consumed.count, consumed.total), (4, Some(4)));
    assert_eq!(
        *seen.borrow(),
        [(1, Ok(1)), (0, Ok(0)), (3, Err("no")), (2, Ok(2))]
    );
}

#[test]
fn ordered_results_come_in_input_order() {
    let board = Board::new(6);
    let seen = RefCell::new(Vec::new());
    let mut run = Driver::new(
        parallel(board.tasks())
            .concurrency(3)
            .for_each(async |index, _| seen.borrow_mut().push(index))
            .ordered(),
    );
    assert!(run.run().is_pending());
    board.end(2, Ok(2));
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    assert_eq!(
        (seen.borrow().len(), board.created()),
        (0, 3),
        "held up by the first"
    );
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert_eq!((seen.borrow().len(), board.created()), (3, 6));
    (3..6).rev().for_each(|index| board.end(index, Ok(index)));
    run.finish();
    assert_eq!(*seen.borrow(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_failure_hands_over_the_rest() {
    let board = Board::new(4);
    let seen = RefCell::new(Vec::new());
    let run = parallel(board.tasks()).concurrency(3).fail_fast(true);
    let mut run = Driver::new(
        run.for_each(async |index, _| seen.borrow_mut().push(index))
            .ordered(),
    );
    assert!(run.run().is_pending());
    board.end(2, Ok(2));
    assert!(run.run().is_pending());
    board.end(1, Err("no"));

    // The first has not ended, and never will.
    assert_eq!(run.finish().count, 2);
    assert_eq!(*seen.borrow(), [1, 2]);
    assert_eq!(run.polls, 3);
}

#[test]
fn what_ends_meanwhile_is_consumed() {
    let (tasks, calls) = (Board::new(3), Board::new(3));
    let mut run = Driver::new(parallel(tasks.tasks()).for_each(|index, _| {
        let call = calls.task(index);
        async move { _ = call.await }
    }));
    assert!(run.run().is_pending());
    tasks.end(0, Ok(0));
    assert!(run.run().is_pending());
    calls.end(0, Ok(0));
    tasks.end(1, Ok(1));
    assert!(run.run().is_pending());

    // In the poll in which the first call ended.
    assert_eq!((calls.created(), calls.polls(1), run.polls), (2, 1, 3));
}

#[test]
fn tasks_go_on_while_it_awaits() {
    let (tasks, calls) = (Board::new(20), Board::new(20));
    let mut run = Driver::new(parallel(tasks.tasks()).concurrency(4).for_each(|index, _| {
        let call = calls.task(index);
        async move { _ = call.await }
    }));
    assert!(run.run().is_pending());
    tasks.end(0, Ok(0));
    assert!(run.run().is_pending());
    // One is consumed and three run: the next has to wait, but those that run go on.
    assert_eq!((calls.created(), tasks.created()), (1, 4));
    for index in [2, 1] {
        tasks.wake(index);
        assert!(run.run().is_pending());
        assert_eq!(tasks.polls(index), 2);
        tasks.end(index, Ok(index));
        assert!(run.run().is_pending());
        assert!(
            tasks.is_dropped(index),
            "it has ended although its result waits"
        );
    }
    assert_eq!((calls.created(), tasks.created()), (1, 4));
    // Each that is consumed makes room for one.
    for (created, index) in [(5, 0), (6, 2), (7, 1)] {
        calls.end(index, Ok(0));
        assert!(run.run().is_pending());
        assert_eq!(tasks.created(), created);
    }
    assert_eq!((calls.created(), calls.alive(), tasks.alive()), (3, 0, 4));
}

#[test]
fn at_most_concurrency_are_not_consumed() {
    for ordered in [false, true] {
        let (started, consumed, consuming) = (Cell::new(0), Cell::new(0), Cell::new(0));
        let tasks = (0..100_usize).map(|n| {
            started.set(started.get() + 1);
            assert!(started.get() - consumed.get() <= 7);
            async move {
                yield_times(n * 7 % 5).await;
                Ok::<_, ()>(n)
            }
        });
        let run = parallel(tasks).concurrency(7).for_each(|index, _| {
            assert_eq!(consuming.replace(1), 0, "one call at a time");
            let (consumed, consuming) = (&consumed, &consuming);
            async move {
                yield_times(index % 3).await;
                consuming.set(0);
                consumed.set(consumed.get() + 1);
            }
        });
        let count = if ordered {
            Driver::new(run.ordered()).finish().count
        } else {
            Driver::new(run).finish().count
        };
        assert_eq!((count, consumed.get()), (100, 100));
    }
}

#[test]
fn wakes_poll_what_they_are_for() {
    let (tasks, calls) = (Board::new(3), Board::new(3));
    let mut run = Driver::new(parallel(tasks.tasks()).for_each(|index, _| {
        let call = calls.task(index);
        async move { _ = call.await }
    }));
    assert!(run.run().is_pending());
    tasks.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert_eq!((tasks.total_polls(), calls.total_polls()), (4, 1));
    // A wake of the consumer, one of a task, and none.
    calls.wake(0);
    assert_eq!(run.wakes(), 1);
    assert!(run.poll().is_pending());
    assert_eq!((tasks.total_polls(), calls.total_polls()), (4, 2));
    tasks.wake(1);
    assert!(run.poll().is_pending());
    assert_eq!((tasks.total_polls(), calls.total_polls()), (5, 2));
    assert!(run.poll().is_pending());
    assert_eq!(
        (tasks.total_polls(), calls.total_polls(), run.wakes()),
        (5, 2, 0)
    );
    // Those that wake it while it waits are one.
    calls.wake(0);
    calls.wake(0);
    assert_eq!(run.wakes(), 1);
    tasks.end(1, Ok(1));
    tasks.end(2, Ok(2));
    calls.end(0, Ok(0));
    assert!(run.run().is_pending());
    calls.end(1, Ok(0));
    calls.end(2, Ok(0));
    assert_eq!(run.finish().count, 3);
    assert_eq!(
        (tasks.total_polls(), calls.polls(1), calls.polls(2)),
        (7, 2, 1)
    );
}

#[test]
fn late_wakes_of_calls_are_harmless() {
    let (tasks, calls) = (Board::new(2), Board::new(2));
    let mut run = Driver::new(parallel(tasks.tasks()).for_each(|index, _| {
        let call = calls.task(index);
        async move { _ = call.await }
    }));
    assert!(run.run().is_pending());
    tasks.end(0, Ok(0));
    assert!(run.run().is_pending());
    let late = calls.waker(0);
    calls.end(0, Ok(0));
    assert!(run.run().is_pending());
    late.wake_by_ref();
    assert!(run.poll().is_pending());
    assert_eq!(run.wakes(), 0, "the consumer is idle");
    tasks.end(1, Ok(1));
    assert!(run.run().is_pending());
    assert_eq!(calls.polls(1), 1);
    let Driver { future, .. } = run;
    drop(future);
    late.wake();
    calls.wake(1);
    assert_eq!((tasks.alive(), calls.alive()), (0, 0));
}

#[test]
fn dropped_runs_wake_nobody() {
    let (tasks, calls) = (Board::new(1), Board::new(1));
    let (wakes, waker) = crate::support::Count::new();
    let run = parallel(tasks.tasks()).for_each(|index, _| {
        let call = calls.task(index);
        async move { _ = call.await }
    });
    tasks.end(0, Ok(0));
    let mut run = Box::pin(run);
    assert!(
        run.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    let late = calls.waker(0);
    drop(run);
    late.wake();
    assert_eq!(wakes.get(), 0);
}

#[test]
fn consumers_that_wake_themselves_yield() {
    let polls = Cell::new(0);
    let spins = || {
        poll_fn(|cx| {
            polls.set(polls.get() + 1);
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        })
    };
    let mut run = Driver::new(parallel([async { Ok::<_, ()>(1) }]).for_each(|_, _| spins()));
    for _ in 0..10 {
        let before = polls.get();
        assert!(run.poll().is_pending());
        assert!(run.wakes() > 0 && polls.get() - before <= 2);
    }
}

#[test]
fn few_ready_results_take_one_poll() {
    let tasks = (0..10).map(|n| ready(Ok::<_, ()>(n)));
    let mut run = Driver::new(parallel(tasks).concurrency(2).for_each(async |_, _| ()));
    assert!(run.poll().is_ready());
}

#[test]
fn ready_results_yield_in_between() {
    // A row of results that was held up, longer than what one poll may do.
    let board = Board::new(1000);
    let seen = Cell::new(0);
    let mut run = Driver::new(
        parallel(board.tasks())
            .concurrency(1000)
            .for_each(async |_, _| seen.set(seen.get() + 1))
            .ordered(),
    );
    assert!(run.run().is_pending());
    (0..1000)
        .rev()
        .for_each(|index| board.end(index, Ok(index)));
    loop {
        let before = seen.get();
        let polled = run.poll();
        assert!(seen.get() - before <= 2 * 128, "{}", seen.get() - before);
        if polled.is_ready() {
            break;
        }
        assert!(run.wakes() > 0);
    }
    assert_eq!(seen.get(), 1000);
}

#[test]
fn hooks_come_before_the_consumer() {
    let log = RefCell::new(Vec::new());
    let run = parallel([Ok(1), Err("no")].map(|result| async move { result }))
        .on_complete(|value, index| log.borrow_mut().push(format!("{index} complete: {value}")))
        .on_error(|error, index| log.borrow_mut().push(format!("{index} failed: {error}")))
        .on_progress(|progress| log.borrow_mut().push(progress.to_string()))
        .for_each(async |index, result| log.borrow_mut().push(format!("{index}: {result:?}")));
    block_on(run);
    let expected = [
        "0 complete: 1",
        "1/2",
        "0: Ok(1)",
        "1 failed: no",
        "2/2",
        "1: Err(\"no\")",
    ];
    assert_eq!(log.into_inner(), expected);
}

#[test]
fn fail_fast_consumes_what_was_done() {
    for ordered in [false, true] {
        let (tasks, calls) = (Board::new(10), Board::new(10));
        let run = parallel(tasks.tasks()).concurrency(5).fail_fast(true);
        let run = run.for_each(|index, _| {
            let call = calls.task(index);
            async move { _ = call.await }
        });
        let mut run = Driver::new(if ordered {
            futures::future::Either::Left(run.ordered())
        } else {
            futures::future::Either::Right(run)
        });
        assert!(run.run().is_pending());
        for (index, result) in [(0, Ok(0)), (3, Ok(3)), (2, Err("no"))] {
            tasks.end(index, result);
            assert!(run.run().is_pending());
        }
        assert_eq!(
            (tasks.alive(), tasks.created()),
            (0, 5),
            "those that run are dropped"
        );
        for index in [0, 3, 2] {
            calls.end(index, Ok(0));
        }
        let consumed = run.finish();
        assert_eq!((consumed.count, consumed.to_string()), (3, "3/10".into()));
    }
}

#[test]
fn an_error_drops_everything() {
    let (tasks, calls) = (Board::new(10), Board::new(10));
    let mut run = Driver::new(
        parallel(tasks.tasks())
            .concurrency(4)
            .try_for_each(|index, _| {
                let call = calls.task(index);
                async move { call.await.map(drop) }
            }),
    );
    assert!(run.run().is_pending());
    tasks.end(0, Ok(0));
    tasks.end(1, Err("of a task"));
    assert!(run.run().is_pending());
    calls.end(0, Ok(0));
    assert!(run.run().is_pending());
    tasks.end(2, Ok(2));
    assert!(run.run().is_pending());
    calls.end(1, Err("of the consumer"));
    assert_eq!(run.finish(), Err("of the consumer"));
    assert_eq!((tasks.alive(), calls.alive(), calls.created()), (0, 0, 2));
}

#[test]
fn an_early_error_starts_no_more() {
    let board = Board::new(10);
    (0..10).for_each(|index| board.end(index, if index == 3 { Err("no") } else { Ok(index) }));
    let run = parallel(board.tasks()).try_for_each(async |_, result| result.map(drop));
    assert_eq!(Driver::new(run).finish(), Err("no"));
    assert_eq!((board.created(), board.alive()), (4, 0));
}

#[test]
fn dropping_leaves_nothing_behind() {
    for polls in 0..12 {
        let (tasks, calls) = (Board::new(6), Board::new(6));
        let mut run = Driver::new(parallel(tasks.tasks()).concurrency(3).for_each(|index, _| {
            let call = calls.task(index);
            async move { _ = call.await }
        }));
        for poll in 0..polls {
            if poll % 2 == 1 {
                tasks.end(poll / 2, Ok(0));
            } else if poll > 0 {
                calls.end(poll / 2 - 1, Ok(0));
            }
            assert!(run.run().is_pending());
        }
        drop(run);
        assert_eq!(
            (tasks.alive(), calls.alive()),
            (0, 0),
            "after {polls} polls"
        );
    }
}

#[test]
fn sources_are_polled_given_room() {
    let (send, receive) = async_channel::bounded::<usize>(10);
    let calls = Board::new(10);
    let mut run = Driver::new(
        parallel_stream(receive.map(|n| async move { Ok::<_, ()>(n) }))
            .concurrency(2)
            .for_each(|index, _| {
                let call = calls.task(index);
                async move { _ = call.await }
            }),
    );
    assert!(run.run().is_pending());
    (0..10).for_each(|n| send.try_send(n).unwrap());
    assert!(run.run().is_pending());
    assert_eq!((calls.created(), send.len()), (1, 8));
    calls.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert_eq!((calls.created(), send.len()), (2, 7));
    drop(send);
    (1..10).for_each(|index| calls.end(index, Ok(0)));
    let consumed = run.finish();
    assert_eq!((consumed.count, consumed.total), (10, None));
}

#[test]
fn empty_runs_call_nobody() {
    let none = || std::iter::empty::<std::future::Ready<Result<u32, ()>>>();
    let run = parallel(none()).for_each(|_, _| async { unreachable!() });
    assert_eq!(block_on(run).count, 0);
    let run = parallel(none())
        .try_for_each(async |_, _| Err::<(), _>("never"))
        .ordered();
    assert_eq!(block_on(run).unwrap().to_string(), "0/0");
}

/// Known as "futurelock", and as the deadlock of buffered streams: who consumes needs what a task in the window holds.
#[test]
fn tasks_holding_locks_hang_nothing() {
    let lock = Mutex::new(());
    // The last ends at once, and the others hold the lock for one turn of the executor.
    let task = |n: usize| {
        let lock = &lock;
        async move {
            if n < 2 {
                let _held = lock.lock().await;
                yield_now().await;
            }
            Ok::<_, ()>(n)
        }
    };

    // In a loop over a stream, the holder of the lock is not polled while the body of the loop waits for it.
    let mut theirs = Driver::new(async {
        let mut results = pin!(stream::iter((0..3).map(task)).buffer_unordered(3));
        while results.next().await.is_some() {
            drop(lock.lock().await);
        }
    });
    assert!(theirs.run().is_pending(), "nobody is going to wake it");
    for _ in 0..100 {
        assert!(theirs.poll().is_pending());
    }
    drop(theirs);

    let ours = parallel((0..3).map(task)).concurrency(3);
    let ours = ours.for_each(async |_, _| drop(lock.lock().await));
    assert_eq!(Driver::new(ours).finish().count, 3);
}

/// The same with a channel, whose only place a task has taken that goes on to receive.
#[test]
fn full_channels_do_not_hang_it() {
    let (send, receive) = async_channel::bounded(1);
    // The first takes the place and gives it free a turn later, the second ends at once.
    let task = |n: usize| {
        let (send, receive) = (&send, &receive);
        async move {
            if n == 0 {
                send.send(n).await.map_err(drop)?;
                yield_now().await;
                receive.recv().await.map_err(drop)?;
            }
            Ok::<_, ()>(n)
        }
    };
    let consume = async |n: usize| {
        send.send(n).await.unwrap();
        receive.recv().await.unwrap();
    };

    let mut theirs = Driver::new(async {
        let mut results = pin!(stream::iter((0..2).map(task)).buffer_unordered(2));
        while results.next().await.is_some() {
            consume(7).await;
        }
    });
    assert!(theirs.run().is_pending(), "nobody is going to wake it");
    drop(theirs);
    while receive.try_recv().is_ok() {}

    let ours = parallel((0..2).map(task)).for_each(async |index, _| consume(index).await);
    assert_eq!(Driver::new(ours).finish().count, 2);
}

#[cfg(panic = "unwind")]
#[test]
fn a_panic_costs_one_result() {
    for at in ["call", "poll", "second poll"] {
        let seen = RefCell::new(Vec::new());
        let tasks = (0..6).map(|n| async move { Ok::<_, ()>(n) });
        let run = parallel(tasks).concurrency(2).for_each(|index, _| {
            assert!(index != 3 || at != "call", "on purpose");
            let seen = &seen;
            async move {
                assert!(index != 3 || at != "poll", "on purpose");
                yield_now().await;
                assert!(index != 3, "on purpose");
                seen.borrow_mut().push(index);
            }
        });
        let mut run = Driver::new(run);
        assert!(
            catch_unwind(AssertUnwindSafe(|| run.run())).is_err(),
            "{at}"
        );
        assert_eq!(run.finish().count, 5, "{at}");
        assert_eq!(*seen.borrow(), [0, 1, 2, 4, 5], "{at}");
    }
}

#[cfg(panic = "unwind")]
#[test]
fn panicking_tasks_are_left_out() {
    for ordered in [false, true] {
        let seen = RefCell::new(Vec::new());
        let tasks = (0..5).map(|n| async move {
            yield_now().await;
            assert_ne!(n, 1, "on purpose");
            Ok::<_, ()>(n)
        });
        let run = parallel(tasks).for_each(async |index, _| seen.borrow_mut().push(index));
        let mut run = Driver::new(if ordered {
            futures::future::Either::Left(run.ordered())
        } else {
            futures::future::Either::Right(run)
        });
        assert!(catch_unwind(AssertUnwindSafe(|| run.run())).is_err());
        assert_eq!(run.finish().count, 4);
        assert_eq!(*seen.borrow(), [0, 2, 3, 4]);
    }
}

#[test]
fn nested_runs_share_a_budget() {
    let polls = Cell::new(0);
    let inner = || {
        let tasks = (0..1000).map(|_| {
            polls.set(polls.get() + 1);
            async { Ok::<_, ()>(()) }
        });
        parallel(tasks)
    };
    let mut run = Driver::new(
        parallel((0..10).map(|_| async { Ok::<_, ()>(()) }))
            .for_each(async |_, _| drop(inner().await)),
    );
    let mut before = 0;
    while run.poll().is_pending() {
        if cfg!(feature = "std") {
            assert!(polls.get() - before <= 2 * 128, "{}", polls.get() - before);
        }
        before = polls.get();
    }
    assert_eq!(polls.get(), 10_000);
    let mut cx = Context::from_waker(Waker::noop());
    let mut none = pin!(parallel([async { Ok::<_, ()>(()) }]).for_each(async |_, _| ()));
    assert!(none.as_mut().poll(&mut cx).is_ready());
}
