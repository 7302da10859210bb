//! How long operations wait for tokens.
#![cfg(all(feature = "operation", feature = "test-util"))]

use crate::script::*;
use abreast::operation::{AttemptError, Operation, Retry, TimedOut, Timeout, TimeoutKind};
use futures::stream;
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
