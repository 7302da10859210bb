//! Runs the program, and reads the file that it writes.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

/// What the program has printed, and the spans of its file.
struct Run {
    printed: String,
    spans: Vec<Span>,
}

#[derive(Debug)]
struct Span {
    trace: String,
    id: String,
    /// Empty if it has none.
    parent: String,
    name: String,
    kind: u64,
    start: u64,
    end: u64,
    attributes: HashMap<String, Value>,
    events: Vec<String>,
    is_error: bool,
}

static RUN: LazyLock<Run> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("spans.json");
    let mut program = Command::new(env!("CARGO_BIN_EXE_spans"));
    let output = program.arg(&path).output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{errors}", output.status);

    let file = fs::read_to_string(&path).expect("it has written the file");
    Run {
        printed: String::from_utf8(output.stdout).expect("it prints text"),
        spans: file.lines().flat_map(parse).collect(),
    }
});

/// Parses a request, which is a line.
fn parse(line: &str) -> Vec<Span> {
    let request: Value = serde_json::from_str(line).expect("each line is JSON");
    let resource = only(&request["resourceSpans"]);
    let service = attributes(&resource["resource"]["attributes"]);
    assert_eq!(service["service.name"], "abreast-spans");
    let scope = only(&resource["scopeSpans"]);
    assert!(scope["scope"]["name"].is_string());
    list(&scope["spans"]).iter().map(Span::new).collect()
}

impl Span {
    fn new(span: &Value) -> Self {
        let text = |name: &str| span[name].as_str().expect(name).to_owned();
        // Numbers of 64 bits are strings.
        let nanos = |name: &str| text(name).parse().expect(name);
        let events = list(&span["events"]).iter();
        let event_name = |event: &Value| event["name"].as_str().expect("it has a name").to_owned();
        Self {
            trace: text("traceId"),
            id: text("spanId"),
            parent: text("parentSpanId"),
            name: text("name"),
            kind: span["kind"].as_u64().expect("a number"),
            start: nanos("startTimeUnixNano"),
            end: nanos("endTimeUnixNano"),
            attributes: attributes(&span["attributes"]),
            events: events.map(event_name).collect(),
            is_error: span["status"]["code"] == 2,
        }
    }

    fn children(&self) -> impl Iterator<Item = &'static Self> {
        RUN.spans.iter().filter(|span| span.parent == self.id)
    }
}

/// Returns the only span of this name.
fn named(name: &str) -> &'static Span {
    let mut spans = RUN.spans.iter().filter(|span| span.name == name);
    let span = spans.next().expect(name);
    assert!(spans.next().is_none(), "there are several {name}");
    span
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

fn only(value: &Value) -> &Value {
    let [value] = &list(value)[..] else {
        panic!("not one: {value}");
    };
    value
}

/// Returns the value of each attribute, without its type.
fn attributes(value: &Value) -> HashMap<String, Value> {
    let attributes = list(value).iter().map(|attribute| {
        let key = attribute["key"].as_str().expect("it has a name").to_owned();
        let value = attribute["value"].as_object().expect("it has a value");
        let (kind, value) = value.iter().next().expect("it has one");
        let value = match &**kind {
            "intValue" => Value::from(value.as_str().unwrap().parse::<u64>().unwrap()),
            "stringValue" | "boolValue" | "doubleValue" => value.clone(),
            kind => panic!("{key} is of no kind of OTLP: {kind}"),
        };
        (key, value)
    });
    attributes.collect()
}

#[track_caller]
fn assert_counts(run: &Span, counts: [u64; 3]) {
    let names = ["succeeded", "failed", "cancelled"];
    assert_eq!(
        names.map(|name| run.attributes[name].as_u64().unwrap()),
        counts
    );
}

/// Returns the outcomes of all that is in a span, tasks or jobs, by what numbers them.
fn outcomes(span: &Span, name: &str, number: &str) -> Vec<&'static str> {
    let mut tasks: Vec<_> = span.children().collect();
    tasks.sort_by_key(|task| task.attributes[number].as_u64());
    for (index, task) in tasks.iter().enumerate() {
        assert_eq!(task.name, name);
        assert_eq!(task.attributes[number], index);
        assert_eq!(task.is_error, task.attributes["outcome"] == "error");
        // The request of the task is in its span, and not in that of the run or of another task.
        let mut requests = task.children();
        let request = requests.next().expect("each has a request");
        assert!(requests.next().is_none());
        assert_eq!((request.kind, request.is_error), (3, task.is_error));
    }
    let outcomes = tasks.iter().map(|task| &task.attributes["outcome"]);
    outcomes.map(|outcome| outcome.as_str().unwrap()).collect()
}

