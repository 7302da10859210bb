//! Limits that find themselves: what they learn from, and that they lose nothing. Needs the feature `test-util`.
#![cfg(feature = "test-util")]

#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::support::{Board, Driver};
use abreast::limit::{AdaptiveLimit, Feedback};
use abreast::time::{VirtualClock, VirtualSleep};
use abreast::{Limit, Timer, parallel};
use futures::FutureExt;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn all() -> [AdaptiveLimit; 3] {
    [Limit::aimd(), Limit::vegas(), Limit::gradient()]
}

/// Runs as many tasks as the limit allows, each of which takes this long, so many times.
fn rounds(limit: &AdaptiveLimit, clock: &VirtualClock, takes: Duration, rounds: usize) {
    for _ in 0..rounds {
        let running: Vec<_> = std::iter::from_fn(|| {
            let next = limit.acquire(clock.timer()).now_or_never();
            next.filter(|_| limit.limit().in_use() <= 2000)
        })
        .collect();
        clock.advance(takes);
        for task in running {
            task.report(Feedback::Fine);
        }
    }
}

#[test]
fn an_overload_counts_once() {
    for limit in all() {
        let clock = VirtualClock::new();
        let running: Vec<_> = (0..10)
            .map(|_| limit.acquire(clock.timer()).now_or_never().unwrap())
            .collect();
        for task in running {
            task.report(Feedback::Overload);
        }
        let lowered = limit.limit().get();
        assert!((8..10).contains(&lowered), "{lowered}");

        // What started after that lowers it again.
        let task = limit.acquire(clock.timer()).now_or_never().unwrap();
        task.report(Feedback::Overload);
        assert!(limit.limit().get() < lowered);
    }
}

#[test]
fn overloads_stop_at_the_least() {
    for limit in all() {
        let limit = limit.range(3..=20);
        let clock = VirtualClock::new();
        for _ in 0..100 {
            limit.measure(clock.timer()).report(Feedback::Overload);
        }
        assert_eq!(limit.limit().get(), 3);
    }
}

#[test]
fn growth_stops_at_the_most() {
    for limit in all() {
        let limit = limit.range(3..=40);
        rounds(&limit, &VirtualClock::new(), ms(50), 200);
        // It may be halved for a while, to measure.
        let permits = limit.limit().get();
        assert!(permits == 40 || permits == 20, "{permits}");
    }
}

#[test]
fn slow_tasks_lower_the_limit() {
    for limit in [Limit::vegas(), Limit::gradient()] {
        let clock = VirtualClock::new();
        rounds(&limit, &clock, ms(50), 10);
        let before = limit.limit().get();
        rounds(&limit, &clock, ms(200), 4);
        let after = limit.limit().get();
        assert!(after < before * 2 / 3, "{before} {after}");
    }
}

#[test]
fn what_is_dropped_does_not_count() {
    for limit in all() {
        let clock = VirtualClock::new();
        for _ in 0..100 {
            drop(limit.acquire(clock.timer()).now_or_never());
            limit.measure(clock.timer()).report(Feedback::Ignored);
        }
        assert_eq!((limit.limit().get(), limit.limit().in_use()), (10, 0));
    }
}

#[test]
fn few_durations_move_nothing() {
    for limit in [Limit::vegas(), Limit::gradient()] {
        let clock = VirtualClock::new();
        for _ in 0..9 {
            limit.measure(clock.timer()).report(Feedback::Fine);
        }
        assert_eq!(limit.limit().get(), 10);
    }
}

#[test]
fn an_unused_limit_does_not_grow() {
    for limit in all() {
        let clock = VirtualClock::new();
        for _ in 0..1000 {
            let task = limit.acquire(clock.timer()).now_or_never().unwrap();
            clock.advance(ms(50));
            task.report(Feedback::Fine);
        }
        // It is halved now and then, to measure: then one of five is not enough either.
        let permits = limit.limit().get();
        assert!(permits == 10 || permits == 5, "{permits}");
    }
}

#[test]
fn durations_of_zero_are_harmless() {
    for limit in all() {
        let limit = limit.range(2..=30);
        let clock = VirtualClock::new();
        rounds(&limit, &clock, Duration::ZERO, 50);
        assert!((15..=30).contains(&limit.limit().get()));
        rounds(&limit, &clock, ms(50), 50);
        assert!((2..=30).contains(&limit.limit().get()));
    }
}

/// A clock that goes anywhere.
struct Liar(std::cell::Cell<u64>);

impl Timer for &Liar {
    type Sleep = VirtualSleep;

    fn sleep(&self, duration: Duration) -> VirtualSleep {
        VirtualClock::new().sleep(duration)
    }

