//! Streams of chunks of which some have text.
#![cfg(all(feature = "operation", feature = "test-util"))]

use std::sync::{Arc, Mutex};

use crate::script::*;
use crate::support::Driver;
use abreast::operation::{
    AttemptError, EventKind, Guardrails, Operation, Retry, Source, TimedOut, Timeout, TimeoutKind,
    create_pool, rules,
};
use futures::stream;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const LIMITS: Timeout = Timeout {
    initial_token: ms(100),
    inter_token: ms(100),
};

/// Returns the text of a chunk; those that begin with `#` have none.
fn text<'c>(chunk: &'c &'static str) -> Option<&'c str> {
    (!chunk.starts_with('#')).then_some(chunk)
}

fn late(kind: TimeoutKind) -> AttemptError<Fault> {
    let after = ms(100);
    AttemptError::TimedOut(TimedOut { kind, after })
}

#[test]
fn other_chunks_reset_the_timeout() {
    let (stage, log) = (Stage::new(), Log::new());
    let calls: Vec<_> = [Wait(60), Token("#call")].repeat(5);
    let operation = Operation::chunks(stage.source([&calls]), text)
        .timer(stage.clock.timer())
        .timeout(LIMITS)
        .on_event(log.handler());
    let state = stage.clock.run(operation).unwrap();
    assert_eq!((state.content.as_str(), state.token_count), ("", 0));
    assert_eq!((state.other_chunks, state.first_token_at), (5, None));
    assert_eq!(state.duration, ms(300));
    let names = log.names();
    assert_eq!(names[..3], ["SessionStart", "TimeoutStart", "TimeoutStart"]);
    assert_eq!(names[3..7], ["TimeoutReset"; 4]);
}

#[test]
fn only_text_may_reset_the_timeout() {
    let stage = Stage::new();
    let steps = [Wait(60), Token("#call"), Wait(60), Token("late")];
    let operation = Operation::chunks(stage.source([&steps]), text)
        .timer(stage.clock.timer())
        .timeout(LIMITS)
        .only_text_resets_timeout();
    let failure = stage.clock.run(operation).unwrap_err();
    assert_eq!(failure.error, late(TimeoutKind::InitialToken));
    assert_eq!(
        (failure.state.duration, failure.state.other_chunks),
        (ms(100), 1)
    );
}

#[test]
fn empty_text_resets_no_timeout() {
    let stage = Stage::new();
    let steps = [Token("#role"), Wait(60), Token(""), Wait(60), Token("late")];
    let operation = Operation::chunks(stage.source([&steps]), text)
        .timer(stage.clock.timer())
        .timeout(LIMITS);
    let failure = stage.clock.run(operation).unwrap_err();
    assert_eq!(failure.error, late(TimeoutKind::InterToken));
    assert_eq!(failure.state.other_chunks, 1);
}

#[test]
fn calls_are_no_empty_answer() {
    let run = |chunks: &'static [&'static str]| {
        let open = move || stream::iter(chunks.iter().copied().map(Ok::<_, Fault>));
        let operation = Operation::chunks(open, text).guardrails(Guardrails::strict());
        Driver::new(operation).finish()
    };
    assert!(run(&["#call"]).is_ok());
    assert!(run(&["", " ", "#call"]).is_ok());
    for nothing in [&[][..], &[""], &["#call", "..."]] {
        let failure = run(nothing).unwrap_err();
        assert_eq!(failure.state.violations[0].rule, "zero_output");
    }
}

#[test]
fn rules_know_of_other_chunks() {
    let rule = rules::from_fn("seen", |context| {
        assert_eq!((context.other_chunks, context.token_count), (2, 1));
        vec![]
    });
    let open = || stream::iter(["#a", "b", "#c"].map(Ok::<_, Fault>));
    let operation = Operation::chunks(open, text).guardrails(Guardrails::none().rule(rule));
    assert!(Driver::new(operation).finish().is_ok());
}

