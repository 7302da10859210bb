//! How often operations try again, and when.
#![cfg(all(feature = "operation", feature = "test-util"))]

use std::time::Duration;

use crate::script::*;
use abreast::Rate;
use abreast::operation::{AttemptError, Category, Operation, OperationFailure, Retry, Strategy};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const BROKEN: &[Step] = &[Fail(Fault::Broken)];
const REFUSED: &[Step] = &[Fail(Fault::Refused)];
const LIMITED: &[Step] = &[Fail(Fault::Limited(None))];
const DENIED: &[Step] = &[Fail(Fault::Denied)];

/// Returns the milliseconds between openings, of an operation that fails in the end.
fn delays<const N: usize>(retry: Retry, scripts: [&[Step]; N]) -> Vec<u128> {
    let stage = Stage::new();
    let operation = Operation::new(stage.source(scripts))
        .timer(stage.clock.timer())
        .retry(retry);
    let failure = stage.clock.run(operation).unwrap_err();
    assert_eq!(failure.earlier.len() + 1, stage.opened());
    let openings = stage.openings();
    openings
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_millis())
        .collect()
}

fn plain(strategy: Strategy) -> Retry {
    Retry::recommended().attempts(5).strategy(strategy)
}

#[test]
fn delays_follow_the_strategy() {
    assert_eq!(
        delays(plain(Strategy::Exponential), [BROKEN]),
        [1000, 2000, 4000, 8000, 10_000]
    );
    assert_eq!(
        delays(plain(Strategy::Linear), [BROKEN]),
        [1000, 2000, 3000, 4000, 5000]
    );
    assert_eq!(delays(plain(Strategy::Fixed), [BROKEN]), [1000; 5]);
    let low = |strategy| plain(strategy).max_delay(ms(2500));
    assert_eq!(
        delays(low(Strategy::Exponential), [BROKEN]),
        [1000, 2000, 2500, 2500, 2500]
    );
    assert_eq!(
        delays(low(Strategy::Linear), [BROKEN]),
        [1000, 2000, 2500, 2500, 2500]
    );
    assert_eq!(
        delays(low(Strategy::Fixed).base_delay(secs(3)), [BROKEN]),
        [2500; 5]
    );
}

#[test]
fn tiny_delays_grow_to_the_maximum() {
    let (base, max) = (Duration::from_nanos(1), secs(1000));
    let delay = |retries| Strategy::Exponential.delay(retries, base, max, 0.0);
    assert_eq!(delay(0), base);
    assert_eq!(delay(31), Duration::from_nanos(1 << 31));
    assert_eq!(delay(33), Duration::from_nanos(1 << 33));
    assert_eq!(delay(39), Duration::from_nanos(1 << 39));
    for retries in [40, 64, 1000, u32::MAX] {
        assert_eq!(delay(retries), max);
    }
    let none = Strategy::Exponential.delay(u32::MAX, Duration::ZERO, max, 0.0);
    assert_eq!(none, Duration::ZERO);
    let longest = Strategy::Exponential.delay(u32::MAX, base, Duration::MAX, 0.0);
    assert_eq!(longest, Duration::MAX);
}

#[test]
fn jitter_follows_the_strategy() {
    let mut rng = fastrand::Rng::with_seed(7);
    let draws: Vec<f64> = (0..5).map(|_| rng.f64()).collect();
    let exponential = [1000.0, 2000.0, 4000.0, 8000.0, 10_000.0];
    let expected = |delay: fn(f64, f64) -> f64| -> Vec<u128> {
        let delays = exponential.iter().zip(&draws).map(|(&e, &r)| delay(e, r));
        delays
            .map(|millis| Duration::from_secs_f64(millis / 1000.0).as_millis())
            .collect()
    };
    let half = expected(|e, r| e / 2.0 + r * e / 2.0);
    assert_eq!(delays(plain(Strategy::FixedJitter).seed(7), [BROKEN]), half);
    let full = expected(|e, r| r * e);
    assert_eq!(delays(plain(Strategy::FullJitter).seed(7), [BROKEN]), full);
    assert_ne!(delays(plain(Strategy::FullJitter).seed(8), [BROKEN]), full);
}

