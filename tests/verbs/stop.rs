//! Runs that end at a signal: what is done is kept, and the rest is dropped at once.

use std::cell::Cell;
use std::future::{pending, ready};
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;

use crate::support::{Board, Driver, Tally};
use abreast::{
    EndReason, Limit, Outcome, batched, batched_chunks, join_all, parallel, parallel_map,
    sequential, task_group,
};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::poll_fn;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_stopped_run_keeps_its_outcomes() {
    let board = Board::new(6);
    let (stop, stopped) = oneshot::channel::<()>();
    let run = parallel(board.tasks()).concurrency(3).stop_on(stopped);
    let mut run = Driver::new(run);
    assert!(run.run().is_pending());
    board.end(1, Ok(10));
    assert!(run.run().is_pending());

    drop(stop);
    assert_eq!(run.wakes(), 1);
    let result = run.finish();
    assert_eq!(result.end_reason(), EndReason::Stopped);
    assert_eq!(result[1], Outcome::Succeeded(10));
    assert_eq!((result.len(), result.cancelled_count()), (6, 5));
    assert_eq!((board.created(), board.alive()), (4, 0));
}

#[test]
fn what_was_woken_is_kept() {
    let board = Board::new(4);
    let (stop, stopped) = oneshot::channel::<()>();
    let mut completed = Vec::new();
    let run = parallel(board.tasks())
        .concurrency(3)
        .on_complete(|_, index| completed.push(index))
        .stop_on(stopped);
    let mut run = Driver::new(run);
    assert!(run.run().is_pending());
    let polls = board.total_polls();
    stop.send(()).unwrap();
    board.end(0, Ok(5));
    board.end(2, Err("no"));
    let result = run.finish();
    assert_eq!(run.polls, 2);

    // Each of the two was polled once more, the other not at all, and the fourth never started.
    assert_eq!(board.total_polls(), polls + 2);
    assert_eq!(board.created(), 3);
    assert_eq!(result.end_reason(), EndReason::Stopped);
    assert_eq!(result[0], Outcome::Succeeded(5));
    assert_eq!(result[2], Outcome::Failed("no"));
    assert_eq!(result.cancelled_count(), 2);
    drop(run);
    assert_eq!(completed, [0]);
}

#[test]
fn more_than_a_budget_is_kept() {
    let board = Board::new(1000);
    let (stop, stopped) = oneshot::channel::<()>();
    let run = parallel(board.tasks()).concurrency(1000).stop_on(stopped);
    let mut run = Driver::new(run);
    assert!(run.run().is_pending());
    for index in 0..999 {
        board.end(index, Ok(index));
    }
    stop.send(()).unwrap();
    let result = run.finish();
    assert_eq!((result.success_count(), result.cancelled_count()), (999, 1));
}

#[test]
fn the_last_task_completes_the_run() {
    let board = Board::new(2);
    let (stop, stopped) = oneshot::channel::<()>();
    let mut run = Driver::new(parallel(board.tasks()).stop_on(stopped));
    assert!(run.run().is_pending());
    stop.send(()).unwrap();
    board.end(0, Ok(0));
    board.end(1, Ok(1));
    let result = run.finish();
    assert_eq!(result.end_reason(), EndReason::Completed);
    assert!(result.all_succeeded());
}

#[test]
fn a_ready_signal_starts_nothing() {
    let board = Board::new(3);
    let result = Driver::new(parallel(board.tasks()).stop_on(ready(7))).finish();
    assert_eq!(result.end_reason(), EndReason::Stopped);
    assert_eq!((result.len(), result.cancelled_count()), (3, 3));
    assert_eq!(board.created(), 0);
}

