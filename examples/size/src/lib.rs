//! Work that both programs do: tasks that wait to be woken, so that none of it can be done by the compiler.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

thread_local! {
    static WAITING: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

/// Returns a task that waits once.
pub async fn task(number: u32) -> Result<u32, u32> {
    let mut waited = false;
    poll_fn(|cx| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        WAITING.with_borrow_mut(|waiting| waiting.push(cx.waker().clone()));
        Poll::Pending
    })
    .await;
    if black_box(number) % 7 == 3 {
        Err(number)
    } else {
        Ok(number)
    }
}

/// Polls a future until it resolves, and wakes what waits.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        WAITING.with_borrow_mut(|waiting| waiting.drain(..).for_each(Waker::wake));
    }
}