    fn now(&self) -> Option<Duration> {
        let next = self.0.get().wrapping_mul(6364136223846793005) + 1;
        self.0.set(next);
        match next % 4 {
            0 => None,
            1 => Some(Duration::MAX),
            _ => Some(Duration::from_nanos(next)),
        }
    }
}

#[test]
fn clocks_may_lie() {
    let clock = Liar(std::cell::Cell::new(7));
    for limit in all() {
        let limit = limit.range(2..=50);
        for _ in 0..3000 {
            limit.measure(&clock).report(Feedback::Fine);
            assert!((2..=50).contains(&limit.limit().get()));
        }
    }
}

#[test]
fn growth_starts_those_who_wait() {
    let clock = VirtualClock::new();
    let limit = Limit::aimd().initial(1);
    let first = limit.acquire(clock.timer()).now_or_never().unwrap();
    let mut waiting = [0, 1, 2].map(|_| Driver::new(limit.acquire(clock.timer())));
    for waiting in &mut waiting {
        assert!(waiting.poll().is_pending());
    }
    // The permit that is given back, and the one that there is more.
    first.report(Feedback::Fine);
    assert_eq!(limit.limit().get(), 2);
    let woken = waiting.iter().map(Driver::wakes).collect::<Vec<_>>();
    assert_eq!(woken, [1, 1, 0]);
}

#[test]
fn runs_learn_from_their_tasks() {
    let clock = VirtualClock::new();
    let limit = Limit::aimd();
    let tasks = (0..30).map(|n| {
        let sleep = clock.sleep(ms(10));
        async move {
            sleep.await;
            if n == 29 { Err("full") } else { Ok(n) }
        }
    });
    let mut seen = Vec::new();
    let run = parallel(tasks).concurrency(100).adaptive(
        &limit,
        clock.timer(),
        |result: Result<&i32, &&str>| {
            seen.push(result.copied().map_err(|error| *error));
            if result.is_ok() {
                Feedback::Fine
            } else {
                Feedback::Overload
            }
        },
    );
    assert_eq!(clock.run(run).failure_count(), 1);
    assert_eq!(seen.len(), 30);
    assert_eq!(limit.limit().in_use(), 0);
    // Ten, and a few more, and then 80 % of that.
    assert!((9..12).contains(&limit.limit().get()), "{limit:?}");
}

#[test]
fn drops_give_everything_back() {
    for polls in 0..8 {
        let clock = VirtualClock::new();
        let limit = Limit::vegas().initial(3);
        let board = Board::new(6);
        let run = parallel(board.tasks()).concurrency(5);
        let mut run = Driver::new(run.adaptive(&limit, clock.timer(), Feedback::fine_if_ok));
        for poll in 0..polls {
            if poll > 0 {
                board.end(poll - 1, Ok(poll));
            }
            let is_done = run.poll().is_ready();
            assert_eq!(is_done, poll == 6);
            assert!(limit.limit().in_use() <= limit.limit().get());
        }
        let mut other = Driver::new(limit.acquire(clock.timer()));
        let _ = other.poll().is_pending();
        drop((run, other));
        assert_eq!((limit.limit().in_use(), limit.limit().waiting()), (0, 0));
        assert_eq!(board.alive(), 0);
    }
}

#[cfg(panic = "unwind")]
#[test]
fn a_panicking_classifier_loses_nothing() {
    let clock = VirtualClock::new();
    let limit = Limit::aimd();
    let mut calls = 0;
    let run = parallel((0..4).map(|n| async move { Ok::<_, ()>(n) })).adaptive(
        &limit,
        clock.timer(),
        |_| {
            calls += 1;
            assert!(calls != 2, "the second one");
            Feedback::Overload
        },
    );
    let mut run = Driver::new(run);
    assert!(catch_unwind(AssertUnwindSafe(|| run.run())).is_err());
    let result = run.finish();
    assert_eq!(result.into_values(), Ok(vec![0, 1, 2, 3]));
    assert_eq!(limit.limit().in_use(), 0);
}

#[cfg(panic = "unwind")]
#[test]
fn settings_out_of_range_panic() {
    let panics = |set: fn() -> AdaptiveLimit| catch_unwind(set).is_err();
    assert!(panics(|| Limit::aimd().range(0..=3)));
    #[expect(clippy::reversed_empty_ranges, reason = "that is the point")]
    let reversed = || Limit::aimd().range(4..=3);
    assert!(panics(reversed));
    assert!(panics(|| Limit::aimd().backoff(1.0)));
    assert!(panics(|| Limit::aimd().backoff(f64::NAN)));
    assert!(panics(|| Limit::vegas().tolerance(0.9)));
    assert!(panics(|| Limit::vegas().tolerance(f64::INFINITY)));
    assert!(panics(|| Limit::vegas().window(0)));
}