#[test]
fn a_signal_stops_tasks_always_ready() {
    let mut polls = 0;
    let signal = poll_fn(|_| {
        polls += 1;
        if polls > 3 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    let endless = (0..).map(|n| ready(Ok::<u64, ()>(n)));
    let result = Driver::new(parallel(endless).stop_on(signal)).finish();
    assert_eq!(result.end_reason(), EndReason::Stopped);
    assert!(result.success_count() > 0);
}

#[test]
fn a_failure_is_the_reason_before() {
    let board = Board::new(3);
    let (stop, stopped) = oneshot::channel::<()>();
    let run = parallel(board.tasks()).fail_fast(true).stop_on(stopped);
    let mut run = Driver::new(run);
    assert!(run.run().is_pending());
    board.end(1, Err("no"));
    stop.send(()).unwrap();
    let result = run.finish();
    assert_eq!(result.end_reason(), EndReason::Failed);
    assert_eq!((result.failure_count(), result.cancelled_count()), (1, 2));
}

#[test]
fn stopped_batches_start_no_other() {
    let board = Board::new(5);
    let (stop, stopped) = oneshot::channel::<()>();
    let handler = |index| board.task(index);
    let run = batched(0..5, handler).batch_size(2).settle();
    let mut run = Driver::new(run.stop_on(stopped));
    assert!(run.run().is_pending());
    board.end(0, Ok(0));
    board.end(1, Ok(1));
    stop.send(()).unwrap();
    let result = run.finish();
    assert_eq!(result.end_reason(), EndReason::Stopped);
    assert_eq!(result.into_successful_results(), [0, 1]);
    assert_eq!(board.created(), 2);
}

#[test]
fn stopped_runs_give_permits_back() {
    let limit = Limit::new(1);
    let board = Board::new(3);
    let (stop, stopped) = oneshot::channel::<()>();
    let mut run = Driver::new(parallel(board.tasks()).limit(&limit).stop_on(stopped));
    assert!(run.run().is_pending());
    assert_eq!((limit.in_use(), limit.waiting()), (1, 1));
    stop.send(()).unwrap();
    assert_eq!(run.finish().cancelled_count(), 3);

    // The run is still there, but neither waits nor holds anything.
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
}

#[test]
fn the_first_of_two_signals_counts() {
    for first in 0..2 {
        let (mut stops, stopped): (Vec<_>, Vec<_>) =
            (0..2).map(|_| oneshot::channel::<()>()).unzip();
        let [inner, outer] = <[_; 2]>::try_from(stopped).unwrap();
        let board = Board::new(1);
        let mut run = Driver::new(parallel(board.tasks()).stop_on(inner).stop_on(outer));
        assert!(run.run().is_pending());
        stops.swap_remove(first).send(()).unwrap();
        assert_eq!(run.finish().end_reason(), EndReason::Stopped);
        assert_eq!(board.alive(), 0);
    }
}

#[test]
fn the_outer_signal_counts_in_ties() {
    let board = Board::new(1);
    let run = parallel(board.tasks()).deadline(Duration::ZERO, |_| ready(()));
    let result = Driver::new(run.stop_on(ready(()))).finish();
    assert_eq!(result.end_reason(), EndReason::Stopped);
    assert_eq!(board.created(), 0);
}

#[test]
fn two_signals_poll_once_more() {
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = stopped.shared();
    let polls = Cell::new(0);
    let restless = poll_fn(|cx| {
        polls.set(polls.get() + 1);
        cx.waker().wake_by_ref();
        Poll::<Result<(), ()>>::Pending
    });
    let run = parallel([restless]).stop_on(stopped.clone());
    let mut run = Driver::new(run.stop_on(stopped));
    assert!(run.poll().is_pending());
    let before = polls.get();
    stop.send(()).unwrap();
    assert!(run.poll().is_ready());
    assert_eq!(polls.get(), before + 1);
}

#[cfg(panic = "unwind")]
#[test]
fn a_panicking_task_is_not_lost() {
    let board = Board::new(2);
    let (stop, stopped) = oneshot::channel::<()>();
    let task = |index: usize| {
        let task = board.task(index);
        async move {
            let result = task.await;
            assert_ne!(result, Err("panic"), "on purpose");
            result
        }
    };
    let mut run = Driver::new(parallel((0..2).map(task)).stop_on(stopped));
    assert!(run.run().is_pending());
    board.end(0, Err("panic"));
    board.end(1, Ok(1));
    stop.send(()).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| run.poll())).is_err());
    let result = run.finish();
    assert_eq!(result[0], Outcome::Cancelled);
    assert_eq!(result[1], Outcome::Succeeded(1));
}

