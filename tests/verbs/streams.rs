//! The streams of a window: order, limits, ends, and the results without their indices.

use std::task::{Poll, Waker};

use crate::support::{Board, Driver};
use abreast::parallel;
use futures::executor::block_on;
use futures::stream::{FusedStream, StreamExt, TryStreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn streams_yield_as_tasks_end() {
    let board = Board::new(4);
    let mut stream = parallel(board.tasks()).concurrency(2).into_stream();
    let mut poll = Driver::new(futures::future::poll_fn(move |cx| {
        stream.poll_next_unpin(cx)
    }));
    assert!(poll.run().is_pending());
    board.end(1, Ok(1));
    assert_eq!(poll.run(), Poll::Ready(Some((1, Ok(1)))));
    assert_eq!(
        board.created(),
        2,
        "task 1 was not handed over when the slots were looked at"
    );
    assert!(poll.run().is_pending());
    assert_eq!(board.created(), 3);
    board.end(2, Err("no"));
    board.end(0, Ok(0));
    assert_eq!(poll.run(), Poll::Ready(Some((0, Ok(0)))));
    assert_eq!(poll.run(), Poll::Ready(Some((2, Err("no")))));
    board.end(3, Ok(3));
    assert_eq!(poll.run(), Poll::Ready(Some((3, Ok(3)))));
    assert_eq!(poll.run(), Poll::Ready(None));
    assert_eq!(poll.run(), Poll::Ready(None));
}

#[test]
fn held_results_come_before_polls() {
    let board = Board::new(4);
    let mut stream = parallel(board.tasks()).into_stream();
    let mut poll = Driver::new(futures::future::poll_fn(move |cx| {
        stream.poll_next_unpin(cx)
    }));
    assert!(poll.run().is_pending());
    for index in 0..3 {
        board.end(index, Ok(index));
    }
    for index in 0..3 {
        assert_eq!(poll.poll(), Poll::Ready(Some((index, Ok(index)))));
        board.wake(3);
    }
    assert_eq!(board.polls(3), 1);
    assert!(poll.run().is_pending());
    assert_eq!(board.polls(3), 2);
}

#[test]
fn late_wakes_reach_no_successor() {
    let board = Board::new(6);
    let mut stream = parallel(board.tasks()).concurrency(3).into_stream();
    let mut poll = Driver::new(futures::future::poll_fn(move |cx| {
        stream.poll_next_unpin(cx)
    }));
    assert!(poll.run().is_pending());
    let wakers = [0, 1, 2].map(|index| board.waker(index));
    for index in 0..3 {
        board.end(index, Ok(index));
    }
    assert!(poll.poll().is_ready());
    // Their slots are free while their results are held, and are taken as those are handed over.
    wakers.into_iter().for_each(Waker::wake);
    assert!(poll.poll().is_ready() && poll.poll().is_ready());
    assert!(poll.run().is_pending());
    assert_eq!([3, 4, 5].map(|index| board.polls(index)), [1, 1, 1]);
}

#[test]
fn ordered_streams_hold_at_most_concurrency() {
    let board = Board::new(10);
    let mut stream = parallel(board.tasks()).concurrency(3).into_ordered_stream();
    let mut poll = Driver::new(futures::future::poll_fn(move |cx| {
        stream.poll_next_unpin(cx)
    }));
    assert!(poll.run().is_pending());
    board.end(1, Ok(1));
    board.end(2, Ok(2));
    assert!(poll.run().is_pending());
    assert_eq!(
        board.created(),
        3,
        "two are held back and one runs: no room for another"
    );
    board.end(0, Ok(0));
    for index in 0..3 {
        assert_eq!(poll.run(), Poll::Ready(Some((index, Ok(index)))));
    }
    assert!(board.created() <= 6);
}

#[test]
fn fail_fast_streams_yield_finished_results() {
    for ordered in [false, true] {
        let board = Board::new(10);
        let tasks = board.tasks();
        let run = parallel(tasks).concurrency(4).fail_fast(true);
        let mut stream = if ordered {
            run.into_ordered_stream().boxed()
        } else {
            run.into_stream().boxed()
        };
        let mut poll = Driver::new(futures::future::poll_fn(move |cx| {
            stream.poll_next_unpin(cx)
        }));
        assert!(poll.run().is_pending());
        board.end(1, Ok(1));
        board.end(2, Err("no"));
        assert_eq!(poll.run(), Poll::Ready(Some((1, Ok(1)))));
        assert_eq!(board.alive(), 0, "what is in flight is dropped at once");
        assert_eq!(poll.run(), Poll::Ready(Some((2, Err("no")))));
        assert_eq!(poll.run(), Poll::Ready(None));
    }
}

#[test]
fn size_hints_count_running_tasks() {
    let board = Board::new(4);
    let mut stream = parallel(board.tasks()).concurrency(2).into_stream();
    let mut cx = std::task::Context::from_waker(Waker::noop());
    assert!(stream.poll_next_unpin(&mut cx).is_pending());
    assert_eq!(board.created(), 2);
    assert_eq!(futures::Stream::size_hint(&stream), (4, Some(4)));
}

#[test]
fn streams_have_exact_size_hints() {
    let tasks = (0..10).map(|n| std::future::ready(Ok::<_, ()>(n)));
    let mut stream = Box::pin(parallel(tasks).concurrency(3).into_stream());
    for left in (0..=10).rev() {
        assert_eq!(futures::Stream::size_hint(&stream), (left, Some(left)));
        assert_eq!(block_on(stream.next()).is_some(), left > 0);
    }
}

#[test]
fn values_collect_in_order() {
    let tasks = |limit| (0..20).map(move |n| async move { if n < limit { Ok(n) } else { Err(n) } });
    let values = parallel(tasks(20)).into_ordered_stream().values();
    assert_eq!(
        block_on(values.try_collect()),
        Ok((0..20).collect::<Vec<_>>())
    );
    let values = parallel(tasks(7)).into_ordered_stream().values();
    assert_eq!(block_on(values.try_collect::<Vec<_>>()), Err(7));
}

#[test]
fn values_are_streams_like_others() {
    fn is_unpin<T: Unpin>(value: T) -> T {
        value
    }
    let tasks = [Ok(1), Err("no")].map(|result| async move { result });
    let mut values = is_unpin(parallel(tasks).into_stream().values());
    assert_eq!(futures::Stream::size_hint(&values), (2, Some(2)));
    assert_eq!(block_on(values.next()), Some(Ok(1)));
    assert_eq!(block_on(values.next()), Some(Err("no")));
    assert!(!values.is_terminated());
    assert_eq!(block_on(values.next()), None);
    assert!(values.is_terminated());
}