#[test]
fn ids_are_valid_and_unique() {
    let is_id = |id: &str, digits: usize| {
        let is_hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        id.len() == digits && id.bytes().all(is_hex) && id.bytes().any(|byte| byte != b'0')
    };
    let mut ids = HashSet::new();
    for span in &RUN.spans {
        assert!(is_id(&span.trace, 32), "{span:?}");
        assert!(is_id(&span.id, 16), "{span:?}");
        assert!(ids.insert(&span.id), "{span:?}");
        assert!(span.start <= span.end, "{span:?}");
    }
}

#[test]
fn spans_are_one_trace() {
    let root = named("report");
    for span in &RUN.spans {
        assert_eq!(span.trace, root.trace);
        let has_parent = RUN.spans.iter().any(|other| other.id == span.parent);
        assert_eq!(has_parent, span.id != root.id, "{span:?}");
    }
    assert_eq!(root.parent, "");
}

#[test]
fn every_span_is_closed() {
    // One that is open is not in the file. These are the runs, and each task with its request.
    let runs = 3 + 2 * (8 + 3 + 7);
    // And these `report`, `chat large` and `operation`.
    assert_eq!(RUN.spans.len(), runs + 3);
}

#[test]
fn tasks_have_index_and_outcome() {
    let run = named("fetch pages");
    assert_counts(run, [7, 1, 0]);
    let expected = (0..8).map(|page| if page == 5 { "error" } else { "ok" });
    assert_eq!(outcomes(run, "task", "index"), expected.collect::<Vec<_>>());
}

#[test]
fn losers_of_races_are_cancelled() {
    let run = named("ask mirrors");
    assert_counts(run, [1, 1, 1]);
    assert_eq!(outcomes(run, "task", "index"), ["cancelled", "error", "ok"]);
}

#[test]
fn jobs_are_in_their_trace() {
    let index = named("index pages");
    assert_eq!(index.parent, named("report").id);
    assert_eq!(outcomes(index, "job", "id"), ["ok"; 7]);
}

#[test]
fn operations_have_generative_attributes() {
    let (chat, operation) = (named("chat large"), named("operation"));
    assert_eq!(operation.parent, chat.id);
    assert_eq!(chat.attributes["gen_ai.operation.name"], "chat");
    assert_eq!(chat.attributes["gen_ai.request.model"], "large");

    let attributes = &operation.attributes;
    assert_eq!(attributes["gen_ai.request.stream"], true);
    assert_eq!(attributes["gen_ai.usage.output_tokens"], 7);
    assert_eq!(attributes["network_retries"], 1);
    assert_eq!(attributes["model_retries"], 0);
    let seconds = attributes["gen_ai.response.time_to_first_chunk"].as_f64();
    let nanos = (operation.end - operation.start) as f64;
    assert!(seconds.is_some_and(|seconds| seconds > 0.0 && seconds < nanos / 1e9));
    assert!(!operation.is_error);
}

#[test]
fn operations_have_their_events() {
    let events = &named("operation").events;
    assert_eq!(events[0], "SessionStart");
    assert_eq!(
        events.iter().filter(|name| *name == "RetryAttempt").count(),
        1
    );
    assert_eq!(events.last().unwrap(), "Complete");
}

#[test]
fn the_tree_has_every_span() {
    let mut lines = RUN.printed.lines();
    assert!(lines.next().unwrap().starts_with("report "));
    assert!(lines.next().unwrap().starts_with("├─ fetch pages "));
    assert!(lines.next().unwrap().starts_with("│  ├─ task "));
    let with_duration = RUN
        .printed
        .lines()
        .filter(|line| line.matches(" ms").count() == 2);
    assert_eq!(with_duration.count(), RUN.spans.len());
    assert!(RUN.printed.contains("index=0 outcome=cancelled"));
}
