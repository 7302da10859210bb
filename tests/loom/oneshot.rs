//! A model of the value between a task and its handle.

use std::future::poll_fn;
use std::sync::Arc as StdArc;
use std::task::{Context, Wake, Waker};

use crate::Count;
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
fn what_is_left_has_the_value() {
    loom::model(|| {
        let shared = Oneshot::new();
        wake(shared.send(7).handle);
        assert_eq!(shared.into_value(), Some(7));
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

#[test]
fn the_last_waker_is_woken() {
    loom::model(|| {
        let shared = Oneshot::new();
        let (former, latter) = (Count::new(), Count::new());
        for (_, waker) in [&former, &latter] {
            assert!(shared.poll(&mut Context::from_waker(waker)).is_pending());
        }
        wake(shared.send(7).handle);
        assert_eq!((former.0.get(), latter.0.get()), (0, 1));
    });
}

/// Looks at the value when it is woken and when it is dropped, as foreign code may.
struct Looks(StdArc<Oneshot<()>>);

impl Wake for Looks {
    fn wake(self: StdArc<Self>) {}
}

impl Drop for Looks {
    fn drop(&mut self) {
        _ = self.0.is_ended();
    }
}

#[test]
fn wakers_may_look_as_they_drop() {
    loom::model(|| {
        let shared = StdArc::new(Oneshot::new());
        let looks = || Waker::from(StdArc::new(Looks(shared.clone())));
        let poll = |waker: Waker| shared.poll(&mut Context::from_waker(&waker)).is_pending();
        // Whoever replaces one of them drops the last there is of it.
        assert!(poll(looks()) && poll(Waker::noop().clone()));
        shared.watch(&looks());
        shared.watch(Waker::noop());
    });
}

#[test]
fn wakers_may_look_as_they_wake() {
    loom::model(|| {
        let shared = StdArc::new(Oneshot::new());
        shared.watch(&Waker::from(StdArc::new(Looks(shared.clone()))));
        shared.cancel();
        assert!(shared.is_cancelled());
    });
}
