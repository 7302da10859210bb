//! Spans for runs and their tasks.

use std::fmt::Debug;
use std::mem;
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use crate::support::{Board, Driver, returns};
use abreast::{
    Trace, fall_through, parallel, parallel_stream, race, task_group, traced, traced_stream,
};
#[cfg(panic = "unwind")]
use futures::FutureExt;
use futures::executor::block_on;
use futures::stream;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Notes what happens to spans, by their numbers.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Spans>>);

#[derive(Default)]
struct Spans {
    opened: u64,
    entered: Vec<u64>,
    log: Vec<String>,
}

impl Recorder {
    fn take(&self) -> Vec<String> {
        mem::take(&mut self.0.lock().unwrap().log)
    }
}

/// Writes fields as `name=value`.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("abreast")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        let mut spans = self.0.lock().unwrap();
        spans.opened += 1;
        let (id, name) = (spans.opened, span.metadata().name());
        let parent = span.parent().map_or(0, Id::into_u64);
        spans
            .log
            .push(format!("{id}: {name} in {parent}{}", fields.0));
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let line = format!("{}:{}", span.into_u64(), fields.0);
        self.0.lock().unwrap().log.push(line);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        let mut spans = self.0.lock().unwrap();
        let line = format!("event in {:?}", spans.entered.last());
        spans.log.push(line);
    }

    fn enter(&self, span: &Id) {
        self.0.lock().unwrap().entered.push(span.into_u64());
    }

    fn exit(&self, _: &Id) {
        self.0.lock().unwrap().entered.pop();
    }

    fn try_close(&self, span: Id) -> bool {
        self.0
            .lock()
            .unwrap()
            .log
            .push(format!("{}: closed", span.into_u64()));
        true
    }
}

/// Returns what was noted while `run` was called.
fn spans_of(run: impl FnOnce(&Recorder)) -> Vec<String> {
    let recorder = Recorder::default();
    tracing::subscriber::with_default(recorder.clone(), || run(&recorder));
    recorder.take()
}

#[test]
fn tasks_have_spans_with_outcomes() {
    let log = spans_of(|_| {
        let tasks = [Ok(1), Err("no")].map(returns);
        block_on(parallel(traced("fetch", tasks)).concurrency(1));
    });
    assert_eq!(
        log,
        [
            r#"1: run in 0 otel.name="fetch""#,
            "2: task in 1 index=0",
            r#"2: outcome="ok""#,
            "2: closed",
            "3: task in 1 index=1",
            r#"3: outcome="error""#,
            r#"3: otel.status_code="ERROR""#,
            "3: closed",
            "1: succeeded=1",
            "1: failed=1",
            "1: cancelled=0",
            "1: closed",
        ]
    );
}

#[test]
fn tasks_are_polled_within_their_spans() {
    let log = spans_of(|recorder| {
        let task = |_| async {
            tracing::info!(target: "abreast_tests", "polled");
            returns(Ok::<_, ()>(())).await?;
            tracing::info!(target: "abreast_tests", "polled again");
            Ok::<_, ()>(())
        };
        let tasks = stream::iter((0..2).map(task));
        block_on(parallel_stream(traced_stream("fetch", tasks)));
        assert!(recorder.0.lock().unwrap().entered.is_empty());
    });
    let events: Vec<_> = log
        .iter()
        .filter(|line| line.starts_with("event"))
        .collect();
    assert_eq!(
        events,
        [
            "event in Some(2)",
            "event in Some(3)",
            "event in Some(2)",
            "event in Some(3)"
        ]
    );
}

#[test]
fn losers_are_cancelled() {
    let log = spans_of(|recorder| {
        let board = Board::<usize, &str>::of(2);
        let mut run = Driver::new(race(traced("ask", board.tasks())));
        assert!(run.run().is_pending());
        recorder.take();
        board.end(1, Ok(1));
        run.finish().unwrap();
    });
    assert_eq!(
        log,
        [
            r#"3: outcome="ok""#,
            "3: closed",
            r#"2: outcome="cancelled""#,
            "2: closed",
            "1: succeeded=1",
            "1: failed=0",
            "1: cancelled=1",
            "1: closed",
        ]
    );
}

#[test]
fn tasks_never_polled_have_no_span() {
    let log = spans_of(|_| {
        block_on(fall_through(traced("ask", [Ok(1), Err("no")].map(returns)))).unwrap();
        let trace = Trace::new("idle");
        drop(trace.task(returns(Ok::<_, ()>(()))));
    });
    let tasks = log.iter().filter(|line| line.contains("task in"));
    assert_eq!(tasks.count(), 1);
    assert_eq!(
        log.iter()
            .filter(|line| line.ends_with("cancelled=1"))
            .count(),
        1
    );
}

#[test]
fn spawned_tasks_share_a_span() {
    let log = spans_of(|_| {
        let trace = Trace::new("crawl");
        let group = task_group(async |group| {
            for _ in 0..2 {
                group.spawn(trace.task(returns(Ok::<_, ()>(()))));
            }
            Ok(())
        });
        block_on(group).unwrap();
        drop(trace);
    });
    assert!(log.contains(&"3: task in 1 index=1".to_owned()), "{log:?}");
    assert_eq!(log.last().unwrap(), "1: closed");
    assert!(log.contains(&"1: succeeded=2".to_owned()));
}

#[cfg(panic = "unwind")]
#[test]
fn a_panic_is_an_outcome() {
    let log = spans_of(|_| {
        let task =
            returns(Ok::<_, ()>(())).map(|_| -> Result<(), ()> { panic!("the task panics") });
        let mut run = Driver::new(parallel(traced("fetch", [task])));
        let run = AssertUnwindSafe(|| {
            let _ = run
                .run()
                .map(|result: abreast::ParallelResult<(), ()>| result);
        });
        catch_unwind(run).unwrap_err();
    });
    assert!(
        log.contains(&r#"2: outcome="panicked""#.to_owned()),
        "{log:?}"
    );
    assert!(log.contains(&"1: cancelled=1".to_owned()), "{log:?}");
}
