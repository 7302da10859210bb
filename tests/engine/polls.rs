//! One poll to start and one per wake, for every verb at every size; and no parent wake too many or too few.

use std::future::{Future, poll_fn};
use std::task::Poll;

use crate::support::{Board, Driver, Random, yield_times};
use abreast::{batched, parallel, parallel_stream, race, sequential};
use futures::StreamExt;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const SIZES: [usize; 5] = [3, 30, 31, 1_000, 10_000];

/// Ends the tasks one by one in random order, driving the run after each, and asserts the polls.
fn two_polls_each<F: Future>(board: &Board, mut run: Driver<F>, tasks: usize) -> F::Output {
    assert!(run.run().is_pending());
    assert_eq!(board.total_polls(), tasks);
    let mut order: Vec<_> = (0..tasks).collect();
    let mut random = Random(7);
    for position in (1..tasks).rev() {
        order.swap(position, random.below(position + 1));
    }
    for (&index, done) in order.iter().zip(1..) {
        board.end(index, Ok(index));
        match run.run() {
            Poll::Pending => assert_eq!(board.total_polls(), tasks + done),
            Poll::Ready(output) => {
                assert_eq!((board.total_polls(), done), (2 * tasks, tasks));
                return output;
            }
        }
    }
    panic!("the run did not end");
}

#[test]
fn parallel_polls_once_per_wake() {
    for tasks in SIZES {
        let board = Board::new(tasks);
        let run = parallel(board.tasks()).concurrency(usize::MAX);
        two_polls_each(&board, Driver::new(run), tasks);
    }
}

#[test]
fn parallel_stream_polls_once_per_wake() {
    for tasks in SIZES {
        let board = Board::new(tasks);
        let run = parallel_stream(futures::stream::iter(board.tasks())).concurrency(tasks);
        two_polls_each(&board, Driver::new(run), tasks);
    }
}

#[test]
fn streams_poll_once_per_wake() {
    for tasks in SIZES {
        let board = Board::new(tasks);
        let run = parallel(board.tasks()).concurrency(tasks).into_stream();
        two_polls_each(&board, Driver::new(run.count()), tasks);
        let board = Board::new(tasks);
        let run = parallel(board.tasks())
            .concurrency(tasks)
            .into_ordered_stream();
        two_polls_each(&board, Driver::new(run.count()), tasks);
    }
}

#[test]
fn batches_poll_once_per_wake() {
    for tasks in SIZES {
        let board = Board::new(tasks);
        let run = batched(0..tasks, |index| board.task(index)).batch_size(tasks);
        two_polls_each(&board, Driver::new(run), tasks).unwrap();
    }
}

#[test]
fn races_of_n_cost_2n_polls() {
    // Not the 501,500 of `select_ok` and `race_ok` at 1,000.
    for tasks in SIZES {
        let board = Board::new(tasks);
        let mut run = Driver::new(race(board.tasks()));
        assert!(run.run().is_pending());
        for index in 0..tasks - 1 {
            board.end(index, Err("no"));
            assert!(run.run().is_pending());
        }
        board.end(tasks - 1, Ok(0));
        assert_eq!(run.finish().unwrap().winner_index, tasks - 1);
        assert_eq!(board.total_polls(), 2 * tasks);
    }
}

#[test]
fn sequential_polls_once_per_wake() {
    for tasks in SIZES {
        let board = Board::new(tasks);
        let mut run = Driver::new(sequential(board.tasks()));
        for index in 0..tasks {
            assert!(run.run().is_pending());
            board.end(index, Ok(index));
        }
        assert_eq!(run.finish().unwrap().len(), tasks);
        assert_eq!(board.total_polls(), 2 * tasks);
    }
}

