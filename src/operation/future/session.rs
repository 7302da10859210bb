//! The decisions of an operation: which stream is next, what an error means, when the content has passed.
//!
//! A session knows neither streams nor timers, and takes the time as an argument. Its future opens the streams, waits,
//! and calls it with what happened:
//!
//! | the future has | and calls | which returns | and then |
//! |---|---|---|---|
//! | been polled for the first time | `start` | | opens a stream |
//! | to open a stream | `rate` | what it is opened at, if anything | waits |
//! | | and `on_open` | the index of its source | opens it |
//! | a chunk without text | `on_other_chunk` | whether to wait anew | asks for the next one |
//! | a token | `on_token` | whether it passed | asks for the next token, or fails the attempt |
//! | to wait for a token | `limit`, `left` | for how long at most | waits |
//! | waited that long | `on_timeout` | an error | fails the attempt |
//! | the end of the stream | `on_end` | the final state, or an error | resolves, or fails the attempt |
//! | an attempt that failed | `on_failure`, in `failure.rs`, and `hold_back` | `Decision::Retry { delay }` | waits, and opens the same stream again |
//! | | | `Decision::Fallback` | opens the next stream |
//! | | | `Decision::Halt` | resolves |
//!
//! The stream is dropped before `on_timeout`, `on_end` and `on_failure`, so nothing is open when they report events.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use super::reporter::Reporter;
use crate::operation::event::{EventKind, GuardrailPhase};
use crate::operation::guardrails::{Guard, GuardrailContext, Passed};
use crate::operation::handlers::Handlers;
use crate::operation::outcome::{AttemptError, FailedAttempt, State};
use crate::operation::retry::RetryPredicates;
use crate::operation::settings::Settings;
use crate::operation::timeout::{TimedOut, TimeoutKind};
use crate::rate::Rate;
use crate::retry::{Classification, Retries};
use crate::time::Timer;

/// The state of an operation on streams that fail with `E`.
pub(in crate::operation) struct Session<E> {
    pub(in crate::operation) settings: Settings,
    pub(in crate::operation) predicates: RetryPredicates<E>,
    /// The number of sources: the primary one and the fallbacks.
    pub(super) sources: usize,
    pub(super) state: State,
    /// The attempts before the current one.
    pub(super) earlier: Vec<FailedAttempt<E>>,
    /// The number of the attempt of the current stream: 1 is the first.
    pub(super) attempt: u32,
    /// The retries of the current stream.
    pub(super) retries: Retries,
    /// What the last error of the primary stream was, until its rate was paused for it.
    pub(super) last_failed: Option<Classification>,
    /// The guardrails of the current attempt, if there are any.
    pub(super) guard: Option<Guard>,
    pub(super) reporter: Reporter,
    /// What is waited for.
    awaited: TimeoutKind,
    /// When the wait for it began.
    waiting_since: Duration,
}

impl<E> Session<E> {
    pub(in crate::operation) fn new() -> Self {
        Self {
            settings: Settings::default(),
            predicates: RetryPredicates::none(),
            sources: 1,
            state: State::default(),
            earlier: Vec::new(),
            attempt: 1,
            retries: Retries::default(),
            last_failed: None,
            guard: None,
            reporter: Reporter::new(),
            awaited: TimeoutKind::InitialToken,
            waiting_since: Duration::ZERO,
        }
    }

    /// Returns one with the same settings that has not started.
    pub(in crate::operation) fn afresh(self) -> Self {
        Self {
            settings: self.settings,
            predicates: self.predicates,
            ..Self::new()
        }
    }

    pub(in crate::operation) const fn state(&self) -> &State {
        &self.state
    }

    /// Notes that the operation is submitted now: its span is going to be within the one that is current.
    #[cfg(feature = "tracing")]
    pub(super) fn submitted(&mut self) {
        self.reporter.submitted();
    }

    #[cfg(feature = "tracing")]
    pub(super) fn enter(&self) -> tracing::span::EnteredSpan {
        self.reporter.enter()
    }

    /// Adds to the span what the operation has come to.
    #[cfg(feature = "tracing")]
    pub(super) fn record(&self, state: &State) {
        self.reporter.record(state);
    }

    /// Starts the operation, which has this many sources.
    pub(super) fn start(&mut self, sources: usize, now: Duration, handlers: &mut impl Handlers<E>) {
        self.sources = sources;
        // Streams that are opened again take from the budget what first ones put in.
        let retry = self.settings.retry.as_ref();
        if let Some(budget) = retry.and_then(|plan| plan.budget.as_ref()) {
            budget.deposit();
        }
        self.reporter.start(self.settings.context.clone());
        self.report(now, handlers, || EventKind::SessionStart {
            attempt: 1,
            is_retry: false,
            is_fallback: false,
        });
    }

