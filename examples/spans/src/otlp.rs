//! A layer of `tracing-subscriber` that keeps the spans that have ended, and what they are in OTLP, the protocol of OpenTelemetry.

use std::fmt::Debug;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Creates a layer, and what it keeps its spans in.
pub(crate) fn layer() -> (SpanLayer, Spans) {
    let spans = Spans::default();
    (SpanLayer(spans.clone()), spans)
}

/// The spans that have ended, in that order: children before their parents.
#[derive(Clone, Default)]
pub(crate) struct Spans(Arc<Mutex<Vec<Span>>>);

impl Spans {
    pub(crate) fn take(&self) -> Vec<Span> {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A span. While it is open, the layer has it among the extensions of the registry's.
pub(crate) struct Span {
    trace_id: u128,
    pub(crate) id: u64,
    pub(crate) parent: Option<u64>,
    pub(crate) start: SystemTime,
    pub(crate) duration: Duration,
    opened: Instant,
    pub(crate) fields: Fields,
    pub(crate) events: Vec<Moment>,
}

/// An event in a span.
pub(crate) struct Moment {
    pub(crate) time: SystemTime,
    pub(crate) fields: Fields,
}

/// The fields of a span or an event. Those with a meaning for OpenTelemetry are no attributes.
#[derive(Default)]
pub(crate) struct Fields {
    /// The name in the code, or the field `otel.name`; of an event, the field `name` or the message.
    pub(crate) name: String,
    is_client: bool,
    pub(crate) is_error: bool,
    pub(crate) attributes: Vec<(&'static str, Value)>,
}

pub(crate) struct SpanLayer(Spans);

impl<S> Layer<S> for SpanLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        // A span belongs to the trace of its parent, and one without a parent begins a trace.
        let parent = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            extensions
                .get::<Span>()
                .map(|span| (span.trace_id, span.id))
        });
        let mut fields = Fields {
            name: attributes.metadata().name().to_owned(),
            ..Fields::default()
        };
        attributes.record(&mut fields);
        // Ids of zeros are not valid.
        span.extensions_mut().insert(Span {
            trace_id: parent.map_or_else(|| fastrand::u128(1..), |(trace, _)| trace),
            id: fastrand::u64(1..),
            parent: parent.map(|(_, id)| id),
            start: SystemTime::now(),
            duration: Duration::ZERO,
            opened: Instant::now(),
            fields,
            events: Vec::new(),
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            if let Some(span) = span.extensions_mut().get_mut::<Span>() {
                values.record(&mut span.fields);
            }
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let time = SystemTime::now();
        if let Some(span) = context.event_span(event) {
            if let Some(span) = span.extensions_mut().get_mut::<Span>() {
                span.events.push(Moment { time, fields });
            }
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let ended = span.extensions_mut().remove::<Span>();
        if let Some(mut span) = ended {
            span.duration = span.opened.elapsed();
            let Self(Spans(spans)) = self;
            let mut spans = spans.lock().unwrap_or_else(PoisonError::into_inner);
            spans.push(span);
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "otel.name" | "name" | "message" => self.name = value.to_owned(),
            "otel.kind" => self.is_client = value == "client",
            "otel.status_code" => self.is_error = value == "ERROR",
            name => self.set(name, json!({ "stringValue": value })),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), json!({ "boolValue": value }));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), json!({ "doubleValue": value }));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        // Numbers of 64 bits are strings in OTLP's JSON.
        self.set(field.name(), json!({ "intValue": value.to_string() }));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), json!({ "intValue": value.to_string() }));
    }
}

impl Fields {
    /// Sets an attribute, which takes the place of an earlier one of that name.
    fn set(&mut self, name: &'static str, value: Value) {
        self.attributes.retain(|(other, _)| *other != name);
        self.attributes.push((name, value));
    }

    fn attributes(&self) -> Value {
        let attributes = self.attributes.iter();
        attributes
            .map(|(key, value)| json!({ "key": key, "value": value }))
            .collect()
    }
}

impl Span {
    /// Returns an `ExportTraceServiceRequest` with this span.
    pub(crate) fn to_request(&self) -> Value {
        let events = self.events.iter().map(|event| {
            json!({
                "timeUnixNano": nanos(event.time),
                "name": event.fields.name,
                "attributes": event.fields.attributes(),
            })
        });
        let parent = self.parent.map(|id| format!("{id:016x}"));
        let span = json!({
            "traceId": format!("{:032x}", self.trace_id),
            "spanId": format!("{:016x}", self.id),
            "parentSpanId": parent.unwrap_or_default(),
            "name": self.fields.name,
            // Internal, or a client.
            "kind": if self.fields.is_client { 3 } else { 1 },
            "startTimeUnixNano": nanos(self.start),
            "endTimeUnixNano": nanos(self.start + self.duration),
            "attributes": self.fields.attributes(),
            "events": events.collect::<Value>(),
            // An error, or not set.
            "status": if self.fields.is_error { json!({ "code": 2 }) } else { json!({}) },
        });
        let service = json!({ "key": "service.name", "value": { "stringValue": "abreast-spans" } });
        json!({
            "resourceSpans": [{
                "resource": { "attributes": [service] },
                "scopeSpans": [{ "scope": { "name": "abreast" }, "spans": [span] }],
            }],
        })
    }
}

/// Returns the nanoseconds since 1970, as a string.
fn nanos(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}
