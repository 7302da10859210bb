//! What operations come to, and how they run.
#![cfg(all(feature = "operation", feature = "test-util"))]

use std::cell::Cell;
use std::task::Poll;

use crate::script::*;
use crate::support::Driver;
use abreast::operation::{AttemptError, Category, Guardrails, Operation, Retry};
use abreast::time::VirtualClock;
use abreast::{fall_through, parallel, race};
use futures::stream::{self, StreamExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_success_has_counts_and_times() {
    let stage = Stage::new();
    let steps = [
        Wait(100),
        Token("Hel"),
        Wait(50),
        Token(""),
        Token("lo"),
        Wait(25),
    ];
    let operation = Operation::new(stage.source([&steps])).timer(stage.clock.timer());
    let state = stage.clock.run(operation.run()).unwrap();
    assert_eq!(state.content, "Hello");
    assert_eq!(state.token_count, 2);
    assert_eq!((state.model_retry_count, state.network_retry_count), (0, 0));
    assert_eq!(state.fallback_index, 0);
    assert!(state.completed);
    assert!(state.violations.is_empty() && state.network_errors.is_empty());
    assert_eq!(state.first_token_at, Some(ms(100)));
    assert_eq!(state.last_token_at, Some(ms(150)));
    assert_eq!(state.duration, ms(175));
    assert_eq!((stage.opened(), stage.open()), (1, 0));
}

#[test]
fn times_are_since_the_start() {
    let stage = Stage::new();
    stage.clock.advance(secs(1000));
    let operation =
        Operation::new(stage.source([&[Wait(10), Token("a")]])).timer(stage.clock.timer());
    let state = stage.clock.run(operation).unwrap();
    assert_eq!(
        (state.first_token_at, state.duration),
        (Some(ms(10)), ms(10))
    );
}

#[test]
fn the_last_of_several_is_timed() {
    let clock = VirtualClock::new();
    let operation = Operation::new(|| {
        stream::iter(["a", "b", "c"]).map(|token| {
            clock.advance(ms(5));
            Ok::<_, Fault>(token)
        })
    });
    let state = clock.run(operation.timer(clock.timer())).unwrap();
    assert_eq!(
        (state.first_token_at, state.last_token_at),
        (Some(ms(5)), Some(ms(15)))
    );
}

#[test]
fn one_token_is_first_and_last() {
    let stage = Stage::new();
    let clock = stage.clock.clone();
    let operation = Operation::new(stage.source([&[Wait(5), Token("a")]]))
        .timer(clock.timer())
        .on_token(move |_| clock.advance(ms(10)));
    let state = stage.clock.run(operation).unwrap();
    assert_eq!(
        (state.first_token_at, state.last_token_at),
        (Some(ms(5)), Some(ms(5)))
    );
    assert_eq!(state.duration, ms(15));
}

#[test]
fn it_resolves_when_consumed() {
    let stage = Stage::new();
    let mut operation = Driver::new(Operation::new(stage.source([&[Token("a"), Hang]])));
    assert!(operation.run().is_pending());
    assert_eq!(stage.open(), 1);
    drop(operation);
    assert_eq!(stage.open(), 0, "dropping it drops the stream");
}

#[test]
fn an_empty_stream_is_a_success() {
    let state = Driver::new(Operation::new(stream::empty::<Result<&str, Fault>>))
        .finish()
        .unwrap();
    assert_eq!(
        (
            state.content.as_str(),
            state.first_token_at,
            state.completed
        ),
        ("", None, true)
    );
}

#[test]
fn without_settings_errors_are_final() {
    let stage = Stage::new();
    let operation =
        Operation::new(stage.source([&[Token("par"), Token("tial"), Fail(Fault::Refused)]]));
    let failure = stage.clock.run(operation).unwrap_err();
    assert_eq!(failure.error, AttemptError::Stream(Fault::Refused));
    assert_eq!(failure.state.content, "partial");
    assert_eq!(failure.state.token_count, 2);
    assert!(!failure.state.completed);
    assert_eq!(failure.state.network_errors, ["refused"]);
    assert_eq!(stage.opened(), 1);
}

#[test]
fn nothing_is_lost_in_a_failure() {
    let stage = Stage::new();
    let primary = stage.source([
        &[Wait(1), Token("one"), Fail(Fault::Refused)],
        &[Token("two"), Token("!"), Fail(Fault::Broken)],
        &[Token("three"), Fail(Fault::Denied)],
    ]);
    let fallback = stage.source([
        &[Token("As an AI language model, four")],
        &[Token("five"), Fail(Fault::Denied)],
    ]);
    let failure = stage
        .clock
        .run(
            Operation::new(primary)
                .fallback(fallback)
                .guardrails(
                    Guardrails::recommended().rule(abreast::operation::rules::from_fn(
                        "no_four",
                        |context| {
                            let found = context.content.contains("four");
                            found
                                .then(|| abreast::operation::Violation::error("four"))
                                .into_iter()
                                .collect()
                        },
                    )),
                )
                .retry_at_once(Retry::recommended()),
        )
        .unwrap_err();
    let attempts: Vec<_> = failure
        .earlier
        .iter()
        .map(|attempt| {
            (
                attempt.fallback_index,
                attempt.attempt,
                attempt.category,
                attempt.content.as_str(),
            )
        })
        .collect();
    assert_eq!(
        attempts,
        [
            (0, 1, Category::Network, "one"),
            (0, 2, Category::Model, "two!"),
            (0, 3, Category::Fatal, "three"),
            (1, 1, Category::Content, "As an AI language model, four"),
        ]
    );
    let rules: Vec<_> = failure.earlier[3]
        .violations
        .iter()
        .map(|found| found.rule.as_ref())
        .collect();
    assert_eq!(rules, ["pattern", "no_four"]);
    assert_eq!(failure.earlier[1].token_count, 2);
    assert_eq!(failure.state.content, "five");
    assert_eq!(failure.state.fallback_index, 1);
    assert_eq!(
        (
            failure.state.model_retry_count,
            failure.state.network_retry_count
        ),
        (2, 1)
    );
    assert_eq!(failure.errors().count(), 5);
    assert_eq!(failure.to_string(), "denied");
}

#[test]
fn everything_but_retry_counts_starts_afresh() {
    let stage = Stage::new();
    let primary = stage.source([
        &[
            Wait(10),
            Token("As an AI language model"),
            Token("a"),
            Fail(Fault::Refused),
        ],
        &[Wait(10), Token("b"), Wait(5), Token("c")],
    ]);
    let guardrails = Guardrails::recommended().check_every(1);
    let operation = Operation::new(primary)
        .timer(stage.clock.timer())
        .guardrails(guardrails)
        .retry_at_once(Retry::recommended());
    let state = stage.clock.run(operation).unwrap();
    assert_eq!((state.content.as_str(), state.token_count), ("bc", 2));
    assert!(state.violations.is_empty());
    assert_eq!(
        (state.first_token_at, state.last_token_at),
        (Some(ms(20)), Some(ms(25)))
    );
    assert_eq!(state.network_retry_count, 1);
    assert_eq!(state.network_errors, ["refused"]);
}

#[test]
fn fallbacks_are_tried_in_order() {
    let stage = Stage::new();
    let broken: &[Step] = &[Fail(Fault::Broken)];
    let good: &[Step] = &[Token("good")];
    let connecting = stage.source([broken]);
    let state = stage
        .clock
        .run(
            Operation::new(stage.source([broken]))
                .fallback({
                    let mut open = connecting;
                    move || {
                        let stream = open();
                        async move { Ok(stream) }
                    }
                })
                .fallbacks([stage.source([broken]), stage.source([broken])])
                .fallback(stage.source([good]))
                .fallback(|| -> stream::Empty<Result<String, Fault>> {
                    unreachable!("it is not needed")
                }),
        )
        .unwrap();
    assert_eq!((state.content.as_str(), state.fallback_index), ("good", 4));
    assert_eq!(stage.opened(), 5);
}

#[test]
fn connecting_may_fail() {
    let clock = abreast::time::VirtualClock::new();
    let calls = Cell::new(0);
    let (clock_ref, calls_ref) = (&clock, &calls);
    let connect = || async move {
        clock_ref.sleep(ms(20)).await;
        calls_ref.set(calls_ref.get() + 1);
        match calls_ref.get() {
            1 => Err(Fault::Refused),
            _ => Ok(stream::iter([Ok("connected")])),
        }
    };
    let operation = Operation::new(connect)
        .timer(clock.timer())
        .retry_at_once(Retry::recommended());
    let state = clock.run(operation).unwrap();
    assert_eq!(state.content, "connected");
    assert_eq!(
        (state.network_retry_count, state.first_token_at),
        (1, Some(ms(40)))
    );
}

#[test]
fn operations_are_tasks_for_verbs() {
    let ask = |token: &'static str| {
        Operation::new(move || {
            stream::iter([if token == "bad" {
                Err(Fault::Broken)
            } else {
                Ok(token)
            }])
        })
    };
    let result = Driver::new(parallel(["a", "bad", "c"].map(ask)).concurrency(2)).finish();
    assert_eq!((result.success_count(), result.failure_count()), (2, 1));
    assert_eq!(result[0].value().unwrap().content, "a");
    let first = Driver::new(race(["bad", "b"].map(ask))).finish().unwrap();
    assert_eq!((first.value.content.as_str(), first.winner_index), ("b", 1));
    let first = Driver::new(fall_through(["bad", "bad", "c"].map(ask)))
        .finish()
        .unwrap();
    assert_eq!(first.winner_index, 2);
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn it_borrows_and_is_send() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    let prompt = String::from("borrowed");
    let log = std::sync::Mutex::new(Vec::new());
    let operation = Operation::new(|| stream::iter([Ok::<_, Fault>(prompt.as_str())]))
        .timer(smol::Timer::after)
        .fallback(|| async { Ok(stream::iter([Ok(prompt.clone())])) })
        .retry(Retry::recommended().should_retry(|failed| failed.attempt < 2))
        .timeout(abreast::operation::Timeout::NONE)
        .guardrails(Guardrails::strict())
        .on_event(|event| log.lock().unwrap().push(event.kind.name()))
        .classify(|_: &Fault| Category::Model);
    let state = Driver::new(send(operation).run()).finish().unwrap();
    assert_eq!(state.content, "borrowed");
}

