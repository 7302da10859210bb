//! Holds the page that compares to what it says of others. Where one of these fails, they have mended it: then the page
//! is wrong.

use std::cell::Cell;
use std::future::{pending, poll_fn, ready};
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures::{StreamExt, future, stream};
use futures_buffered::BufferedStreamExt;
use futures_concurrency::prelude::*;

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Wakes itself until it has been polled so many times, and returns an error then.
async fn fail_after(polls: usize, count: &Cell<usize>) -> Result<(), ()> {
    let mut left = polls;
    poll_fn(|cx| {
        count.set(count.get() + 1);
        left -= 1;
        cx.waker().wake_by_ref();
        if left == 0 {
            Poll::Ready(Err(()))
        } else {
            Poll::Pending
        }
    })
    .await
}

/// Returns two futures, of which the first panics.
fn panicking_and_ready() -> Vec<future::LocalBoxFuture<'static, u32>> {
    let panics = poll_fn(|_| panic!("on purpose"));
    vec![Box::pin(panics), Box::pin(ready(1))]
}

#[test]
fn buffer_unordered_hangs_with_limit_zero() {
    let mut set = stream::iter([ready(1)]).buffer_unordered(0);
    assert!(poll(pin!(set.next())).is_pending());
}

#[test]
fn select_ok_polls_everybody() {
    let polls = Cell::new(0);
    // One more of them fails with each poll.
    let racers = (1..=1000).map(|turn| Box::pin(fail_after(turn, &polls)));
    let mut race = pin!(future::select_ok(racers));
    while poll(race.as_mut()).is_pending() {}
    assert!(polls.get() >= 500_000, "{}", polls.get());
}

#[test]
fn try_join_all_notices_late() {
    let failing = |count: usize| {
        let first = future::Either::Left(pending::<Result<(), ()>>());
        let others = (1..count).map(|_| future::Either::Right(ready(Err(()))));
        let all = future::try_join_all([first].into_iter().chain(others));
        poll(pin!(all)).is_ready()
    };
    assert_eq!((failing(30), failing(31)), (true, false));
}

#[test]
fn futures_buffered_never_ends_after_panics() {
    let tasks = stream::iter(panicking_and_ready());
    let mut set = pin!(tasks.buffered_unordered(2));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(pin!(set.next())))).is_err());
    let after: Vec<_> = (0..10).map(|_| poll(pin!(set.next()))).collect();
    // What else there was, and then nothing, not even the end.
    assert_eq!(after[0], Poll::Ready(Some(1)));
    assert!(after[1..].iter().all(Poll::is_pending));
}

#[test]
fn futures_concurrency_is_stuck_after_panics() {
    let mut join = pin!(panicking_and_ready().join());
    assert!(catch_unwind(AssertUnwindSafe(|| poll(join.as_mut()))).is_err());
    for _ in 0..10 {
        assert!(poll(join.as_mut()).is_pending());
    }
}

#[test]
fn futures_concurrency_collects_without_limit() {
    let started = Cell::new(0);
    let task = async |_| {
        started.set(started.get() + 1);
        pending::<()>().await;
    };
    let tasks = stream::iter(0..6).co().limit(NonZero::new(2)).map(task);
    let mut values = pin!(tasks.collect::<Vec<()>>());
    for _ in 0..10 {
        assert!(poll(values.as_mut()).is_pending());
    }
    assert_eq!(started.get(), 6);
}

#[test]
fn futures_buffered_starts_behind_the_first() {
    let started = Cell::new(0);
    let task = |n: usize| {
        let started = &started;
        async move {
            started.set(started.get() + 1);
            if n == 0 {
                pending::<()>().await;
            }
        }
    };
    let mut set = pin!(BufferedStreamExt::buffered_ordered(
        stream::iter(0..1000).map(task),
        5
    ));
    for _ in 0..1000 {
        assert!(poll(pin!(set.next())).is_pending());
    }
    assert_eq!(started.get(), 1000);
}
