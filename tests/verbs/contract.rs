//! What each verb promises: results, order, hooks, progress, laziness, bad input.

use std::cell::RefCell;

use crate::support::{Board, Driver, returns};
use abreast::{
    Outcome, ParallelOptions, Progress, RaceError, TaskError, batched, fall_through, parallel,
    parallel_stream, race, sequential,
};
use futures::StreamExt;
use futures::executor::block_on;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn results_are_in_input_order() {
    let board = Board::new(4);
    let mut run = Driver::new(parallel(board.tasks()).concurrency(4));
    assert!(run.run().is_pending());
    for index in [2, 0, 3] {
        board.end(index, Ok(index));
        assert!(run.run().is_pending());
    }
    board.end(1, Err("no"));
    let result = run.finish();
    assert_eq!(
        result.into_iter().collect::<Vec<_>>(),
        [
            Outcome::Succeeded(0),
            Outcome::Failed("no"),
            Outcome::Succeeded(2),
            Outcome::Succeeded(3),
        ]
    );
}

#[test]
fn a_result_has_every_view() {
    let tasks = [Ok(1), Err("a"), Ok(3), Err("b")].map(returns);
    let result = block_on(parallel(tasks));
    assert_eq!((result.len(), result.is_empty()), (4, false));
    assert_eq!((result.success_count(), result.failure_count()), (2, 2));
    assert_eq!(
        (result.cancelled_count(), result.all_succeeded()),
        (0, false)
    );
    assert!(result.results().eq([Some(&1), None, Some(&3), None]));
    assert!(result.errors().eq([None, Some(&"a"), None, Some(&"b")]));
    assert!(
        result
            .errors()
            .rev()
            .eq([Some(&"b"), None, Some(&"a"), None])
    );
    assert!(result.failures().eq([(1, &"a"), (3, &"b")]));
    assert!(result.successful_results().eq([&1, &3]));
    assert_eq!(result[3], Outcome::Failed("b"));
    assert_eq!(result.get(4), None);
    assert!((&result).into_iter().eq(result.iter()));
    assert!(result.duration() > std::time::Duration::ZERO);
    assert_eq!(result.clone().into_successful_results(), [1, 3]);
    assert_eq!(
        result.into_result(),
        Err(TaskError::Failed {
            index: 1,
            error: "a"
        })
    );
}

#[test]
#[should_panic(expected = "there are 1 tasks, so none at index 1")]
fn an_index_out_of_range_panics() {
    let result = block_on(parallel([returns(Ok::<_, ()>(1))]));
    let _ = result[1];
}

#[test]
fn no_tasks_resolve_at_once() {
    let none = || Vec::<std::future::Ready<Result<u8, &str>>>::new();
    let result = Driver::new(parallel(none())).finish();
    assert!(result.is_empty() && result.all_succeeded());
    assert_eq!(result.into_result(), Ok(vec![]));
    assert_eq!(Driver::new(sequential(none())).finish(), Ok(vec![]));
    assert_eq!(Driver::new(race(none())).finish(), Err(RaceError::NoTasks));
    let handler = |item: u8| std::future::ready(Ok::<_, ()>(item));
    assert_eq!(Driver::new(batched([], handler)).finish(), Ok(vec![]));
    assert!(
        Driver::new(batched([], handler).settle())
            .finish()
            .is_empty()
    );
    let stream = parallel(none()).into_stream();
    assert_eq!(block_on(stream.collect::<Vec<_>>()), []);
    let stream = parallel(none()).into_ordered_stream();
    assert_eq!(block_on(stream.collect::<Vec<_>>()), []);
}

#[test]
fn a_large_window_runs_all() {
    for concurrency in [10, 11, 1000, usize::MAX] {
        let board = Board::new(10);
        let mut run = Driver::new(parallel(board.tasks()).concurrency(concurrency));
        assert!(run.run().is_pending());
        assert_eq!(board.alive(), 10);
        (0..10).for_each(|index| board.end(index, Ok(index)));
        assert!(run.finish().into_result().unwrap().into_iter().eq(0..10));
    }
}

#[test]
fn a_large_batch_runs_all() {
    let items = batched(0..10, |n| returns(Ok::<_, ()>(n))).batch_size(usize::MAX);
    assert!(Driver::new(items).finish().unwrap().into_iter().eq(0..10));
}

#[test]
fn tasks_are_pulled_lazily() {
    let board = Board::new(10);
    let mut run = Driver::new(parallel(board.tasks()).concurrency(3));
    assert_eq!(board.created(), 0, "nothing happens before the first poll");
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 3);
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    assert_eq!((board.created(), board.alive()), (4, 3));
    for index in [0, 2, 3] {
        board.end(index, Ok(index));
    }
    assert!(run.run().is_pending());
    assert_eq!((board.created(), board.alive()), (7, 3));
}