    /// Returns the rate at which the stream that is next is opened, if there is one. Fallbacks may be of other
    /// services.
    pub(super) fn rate(&self) -> Option<&Rate> {
        let plan = self.settings.retry.as_ref().filter(|_| !self.is_fallback());
        plan?.rate.as_ref()
    }

    /// Holds back all who share the rate, if the error of the last attempt asks for that.
    pub(super) fn hold_back(&mut self, timer: &impl Timer) {
        if let (Some(plan), Some(failed)) = (&self.settings.retry, self.last_failed.take()) {
            plan.hold_back(failed, timer);
        }
    }

    /// Starts an attempt, and returns the index of the source to open.
    ///
    /// Fails if a rule panics when it makes its checker.
    pub(super) fn on_open(
        &mut self,
        now: Duration,
        handlers: &mut impl Handlers<E>,
    ) -> Result<usize, AttemptError<E>> {
        // The first attempt of a stream was announced by the start of the session, or by the selection of the fallback.
        let (attempt, is_fallback) = (self.attempt, self.is_fallback());
        if attempt > 1 {
            self.report(now, handlers, || EventKind::AttemptStart {
                attempt,
                is_retry: true,
                is_fallback,
            });
        }
        // Rules start afresh, so that they remember nothing of the attempt before.
        if let Some(guardrails) = &self.settings.guardrails {
            self.guard =
                Guard::new(guardrails).or_else(|passed| into_result(passed).map(|()| None))?;
        }
        self.start_waiting(TimeoutKind::InitialToken, now, handlers);
        Ok(self.state.fallback_index)
    }

    /// Appends a token to the content. Empty ones do not count.
    #[inline]
    pub(super) fn on_token(
        &mut self,
        token: &str,
        now: Duration,
        handlers: &mut impl Handlers<E>,
    ) -> Result<(), AttemptError<E>> {
        // Empty tokens are no sign of life, and are not reported.
        if token.is_empty() {
            return Ok(());
        }
        // The content is complete before handlers and rules see it.
        self.state.content.push_str(token);
        self.state.token_count += 1;
        self.state.last_token_at = Some(now);
        if self.state.token_count == 1 {
            self.state.first_token_at = Some(now);
        }
        self.wait_again(now, handlers);
        handlers.on_token(token);
        if self.guard.as_mut().is_some_and(Guard::is_due) {
            self.check(GuardrailPhase::Streaming, now, handlers)?;
        }
        Ok(())
    }

    /// Counts a chunk without text, and returns whether the wait for the next token starts anew.
    pub(super) fn on_other_chunk(
        &mut self,
        now: Duration,
        handlers: &mut impl Handlers<E>,
    ) -> bool {
        self.state.other_chunks += 1;
        let resets = !self.settings.only_text_resets;
        if resets {
            self.wait_again(now, handlers);
        }
        resets
    }

    /// Notes that the last token came at `now`, if that is known better than when it was appended.
    pub(super) fn last_token_came(&mut self, now: Duration) {
        self.state.last_token_at = Some(now);
    }

    /// Returns how long the next token may take, if there is a limit.
    pub(super) fn limit(&self) -> Option<Duration> {
        self.settings.limit(self.awaited)
    }

    /// Returns the time that is left for the whole operation, if that is limited.
    pub(super) fn left(&self, now: Duration) -> Option<Duration> {
        let total = self.settings.total_time?;
        Some(total.saturating_sub(now))
    }

    /// Returns the error of an operation whose total time is up, if that comes no later than the limit to the wait for
    /// a token.
    fn out_of_time(&self) -> Option<AttemptError<E>> {
        let total = self.settings.total_time?;
        let limit = self.limit();
        let is_first = limit.is_none_or(|limit| self.waiting_since.saturating_add(limit) >= total);
        is_first.then_some(AttemptError::OutOfTime(total))
    }

    /// Waits for no token, as the stream is yet to be opened.
    pub(super) fn wait_to_open(&mut self) {
        self.waiting_since = Duration::MAX;
    }

    /// Reports that the wait for a token has reached its limit, and returns the error of the attempt.
    pub(super) fn on_timeout(
        &mut self,
        now: Duration,
        handlers: &mut impl Handlers<E>,
    ) -> AttemptError<E> {
        if let Some(error) = self.out_of_time() {
            return error;
        }
        // There is a limit, or there would have been no wait.
        let kind = self.awaited;
        let configured = self.settings.limit(kind).unwrap_or(Duration::MAX);
        let elapsed = now.saturating_sub(self.waiting_since);
        self.report(now, handlers, || EventKind::TimeoutTriggered {
            kind,
            configured,
            elapsed,
        });
        TimedOut {
            kind,
            after: configured,
        }
        .into()
    }

