//! Events: to the handlers, and to the span of `tracing`.

use core::time::Duration;

#[cfg(feature = "tracing")]
use tracing::field::Empty;

use crate::operation::context::EventContext;
use crate::operation::event::{Event, EventKind, OperationId};
use crate::operation::handlers::Handlers;
#[cfg(feature = "tracing")]
use crate::operation::outcome::State;
#[cfg(feature = "tracing")]
use crate::trace;

/// Reports the events of one operation.
pub(super) struct Reporter {
    /// The last event. Each new one takes its place, as the id and the context are always the same.
    event: Event,
    #[cfg(feature = "tracing")]
    span: tracing::Span,
    /// That of whoever has submitted the operation to a pool. `None` for one that is within whatever polls it.
    #[cfg(feature = "tracing")]
    parent: Option<tracing::Span>,
}

impl Reporter {
    pub(super) fn new() -> Self {
        Self {
            event: Event {
                kind: EventKind::RetryStart,
                at: Duration::ZERO,
                operation_id: OperationId::NONE,
                context: EventContext::new(),
            },
            #[cfg(feature = "tracing")]
            span: tracing::Span::none(),
            #[cfg(feature = "tracing")]
            parent: None,
        }
    }

    /// Has the span of the operation be within the one that is current now, wherever it is polled.
    #[cfg(feature = "tracing")]
    pub(super) fn submitted(&mut self) {
        self.parent = Some(trace::current());
    }

    /// Gives the operation its id, its context and its span.
    pub(super) fn start(&mut self, context: Option<EventContext>) {
        self.event.operation_id = OperationId::next();
        self.event.context = context.unwrap_or_default();
        #[cfg(feature = "tracing")]
        {
            // What is not known yet is recorded at the end. What the parent says is inherited by this one.
            let id = self.event.operation_id.get();
            let context = &self.event.context;
            let parent = self.parent.take().unwrap_or_else(trace::current);
            self.span = tracing::info_span!(
                parent: &parent,
                "operation",
                operation_id = id,
                ?context,
                gen_ai.request.stream = true,
                gen_ai.response.time_to_first_chunk = Empty,
                gen_ai.usage.output_tokens = Empty,
                model_retries = Empty,
                network_retries = Empty,
                otel.status_code = Empty,
            );
        }
    }

    /// Adds to the span what the operation has come to. Where OpenTelemetry has a name for that, it has it: of its
    /// conventions for generative AI, times are in seconds, and the status of a success is not set.
    #[cfg(feature = "tracing")]
    pub(super) fn record(&self, state: &State) {
        if self.span.is_disabled() {
            return;
        }
        if let Some(time) = state.first_token_at {
            let seconds = time.as_secs_f64();
            self.span
                .record("gen_ai.response.time_to_first_chunk", seconds);
        }
        // There is always something to count, if only zero.
        let tokens = state.token_count as u64;
        self.span.record("gen_ai.usage.output_tokens", tokens);
        self.span.record("model_retries", state.model_retry_count);
        self.span
            .record("network_retries", state.network_retry_count);
        if !state.completed {
            self.span.record("otel.status_code", "ERROR");
        }
    }

    /// Enters the span of the operation, so that what others report while it is polled belongs to it as well.
    #[cfg(feature = "tracing")]
    pub(super) fn enter(&self) -> tracing::span::EnteredSpan {
        self.span.clone().entered()
    }

    /// Returns whether anything listens, so that events are worth making.
    #[inline]
    pub(super) fn has_listeners<E>(&self, handlers: &impl Handlers<E>) -> bool {
        #[cfg(feature = "tracing")]
        if !self.span.is_disabled() {
            return true;
        }
        handlers.wants_events()
    }

    /// Reports an event.
    pub(super) fn report<E>(
        &mut self,
        kind: EventKind,
        at: Duration,
        handlers: &mut impl Handlers<E>,
    ) {
        // Only what differs is written: the rest of the event is the operation's.
        self.event.kind = kind;
        self.event.at = at;
        #[cfg(feature = "tracing")]
        self.span.in_scope(|| {
            let Event { kind, at, .. } = &self.event;
            tracing::info!(name = kind.name(), ?at, ?kind);
        });
        handlers.on_event(&self.event);
    }
}