#[cfg(panic = "unwind")]
#[test]
fn a_panicking_signal_is_dropped() {
    let tally = Tally::default();
    let held = tally.make();
    let signal = poll_fn(move |_| -> Poll<()> {
        let _held = &held;
        panic!("on purpose")
    });
    let board = Board::new(1);
    let mut run = Driver::new(parallel(board.tasks()).stop_on(signal));
    assert!(catch_unwind(AssertUnwindSafe(|| run.poll())).is_err());
    assert!(run.run().is_pending());
    assert_eq!(tally.dropped(), 1);
    board.end(0, Ok(3));
    assert_eq!(run.finish().end_reason(), EndReason::Completed);
}

#[test]
fn dropping_drops_signal_and_tasks() {
    let tally = Tally::default();
    let held = tally.make();
    let signal = async move {
        let _held = held;
        pending::<()>().await;
    };
    let board = Board::new(3);
    let mut run = Driver::new(parallel(board.tasks()).stop_on(signal));
    assert!(run.run().is_pending());
    drop(run);
    assert_eq!((tally.dropped(), board.alive()), (1, 0));
}

#[test]
fn a_stopped_group_keeps_its_value() {
    let board = Board::new(3);
    let (stop, stopped) = oneshot::channel::<()>();
    let group = task_group(async |group| {
        for index in 0..3 {
            group.spawn(board.task(index));
        }
        Ok::<_, &str>("body")
    });
    let mut group = Driver::new(group.concurrency(2).stop_on(stopped));
    assert!(group.run().is_pending());
    // One is ready, one runs, and one was never started.
    board.end(0, Ok(0));
    stop.send(()).unwrap();
    let result = group.finish();
    assert_eq!(result.end_reason, EndReason::Stopped);
    assert_eq!((result.value, result.error), (Some("body"), None));
    assert_eq!(result.cancelled_count, 2);
    assert_eq!(board.polls(0), 2);
    assert_eq!(board.alive(), 0);
}

#[test]
fn a_stopped_group_knows_its_failures() {
    let board = Board::new(2);
    let (stop, stopped) = oneshot::channel::<()>();
    let group = task_group(async |group| {
        for index in 0..2 {
            group.spawn(board.task(index));
        }
        pending::<Result<(), &str>>().await
    });
    let mut group = Driver::new(group.stop_on(stopped));
    assert!(group.run().is_pending());
    stop.send(()).unwrap();
    board.end(1, Err("no"));
    let result = group.finish();
    assert_eq!(result.end_reason, EndReason::Failed);
    assert_eq!(
        result.error.and_then(abreast::TaskGroupError::into_first),
        Some("no")
    );
    assert_eq!((result.value, result.cancelled_count), (None, 1));
}

#[test]
fn a_group_may_complete_when_stopped() {
    let board = Board::new(1);
    let (stop, stopped) = oneshot::channel::<()>();
    let group = task_group(async |group| {
        group.spawn(board.task(0));
        Ok::<_, &str>("body")
    });
    let mut group = Driver::new(group.stop_on(stopped));
    assert!(group.run().is_pending());
    stop.send(()).unwrap();
    board.end(0, Ok(4));
    let result = group.finish();
    assert_eq!(result.end_reason, EndReason::Completed);
    assert_eq!((result.value, result.cancelled_count), (Some("body"), 0));
}

#[test]
fn a_group_stopped_first_starts_nothing() {
    let board = Board::new(1);
    let group = task_group(async |group| {
        group.spawn(board.task(0));
        Ok::<_, &str>("body")
    });
    let result = Driver::new(group.stop_on(ready(()))).finish();
    assert_eq!(result.end_reason, EndReason::Stopped);
    assert_eq!((result.value, result.cancelled_count), (None, 0));
    assert_eq!(board.created(), 0);
}