#[test]
fn unseeded_jitter_keeps_its_bounds() {
    for delay in delays(Retry::recommended().attempts(1), [BROKEN]) {
        assert!((500..=1000).contains(&delay), "{delay}");
    }
    for delay in delays(Retry::strict().attempts(1), [BROKEN]) {
        assert!(delay <= 1000, "{delay}");
    }
}

#[test]
fn presets_are_as_in_the_table() {
    let calls = |retry: Retry, script| delays(retry, [script]).len();
    assert_eq!(
        (
            calls(Retry::minimal(), BROKEN),
            calls(Retry::minimal(), REFUSED)
        ),
        (2, 4)
    );
    assert_eq!(
        (
            calls(Retry::recommended(), BROKEN),
            calls(Retry::recommended(), REFUSED)
        ),
        (3, 6)
    );
    assert_eq!(
        (
            calls(Retry::strict(), BROKEN),
            calls(Retry::strict(), REFUSED)
        ),
        (3, 6)
    );
    assert_eq!(
        (
            calls(Retry::exponential(), BROKEN),
            calls(Retry::exponential(), REFUSED)
        ),
        (4, 8)
    );
    assert_eq!(
        (
            calls(Retry::default(), BROKEN),
            calls(Retry::default(), REFUSED)
        ),
        (3, 6)
    );
    assert_eq!(delays(Retry::minimal(), [BROKEN]), [1000, 2000]);
    assert_eq!(
        delays(Retry::exponential(), [BROKEN]),
        [1000, 2000, 4000, 8000]
    );
}

#[test]
fn network_errors_count_against_the_cap() {
    let scripts = [REFUSED, BROKEN, LIMITED, BROKEN, REFUSED, BROKEN, LIMITED];
    assert_eq!(delays(plain(Strategy::Fixed).attempts(3), scripts).len(), 6);
    assert_eq!(
        delays(plain(Strategy::Fixed).attempts(2), scripts).len(),
        5,
        "the third broken one ends it"
    );
    assert_eq!(
        delays(plain(Strategy::Fixed).attempts(0), [REFUSED, BROKEN]).len(),
        1
    );
    assert_eq!(
        delays(plain(Strategy::Fixed).attempts(9).max_retries(4), [BROKEN]).len(),
        4
    );
}

#[test]
fn delays_grow_within_each_category() {
    let scripts = [REFUSED, BROKEN, LIMITED, REFUSED, BROKEN, LIMITED, BROKEN];
    let retry = Retry::exponential().max_retries(6);
    assert_eq!(delays(retry, scripts), [1000, 1000, 1000, 2000, 2000, 2000]);
}

#[test]
fn fatal_errors_are_not_retried() {
    assert_eq!(
        delays(
            Retry::recommended().attempts(100).max_retries(100),
            [DENIED]
        ),
        [0; 0]
    );
}

#[test]
fn each_stream_has_a_fresh_budget() {
    let stage = Stage::new();
    let operation = Operation::new(stage.source([BROKEN]))
        .timer(stage.clock.timer())
        .fallback(stage.source([REFUSED]))
        .fallback(stage.source([DENIED]))
        .fallback(stage.source([BROKEN, BROKEN, &[Token("at last")]]))
        .retry(Retry::minimal());
    let state = stage.clock.run(operation).unwrap();
    assert_eq!(stage.opened(), 3 + 5 + 1 + 3);
    let at: Vec<_> = stage.openings().iter().map(Duration::as_secs).collect();
    assert_eq!(at, [0, 1, 3, 3, 4, 6, 9, 13, 13, 13, 14, 16]);
    assert_eq!(state.fallback_index, 3);
    assert_eq!(
        (state.model_retry_count, state.network_retry_count),
        (4, 4),
        "counts add up"
    );
    assert_eq!(state.duration, secs(16));
}

#[test]
fn retry_after_hints_are_honoured() {
    let hint = |delay| Fail(Fault::Limited(Some(delay)));
    let scripts = [
        &[hint(ms(1234))][..],
        &[hint(secs(60))],
        &[hint(ms(0))],
        DENIED,
    ];
    let retry = Retry::recommended().strategy(Strategy::Fixed);
    assert_eq!(delays(retry.clone(), scripts), [1234, 10_000, 0]);
    assert_eq!(
        delays(retry.max_delay(secs(90)), scripts),
        [1234, 60_000, 0]
    );
}