#[test]
fn windows_poll_once_per_wake() {
    for concurrency in [1, 5, 53, 54, 55, 93, 117, 118, 119, 300] {
        let board = Board::new(1_000);
        let mut run = Driver::new(parallel(board.tasks()).concurrency(concurrency));
        let mut random = Random(concurrency as u64);
        let mut running: Vec<usize> = Vec::new();
        let mut started = 0;
        loop {
            if run.run().is_ready() {
                break;
            }
            running.extend(started..board.created());
            started = board.created();
            assert_eq!(
                running.len(),
                concurrency.min(1_000 - (started - running.len()))
            );
            let index = running.swap_remove(random.below(running.len()));
            board.end(index, Ok(index));
        }
        assert_eq!(board.total_polls(), 2_000);
    }
}

#[test]
fn spurious_polls_poll_no_task() {
    let board = Board::new(200);
    let mut run = Driver::new(parallel(board.tasks()).concurrency(150));
    assert!(run.run().is_pending());
    for _ in 0..10 {
        assert!(run.poll().is_pending());
        assert_eq!(run.wakes(), 0);
    }
    assert_eq!(board.total_polls(), 150);
}

#[test]
fn spurious_wakes_poll_one_task() {
    let board = Board::new(200);
    let mut run = Driver::new(parallel(board.tasks()).concurrency(200));
    assert!(run.run().is_pending());
    for index in [0, 53, 54, 199] {
        let before = board.polls(index);
        board.wake(index);
        board.wake(index);
        assert_eq!(
            run.wakes(),
            1,
            "two wakes before a poll wake the parent once"
        );
        assert!(run.run().is_pending());
        assert_eq!(board.polls(index), before + 1);
    }
    assert_eq!(board.total_polls(), 204);
}

#[test]
fn bursts_wake_the_parent_once() {
    let board = Board::new(300);
    let mut run = Driver::new(parallel(board.tasks()).concurrency(300));
    assert!(run.run().is_pending());
    (0..300).for_each(|index| board.wake(index));
    assert_eq!(run.wakes(), 1);
    assert!(run.run().is_pending());
    assert_eq!(board.total_polls(), 600);
}

#[test]
fn tasks_and_source_wake_apart() {
    let board = Board::new(1);
    let mut source_polls = 0;
    let mut source_waker = None;
    let mut first = Some(board.task(0));
    let source = futures::stream::poll_fn(|cx| {
        source_polls += 1;
        source_waker = Some(cx.waker().clone());
        match first.take() {
            Some(task) => Poll::Ready(Some(task)),
            None => Poll::Pending,
        }
    });
    // The closure borrows the counters, so the run is driven in a scope.
    let mut run = Driver::new(parallel_stream(source));
    assert!(run.run().is_pending());
    board.wake(0);
    assert!(run.run().is_pending());
    board.wake(0);
    assert!(run.run().is_pending());
    assert_eq!(board.polls(0), 3);
    drop(run);
    assert_eq!(source_polls, 2, "one task, one pending");
    assert!(source_waker.is_some());
}

#[test]
fn a_stale_waker_costs_one_poll() {
    let board = Board::new(3);
    let mut run = Driver::new(parallel(board.tasks()).concurrency(1));
    assert!(run.run().is_pending());
    let stale = board.waker(0);
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert_eq!(board.polls(1), 1);
    stale.wake_by_ref();
    assert!(run.run().is_pending());
    assert_eq!(board.polls(1), 2);
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    board.end(2, Ok(2));
    assert_eq!(run.finish().into_result().unwrap(), [0, 1, 2]);
    stale.wake();
}

#[test]
fn refilled_slots_forget_earlier_wakes() {
    // Each task wakes itself in the very poll in which it ends.
    for concurrency in [1, 100] {
        let polls = std::cell::Cell::new(0);
        let tasks = (0..1_000).map(|_| {
            poll_fn(|cx| {
                polls.set(polls.get() + 1);
                cx.waker().wake_by_ref();
                Poll::Ready(Ok::<_, ()>(()))
            })
        });
        let mut run = Driver::new(parallel(tasks).concurrency(concurrency));
        assert!(run.finish().all_succeeded());
        assert_eq!(polls.get(), 1_000);
    }
}