#[test]
fn spawned_when_stopped_never_starts() {
    let board = Board::new(4);
    let (stop, stopped) = oneshot::channel::<()>();
    let group = task_group(async |group| {
        let (inner, board) = (group.clone(), &board);
        group.spawn(async move {
            let ended = board.task(2).await;
            inner.spawn(board.task(3));
            ended
        });
        let ended = board.task(0).await;
        group.spawn(board.task(1));
        ended
    });
    let mut group = Driver::new(group.stop_on(stopped));
    assert!(group.run().is_pending());
    stop.send(()).unwrap();
    board.end(0, Ok(7));
    board.end(2, Ok(8));
    let result = group.finish();
    assert_eq!(result.end_reason, EndReason::Stopped);
    assert_eq!((result.value, result.cancelled_count), (Some(7), 2));
    assert_eq!((board.polls(1), board.polls(3), board.alive()), (0, 0, 0));
}

#[test]
fn a_stopped_map_keeps_input_order() {
    let board = Board::new(6);
    let (stop, stopped) = oneshot::channel::<()>();
    // Those of one key come first, so others overtake them.
    let run = parallel_map(0..6, |index| board.task(index))
        .concurrency(3)
        .per_key(1, |&index| index / 3);
    let mut run = Driver::new(run.stop_on(stopped));
    assert!(run.run().is_pending());
    board.end(3, Ok(3));
    stop.send(()).unwrap();
    let result = run.finish();
    assert_eq!(result.end_reason(), EndReason::Stopped);
    assert_eq!(result[3], Outcome::Succeeded(3));
    assert_eq!((result.len(), result.cancelled_count()), (6, 5));
    assert_eq!(board.alive(), 0);
}

#[test]
#[should_panic(expected = "task 0 has no value: the run was stopped")]
fn stopped_runs_have_no_values() {
    let task = pending::<Result<(), ()>>();
    let result = Driver::new(parallel([task]).stop_on(ready(()))).finish();
    let _ = result.into_values();
}

#[test]
fn a_hint_that_promises_too_much() {
    struct Lying<I>(I);

    impl<I: Iterator> Iterator for Lying<I> {
        type Item = I::Item;

        fn next(&mut self) -> Option<I::Item> {
            self.0.next()
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            (9, Some(9))
        }
    }

    let board = Board::new(2);
    let (stop, stopped) = oneshot::channel::<()>();
    let run = parallel(Lying(board.tasks())).concurrency(3);
    let mut run = Driver::new(run.stop_on(stopped));
    assert!(run.run().is_pending());
    stop.send(()).unwrap();
    board.end(0, Ok(0));
    board.end(1, Ok(1));
    let result = run.finish();
    assert_eq!(result.end_reason(), EndReason::Completed);
    assert_eq!((result.len(), result.cancelled_count()), (2, 0));
}

#[test]
fn a_run_is_stopped_once() {
    let (stop, stopped) = oneshot::channel::<()>();
    let (stop_outer, stopped_outer) = oneshot::channel::<()>();
    let board = Board::new(1);
    let run = parallel(board.tasks()).stop_on(stopped);
    let mut run = Driver::new(run.stop_on(stopped_outer));
    assert!(run.run().is_pending());
    stop.send(()).unwrap();
    stop_outer.send(()).unwrap();
    board.wake(0);
    assert_eq!(run.finish().cancelled_count(), 1);
    assert_eq!(board.polls(0), 2);
}

#[test]
fn a_stopped_sequence_keeps_its_values() {
    let board = Board::new(4);
    let (stop, stopped) = oneshot::channel::<()>();
    let mut run = Driver::new(sequential(board.tasks()).stop_on(stopped));
    assert!(run.run().is_pending());
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    // Done by the time that the signal is seen, so the next one does not start.
    board.end(1, Ok(1));
    stop.send(()).unwrap();
    let result = run.finish();
    assert_eq!(result.end_reason(), EndReason::Stopped);
    assert_eq!((result.len(), result.cancelled_count()), (4, 2));
    assert_eq!(result.into_successful_results(), [0, 1]);
    assert_eq!((board.created(), board.alive()), (2, 0));
}