#[test]
fn a_veto_ends_it() {
    let stage = Stage::new();
    let retry = Retry::recommended()
        .strategy(Strategy::Fixed)
        .should_retry(|failed| {
            assert_eq!(failed.error, &AttemptError::Stream(Fault::Broken));
            assert_eq!(failed.category, Category::Model);
            assert_eq!(failed.state.content, "partial");
            assert_eq!(failed.state.model_retry_count, failed.attempt - 1);
            failed.attempt < 2
        });
    let operation = Operation::new(stage.source([&[Token("partial"), Fail(Fault::Broken)]]))
        .timer(stage.clock.timer())
        .retry(retry);
    let failure: OperationFailure<_> = stage.clock.run(operation).unwrap_err();
    assert_eq!(failure.state.model_retry_count, 1);
    assert_eq!(stage.opened(), 2);
}

#[test]
fn own_delays_outweigh_all_others() {
    let stage = Stage::new();
    let retry = Retry::recommended()
        .strategy(Strategy::Fixed)
        .delay(|failed| match failed.error {
            AttemptError::Stream(Fault::Limited(_)) => Some(secs(60)),
            _ => None,
        });
    let operation =
        Operation::new(stage.source([&[Fail(Fault::Limited(Some(secs(1))))], BROKEN, DENIED]))
            .timer(stage.clock.timer())
            .retry(retry);
    stage.clock.run(operation).unwrap_err();
    assert_eq!(stage.openings(), [secs(0), secs(60), secs(61)]);
}

#[test]
fn without_delay_nobody_waits() {
    let stage = Stage::new();
    let operation = Operation::new(stage.source([
        &[Fail(Fault::Limited(Some(secs(1))))],
        BROKEN,
        &[Token("a")],
    ]))
    .timer(stage.clock.timer())
    .retry_at_once(Retry::recommended());
    stage.clock.run(operation).unwrap();
    assert_eq!(stage.clock.timers_set(), 0);
}

#[test]
fn streams_are_dropped_before_delays() {
    let stage = Stage::new();
    let mut operation = Box::pin(
        Operation::new(stage.source([BROKEN]))
            .timer(stage.clock.timer())
            .retry(Retry::recommended()),
    );
    let waker = futures::task::noop_waker();
    let mut cx = std::task::Context::from_waker(&waker);
    for _ in 0..3 {
        assert!(operation.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(
        (stage.opened(), stage.open(), stage.clock.timers_running()),
        (1, 0, 1)
    );
    drop(operation);
    assert_eq!(stage.clock.timers_running(), 0);
}

#[test]
fn streams_are_opened_at_the_rate() {
    let stage = Stage::new();
    let rate = Rate::per_second(1);
    let policy = plain(Strategy::Fixed).base_delay(ms(200)).rate(&rate);
    let operation = Operation::new(stage.source([REFUSED, LIMITED, &[Token("a")]]))
        .timer(stage.clock.timer())
        .retry(policy);
    assert_eq!(stage.clock.run(operation).unwrap().content, "a");
    assert_eq!(stage.openings(), [0, 1, 2].map(secs));
}

#[test]
fn retry_after_spares_only_fallbacks() {
    let stage = Stage::new();
    let rate = Rate::per_second(10).burst(10);
    let policy = Retry::recommended().max_retries(0).rate(&rate);
    let limited = [Fail(Fault::Limited(Some(secs(5))))];
    let operation = Operation::new(stage.source([&limited]))
        .fallback(stage.source([&[Token("a")]]))
        .timer(stage.clock.timer())
        .retry(policy);
    // The fallback may be of another service, so it does not wait.
    assert_eq!(stage.clock.run(operation).unwrap().content, "a");
    assert_eq!(stage.openings(), [secs(0); 2]);
    stage.clock.run(rate.acquire(1, stage.clock.timer()));
    assert_eq!(stage.clock.now(), secs(5));
}

#[test]
fn without_delay_there_is_no_rate() {
    let stage = Stage::new();
    let rate = Rate::per_second(1);
    let operation = Operation::new(stage.source([REFUSED, &[Token("a")]]))
        .retry_at_once(Retry::recommended().rate(&rate));
    assert_eq!(stage.clock.run(operation).unwrap().content, "a");
    assert!(rate.try_acquire(1, &stage.clock.timer()));
}
