//! A model of the waker of a consumer: no wake between its poll and the sleep of its run is lost.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, Waker};

use crate::Count;
use crate::consumer::Consumer;
use crate::sync::AtomicWaker;
use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// What a call of the consumer waits for.
struct Gate {
    opened: AtomicUsize,
    waker: AtomicWaker,
}

impl Gate {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: AtomicUsize::new(0),
            waker: AtomicWaker::new(),
        })
    }

    fn open(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.waker.wake();
    }

    /// Waits until it has been opened so often.
    async fn wait(&self, times: usize) {
        poll_fn(|cx| {
            self.waker.register(cx.waker());
            if self.opened.load(Ordering::Relaxed) >= times {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

/// Runs one call of a consumer to its end, as a run does: it is polled when it was woken.
fn consume(gate: &Gate, times: usize) {
    let mut consumer = pin!(Consumer::new(|_, ()| gate.wait(times)));
    let mut begun = false;
    block_on(poll_fn(|cx| {
        if !begun {
            begun = true;
            if consumer.as_mut().begin(0, ()).is_ready() {
                return Poll::Ready(());
            }
        }
        loop {
            if consumer.is_woken() {
                if consumer.as_mut().poll().is_ready() {
                    return Poll::Ready(());
                }
            } else if consumer.arm(cx.waker()) {
                return Poll::Pending;
            }
        }
    }));
}

#[test]
fn a_wake_before_the_sleep_counts() {
    loom::model(|| {
        let gate = Gate::new();
        let opens = gate.clone();
        let opens = thread::spawn(move || opens.open());
        consume(&gate, 1);
        opens.join().unwrap();
    });
}

#[test]
fn wakes_from_two_threads_count() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(|| {
        let gate = Gate::new();
        let others = [(); 2].map(|()| {
            let gate = gate.clone();
            thread::spawn(move || gate.open())
        });
        consume(&gate, 2);
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn a_wake_is_answered_by_one_poll() {
    loom::model(|| {
        let gate = Gate::new();
        let mut consumer = pin!(Consumer::new(|_, ()| gate.wait(2)));
        assert!(consumer.as_mut().begin(0, ()).is_pending());
        gate.open();
        assert!(consumer.is_woken());
        assert!(consumer.as_mut().poll().is_pending());
        assert!(!consumer.is_woken());
    });
}

#[test]
fn a_late_wake_is_forgotten() {
    loom::model(|| {
        let gate = Gate::new();
        let mut consumer = pin!(Consumer::new(|times, ()| gate.wait(times)));
        // The first call ends at once, and its waker is woken after that.
        assert!(consumer.as_mut().begin(0, ()).is_ready());
        gate.open();
        assert!(consumer.as_mut().begin(2, ()).is_pending());
        assert!(!consumer.is_woken());
    });
}

#[test]
fn wakers_that_outlive_runs_wake_nobody() {
    loom::model(|| {
        let kept = RefCell::new(None::<Waker>);
        let (parent, waker) = Count::new();
        {
            let mut consumer = pin!(Consumer::new(|_, ()| poll_fn(|cx| {
                *kept.borrow_mut() = Some(cx.waker().clone());
                Poll::<()>::Pending
            })));
            assert!(consumer.as_mut().begin(0, ()).is_pending());
            assert!(consumer.arm(&waker));
        }
        kept.take().expect("it was polled").wake();
        assert_eq!(parent.get(), 0);
    });
}