#[test]
fn pending_windows_never_wake_themselves() {
    // `FuturesUnordered` does after each pass.
    for tasks in [1, 53, 54, 55, 128, 129, 3_455, 3_456, 3_457, 10_000] {
        let board = Board::new(tasks);
        let mut run = Driver::new(parallel(board.tasks()).concurrency(tasks));
        // It takes a poll for each 128 to start them.
        for started in (0..tasks).step_by(128) {
            assert_eq!(run.wakes(), usize::from(started > 0));
            assert!(run.poll().is_pending());
        }
        assert_eq!((run.wakes(), board.total_polls()), (0, tasks));
        // Neither does it after a pass that has found all that was woken.
        board.wake(tasks - 1);
        assert!(run.poll().is_pending());
        assert_eq!((run.wakes(), board.total_polls()), (0, tasks + 1));
    }
}

#[test]
fn self_waking_tasks_yield_and_share() {
    for tasks in [1, 2, 63, 64, 65, 1_000] {
        let yields = 20;
        let mut polls = vec![0; tasks];
        let counted = polls.iter_mut().map(|polls| {
            let mut task = Box::pin(yield_times(yields));
            poll_fn(move |cx| {
                *polls += 1;
                task.as_mut().poll(cx).map(Ok::<_, ()>)
            })
        });
        let mut run = Driver::new(parallel(counted).concurrency(tasks));
        assert!(run.finish().all_succeeded());
        // A task may be polled once a turn at most when nothing ends in between.
        assert!(
            run.polls >= yields,
            "{tasks} tasks took {} polls",
            run.polls
        );
        drop(run);
        assert!(polls.iter().all(|&polls| polls == yields + 1));
    }
}

#[test]
fn endless_sources_leave_woken_tasks_turns() {
    let board = Board::new(1);
    let mut first = Some(board.task(0));
    let mut started = 0_usize;
    let tasks = std::iter::from_fn(|| {
        started += 1;
        Some(match first.take() {
            Some(task) => futures::future::Either::Left(task),
            None => futures::future::Either::Right(std::future::ready(Ok(0))),
        })
    });
    let mut run = Driver::new(parallel(tasks).concurrency(2));
    for round in 1..=10 {
        assert!(run.poll().is_pending());
        assert_eq!(run.wakes(), 1, "there is more to do");
        assert_eq!(board.polls(0), round);
        board.wake(0);
    }
    drop(run);
    assert!(started < 10 * 1_000, "{started} tasks in ten polls");
}

#[test]
fn handing_over_lets_tasks_run() {
    // Ready newcomers alone could fill the buffer for ever.
    let board = Board::new(1);
    let mut first = Some(board.task(0));
    let tasks = std::iter::from_fn(|| {
        Some(match first.take() {
            Some(task) => futures::future::Either::Left(task),
            None => futures::future::Either::Right(std::future::ready(Ok(1))),
        })
    });
    let mut stream = parallel(tasks).concurrency(4).into_stream();
    let (_, waker) = crate::support::Count::new();
    let mut cx = std::task::Context::from_waker(&waker);
    assert!(stream.poll_next_unpin(&mut cx).is_ready());
    board.end(0, Ok(0));
    let handed_over =
        (1..20).find(|_| matches!(stream.poll_next_unpin(&mut cx), Poll::Ready(Some((0, _)))));
    assert!(
        handed_over.is_some_and(|position| position <= 8),
        "{handed_over:?}"
    );
}

#[test]
fn tasks_wake_their_siblings_once() {
    let board = Board::new(100);
    let wake_all = board.clone();
    let waking = poll_fn(move |_| {
        (0..100).for_each(|index| wake_all.wake(index));
        Poll::Ready(Ok(0))
    });
    let mut tasks: Vec<futures::future::LocalBoxFuture<'_, Result<usize, &str>>> = Vec::new();
    tasks.extend(board.tasks().map(|task| Box::pin(task) as _));
    tasks.push(Box::pin(waking));
    let mut run = Driver::new(parallel(tasks).concurrency(101));
    assert!(run.run().is_pending());
    assert_eq!(board.total_polls(), 200);
}
