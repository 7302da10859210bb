//! A model of the line of a rate: whoever is first has a timer, and the others learn when they are.

use std::future::{Future, Pending, Ready, pending, ready};
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use crate::rate::{LeaveRate, Rate};
use crate::run::{Gate, Observer};
use crate::time::Timer;
use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread::{self, JoinHandle};

const PERIOD: Duration = Duration::from_millis(1);

fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(f);
}

/// A clock that does not wait: each timer puts it on.
#[derive(Clone)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(0)))
    }
}

impl Timer for Clock {
    type Sleep = Ready<()>;

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0
            .fetch_add(duration.as_millis() as u64, Ordering::SeqCst);
        ready(())
    }

    fn now(&self) -> Option<Duration> {
        Some(Duration::from_millis(self.0.load(Ordering::SeqCst)))
    }
}

/// A clock that stands still.
#[derive(Clone, Copy)]
struct Never;

impl Timer for Never {
    type Sleep = Pending<()>;

    fn sleep(&self, _: Duration) -> Self::Sleep {
        pending()
    }

    fn now(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}

fn acquire(rate: &Rate, clock: &Clock) -> JoinHandle<()> {
    let (rate, clock) = (rate.clone(), clock.clone());
    thread::spawn(move || block_on(rate.acquire(1, clock)))
}

#[test]
fn the_next_in_line_is_woken() {
    model(|| {
        let (rate, clock) = (Rate::per(1, PERIOD), Clock::new());
        let others = [acquire(&rate, &clock), acquire(&rate, &clock)];
        block_on(rate.acquire(1, clock.clone()));
        for other in others {
            other.join().unwrap();
        }
        // Three have started, the first of them at once.
        assert!(clock.0.load(Ordering::SeqCst) >= 2, "they were too fast");
    });
}

#[test]
fn who_gives_up_wakes_the_next() {
    model(|| {
        let (rate, clock) = (Rate::per(1, PERIOD), Clock::new());
        assert!(rate.try_acquire(1, &Never));
        let mut first = rate.acquire(1, Never);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut first).poll(&mut cx).is_pending());
        let second = acquire(&rate, &clock);
        drop(first);
        second.join().unwrap();
    });
}

#[test]
fn a_stopped_run_wakes_the_next() {
    model(|| {
        let (rate, clock) = (Rate::per(1, PERIOD), Clock::new());
        assert!(rate.try_acquire(1, &Never));
        let (mut gate, mut leave) = rate.gate(Never);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(gate.poll_pass(&mut cx).is_pending());
        let second = acquire(&rate, &clock);
        Observer::<(), ()>::on_stop(&mut leave as &mut LeaveRate);
        second.join().unwrap();
    });
}
