//! How long operations wait for tokens.
#![cfg(all(feature = "operation", feature = "test-util"))]

use std::future::{Pending, pending};
use std::time::Duration;

use crate::script::*;
use abreast::operation::{AttemptError, Operation, Retry, TimedOut, Timeout, TimeoutKind};
use abreast::time::VirtualClock;
use abreast::{Rate, Timer};
use futures::stream::{self, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LIMITS: Timeout = Timeout {
    initial_token: ms(100),
    inter_token: ms(30),
};

fn timed_out(kind: TimeoutKind, after: u64) -> AttemptError<Fault> {
    let after = ms(after);
    AttemptError::TimedOut(TimedOut { kind, after })
}

#[track_caller]
fn run(steps: &[Step]) -> Result<u128, Box<(AttemptError<Fault>, u128, String)>> {
    let stage = Stage::new();
    let operation = Operation::new(stage.source([steps]))
        .timer(stage.clock.timer())
        .timeout(LIMITS);
    let result = stage.clock.run(operation);
    assert_eq!((stage.open(), stage.clock.timers_running()), (0, 0));
    match result {
        Ok(state) => Ok(state.duration.as_millis()),
        Err(failure) => Err(Box::new((
            failure.error,
            failure.state.duration.as_millis(),
            failure.state.content,
        ))),
    }
}

#[test]
fn tokens_in_time_pass() {
    assert_eq!(
        run(&[Wait(99), Token("a"), Wait(29), Token("b"), Wait(29)]),
        Ok(157)
    );
}

#[test]
fn the_first_token_is_late() {
    let late = (
        timed_out(TimeoutKind::InitialToken, 100),
        100,
        String::new(),
    );
    assert_eq!(run(&[Wait(101), Token("a")]), Err(Box::new(late)));
}

#[test]
fn a_further_token_is_late() {
    let late = (timed_out(TimeoutKind::InterToken, 30), 50, "ab".to_owned());
    assert_eq!(
        run(&[
            Wait(10),
            Token("a"),
            Wait(10),
            Token("b"),
            Wait(31),
            Token("c")
        ]),
        Err(Box::new(late))
    );
}

#[test]
fn a_late_end_is_late_too() {
    let late = (timed_out(TimeoutKind::InterToken, 30), 30, "a".to_owned());
    assert_eq!(run(&[Token("a"), Hang]), Err(Box::new(late)));
}

#[test]
fn empty_tokens_reset_neither() {
    let late = (
        timed_out(TimeoutKind::InitialToken, 100),
        100,
        String::new(),
    );
    assert_eq!(
        run(&[Wait(60), Token(""), Wait(60), Token("a")]),
        Err(Box::new(late))
    );
    let late = (timed_out(TimeoutKind::InterToken, 30), 30, "a".to_owned());
    assert_eq!(
        run(&[Token("a"), Wait(20), Token(""), Wait(20), Token("b")]),
        Err(Box::new(late))
    );
}

#[test]
fn floods_of_empty_tokens_are_late() {
    let stage = Stage::new();
    let clock = stage.clock.clone();
    let flood = move || {
        let clock = clock.clone();
        stream::repeat_with(move || {
            clock.advance(ms(1));
            Ok::<_, Fault>("")
        })
    };
    let operation = Operation::new(flood)
        .timer(stage.clock.timer())
        .timeout(LIMITS);
    let failure = stage.clock.run(operation).unwrap_err();
    assert_eq!(failure.error, timed_out(TimeoutKind::InitialToken, 100));
}

#[test]
fn connecting_counts() {
    let stage = Stage::new();
    let clock = stage.clock.clone();
    let connect = move || {
        let clock = clock.clone();
        async move {
            clock.sleep(ms(60)).await;
            let clock = clock.clone();
            Ok::<_, Fault>(stream::once(Box::pin(async move {
                clock.sleep(ms(60)).await;
                Ok::<_, Fault>("a")
            })))
        }
    };
    let operation = Operation::new(connect)
        .timer(stage.clock.timer())
        .timeout(LIMITS);
    let failure = stage.clock.run(operation).unwrap_err();
    assert_eq!(failure.error, timed_out(TimeoutKind::InitialToken, 100));
    assert_eq!(failure.state.duration, ms(100));
}

#[test]
fn one_limit_may_be_left_out() {
    let stage = Stage::new();
    let steps = [Wait(1_000_000), Token("a"), Wait(29), Token("b")];
    let operation = Operation::new(stage.source([&steps]))
        .timer(stage.clock.timer())
        .timeout(Timeout::inter_token(ms(30)));
    assert!(stage.clock.run(operation).is_ok());

    let steps = [Wait(10), Token("a"), Wait(1_000_000), Token("b")];
    let operation = Operation::new(stage.source([&steps]))
        .timer(stage.clock.timer())
        .timeout(Timeout::initial_token(ms(30)));
    assert!(stage.clock.run(operation).is_ok());
}

#[test]
fn late_streams_are_dropped_first() {
    // The stage panics if two streams are open.
    let stage = Stage::new();
    let operation = Operation::new(stage.source([&[Token("a"), Hang], &[Hang]]))
        .timer(stage.clock.timer())
        .fallback(stage.source([&[Hang], &[Token("b")]]))
        .retry(Retry::recommended().max_retries(1))
        .timeout(LIMITS);
    let state = stage.clock.run(operation).unwrap();
    assert_eq!(
        (state.content.as_str(), stage.opened(), stage.open()),
        ("b", 4, 0)
    );
    assert_eq!(
        (state.network_retry_count, state.model_retry_count),
        (2, 0),
        "timeouts are transient"
    );
    assert!(state.network_errors.is_empty());
}

#[test]
fn timers_are_set_for_waits() {
    let stage = Stage::new();
    let tokens = || stream::iter(["a"; 200].map(Ok::<_, Fault>));
    let operation = Operation::new(tokens)
        .timer(stage.clock.timer())
        .timeout(LIMITS);
    stage.clock.run(operation).unwrap();
    assert_eq!(stage.clock.timers_set(), 0);
}

#[track_caller]
fn out_of_time<const N: usize>(scripts: [&[Step]; N], total: u64) -> (usize, u128, usize) {
    let stage = Stage::new();
    let operation = Operation::new(stage.source(scripts))
        .timer(stage.clock.timer())
        .retry(Retry::recommended().base_delay(ms(50)))
        .total_time(ms(total));
    let failure = stage.clock.run(operation).unwrap_err();
    assert_eq!(failure.error, AttemptError::OutOfTime(ms(total)));
    assert_eq!((stage.open(), stage.clock.timers_running()), (0, 0));
    let now = stage.clock.now().as_millis();
    (stage.opened(), now, failure.state.token_count)
}

#[test]
fn the_total_time_ends_all() {
    assert_eq!(out_of_time([&[Hang]], 80), (1, 80, 0));
    // It is no limit to a token, so it goes on when some come.
    let tokens = [Token("a"), Wait(30)].repeat(5);
    assert_eq!(out_of_time([&tokens], 80), (1, 80, 3));
    // An attempt before has had its part of it.
    let fails = [Wait(10), Fail(Fault::Broken)];
    let (opened, now, _) = out_of_time([&fails, &[Hang]], 200);
    assert_eq!((opened, now), (2, 200));
}

/// A timer with a clock, whose waits never end.
struct Deaf(VirtualClock);

impl Timer for Deaf {
    type Sleep = Pending<()>;

    fn sleep(&self, _: Duration) -> Pending<()> {
        pending()
    }

    fn now(&self) -> Option<Duration> {
        Some(self.0.now())
    }
}

#[test]
fn floods_end_with_the_total_time() {
    let clock = VirtualClock::new();
    let flood = || {
        stream::repeat_with(|| {
            clock.advance(ms(1));
            Ok::<_, Fault>("a")
        })
        // It would go on for ever.
        .take(10_000)
    };
    let operation = Operation::new(flood)
        .timer(Deaf(clock.clone()))
        .total_time(ms(1000));
    let failure = clock.run(operation).unwrap_err();
    assert_eq!(failure.error, AttemptError::OutOfTime(ms(1000)));
    // The clock is read before each wait: after 256 tokens each.
    assert_eq!(failure.state.token_count, 1024);
}

#[test]
fn late_retries_fall_back() {
    let stage = Stage::new();
    let operation = Operation::new(stage.source([&[Fail(Fault::Refused)]]))
        .fallback(stage.source([&[Token("a")]]))
        .timer(stage.clock.timer())
        .retry(Retry::recommended())
        .total_time(ms(100));
    // The retry would start after a second, and the fallback starts now.
    assert_eq!(stage.clock.run(operation).unwrap().fallback_index, 1);
    assert_eq!(stage.clock.now(), ms(0));
}

#[test]
fn no_fallback_starts_too_late() {
    let stage = Stage::new();
    let operation = Operation::new(stage.source([&[Hang]]))
        .fallback(stage.source([&[Token("a")]]))
        .timer(stage.clock.timer())
        .timeout(LIMITS)
        .total_time(ms(100));
    let failure = stage.clock.run(operation).unwrap_err();
    assert_eq!(failure.error, AttemptError::OutOfTime(ms(100)));
    assert_eq!((stage.opened(), failure.earlier.len()), (1, 0));
}

#[test]
fn a_failure_in_the_end_halts() {
    let stage = Stage::new();
    let operation = Operation::new(stage.source([&[Wait(100), Fail(Fault::Refused)]]))
        .fallback(stage.source([&[Token("a")]]))
        .timer(stage.clock.timer())
        .total_time(ms(100));
    let failure = stage.clock.run(operation).unwrap_err();
    assert_eq!(failure.error, AttemptError::Stream(Fault::Refused));
    assert_eq!((stage.opened(), failure.earlier.len()), (1, 0));
}

#[test]
fn the_first_of_both_limits_counts() {
    let stage = Stage::new();
    let operation = Operation::new(stage.source([&[Token("a"), Hang]]))
        .timer(stage.clock.timer())
        .timeout(LIMITS)
        .total_time(ms(100));
    let failure = stage.clock.run(operation).unwrap_err();
    assert_eq!(failure.error, timed_out(TimeoutKind::InterToken, 30));
    assert_eq!(stage.clock.now(), ms(30));
}

#[test]
fn total_time_ends_at_the_rate() {
    let stage = Stage::new();
    let rate = Rate::per_second(1);
    assert!(rate.try_acquire(1, &stage.clock.timer()));
    let operation = |total| {
        Operation::new(stage.source([&[Hang]]))
            .timer(stage.clock.timer())
            .retry(Retry::recommended().rate(&rate))
            .timeout(LIMITS)
            .total_time(ms(total))
    };
    let failure = stage.clock.run(operation(300)).unwrap_err();
    assert_eq!(failure.error, AttemptError::OutOfTime(ms(300)));
    assert_eq!((stage.opened(), stage.clock.now()), (0, ms(300)));
    assert_eq!(stage.clock.timers_running(), 0);

    // Once the stream is open, the limits to tokens count.
    let operation = operation(10_000).on_event(|_| {});
    let mut run = crate::support::Driver::new(operation);
    assert!(run.run().is_pending());
    stage.clock.advance(ms(700));
    assert!(run.run().is_pending());
    assert_eq!(stage.opened(), 1);
    stage.clock.advance(ms(100));
    assert!(run.run().is_pending());
    assert_eq!(stage.open(), 0);
}