#[test]
fn an_error_ends_a_sequence_before() {
    let board = Board::new(3);
    board.end(0, Ok(0));
    board.end(1, Err("no"));
    let result = Driver::new(sequential(board.tasks()).stop_on(pending::<()>())).finish();
    assert_eq!(result.end_reason(), EndReason::Failed);
    assert_eq!(result[1], Outcome::Failed("no"));
    assert_eq!((result.len(), board.created()), (3, 2));
    // What it would have resolved to without a signal.
    let error = result.into_result().unwrap_err();
    assert_eq!((error.index(), error.into_error()), (1, Some("no")));
}

#[test]
fn a_stopped_batch_keeps_its_values() {
    let board = Board::new(6);
    let (stop, stopped) = oneshot::channel::<()>();
    let run = batched(0..6, |index| board.task(index)).batch_size(2);
    let mut run = Driver::new(run.stop_on(stopped));
    board.end(0, Ok(0));
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    board.end(3, Ok(3));
    stop.send(()).unwrap();
    let result = run.finish();
    assert_eq!(result.end_reason(), EndReason::Stopped);
    assert_eq!((result.len(), result.cancelled_count()), (6, 3));
    assert_eq!(result.into_successful_results(), [0, 1, 3]);
    assert_eq!((board.created(), board.alive()), (4, 0));
}

#[test]
fn an_error_ends_batches_before() {
    let board = Board::new(4);
    board.end(1, Err("no"));
    let run = batched(0..4, |index| board.task(index)).batch_size(2);
    let result = Driver::new(run.stop_on(pending::<()>())).finish();
    assert_eq!(result.end_reason(), EndReason::Failed);
    assert_eq!((result.failure_count(), result.cancelled_count()), (1, 3));
}

#[test]
fn stopped_chunks_count_chunks() {
    let (stop, stopped) = oneshot::channel::<()>();
    let mut stop = Some(stop);
    let run = batched_chunks(0..10, 4, |chunk| ready(Ok::<_, ()>(chunk.len())))
        .on_complete(|_, _| drop(stop.take()));
    let result = Driver::new(run.stop_on(stopped)).finish();
    // Ready at once, so all were done before the signal was looked at again.
    assert_eq!(result.end_reason(), EndReason::Completed);
    assert_eq!(result.into_successful_results(), [4, 4, 2]);
}

#[test]
fn a_stopped_set_keeps_its_outputs() {
    let board = Board::new(4);
    let (stop, stopped) = oneshot::channel::<()>();
    let mut run = Driver::new(join_all(board.tasks()).stop_on(stopped));
    assert!(run.run().is_pending());
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    board.end(3, Err("no"));
    stop.send(()).unwrap();
    let result = run.finish();
    assert_eq!(result.end_reason(), EndReason::Stopped);
    // Whatever a future returns is its output, and so a success.
    let outputs: Vec<_> = result.into_results().collect();
    assert_eq!(outputs, [None, Some(Ok(1)), None, Some(Err("no"))]);
    assert_eq!(board.alive(), 0);
}

#[test]
fn a_stopped_set_has_a_place_each() {
    let board = Board::new(5);
    let run = join_all(board.tasks()).concurrency(2);
    let result = Driver::new(run.stop_on(ready(()))).finish();
    assert_eq!((result.len(), result.cancelled_count()), (5, 5));
    assert_eq!(board.created(), 0);
}

#[cfg(panic = "unwind")]
#[test]
fn a_set_outlives_a_panic() {
    let future = |n| async move {
        assert!(n != 1, "the future panics");
        n
    };
    let mut run = Driver::new(join_all((0..3).map(future)).stop_on(pending::<()>()));
    catch_unwind(AssertUnwindSafe(|| run.run())).unwrap_err();
    let result = run.finish();
    assert_eq!(result.end_reason(), EndReason::Completed);
    assert_eq!(
        result.into_results().collect::<Vec<_>>(),
        [Some(0), None, Some(2)]
    );
}