#[test]
fn handlers_see_chunks_and_text() {
    let seen = Mutex::new(Vec::new());
    let push = |kind: &'static str, what: &str| seen.lock().unwrap().push(format!("{kind} {what}"));
    let open = || stream::iter(["#a", "b", ""].map(Ok::<_, Fault>));
    let operation = Operation::chunks(open, text)
        .on_chunk(|chunk| push("chunk", chunk))
        .on_token(|token| push("token", token))
        .on_chunk(|chunk| push("again", chunk));
    Driver::new(operation).finish().unwrap();
    let expected = [
        "chunk #a", "again #a", "token b", "chunk b", "again b", "chunk ", "again ",
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[cfg(panic = "unwind")]
#[test]
fn panics_of_chunk_handlers_are_caught() {
    let mut chunks = Vec::new();
    let operation = Operation::chunks(|| stream::iter(["#a", "b"].map(Ok::<_, Fault>)), text)
        .on_chunk(|_| panic!("chunks"))
        .collect_chunks(&mut chunks);
    assert_eq!(Driver::new(operation).finish().unwrap().content, "b");
    assert_eq!(chunks, ["#a", "b"]);
}

#[test]
fn collected_chunks_are_of_one_attempt() {
    let stage = Stage::new();
    let mut chunks = Vec::new();
    let mut seen = 0;
    let primary = [Token("#a"), Token("b"), Fail(Fault::Denied)];
    let fallback: [&[Step]; 2] = [
        &[Token("#c"), Fail(Fault::Broken)],
        &[Token("#d"), Token("e")],
    ];
    let operation = Operation::chunks(stage.source([&primary]), text)
        .on_chunk(|_| seen += 1)
        .collect_chunks(&mut chunks)
        .fallback_chunks(stage.source(fallback))
        .retry_at_once(Retry::recommended());
    let state = stage.clock.run(operation).unwrap();
    assert_eq!((state.content.as_str(), state.other_chunks), ("e", 1));
    assert_eq!((state.fallback_index, state.model_retry_count), (1, 1));
    assert_eq!((chunks.as_slice(), seen), (&["#d", "e"][..], 5));
}

#[test]
fn failed_attempts_keep_their_counts() {
    let open = || stream::iter([Ok("#a"), Ok("b"), Err(Fault::Broken)]);
    let operation = Operation::chunks(open, text).retry_at_once(Retry::recommended().attempts(1));
    let failure = Driver::new(operation).finish().unwrap_err();
    let earlier = &failure.earlier[0];
    assert_eq!((earlier.other_chunks, earlier.token_count), (1, 1));
    assert_eq!(
        (failure.state.other_chunks, failure.state.token_count),
        (1, 1)
    );
}

#[test]
fn a_fatal_chunk_is_seen_too() {
    let rule = rules::from_fn("word", |context| {
        let found = context.content.contains("bad");
        let violation = || abreast::operation::Violation::fatal("bad");
        found.then(violation).into_iter().collect()
    });
    let guardrails = Guardrails::none()
        .rule(rule.while_streaming())
        .check_every(1);
    let mut chunks = Vec::new();
    let open = || stream::iter(["a", "bad", "c"].map(Ok::<_, Fault>));
    let operation = Operation::chunks(open, text)
        .guardrails(guardrails)
        .collect_chunks(&mut chunks);
    assert!(Driver::new(operation).finish().is_err());
    assert_eq!(chunks, ["a", "bad"]);
}

#[test]
fn pools_run_operations_on_chunks() {
    fn ask(chunks: Arc<Mutex<Vec<&'static str>>>) -> Operation<impl Source<Error = Fault>> {
        let connect = || async { Ok(stream::iter(["#a", "b"].map(Ok::<_, Fault>))) };
        Operation::chunks(connect, text).collect_chunks(chunks)
    }

    let log = Log::new();
    let (pool, mut driver) = create_pool(1).on_event(log.handler()).build();
    let chunks = Arc::new(Mutex::new(Vec::new()));
    let handle = pool.execute(ask(chunks.clone())).unwrap();
    let state = futures::executor::block_on(driver.run_until(handle)).unwrap();
    assert_eq!((state.content.as_str(), state.other_chunks), ("b", 1));
    assert_eq!(*chunks.lock().unwrap(), ["#a", "b"]);
    let complete = EventKind::Complete {
        token_count: 1,
        content_length: 1,
    };
    assert_eq!(log.kinds().last(), Some(&complete));
}
