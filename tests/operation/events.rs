//! The events of operations: whole sequences.
#![cfg(all(feature = "operation", feature = "test-util"))]

use crate::script::*;
use abreast::operation::EventKind::{self, *};
use abreast::operation::{
    Category, EventContext, GuardrailPhase, Guardrails, Operation, Recovery, Retry, Strategy,
    Timeout, TimeoutKind, Violation, rules,
};
use serde_json::json;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const START: EventKind = SessionStart {
    attempt: 1,
    is_retry: false,
    is_fallback: false,
};

fn again(attempt: u32, is_fallback: bool) -> EventKind {
    AttemptStart {
        attempt,
        is_retry: true,
        is_fallback,
    }
}

fn error(category: Category, recovery: Recovery, error: &str) -> EventKind {
    Error {
        category,
        recovery,
        error: error.into(),
    }
}

fn retry(attempt: u32, max_attempts: u32, delay: u64, reason: &str) -> EventKind {
    RetryAttempt {
        attempt,
        max_attempts,
        delay: ms(delay),
        reason: reason.into(),
    }
}

fn fall_back(from_index: usize, reason: &str) -> EventKind {
    FallbackStart {
        from_index,
        to_index: from_index + 1,
        reason: reason.into(),
    }
}

fn complete(token_count: usize, content_length: usize) -> EventKind {
    Complete {
        token_count,
        content_length,
    }
}

const fn wait(kind: TimeoutKind, configured: u64) -> EventKind {
    TimeoutStart {
        kind,
        configured: ms(configured),
        elapsed: ms(0),
    }
}

fn fixed() -> Retry {
    Retry::recommended().strategy(Strategy::Fixed)
}

#[test]
fn plain_success() {
    let (stage, log) = (Stage::new(), Log::new());
    let operation = Operation::new(stage.source([&[Wait(10), Token("Hel"), Token("lo é")]]))
        .timer(stage.clock.timer())
        .on_event(log.handler());
    stage.clock.run(operation).unwrap();
    assert_eq!(log.timed(), [(0, START), (10, complete(2, 8))]);
}

#[test]
fn success_with_timeouts_and_guardrails() {
    let (stage, log) = (Stage::new(), Log::new());
    let operation = Operation::new(stage.source([&[
        Wait(10),
        Token("a"),
        Wait(5),
        Token("b"),
        Token("c"),
        Wait(1),
    ]]))
    .timer(stage.clock.timer())
    .timeout(Timeout {
        initial_token: ms(100),
        inter_token: ms(30),
    })
    .guardrails(
        Guardrails::none()
            .rule(rules::Json)
            .rule(rules::ZeroOutput)
            .check_every(2),
    )
    .on_event(log.handler());
    stage.clock.run(operation).unwrap();
    let reset = |elapsed| TimeoutReset {
        kind: TimeoutKind::InterToken,
        configured: ms(30),
        elapsed: ms(elapsed),
    };
    let passed = |rule: &'static str| GuardrailRuleResult {
        rule: rule.into(),
        passed: true,
        violation: None,
    };
    let start = |phase, token_count| GuardrailPhaseStart { phase, token_count };
    let end = |phase| GuardrailPhaseEnd {
        phase,
        passed: true,
    };
    assert_eq!(
        log.timed(),
        [
            (0, START),
            (0, wait(TimeoutKind::InitialToken, 100)),
            (10, wait(TimeoutKind::InterToken, 30)),
            (15, reset(5)),
            (15, start(GuardrailPhase::Streaming, 2)),
            (15, passed("json")),
            (15, end(GuardrailPhase::Streaming)),
            (15, reset(0)),
            (16, start(GuardrailPhase::Final, 3)),
            (16, passed("json")),
            (16, passed("zero_output")),
            (16, end(GuardrailPhase::Final)),
            (16, complete(3, 3)),
        ]
    );
}

