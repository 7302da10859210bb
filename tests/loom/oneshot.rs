//! A model of the value between a task and its handle.

use std::future::poll_fn;
use std::task::Waker;

use crate::sync::oneshot::Oneshot;
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[test]
fn a_value_reaches_whoever_waits() {
    loom::model(|| {
        let shared = Arc::new(Oneshot::new());
        let task = shared.clone();
        let task = thread::spawn(move || wake(task.send(7).handle));
        assert_eq!(block_on(poll_fn(|cx| shared.poll(cx))), Some(7));
        assert!(shared.is_closed());
        task.join().unwrap();
    });
}

#[test]
fn whoever_waits_learns_of_a_close() {
    loom::model(|| {
        let shared = Arc::new(Oneshot::<()>::new());
        let task = shared.clone();
        let task = thread::spawn(move || wake(task.close().handle));
        assert_eq!(block_on(poll_fn(|cx| shared.poll(cx))), None);
        task.join().unwrap();
    });
}

#[test]
fn a_cancellation_reaches_the_task() {
    loom::model(|| {
        let shared = Arc::new(Oneshot::<()>::new());
        let handle = shared.clone();
        let handle = thread::spawn(move || handle.cancel());
        block_on(poll_fn(|cx| {
            shared.watch(cx.waker());
            if shared.is_cancelled() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        }));
        handle.join().unwrap();
    });
}
