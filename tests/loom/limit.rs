//! A model of a limit: permits that are granted, taken, given back and given up, while the limit is changed.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::Count;
use crate::limit::{AcquirePermit, LeaveLimit, Limit, Permit};
use crate::run::{Gate, Observer};
use loom::future::block_on;
use loom::thread::{self, JoinHandle};

fn model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(f);
}

/// Waits for a permit of this weight on another thread.
fn acquire(limit: &Limit, weight: usize) -> JoinHandle<Permit> {
    let limit = limit.clone();
    thread::spawn(move || block_on(limit.acquire_many(weight)))
}

/// Polls once with a waker that wakes nothing.
fn poll(acquire: &mut AcquirePermit) -> Poll<Permit> {
    Pin::new(acquire).poll(&mut Context::from_waker(Waker::noop()))
}

/// Asserts that all permits are back, and none is waited for.
fn assert_unused(limit: &Limit) {
    assert_eq!((limit.in_use(), limit.waiting()), (0, 0));
}

#[test]
fn a_returned_permit_reaches_waiters() {
    model(|| {
        let limit = Limit::new(1);
        let permit = limit.try_acquire().expect("it is free");
        let waiting = acquire(&limit, 1);
        drop(permit);
        drop(waiting.join().unwrap());
        assert_unused(&limit);
    });
}

#[test]
fn permits_go_from_hand_to_hand() {
    model(|| {
        let limit = Limit::new(1);
        let use_one = |limit: Limit| {
            drop(block_on(limit.acquire()));
        };
        let others = [(); 2].map(|()| {
            let limit = limit.clone();
            thread::spawn(move || use_one(limit))
        });
        use_one(limit.clone());
        for other in others {
            other.join().unwrap();
        }
        assert_unused(&limit);
    });
}

#[test]
fn who_gives_up_passes_permits_on() {
    model(|| {
        let limit = Limit::new(1);
        let permit = limit.try_acquire().expect("it is free");
        let mut first = limit.acquire();
        assert!(poll(&mut first).is_pending());
        let second = acquire(&limit, 1);
        let gives_up = thread::spawn(move || drop(first));
        drop(permit);
        drop(second.join().unwrap());
        gives_up.join().unwrap();
        assert_unused(&limit);
    });
}

#[test]
fn a_raise_admits_all_it_can() {
    model(|| {
        let limit = Limit::new(1);
        limit.set(0);
        let waiting = [acquire(&limit, 1), acquire(&limit, 1)];
        limit.set(2);
        // Neither is given back before both are there.
        let permits = waiting.map(|waiting| waiting.join().unwrap());
        assert_eq!(limit.in_use(), 2);
        drop(permits);
        assert_unused(&limit);
    });
}

#[test]
fn a_pause_holds_and_ends() {
    model(|| {
        let limit = Limit::new(1);
        let other = limit.clone();
        let pauses = thread::spawn(move || {
            other.set(0);
            assert!(other.try_acquire().is_none());
            other.set(1);
        });
        drop(block_on(limit.acquire()));
        pauses.join().unwrap();
        assert_unused(&limit);
    });
}

#[test]
fn heavy_waiters_are_not_overtaken() {
    model(|| {
        let limit = Limit::new(2);
        let permit = limit.try_acquire().expect("it is free");
        let mut heavy = limit.acquire_many(2);
        assert!(poll(&mut heavy).is_pending());
        // There would be room for it.
        assert!(limit.try_acquire().is_none());
        let light = acquire(&limit, 1);
        drop(permit);
        let permit = block_on(&mut heavy);
        assert_eq!(limit.in_use(), 2);
        drop(permit);
        drop(light.join().unwrap());
        assert_unused(&limit);
    });
}

#[test]
fn the_last_waker_is_woken() {
    model(|| {
        let limit = Limit::new(1);
        let permit = limit.try_acquire();
        let mut waiting = pin!(limit.acquire());
        let (former, latter) = (Count::new(), Count::new());
        for (_, waker) in [&former, &latter] {
            let mut cx = Context::from_waker(waker);
            assert!(waiting.as_mut().poll(&mut cx).is_pending());
        }
        drop(permit);
        assert_eq!((former.0.get(), latter.0.get()), (0, 1));
    });
}

#[test]
fn a_stopped_run_leaves_the_line() {
    model(|| {
        let limit = Limit::new(1);
        let permit = limit.try_acquire().expect("it is free");
        let (mut gate, mut leave) = limit.gate();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(gate.poll_pass(&mut cx).is_pending());
        // The gate itself is still there, as that of a run that was stopped and not yet dropped.
        let second = acquire(&limit, 1);
        let stops =
            thread::spawn(move || Observer::<(), ()>::on_stop(&mut leave as &mut LeaveLimit));
        drop(permit);
        drop(second.join().unwrap());
        stops.join().unwrap();
        assert_unused(&limit);
    });
}
