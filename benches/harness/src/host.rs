//! The plainest executor there is.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::board;

thread_local! {
    static POLLS: Cell<usize> = const { Cell::new(0) };
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Polls `future` until it resolves, once per wake; whenever it sleeps, has the board wake `burst` tasks.
///
/// Everything happens on this thread, so a future that sleeps when the board is through is never woken again.
///
/// # Panics
/// If that happens.
pub fn block_on<F: Future>(future: F, burst: usize) -> F::Output {
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(flag.clone());
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    let mut polls = 0;
    loop {
        // Cleared before the poll, not after it: a wake during the poll asks for another one, and any later wake is the
        // same request. Cleared after the poll, each wake from outside would count for two polls.
        flag.0.store(false, Ordering::Release);
        polls += 1;
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            POLLS.set(POLLS.get() + polls);
            return output;
        }
        if !flag.0.load(Ordering::Acquire) {
            board::wake(burst);
        }
        assert!(
            flag.0.load(Ordering::Acquire),
            "stalled: pending, and nobody left to wake it"
        );
    }
}

/// Returns how often [`block_on`] has polled on this thread so far.
pub(crate) fn polls() -> usize {
    POLLS.get()
}

/// Drives `future` inside a runtime that has tasks of its own: each time that it is pending, has the board wake `burst`
/// tasks, and asks for another poll.
///
/// Without a burst it is `future` itself.
pub async fn drive<F: Future>(future: F, burst: usize) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() && burst > 0 {
            board::wake(burst);
            cx.waker().wake_by_ref();
        }
        polled
    })
    .await
}
