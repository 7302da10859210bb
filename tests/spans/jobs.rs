//! Spans of jobs, and of operations in pools: within that of whoever submitted them.

use std::collections::HashMap;
use std::fmt::Debug;
use std::future::ready;
use std::sync::{Arc, Mutex};

use crate::support::{Board, Driver};
use abreast::{JobError, Pool, local_pool, pool};
use futures::stream;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber, info_span};
use tracing_core::span::Current;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Keeps spans with their parents, as long as there are handles to them.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Spans>>);

#[derive(Default)]
struct Spans {
    opened: u64,
    open: HashMap<u64, Open>,
    entered: Vec<u64>,
    log: Vec<String>,
}

struct Open {
    metadata: &'static Metadata<'static>,
    handles: usize,
    parent: Option<Id>,
}

/// Writes fields as `name=value`.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() != "context" {
            self.0 += &format!(" {field}={value:?}");
        }
    }
}

impl Spans {
    fn name(&self, id: Option<u64>) -> &'static str {
        let span = id.and_then(|id| self.open.get(&id));
        span.map_or("none", |span| span.metadata.name())
    }
}

impl Recorder {
    fn entered(&self) -> usize {
        self.0.lock().unwrap().entered.len()
    }

    /// Returns the lines that begin with this.
    fn lines(&self, start: &str) -> Vec<String> {
        let spans = self.0.lock().unwrap();
        let lines = spans.log.iter().filter(|line| line.starts_with(start));
        lines.cloned().collect()
    }
}

impl Subscriber for Recorder {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        target.starts_with("abreast") || target.starts_with("spans")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        let mut spans = self.0.lock().unwrap();
        spans.opened += 1;
        let id = spans.opened;
        let parent = match span.parent() {
            Some(parent) => Some(parent.into_u64()),
            None if span.is_contextual() => spans.entered.last().copied(),
            None => None,
        };
        let (metadata, within) = (span.metadata(), spans.name(parent));
        let line = format!("{} in {within}{}", metadata.name(), fields.0);
        spans.log.push(line);
        // A span is open for as long as there is one in it.
        if let Some(parent) = parent.and_then(|parent| spans.open.get_mut(&parent)) {
            parent.handles += 1;
        }
        let open = Open {
            metadata,
            handles: 1,
            parent: parent.map(Id::from_u64),
        };
        spans.open.insert(id, open);
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let mut spans = self.0.lock().unwrap();
        let line = format!("{}:{}", spans.name(Some(span.into_u64())), fields.0);
        spans.log.push(line);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if event.metadata().target().starts_with("spans") {
            let mut spans = self.0.lock().unwrap();
            let line = format!("event in {}", spans.name(spans.entered.last().copied()));
            spans.log.push(line);
        }
    }

    fn enter(&self, span: &Id) {
        self.0.lock().unwrap().entered.push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        let last = self.0.lock().unwrap().entered.pop();
        assert_eq!(last, Some(span.into_u64()));
    }

    fn clone_span(&self, span: &Id) -> Id {
        let mut spans = self.0.lock().unwrap();
        spans.open.get_mut(&span.into_u64()).unwrap().handles += 1;
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let mut spans = self.0.lock().unwrap();
        let mut next = Some(span);
        while let Some(id) = next.take() {
            let id = id.into_u64();
            let open = spans.open.get_mut(&id).unwrap();
            open.handles -= 1;
            if open.handles == 0 {
                let line = format!("{} closes", spans.name(Some(id)));
                spans.log.push(line);
                next = spans.open.remove(&id).unwrap().parent;
            }
        }
        true
    }

    fn current_span(&self) -> Current {
        let spans = self.0.lock().unwrap();
        match spans.entered.last() {
            Some(&id) => Current::new(Id::from_u64(id), spans.open[&id].metadata),
            None => Current::none(),
        }
    }
}

/// Runs a test under a recorder, all of whose spans must have been exited and closed at the end.
fn recorded(run: impl FnOnce(&Recorder)) {
    let recorder = Recorder::default();
    tracing::subscriber::with_default(recorder.clone(), || run(&recorder));
    let spans = recorder.0.lock().unwrap();
    assert!(spans.entered.is_empty());
    assert!(spans.open.is_empty(), "{:?}", spans.log);
}

/// Polls the driver until it waits, in a span of its own.
fn drive<F: Future>(driver: &mut Driver<F>) {
    let _driver = info_span!("driver").entered();
    assert!(driver.run().is_pending());
}

#[test]
fn jobs_are_within_their_submitters() {
    recorded(|recorder| {
        let (pool, driver) = pool(2);
        let mut driver = Driver::new(driver);
        let request = info_span!("request");
        let handle = request.in_scope(|| {
            let job = async {
                tracing::info!(target: "spans", "polled");
                Ok::<_, ()>(1)
            };
            pool.execute(job).unwrap()
        });
        // It is submitted outside of any span, so it is not within that of the driver either.
        let orphan = pool.execute(ready(Err::<(), _>("no"))).unwrap();
        drop(request);
        assert_eq!(recorder.lines("request"), ["request in none"], "still open");
        drive(&mut driver);

        assert_eq!(
            recorder.lines("job in"),
            ["job in request id=0", "job in none id=1"]
        );
        assert_eq!(
            recorder.lines("job:"),
            [
                "job: outcome=\"ok\"",
                "job: otel.status_code=\"ERROR\"",
                "job: outcome=\"error\""
            ]
        );
        assert_eq!(recorder.lines("event"), ["event in job"]);
        assert_eq!(recorder.lines("request closes").len(), 1, "with its job");
        assert_eq!((handle.id(), Driver::new(handle).finish()), (0, Ok(1)));
        assert_eq!(Driver::new(orphan).finish(), Err(JobError::Failed("no")));
    });
}