#[test]
fn five_run_at_once_by_default() {
    let board = Board::new(9);
    assert!(Driver::new(parallel(board.tasks())).run().is_pending());
    assert_eq!(board.created(), 5);
    assert_eq!(ParallelOptions::default().concurrency, 5);
}

#[test]
fn a_full_window_pulls_no_stream() {
    let board = Board::new(10);
    let tasks = futures::stream::iter(board.tasks());
    let mut run = Driver::new(parallel_stream(tasks).concurrency(3));
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 3);
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 4);
}

#[test]
fn a_pending_stream_stops_no_task() {
    let board = Board::new(2);
    let (sender, receiver) = async_channel::unbounded();
    let mut run = Driver::new(parallel_stream(receiver));
    assert!(run.run().is_pending());
    sender.try_send(board.task(0)).unwrap();
    assert!(run.wakes() > 0, "a new task wakes the run");
    assert!(run.run().is_pending());
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert!(board.is_dropped(0), "task 0 ended while nothing else came");
    sender.try_send(board.task(1)).unwrap();
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    sender.close();
    assert_eq!(run.finish().into_result().unwrap(), [0, 1]);
}

#[test]
fn hooks_see_every_outcome() {
    let seen = RefCell::new(Vec::new());
    let tasks = [Ok(1), Err("no"), Ok(3)].map(returns);
    let run = parallel(tasks)
        .concurrency(1)
        .on_complete(|value, index| seen.borrow_mut().push(format!("{index}: {value}")))
        .on_error(|error, index| seen.borrow_mut().push(format!("{index}: {error}")))
        .on_progress(|progress| seen.borrow_mut().push(progress.to_string()));
    block_on(run);
    assert_eq!(
        seen.into_inner(),
        ["0: 1", "1/3", "1: no", "2/3", "2: 3", "3/3"]
    );
}

#[test]
fn hooks_see_every_start() {
    let board = Board::<usize, ()>::of(3);
    let (observed, seen) = (board.clone(), RefCell::new(Vec::new()));
    let run = parallel(board.tasks())
        .concurrency(2)
        .on_start(|index| {
            assert_eq!(observed.polls(index), 0, "called before the first poll");
            seen.borrow_mut().push(index);
        })
        .on_progress(|progress| assert_eq!(seen.borrow().len(), progress.completed + 1));
    let mut run = Driver::new(run);
    assert!(run.run().is_pending());
    assert_eq!(*seen.borrow(), [0, 1], "the third has no place yet");
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    assert_eq!(*seen.borrow(), [0, 1, 2]);
    drop(run);
}

#[test]
fn every_verb_tells_of_starts() {
    let seen = RefCell::new(Vec::new());
    let note = |index| seen.borrow_mut().push(index);
    let tasks = || [Err("no"), Ok(1), Ok(2)].map(returns);
    let handler = |n: usize| returns(Ok::<_, &str>(n));
    block_on(sequential(tasks()).on_start(note)).unwrap_err();
    block_on(batched([0, 1, 2], handler).batch_size(2).on_start(note)).unwrap();
    block_on(batched([0, 1, 2], handler).settle().on_start(note));
    block_on(fall_through(tasks()).on_start(note)).unwrap();
    block_on(race(tasks()).on_start(note)).unwrap();
    block_on(parallel(tasks()).on_start(note).into_stream().count());
    block_on(parallel(tasks()).on_start(note).for_each(async |_, _| ()));
    assert_eq!(
        seen.into_inner(),
        [0, 0, 1, 2, 0, 1, 2, 0, 1, 0, 1, 2, 0, 1, 2, 0, 1, 2]
    );
}

#[test]
fn an_inexact_hint_gives_no_total() {
    let mut seen = Vec::new();
    let tasks = (0..3)
        .filter(|n| n % 2 == 0)
        .map(|n| returns(Ok::<_, ()>(n)));
    block_on(parallel(tasks).on_progress(|progress| seen.push(progress)));
    assert_eq!(seen, [Progress::new(1, None), Progress::new(2, None)]);
}

#[test]
fn hooks_run_after_the_task_dropped() {
    let board = Board::<String, ()>::of(2);
    let observed = board.clone();
    let run = parallel(board.tasks()).on_complete(move |value, index| {
        assert!(
            observed.is_dropped(index),
            "the future is dropped before the hook"
        );
        assert_eq!(value, "whole");
    });
    let mut run = Driver::new(run);
    for index in 0..2 {
        board.end(index, Ok("whole".into()));
    }
    assert_eq!(run.finish().into_result().unwrap(), ["whole", "whole"]);
}