#[test]
fn retry_on_guardrail() {
    let (stage, log) = (Stage::new(), Log::new());
    let operation = Operation::new(stage.source([&[Token("...")], &[Token("good")]]))
        .timer(stage.clock.timer())
        .guardrails(Guardrails::none().rule(rules::ZeroOutput))
        .retry(fixed())
        .on_event(log.handler());
    let state = stage.clock.run(operation).unwrap();
    assert_eq!((state.model_retry_count, state.violations.len()), (1, 0));
    let message = "there is nothing but punctuation";
    let mut violation = Violation::error(message);
    violation.rule = "zero_output".into();
    let reason = "the rule zero_output was violated: there is nothing but punctuation";
    let phase = GuardrailPhase::Final;
    let result = |violation: Option<Violation>| GuardrailRuleResult {
        rule: "zero_output".into(),
        passed: violation.is_none(),
        violation,
    };
    assert_eq!(
        log.timed(),
        [
            (0, START),
            (
                0,
                GuardrailPhaseStart {
                    phase,
                    token_count: 1
                }
            ),
            (0, result(Some(violation))),
            (
                0,
                GuardrailPhaseEnd {
                    phase,
                    passed: false
                }
            ),
            (0, error(Category::Content, Recovery::Retry, reason)),
            (0, RetryStart),
            (0, retry(1, 3, 1000, reason)),
            (1000, again(2, false)),
            (
                1000,
                GuardrailPhaseStart {
                    phase,
                    token_count: 1
                }
            ),
            (1000, result(None)),
            (
                1000,
                GuardrailPhaseEnd {
                    phase,
                    passed: true
                }
            ),
            (1000, RetryEnd { success: true }),
            (1000, complete(1, 4)),
        ]
    );
}

#[test]
fn retry_on_network_error() {
    let (stage, log) = (Stage::new(), Log::new());
    let operation = Operation::new(stage.source([
        &[Wait(7), Token("a"), Fail(Fault::Refused)],
        &[Fail(Fault::Broken)],
        &[Wait(3), Token("b")],
    ]))
    .timer(stage.clock.timer())
    .retry(fixed())
    .on_event(log.handler());
    stage.clock.run(operation).unwrap();
    assert_eq!(
        log.timed(),
        [
            (0, START),
            (
                7,
                NetworkError {
                    error: "refused".into()
                }
            ),
            (7, error(Category::Network, Recovery::Retry, "refused")),
            (7, RetryStart),
            (7, retry(1, 6, 1000, "refused")),
            (1007, again(2, false)),
            (1007, RetryEnd { success: false }),
            (1007, error(Category::Model, Recovery::Retry, "broken")),
            (1007, RetryStart),
            (1007, retry(2, 4, 1000, "broken")),
            (2007, again(3, false)),
            (2010, RetryEnd { success: true }),
            (2010, complete(1, 1)),
        ]
    );
}

#[test]
fn both_timeouts() {
    let (stage, log) = (Stage::new(), Log::new());
    let operation =
        Operation::new(stage.source([&[Hang], &[Wait(10), Token("a"), Hang], &[Token("b")]]))
            .timer(stage.clock.timer())
            .timeout(Timeout {
                initial_token: ms(100),
                inter_token: ms(30),
            })
            .retry(fixed())
            .on_event(log.handler());
    stage.clock.run(operation).unwrap();
    let triggered = |kind, limit| TimeoutTriggered {
        kind,
        configured: ms(limit),
        elapsed: ms(limit),
    };
    let (first, further) = (
        "no token came within 100ms",
        "no further token came within 30ms",
    );
    let (initial, inter) = (TimeoutKind::InitialToken, TimeoutKind::InterToken);
    assert_eq!(
        log.timed(),
        [
            (0, START),
            (0, wait(initial, 100)),
            (100, triggered(initial, 100)),
            (100, error(Category::Transient, Recovery::Retry, first)),
            (100, RetryStart),
            (100, retry(1, 6, 1000, first)),
            (1100, again(2, false)),
            (1100, wait(initial, 100)),
            (1110, wait(inter, 30)),
            (1140, triggered(inter, 30)),
            (1140, RetryEnd { success: false }),
            (1140, error(Category::Transient, Recovery::Retry, further)),
            (1140, RetryStart),
            (1140, retry(2, 6, 1000, further)),
            (2140, again(3, false)),
            (2140, wait(initial, 100)),
            (2140, wait(inter, 30)),
            (2140, RetryEnd { success: true }),
            (2140, complete(1, 1)),
        ]
    );
}

