//! A span for each operation, and the same events in it.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use crate::script::*;
use abreast::operation::{Operation, Retry, Strategy};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Keeps the names of events, each with the span that it was in.
#[derive(Clone, Default)]
struct Recorder(Arc<Inner>);

#[derive(Default)]
struct Inner {
    spans: AtomicU64,
    current: Mutex<Vec<u64>>,
    seen: Mutex<Vec<(Option<u64>, String)>>,
    opened: Mutex<Vec<(u64, String)>>,
    recorded: Mutex<Vec<(u64, String, String)>>,
}

/// Keeps all fields, with their values as text.
#[derive(Default)]
struct Values(Vec<(String, String)>);

impl Visit for Values {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name().to_owned(), format!("{value:?}")));
    }
}

#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "name" {
            self.0 = value.to_owned();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("abreast")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.0.spans.fetch_add(1, SeqCst) + 1;
        self.0
            .opened
            .lock()
            .unwrap()
            .push((id, span.metadata().name().to_owned()));
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Values::default();
        values.record(&mut fields);
        let fields = fields.0.into_iter();
        let recorded = fields.map(|(name, value)| (span.into_u64(), name, value));
        self.0.recorded.lock().unwrap().extend(recorded);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let span = self.0.current.lock().unwrap().last().copied();
        self.0.seen.lock().unwrap().push((span, fields.0));
    }

    fn enter(&self, span: &Id) {
        self.0.current.lock().unwrap().push(span.into_u64());
    }

    fn exit(&self, _: &Id) {
        self.0.current.lock().unwrap().pop();
    }
}

#[test]
fn operations_have_spans_with_events() {
    let recorder = Recorder::default();
    let log = Log::new();
    tracing::subscriber::with_default(recorder.clone(), || {
        for _ in 0..2 {
            let stage = Stage::new();
            let operation =
                Operation::new(stage.source([&[Fail(Fault::Refused)], &[Wait(5), Token("a")]]))
                    .timer(stage.clock.timer())
                    .retry(Retry::recommended().strategy(Strategy::Fixed))
                    .on_event(log.handler());
            stage.clock.run(operation).unwrap();
        }
    });
    let operation = |id| (id, "operation".to_owned());
    assert_eq!(
        *recorder.0.opened.lock().unwrap(),
        [operation(1), operation(2)]
    );
    let names = log.names();
    let half = names.len() / 2;
    let expected = names
        .iter()
        .enumerate()
        .map(|(at, name)| (Some(1 + u64::from(at >= half)), (*name).to_owned()));
    assert_eq!(
        *recorder.0.seen.lock().unwrap(),
        expected.collect::<Vec<_>>()
    );
    assert!(recorder.0.current.lock().unwrap().is_empty());
}

#[test]
fn spans_have_events_without_handlers() {
    let recorder = Recorder::default();
    tracing::subscriber::with_default(recorder.clone(), || {
        let stage = Stage::new();
        stage
            .clock
            .run(Operation::new(stage.source([&[Token("a")]])))
            .unwrap();
    });
    let seen = recorder.0.seen.lock().unwrap();
    let names: Vec<_> = seen.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["SessionStart", "Complete"]);
}

/// Runs an operation that retries, and returns what was added to its span when it ended.
fn recorded<const N: usize>(script: [&[Step]; N]) -> Vec<(String, String)> {
    let recorder = Recorder::default();
    tracing::subscriber::with_default(recorder.clone(), || {
        let stage = Stage::new();
        let operation = Operation::new(stage.source(script))
            .timer(stage.clock.timer())
            .retry(Retry::recommended().strategy(Strategy::Fixed));
        let _ = stage.clock.run(operation);
    });
    let recorded = recorder.0.recorded.lock().unwrap();
    let fields = recorded.iter();
    fields
        .map(|(_, name, value)| (name.clone(), value.clone()))
        .collect()
}

fn fields<const N: usize>(expected: [(&str, &str); N]) -> Vec<(String, String)> {
    let expected = expected.into_iter();
    expected
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn spans_have_the_names_of_opentelemetry() {
    let script: &[Step] = &[Token("a"), Token("b"), Wait(5), Token("c")];
    assert_eq!(
        recorded([script]),
        fields([
            ("gen_ai.response.time_to_first_chunk", "0.0"),
            ("gen_ai.usage.output_tokens", "3"),
            ("model_retries", "0"),
            ("network_retries", "0"),
        ])
    );
}

#[test]
fn spans_of_failures_say_so() {
    // The second attempt fails for good.
    assert_eq!(
        recorded([&[Fail(Fault::Refused)], &[Fail(Fault::Denied)]]),
        fields([
            ("gen_ai.usage.output_tokens", "0"),
            ("model_retries", "0"),
            ("network_retries", "1"),
            ("otel.status_code", "\"ERROR\""),
        ])
    );
}