#[test]
fn fail_fast_cancels_the_rest() {
    let board = Board::new(10);
    let mut run = Driver::new(parallel(board.tasks()).concurrency(3).fail_fast(true));
    assert!(run.run().is_pending());
    board.end(2, Ok(2));
    assert!(run.run().is_pending());
    board.end(1, Err("no"));
    let result = run.finish();
    assert_eq!((board.created(), board.alive()), (4, 0));
    assert_eq!(result.len(), 10);
    assert_eq!((result.success_count(), result.failure_count()), (1, 1));
    assert_eq!(result.cancelled_count(), 8);
    assert!(!result.all_succeeded());
    assert!(result.results().eq((0..10).map(|n| (n == 2).then_some(&2))));
    assert!(result.iter().rev().take(6).all(Outcome::is_cancelled));
    assert_eq!(result.get(9), Some(&Outcome::Cancelled));
    assert_eq!(result.get(10), None);
    assert_eq!(result.successful_results().collect::<Vec<_>>(), [&2]);
    assert_eq!(result.clone().into_iter().count(), 10);
    assert_eq!(result.into_result().unwrap_err().index(), 1);
}

#[test]
fn fail_fast_counts_pulled_tasks() {
    let board = Board::new(10);
    let tasks = board.tasks().filter(|_| true);
    let mut run = Driver::new(parallel(tasks).concurrency(3).fail_fast(true));
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    board.end(2, Err("no"));
    let result = run.finish();
    assert_eq!((result.len(), result.cancelled_count()), (4, 2));
}

#[test]
fn fail_fast_stops_an_endless_source() {
    let tasks = (0..usize::MAX).map(|n| returns(if n < 9 { Ok(n) } else { Err("no") }));
    let result = block_on(parallel(tasks).concurrency(1).fail_fast(true));
    assert_eq!(result.len(), usize::MAX);
    assert_eq!(result.cancelled_count(), usize::MAX - 10);
    assert!(result[usize::MAX - 1].is_cancelled());
    assert_eq!(result.into_successful_results().len(), 9);
}

#[test]
fn failures_leave_others_alone() {
    let tasks = (0..100).map(|n| returns(if n % 3 == 0 { Err(n) } else { Ok(n) }));
    let result = block_on(parallel(tasks).concurrency(7));
    assert_eq!((result.success_count(), result.failure_count()), (66, 34));
}

#[test]
fn sequential_stops_at_the_first_error() {
    let board = Board::new(4);
    let mut run = Driver::new(sequential(board.tasks()));
    for index in 0..2 {
        assert!(run.run().is_pending());
        assert_eq!((board.created(), board.alive()), (index + 1, 1));
        board.end(index, Ok(index));
    }
    assert!(run.run().is_pending());
    board.end(2, Err("no"));
    assert_eq!(
        run.finish(),
        Err(TaskError::Failed {
            index: 2,
            error: "no"
        })
    );
    assert_eq!(board.created(), 3);
}

#[test]
fn options_are_constants() {
    const CAREFUL: ParallelOptions = ParallelOptions::new().concurrency(1).fail_fast(true);
    let tasks = || [Err("no"), Ok(1)].map(returns);
    for _ in 0..2 {
        let result = block_on(parallel(tasks()).options(CAREFUL));
        assert!(result[1].is_cancelled());
    }

    let mut options = ParallelOptions::default();
    assert_eq!(options, ParallelOptions::new());
    options.concurrency = 3;
    assert_eq!(options, ParallelOptions::new().concurrency(3));
}

/// A limit of zero panics where it is set, with a sentence that says what to pass.
mod zero {
    #[cfg(target_family = "wasm")]
    use super::test;
    use super::*;

    fn nothing() -> [std::future::Ready<Result<(), ()>>; 0] {
        []
    }

    #[test]
    #[should_panic(expected = "pass at least 1, or usize::MAX to run all tasks at once")]
    fn concurrency() {
        drop(parallel(nothing()).concurrency(0));
    }

    #[test]
    #[should_panic(expected = "pass at least 1, or usize::MAX to run all tasks at once")]
    fn concurrency_in_options() {
        let mut options = ParallelOptions::default();
        options.concurrency = 0;
        drop(parallel(nothing()).options(options));
    }

    #[test]
    #[should_panic(expected = "pass at least 1, or usize::MAX to run all tasks at once")]
    fn concurrency_of_options() {
        let _ = ParallelOptions::new().concurrency(0);
    }

    #[test]
    #[should_panic(expected = "pass at least 1, or usize::MAX for one batch of all")]
    fn batch_size() {
        drop(batched(nothing(), |task| task).batch_size(0));
    }
}

#[test]
#[should_panic(expected = "polled after it had resolved")]
fn polling_after_completion_panics() {
    let mut run = Driver::new(parallel([returns(Ok::<_, ()>(1))]));
    let _ = run.finish();
    let _ = run.poll();
}