#[test]
fn fall_through_after_exhausted_retries() {
    let (stage, log) = (Stage::new(), Log::new());
    let broken: &[Step] = &[Fail(Fault::Broken)];
    let operation = Operation::new(stage.source([broken]))
        .timer(stage.clock.timer())
        .fallback(stage.source([broken]))
        .fallback(stage.source([broken, &[Token("b")]]))
        .retry(fixed().attempts(1))
        .on_event(log.handler());
    stage.clock.run(operation).unwrap();
    let give_up = || RetryGiveUp {
        attempts: 2,
        last_error: "broken".into(),
    };
    let hope = || error(Category::Model, Recovery::Retry, "broken");
    let fallback = || error(Category::Model, Recovery::Fallback, "broken");
    assert_eq!(
        log.timed(),
        [
            (0, START),
            (0, hope()),
            (0, RetryStart),
            (0, retry(1, 1, 1000, "broken")),
            (1000, again(2, false)),
            (1000, RetryEnd { success: false }),
            (1000, fallback()),
            (1000, give_up()),
            (1000, fall_back(0, "broken")),
            (1000, FallbackSelected { index: 1 }),
            (1000, hope()),
            (1000, RetryStart),
            (1000, retry(1, 1, 1000, "broken")),
            (2000, again(2, true)),
            (2000, RetryEnd { success: false }),
            (
                2000,
                FallbackEnd {
                    index: 1,
                    success: false
                }
            ),
            (2000, fallback()),
            (2000, give_up()),
            (2000, fall_back(1, "broken")),
            (2000, FallbackSelected { index: 2 }),
            (2000, hope()),
            (2000, RetryStart),
            (2000, retry(1, 1, 1000, "broken")),
            (3000, again(2, true)),
            (3000, RetryEnd { success: true }),
            (
                3000,
                FallbackEnd {
                    index: 2,
                    success: true
                }
            ),
            (3000, complete(1, 1)),
        ]
    );
}

#[test]
fn fatal_with_fallback() {
    let (stage, log) = (Stage::new(), Log::new());
    let operation = Operation::new(stage.source([&[Fail(Fault::Denied)]]))
        .timer(stage.clock.timer())
        .fallback(stage.source([&[Token("b")]]))
        .retry(fixed())
        .on_event(log.handler());
    stage.clock.run(operation).unwrap();
    assert_eq!(
        log.kinds(),
        [
            START,
            error(Category::Fatal, Recovery::Fallback, "denied"),
            fall_back(0, "denied"),
            FallbackSelected { index: 1 },
            FallbackEnd {
                index: 1,
                success: true
            },
            complete(1, 1),
        ]
    );
}

#[test]
fn fatal_without_fallback() {
    let (stage, log) = (Stage::new(), Log::new());
    let operation = Operation::new(stage.source([&[Fail(Fault::Denied)]]))
        .timer(stage.clock.timer())
        .retry(fixed())
        .on_event(log.handler());
    stage.clock.run(operation).unwrap_err();
    assert_eq!(
        log.kinds(),
        [START, error(Category::Fatal, Recovery::Halt, "denied")]
    );
}