#[test]
fn ready_streams_starve_nothing() {
    let mut operation = Driver::new(Operation::new(|| {
        stream::iter((0..1000).map(|_| Ok::<_, Fault>("x")))
    }));
    assert!(operation.poll().is_pending());
    assert_eq!(operation.wakes(), 1);
    let Poll::Ready(state) = operation.run() else {
        panic!("it goes on by itself")
    };
    assert_eq!(state.unwrap().token_count, 1000);
    assert_eq!(operation.polls, 1 + 1000 / 256);
}

#[test]
fn failing_attempts_starve_nothing() {
    let operation = Operation::new(|| stream::iter([Err::<&str, _>(Fault::Broken)]))
        .retry_at_once(Retry::recommended().attempts(100).max_retries(100));
    let mut operation = Driver::new(operation);
    assert!(operation.finish().is_err());
    assert_eq!(operation.polls, 101);
}

#[test]
fn pending_streams_are_polled_per_wake() {
    let stage = Stage::new();
    let mut operation = Driver::new(Operation::new(stage.source([&[Hang]])));
    assert!(operation.run().is_pending());
    assert_eq!((operation.polls, operation.wakes()), (1, 0));
}

#[test]
fn tokens_reach_handlers_at_once() {
    let stage = Stage::new();
    let mut tokens = Vec::new();
    let operation = Operation::new(stage.source([
        &[Token("a"), Token(""), Token("b"), Fail(Fault::Broken)],
        &[Token("c")],
    ]))
    .retry_at_once(Retry::recommended())
    .on_token(|token| tokens.push(token.to_owned()));
    stage.clock.run(operation).unwrap();
    assert_eq!(tokens, ["a", "b", "c"]);
}

