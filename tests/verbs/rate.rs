//! Rates that are shared: never exceeded in any stretch of time, and nobody waits for longer than that takes. Needs the
//! feature `test-util`.
#![cfg(feature = "test-util")]

use std::cell::{Cell, RefCell};
use std::future::{Ready, ready};
use std::task::Poll;
use std::time::Duration;

use crate::support::{Board, Driver};
use abreast::time::VirtualClock;
use abreast::{Limit, Rate, Timer, parallel};
use futures::StreamExt;
use futures::future::poll_fn;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Returns the milliseconds at which the tasks of a run start.
fn starts(clock: &VirtualClock, rate: &Rate, tasks: usize) -> Vec<u128> {
    let starts = RefCell::new(Vec::new());
    let task = async |_| {
        starts.borrow_mut().push(clock.now().as_millis());
        Ok::<_, ()>(())
    };
    let run = parallel((0..tasks).map(task)).rate(rate, clock.timer());
    assert!(clock.run(run).all_succeeded());
    starts.into_inner()
}

#[test]
fn a_burst_comes_before_the_rate() {
    let clock = VirtualClock::new();
    let rate = Rate::per_second(10).burst(3);
    assert_eq!(starts(&clock, &rate, 6), [0, 0, 0, 100, 200, 300]);
    // Half of the burst is there again.
    clock.advance(millis(150));
    assert_eq!(starts(&clock, &rate, 3), [450, 500, 600]);
}

#[test]
fn without_a_burst_it_is_even() {
    let clock = VirtualClock::new();
    clock.advance(millis(5000));
    let rate = Rate::per(2, millis(500));
    assert_eq!(starts(&clock, &rate, 3), [5000, 5250, 5500]);
}

#[test]
fn runs_take_turns_at_a_rate() {
    let clock = VirtualClock::new();
    let rate = Rate::per_second(10);
    let order = RefCell::new(String::new());
    let run = |name| {
        let order = &order;
        let task = move |_| async move {
            order.borrow_mut().push(name);
            Ok::<_, ()>(())
        };
        parallel((0..3).map(task)).rate(&rate, clock.timer())
    };
    clock.run(futures::future::join(run('a'), run('b')));
    assert_eq!(order.into_inner(), "aababb");
    assert_eq!(clock.now(), millis(500));
}

#[test]
fn rates_and_limits_stack() {
    let clock = VirtualClock::new();
    let (requests, tokens) = (Rate::per_second(10).burst(10), Rate::per_second(5));
    let limit = Limit::new(1);
    let task = async |_| {
        clock.sleep(millis(300)).await;
        Ok::<_, ()>(())
    };
    let run = parallel((0..4).map(task)).limit(&limit);
    let run = run.rate(&requests, clock.timer());
    assert!(clock.run(run.rate(&tokens, clock.timer())).all_succeeded());
    assert_eq!(clock.now(), millis(1200), "the limit is the slowest");
    assert_eq!(limit.in_use(), 0);
}

#[test]
fn a_pause_holds_everybody_back() {
    let clock = VirtualClock::new();
    let rate = Rate::per_second(10);
    assert!(rate.try_acquire(1, &clock.timer()));
    let mut waiting = [0, 1].map(|_| Driver::new(rate.acquire(1, clock.timer())));
    for waiter in &mut waiting {
        assert!(waiter.poll().is_pending());
    }
    rate.pause_for(millis(1000), &clock.timer());
    rate.pause_for(millis(500), &clock.timer());
    clock.advance(millis(999));
    assert!(waiting[0].run().is_pending());
    clock.advance(millis(1));
    assert!(waiting[0].run().is_ready());
    // The second came behind it, at the rate.
    assert!(waiting[1].run().is_pending());
    clock.advance(millis(100));
    assert!(waiting[1].run().is_ready());
}

#[test]
fn a_dropped_waiter_acquires_nothing() {
    let clock = VirtualClock::new();
    let rate = Rate::per_second(10).burst(5);
    assert!(rate.try_acquire(5, &clock.timer()));
    let mut first = Driver::new(rate.acquire(5, clock.timer()));
    let mut second = Driver::new(rate.acquire(1, clock.timer()));
    assert!(first.poll().is_pending());
    assert!(second.poll().is_pending());
    assert_eq!(clock.timers_running(), 1, "only the first has a timer");

    clock.advance(millis(200));
    assert_eq!((second.wakes(), second.poll()), (0, Poll::Pending));
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert_eq!(second.poll(), Poll::Ready(()));
    assert_eq!(clock.timers_running(), 0);
}

#[test]
fn a_stopped_run_leaves_its_rate() {
    let clock = VirtualClock::new();
    let (rate, board) = (Rate::per_second(1), Board::new(3));
    let run = parallel(board.tasks()).fail_fast(true);
    let mut stream = run.rate(&rate, clock.timer()).into_stream();
    let mut poll = Driver::new(poll_fn(move |cx| stream.poll_next_unpin(cx)));
    assert!(poll.run().is_pending());
    board.end(0, Err("no"));
    assert_eq!(poll.run(), Poll::Ready(Some((0, Err("no")))));
    assert_eq!(poll.run(), Poll::Ready(None));

    // It is still there, and holds nobody up.
    clock.advance(millis(1000));
    assert!(rate.try_acquire(1, &clock.timer()));
}

#[test]
#[cfg(feature = "std")]
fn without_a_clock_the_systems_counts() {
    let never = |_: Duration| std::future::pending::<()>();
    let rate = Rate::per(1, Duration::from_secs(3600));
    assert!(rate.try_acquire(1, &never));
    assert!(!rate.try_acquire(1, &never));
    rate.pause_for(Duration::MAX, &never);
    assert!(Driver::new(rate.acquire(1, never)).run().is_pending());
}

#[test]
#[should_panic(expected = "a cost of 4 is never free in a burst of 3")]
fn too_large_a_cost_panics() {
    drop(
        Rate::per_second(1)
            .burst(3)
            .acquire(4, VirtualClock::new().timer()),
    );
}

#[test]
#[should_panic(expected = "a rate of 0 lets nothing start")]
fn a_rate_of_zero_panics() {
    let _ = Rate::per_second(0);
}

#[test]
#[should_panic(expected = "a rate needs a period")]
fn a_period_of_zero_panics() {
    let _ = Rate::per(1, Duration::ZERO);
}

#[test]
#[should_panic(expected = "a burst of 0 lets nothing start")]
fn a_burst_of_zero_panics() {
    let _ = Rate::per_second(1).burst(0);
}

/// A timer that is ready at its first poll, and must not be polled again.
struct AtOnce(Cell<Duration>);

impl Timer for &AtOnce {
    type Sleep = Ready<()>;

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.set(self.0.get() + duration);
        ready(())
    }

    fn now(&self) -> Option<Duration> {
        Some(self.0.get())
    }
}

#[test]
fn a_timer_may_fire_at_once() {
    let (rate, timer) = (Rate::per_second(1), AtOnce(Cell::new(Duration::ZERO)));
    for seconds in 0..3 {
        Driver::new(rate.acquire(1, &timer)).finish();
        assert_eq!(timer.0.get(), Duration::from_secs(seconds));
    }
}
