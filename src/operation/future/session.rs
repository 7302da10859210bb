//! Where an operation is.

use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use crate::operation::context::Context;
use crate::operation::event::{Event, EventKind, OperationId};
use crate::operation::guardrails::Guard;
use crate::operation::hooks::Hooks;
use crate::operation::outcome::{FailedAttempt, State};
use crate::operation::retry::strategy::{Budget, Dice};
use crate::operation::waits::{Clock, Waits};

/// What an operation has come to, and what it does next.
pub(in crate::operation) struct Session<E> {
    pub(in crate::operation) phase: Phase,
    pub(in crate::operation) state: State,
    pub(in crate::operation) earlier: Vec<FailedAttempt<E>>,
    pub(in crate::operation) voice: Voice,
    /// The number of the attempt of this stream: 1 is the first.
    pub(in crate::operation) attempt: u32,
    /// The retries of this stream.
    pub(in crate::operation) budget: Budget,
    pub(in crate::operation) dice: Dice,
    pub(in crate::operation) guard: Option<Guard>,
    /// Whether the token that the timer was set for has come.
    pub(in crate::operation) timer_is_stale: bool,
    /// How many tokens came in this poll.
    pub(in crate::operation) fresh_tokens: usize,
    /// When the wait for the next token began.
    pub(in crate::operation) waits_since: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::operation) enum Phase {
    /// Not yet polled.
    Start,
    /// A stream is to be opened.
    Open,
    /// A stream is open.
    Tokens,
    /// A retry waits for its delay.
    Delay,
    /// Resolved.
    Done,
}

impl<E> Session<E> {
    pub(in crate::operation) fn new() -> Self {
        Self {
            phase: Phase::Start,
            state: State::default(),
            earlier: Vec::new(),
            voice: Voice::new(),
            attempt: 1,
            budget: Budget::default(),
            dice: Dice::default(),
            guard: None,
            timer_is_stale: true,
            fresh_tokens: 0,
            waits_since: Duration::ZERO,
        }
    }

    pub(in crate::operation) fn is_fallback(&self) -> bool {
        self.state.fallback_index > 0
    }

    pub(in crate::operation) fn take_state(&mut self) -> State {
        mem::take(&mut self.state)
    }
}

/// Tells of events.
pub(in crate::operation) struct Voice {
    event: Event,
    pub(in crate::operation) clock: Clock,
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl Voice {
    fn new() -> Self {
        Self {
            event: Event {
                kind: EventKind::RetryStart,
                at: Duration::ZERO,
                operation_id: OperationId::NONE,
                context: Context::new(),
            },
            clock: Clock::default(),
            #[cfg(feature = "tracing")]
            span: tracing::Span::none(),
        }
    }

    pub(in crate::operation) fn start(&mut self, context: Option<Context>, timer: &impl Waits) {
        self.event.operation_id = OperationId::next();
        self.event.context = context.unwrap_or_default();
        self.clock.start(timer);
        #[cfg(feature = "tracing")]
        {
            let id = self.event.operation_id.get();
            let context = &self.event.context;
            self.span = tracing::info_span!("operation", operation_id = id, ?context);
        }
    }

    pub(in crate::operation) fn id(&self) -> u64 {
        self.event.operation_id.get()
    }

    /// The span of the operation, which other things that are told of while it is polled belong to as well.
    #[cfg(feature = "tracing")]
    pub(in crate::operation) fn enter(&self) -> tracing::span::EnteredSpan {
        self.span.clone().entered()
    }

    /// Whether anybody listens, so that events are worth making.
    #[inline]
    pub(in crate::operation) fn is_heard(&self, hooks: &impl Hooks) -> bool {
        #[cfg(feature = "tracing")]
        if !self.span.is_disabled() {
            return true;
        }
        hooks.wants_events()
    }

    /// Tells of what happens now.
    pub(in crate::operation) fn tell(
        &mut self,
        hooks: &mut impl Hooks,
        timer: &impl Waits,
        kind: EventKind,
    ) {
        self.clock.look(timer);
        self.tell_at_last(hooks, kind);
    }

    /// Tells of what happened when the clock was last looked at, which is cheaper.
    pub(in crate::operation) fn tell_at_last(&mut self, hooks: &mut impl Hooks, kind: EventKind) {
        self.event.kind = kind;
        self.event.at = self.clock.last();
        #[cfg(feature = "tracing")]
        self.span.in_scope(|| {
            let Event { kind, at, .. } = &self.event;
            tracing::info!(name = kind.name(), ?at, ?kind);
        });
        hooks.event(&self.event);
    }
}