#[cfg(panic = "unwind")]
#[test]
fn panics_of_handlers_are_caught() {
    let mut called = 0;
    let operation = Operation::new(|| stream::iter(["a", "b"].map(Ok::<_, Fault>)))
        .on_event(|_| panic!("events"))
        .on_token(|_| panic!("tokens"))
        .on_token(|_| called += 1);
    let state = Driver::new(operation).finish();
    assert_eq!(state.unwrap().content, "ab");
    assert_eq!(called, 2);
}

#[test]
fn io_errors_have_categories_by_kind() {
    use abreast::operation::Classify;
    use std::io::{Error, ErrorKind::*};
    let category =
        |kind| Error::new(kind, "connection reset by rate limit 500 unauthorized").category();
    for kind in [
        ConnectionRefused,
        ConnectionReset,
        ConnectionAborted,
        BrokenPipe,
        UnexpectedEof,
        HostUnreachable,
    ] {
        assert_eq!(category(kind), Category::Network, "{kind}");
    }
    assert_eq!(category(TimedOut), Category::Transient);
    assert_eq!(category(PermissionDenied), Category::Fatal);
    assert_eq!(category(Other), Category::Model, "messages do not matter");
    let boxed: Box<dyn std::error::Error + Send + Sync> = Error::from(ConnectionReset).into();
    assert_eq!(boxed.category(), Category::Network);
}
