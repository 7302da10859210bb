//! Events: to the handlers, and to the span of `tracing`.

use core::time::Duration;

use crate::operation::context::EventContext;
use crate::operation::event::{Event, EventKind, OperationId};
use crate::operation::handlers::Handlers;

/// Reports the events of one operation.
pub(super) struct Reporter {
    /// The last event. Each new one takes its place, as the id and the context are always the same.
    event: Event,
    #[cfg(feature = "tracing")]
    span: tracing::Span,
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
        }
    }

    /// Gives the operation its id, its context and its span.
    pub(super) fn start(&mut self, context: Option<EventContext>) {
        self.event.operation_id = OperationId::next();
        self.event.context = context.unwrap_or_default();
        #[cfg(feature = "tracing")]
        {
            let id = self.event.operation_id.get();
            let context = &self.event.context;
            self.span = tracing::info_span!("operation", operation_id = id, ?context);
        }
    }

    pub(super) fn id(&self) -> u64 {
        self.event.operation_id.get()
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
