//! Where an operation is.

use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use super::context::Context;
use super::event::{Event, EventKind, OperationId};
use super::guardrails::Guard;
use super::hooks::Hooks;
use super::state::{FailedAttempt, State};
use super::strategy::{Budget, Dice};
use super::waits::{Clock, Waits};

/// What an operation has come to, and what it does next.
pub(super) struct Session<E> {
    pub(super) phase: Phase,
    pub(super) state: State,
    pub(super) earlier: Vec<FailedAttempt<E>>,
    pub(super) voice: Voice,
    /// The number of the attempt of this stream: 1 is the first.
    pub(super) attempt: u32,
    /// The retries of this stream.
    pub(super) budget: Budget,
    pub(super) dice: Dice,
    pub(super) guard: Option<Guard>,
    /// Whether the token that the timer was set for has come.
    pub(super) timer_is_stale: bool,
    /// How many tokens came in this poll.
    pub(super) fresh_tokens: usize,
    /// When the wait for the next token began.
    pub(super) waits_since: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
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
    pub(super) fn new() -> Self {
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

    pub(super) fn is_fallback(&self) -> bool {
        self.state.fallback_index > 0
    }

    pub(super) fn take_state(&mut self) -> State {
        mem::take(&mut self.state)
    }
}

/// Tells of events.
pub(super) struct Voice {
    event: Event,
    pub(super) clock: Clock,
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

    pub(super) fn start(&mut self, context: Option<Context>, timer: &impl Waits) {
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

    pub(super) fn id(&self) -> u64 {
        self.event.operation_id.get()
    }

    /// The span of the operation, which other things that are told of while it is polled belong to as well.
    #[cfg(feature = "tracing")]
    pub(super) fn enter(&self) -> tracing::span::EnteredSpan {
        self.span.clone().entered()
    }

    /// Whether anybody listens, so that events are worth making.
    #[inline]
    pub(super) fn is_heard(&self, hooks: &impl Hooks) -> bool {
        #[cfg(feature = "tracing")]
        if !self.span.is_disabled() {
            return true;
        }
        hooks.wants_events()
    }

    /// Tells of what happens now.
    pub(super) fn tell(&mut self, hooks: &mut impl Hooks, timer: &impl Waits, kind: EventKind) {
        self.clock.look(timer);
        self.tell_at_last(hooks, kind);
    }

    /// Tells of what happened when the clock was last looked at, which is cheaper.
    pub(super) fn tell_at_last(&mut self, hooks: &mut impl Hooks, kind: EventKind) {
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