    /// Checks all of the content, as its stream has ended, and completes the operation if it passes.
    pub(super) fn on_end(
        &mut self,
        now: Duration,
        handlers: &mut impl Handlers<E>,
    ) -> Result<State, AttemptError<E>> {
        self.check(GuardrailPhase::Final, now, handlers)?;
        // It has passed. Checkers are foreign code, and go before the end is reported.
        self.guard = None;
        self.state.completed = true;
        self.state.duration = now;
        self.report_ends(true, true, now, handlers);
        let (token_count, content_length) = (self.state.token_count, self.state.content.len());
        self.report(now, handlers, || EventKind::Complete {
            token_count,
            content_length,
        });
        Ok(mem::take(&mut self.state))
    }

    /// Checks the content with the guardrails, those that run in this phase.
    fn check(
        &mut self,
        phase: GuardrailPhase,
        now: Duration,
        handlers: &mut impl Handlers<E>,
    ) -> Result<(), AttemptError<E>> {
        // Events are made only if anything listens; the check is made anyway.
        let token_count = self.state.token_count;
        let has_listeners = self.reporter.has_listeners(handlers);
        let Some(guard) = &mut self.guard else {
            return Ok(());
        };
        if has_listeners {
            let start = EventKind::GuardrailPhaseStart { phase, token_count };
            self.reporter.report(start, now, handlers);
        }
        // Each rule reports its findings as it has them, so that handlers see them in order.
        let context = GuardrailContext {
            completed: phase == GuardrailPhase::Final,
            token_count,
            fallback_index: self.state.fallback_index,
            other_chunks: self.state.other_chunks,
            ..GuardrailContext::so_far(&self.state.content)
        };
        let reporter = &mut self.reporter;
        let passed = guard.check(&context, &mut self.state.violations, |rule, violation| {
            if has_listeners {
                let result = EventKind::GuardrailRuleResult {
                    rule: rule.clone(),
                    passed: violation.is_none(),
                    violation: violation.cloned(),
                };
                reporter.report(result, now, handlers);
            }
        });
        // The phase is over for listeners before the attempt fails.
        if has_listeners {
            let passed = matches!(passed, Passed::Yes);
            let end = EventKind::GuardrailPhaseEnd { phase, passed };
            self.reporter.report(end, now, handlers);
        }
        into_result(passed)
    }

    pub(super) const fn is_fallback(&self) -> bool {
        self.state.fallback_index > 0
    }

    /// Notes and reports that the first token of its kind is waited for.
    fn start_waiting(&mut self, kind: TimeoutKind, now: Duration, handlers: &mut impl Handlers<E>) {
        self.awaited = kind;
        self.waiting_since = now;
        if let Some(configured) = self.settings.limit(kind) {
            self.report(now, handlers, || EventKind::TimeoutStart {
                kind,
                configured,
                elapsed: Duration::ZERO,
            });
        }
    }

    /// Notes and reports that a token came in time and the next one is waited for.
    fn wait_again(&mut self, now: Duration, handlers: &mut impl Handlers<E>) {
        // The first sign of life ends the wait for the initial token.
        if self.awaited == TimeoutKind::InitialToken {
            return self.start_waiting(TimeoutKind::InterToken, now, handlers);
        }
        let elapsed = now.saturating_sub(mem::replace(&mut self.waiting_since, now));
        if let Some(configured) = self.settings.limit(TimeoutKind::InterToken) {
            self.report(now, handlers, || EventKind::TimeoutReset {
                kind: TimeoutKind::InterToken,
                configured,
                elapsed,
            });
        }
    }

    /// Reports an event, which is made only if anything listens.
    #[inline]
    fn report(
        &mut self,
        now: Duration,
        handlers: &mut impl Handlers<E>,
        kind: impl FnOnce() -> EventKind,
    ) {
        if self.reporter.has_listeners(handlers) {
            self.reporter.report(kind(), now, handlers);
        }
    }

    /// Reports that the retry is over, if the attempt is one, and the fallback, if that is one and is over too.
    pub(super) fn report_ends(
        &mut self,
        stream_is_over: bool,
        success: bool,
        now: Duration,
        handlers: &mut impl Handlers<E>,
    ) {
        if self.attempt > 1 {
            self.report(now, handlers, || EventKind::RetryEnd { success });
        }
        if stream_is_over && self.is_fallback() {
            let index = self.state.fallback_index;
            self.report(now, handlers, || EventKind::FallbackEnd { index, success });
        }
    }
}

/// Returns why content has not passed, if it has not.
fn into_result<E>(passed: Passed) -> Result<(), AttemptError<E>> {
    match passed {
        Passed::Yes => Ok(()),
        Passed::No(violation) => Err(AttemptError::Violated(Box::new(violation))),
        Passed::Panicked { rule, message } => Err(AttemptError::RulePanicked { rule, message }),
    }
}