#[test]
fn jobs_are_polled_in_their_spans() {
    recorded(|recorder| {
        let (pool, driver) = local_pool(2);
        let mut driver = Driver::new(driver);
        let job = || async {
            tracing::info!(target: "spans", "polled");
            crate::support::yield_now().await;
            tracing::info!(target: "spans", "polled again");
            Ok::<_, ()>(())
        };
        let handles = [pool.execute(job()).unwrap(), pool.execute(job()).unwrap()];
        drive(&mut driver);
        assert_eq!(recorder.lines("event"), ["event in job"; 4]);
        drop(handles);
    });
}

#[test]
fn jobs_that_wait_for_room_have_parents() {
    recorded(|recorder| {
        let (pool, driver) = Pool::builder().worker_count(1).queue_capacity(1).build();
        let mut driver = Driver::new(driver);
        let first = pool.execute(ready(Ok::<_, ()>(1))).unwrap();
        let request = info_span!("request");
        let second = request.in_scope(|| pool.execute_when_room(ready(Ok::<_, ()>(2))));
        let mut second = Driver::new(second);
        assert!(second.run().is_pending());
        drive(&mut driver);
        let second = second.finish().unwrap();
        drive(&mut driver);
        // Those that are fed are submitted by whoever polls the feed.
        let mut feed = Driver::new(pool.feed(stream::iter([ready(Ok::<_, ()>(3))])));
        assert!(request.in_scope(|| feed.run()).is_pending());
        drive(&mut driver);
        feed.finish().unwrap();
        assert_eq!(
            recorder.lines("job in"),
            [
                "job in none id=0",
                "job in request id=1",
                "job in request id=2"
            ]
        );
        drop((first, second));
    });
}

#[test]
fn jobs_that_never_run_have_no_span() {
    recorded(|recorder| {
        let (pool, driver) = pool(1);
        let mut driver = Driver::new(driver);
        let board = Board::new(3);
        let handles = [0, 1, 2].map(|index| pool.execute(board.task(index)).unwrap());
        handles[1].cancel();
        drive(&mut driver);
        // Cancelled while it runs, and dropped with its driver.
        handles[0].cancel();
        drive(&mut driver);
        assert_eq!(recorder.lines("job:"), ["job: outcome=\"cancelled\""]);
        drop(driver);
        assert_eq!(
            recorder.lines("job in"),
            ["job in none id=0", "job in none id=2"]
        );
        assert_eq!(recorder.lines("job:")[1..], ["job: outcome=\"abandoned\""]);
        assert_eq!(recorder.entered(), 0);
    });
}

#[cfg(panic = "unwind")]
#[test]
fn panics_are_outcomes_of_jobs() {
    recorded(|recorder| {
        let (pool, driver) = pool(1);
        let mut driver = Driver::new(driver);
        let closed = pool.is_closed();
        let handle = pool
            .execute(async move {
                assert!(closed, "the job panics");
                Ok::<_, ()>(())
            })
            .unwrap();
        drive(&mut driver);
        assert_eq!(recorder.lines("job:"), ["job: outcome=\"panicked\""]);
        drop(handle);
    });
}

#[cfg(feature = "operation")]
mod operations {
    use super::*;
    use abreast::operation::{Operation, create_pool};
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn ask(text: &'static str) -> Operation<impl abreast::operation::Source<Error = String>> {
        Operation::new(move || stream::iter([Ok::<_, String>(text)]))
    }

    #[test]
    fn operations_are_within_their_submitters() {
        recorded(|recorder| {
            let (pool, driver) = create_pool(2).build();
            let mut driver = Driver::new(driver);
            let handles = ["one", "two"]
                .map(|text| info_span!("request").in_scope(|| pool.execute(ask(text)).unwrap()));
            let orphan = pool.execute(ask("three")).unwrap();
            let waits = info_span!("waits").in_scope(|| pool.execute_when_room(ask("four")));
            let waits = Driver::new(waits).finish().unwrap();
            drive(&mut driver);
            let parents: Vec<_> = recorder
                .lines("operation in")
                .iter()
                .map(|line| line.split(' ').nth(2).unwrap().to_owned())
                .collect();
            assert_eq!(parents, ["request", "request", "none", "waits"]);
            // The operation is all that its job does.
            assert!(recorder.lines("job").is_empty());
            assert_eq!(recorder.lines("operation closes").len(), 4);
            drop((handles, orphan, waits));
        });
    }

    #[test]
    fn operations_alone_are_within_their_pollers() {
        recorded(|recorder| {
            let operation = info_span!("made").in_scope(|| ask("one"));
            info_span!("polled").in_scope(|| Driver::new(operation).finish().unwrap());
            // In a pool of jobs, the job is what polls it.
            let (pool, driver) = pool(1);
            let mut driver = Driver::new(driver);
            let handle = info_span!("request").in_scope(|| pool.execute(ask("two")).unwrap());
            drive(&mut driver);
            let lines = recorder.lines("operation in");
            assert!(lines[0].starts_with("operation in polled "));
            assert!(lines[1].starts_with("operation in job "));
            assert_eq!(recorder.lines("job in"), ["job in request id=0"]);
            drop(handle);
        });
    }
}
