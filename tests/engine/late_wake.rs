//! Wakes that come for a task that has ended, and whose slot is empty: an HTTP connection wakes its task while it
//! closes. Each of them used to free the slot once more.

use core::cell::RefCell;
use core::task::Poll;

use crate::support::{Board, Driver};
use abreast::{parallel, parallel_stream};
use futures::stream;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn late_wakes_end_no_run() {
    let board = Board::new(2);
    let mut run = Driver::new(parallel(board.tasks()));
    assert!(run.run().is_pending());
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    board.wake(0);
    assert!(run.run().is_pending());
    board.end(1, Ok(1));
    assert_eq!(run.finish().into_result().unwrap(), [0, 1]);
}

#[test]
fn late_wakes_never_double_a_slot() {
    let board = Board::new(4);
    let (queue, tasks) = async_channel::unbounded();
    let mut run = Driver::new(parallel_stream(tasks));
    for index in 0..2 {
        queue.try_send(board.task(index)).unwrap();
    }
    assert!(run.run().is_pending());
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    board.wake(0);
    assert!(run.run().is_pending());

    for index in 2..4 {
        queue.try_send(board.task(index)).unwrap();
    }
    queue.close();
    assert!(run.run().is_pending());
    assert_eq!(board.alive(), 3);
    for index in 1..4 {
        board.end(index, Ok(index));
    }
    assert_eq!(run.finish().into_result().unwrap(), [0, 1, 2, 3]);
}

#[test]
fn late_wakes_poll_no_newcomer() {
    let board = Board::new(5);
    let (queue, tasks) = async_channel::unbounded();
    let mut run = Driver::new(parallel_stream(tasks));
    for index in 0..2 {
        queue.try_send(board.task(index)).unwrap();
    }
    assert!(run.run().is_pending());
    board.end(0, Ok(0));
    assert!(run.run().is_pending());

    // The next task comes into the slot that is woken for the one that has ended.
    board.wake(0);
    queue.try_send(board.task(2)).unwrap();
    assert!(run.run().is_pending());
    assert_eq!((board.polls(1), board.polls(2)), (1, 1));

    // So it does in the middle of a pass.
    board.end(1, Ok(1));
    assert!(run.run().is_pending());
    board.wake(1);
    board.end(2, Ok(2));
    for index in 3..5 {
        queue.try_send(board.task(index)).unwrap();
    }
    assert!(run.run().is_pending());
    assert_eq!((board.polls(3), board.polls(4)), (1, 1));
}

#[test]
fn sources_may_wake_what_has_ended() {
    let board = Board::new(2);
    let source_waker = RefCell::new(None);
    let mut asked = 0;
    let mut run = Driver::new(parallel_stream(stream::poll_fn(|cx| {
        asked += 1;
        match asked {
            1 => Poll::Ready(Some(board.task(0))),
            2 => {
                *source_waker.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            }
            3 => {
                // The task comes into the slot that this wakes.
                board.wake(0);
                Poll::Ready(Some(board.task(1)))
            }
            _ => Poll::Ready(None),
        }
    })));
    assert!(run.run().is_pending());
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    source_waker.take().unwrap().wake();
    assert!(run.run().is_pending());
    assert_eq!((board.polls(0), board.polls(1)), (2, 1));
    board.end(1, Ok(1));
    assert_eq!(run.finish().into_result().unwrap(), [0, 1]);
}

#[test]
fn passes_cut_short_poll_no_newcomer() {
    const TASKS: usize = 200;
    for late in 0..TASKS {
        let board = Board::new(TASKS + 1);
        let (queue, tasks) = async_channel::unbounded();
        let mut run = Driver::new(parallel_stream(tasks).concurrency(TASKS));
        for index in 0..TASKS {
            queue.try_send(board.task(index)).unwrap();
        }
        assert!(run.run().is_pending());
        board.end(late, Ok(late));
        assert!(run.run().is_pending());

        // The pass ends in the middle of a leaf, when half of the budget is spent. Then the next task comes into a slot
        // that was woken, whether the pass has visited it or not.
        for index in (0..TASKS).filter(|index| !(40..60).contains(index)) {
            board.wake(index);
        }
        queue.try_send(board.task(TASKS)).unwrap();
        assert!(run.run().is_pending());
        assert_eq!(board.polls(TASKS), 1, "after a late wake of {late}");
    }
}