#[test]
fn give_up() {
    let (stage, log) = (Stage::new(), Log::new());
    let operation = Operation::new(stage.source([&[Fail(Fault::Refused)]]))
        .timer(stage.clock.timer())
        .retry(fixed().max_retries(1))
        .on_event(log.handler());
    stage.clock.run(operation).unwrap_err();
    assert_eq!(
        log.timed(),
        [
            (0, START),
            (
                0,
                NetworkError {
                    error: "refused".into()
                }
            ),
            (0, error(Category::Network, Recovery::Retry, "refused")),
            (0, RetryStart),
            (0, retry(1, 1, 1000, "refused")),
            (1000, again(2, false)),
            (1000, RetryEnd { success: false }),
            (
                1000,
                NetworkError {
                    error: "refused".into()
                }
            ),
            (1000, error(Category::Network, Recovery::Halt, "refused")),
            (
                1000,
                RetryGiveUp {
                    attempts: 2,
                    last_error: "refused".into(),
                }
            ),
        ]
    );
}

#[test]
fn a_veto_is_giving_up() {
    let (stage, log) = (Stage::new(), Log::new());
    let operation = Operation::new(stage.source([&[Fail(Fault::Broken)]]))
        .timer(stage.clock.timer())
        .retry(fixed().should_retry(|_| false))
        .on_event(log.handler());
    stage.clock.run(operation).unwrap_err();
    assert_eq!(log.names(), ["SessionStart", "Error", "RetryGiveUp"]);

    let log = Log::new();
    let operation = Operation::new(stage.source([&[Fail(Fault::Broken)]])).on_event(log.handler());
    stage.clock.run(operation).unwrap_err();
    assert_eq!(log.names(), ["SessionStart", "Error"]);
}

#[test]
fn events_have_id_and_context() {
    let (stage, log) = (Stage::new(), Log::new());
    let context: EventContext = [
        ("user", json!({"id": 7, "roles": ["admin", null]})),
        ("n", json!(1.5)),
    ]
    .into();
    let run = || {
        let operation = Operation::new(stage.source([&[Wait(3), Fail(Fault::Refused)]]))
            .timer(stage.clock.timer())
            .fallback(stage.source([&[Token("...")], &[Wait(5), Token("b")]]))
            .guardrails(Guardrails::recommended())
            .retry(fixed().max_retries(1))
            .context(context.clone())
            .on_event(log.handler());
        stage.clock.run(operation).unwrap();
        log.events()
    };
    let first = run();
    assert_eq!(first.last().unwrap().kind.name(), "Complete");
    assert_eq!(
        first
            .iter()
            .filter(|event| event.kind.name() == "SessionStart")
            .count(),
        1
    );
    for event in &first {
        assert_eq!(event.operation_id, first[0].operation_id);
        assert_eq!(event.context, context);
        assert_eq!(event.context.get("user").unwrap()["roles"][0], "admin");
    }
    assert!(first.is_sorted_by_key(|event| event.at));
    let second = run().split_off(first.len());
    assert_ne!(second[0].operation_id, first[0].operation_id);
    assert_eq!(second.len(), first.len());
}

#[test]
fn handlers_are_called_in_order() {
    let stage = Stage::new();
    let seen = std::cell::RefCell::new(Vec::new());
    let operation = Operation::new(stage.source([&[Token("a")]]))
        .on_event(|event| seen.borrow_mut().push((1, event.kind.name())))
        .on_event(|event| seen.borrow_mut().push((2, event.kind.name())));
    stage.clock.run(operation).unwrap();
    let seen = seen.take();
    assert_eq!(
        seen,
        [
            (1, "SessionStart"),
            (2, "SessionStart"),
            (1, "Complete"),
            (2, "Complete")
        ]
    );
}

#[test]
fn streams_are_gone_before_failure_events() {
    let stage = Stage::new();
    let (seen, late) = (stage.clone(), std::cell::Cell::new(0));
    let operation = Operation::new(stage.source([&[Token("a"), Hang]]))
        .timer(stage.clock.timer())
        .timeout(Timeout::inter_token(ms(10)))
        .on_event(|event| {
            if !matches!(event.kind, SessionStart { .. } | TimeoutStart { .. }) {
                late.set(late.get() + seen.open());
            }
        });
    stage.clock.run(operation).unwrap_err();
    assert_eq!(late.get(), 0);
}
