//! What is done with the tokens of a stream.

use core::mem;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use crate::operation::OperationProjection;
use crate::operation::event::{EventKind, GuardrailPhase};
use crate::operation::guardrails::{Guard, GuardrailContext, Passed};
use crate::operation::hooks::Hooks;
use crate::operation::outcome::AttemptError;
use crate::operation::source::{Sources, Tokens};
use crate::operation::timeout::{Limits, TimedOut, TimeoutKind};
use crate::operation::waits::Waits;

/// How many tokens may come in one poll: a stream that is always ready must not starve its neighbours.
const TOKENS_PER_POLL: usize = 256;

impl<S, C, R, T, M, O> OperationProjection<'_, S, C, R, T, M, O>
where
    S: Sources,
    T: Limits,
    M: Waits,
    O: Hooks,
{
    /// Takes tokens for as long as they come.
    pub(in crate::operation) fn poll_tokens(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), AttemptError<S::Error>>> {
        let is_heard = self.is_heard();
        let mut left = TOKENS_PER_POLL;
        let end = loop {
            if left == 0 {
                cx.waker().wake_by_ref();
                break Poll::Pending;
            }
            left -= 1;
            let content = &mut self.session.state.content;
            let length = content.len();
            let tokens = self.tokens.as_mut().as_pin_mut();
            match tokens.expect("a stream is open").poll_token(cx, content) {
                Poll::Ready(Some(Ok(()))) if content.len() == length => {}
                Poll::Ready(Some(Ok(()))) => {
                    if let Err(error) = self.count_token(length, is_heard) {
                        break Poll::Ready(Err(error));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    break Poll::Ready(Err(AttemptError::Stream(error)));
                }
                Poll::Ready(None) => break Poll::Ready(Ok(())),
                Poll::Pending => break Poll::Pending,
            }
        };
        // Looking at the clock for every token would cost more than all else that is done for it. So it is looked at for the
        // first and the last of a poll.
        let clock = &mut self.session.voice.clock;
        match mem::take(&mut self.session.fresh_tokens) {
            0 => {}
            1 => self.session.state.last_token_at = Some(clock.last()),
            _ => self.session.state.last_token_at = Some(clock.look(&self.parts.timer)),
        }
        match end {
            Poll::Pending => self.poll_timeout(cx).map(|timed_out| Err(timed_out.into())),
            ended => ended,
        }
    }

    /// Does what is due for a token, which begins at `begin` in the content.
    #[inline]
    fn count_token(&mut self, begin: usize, is_heard: bool) -> Result<(), AttemptError<S::Error>> {
        let session = &mut *self.session;
        session.state.token_count += 1;
        session.fresh_tokens += 1;
        session.timer_is_stale = true;
        if session.fresh_tokens == 1 {
            session.voice.clock.look(&self.parts.timer);
        }
        if session.state.token_count == 1 {
            session.state.first_token_at = Some(session.voice.clock.last());
            if is_heard {
                self.start_to_wait(TimeoutKind::InterToken);
            }
        } else if is_heard {
            self.wait_again();
        }
        let session = &mut *self.session;
        self.parts.hooks.token(&session.state.content[begin..]);
        let is_due = session.guard.as_mut().is_some_and(Guard::is_due);
        match is_due {
            true => self.look(GuardrailPhase::Streaming),
            false => Ok(()),
        }
    }

    pub(in crate::operation) fn start_to_wait(&mut self, kind: TimeoutKind) {
        if let Some(configured) = self.parts.timeout.limit(kind) {
            self.tell(EventKind::TimeoutStart {
                kind,
                configured,
                elapsed: Duration::ZERO,
            });
        }
        self.session.waits_since = self.session.voice.clock.last();
    }

    /// Tells that a token came in time, which is that of the first token of the poll.
    fn wait_again(&mut self) {
        let kind = TimeoutKind::InterToken;
        if let Some(configured) = self.parts.timeout.limit(kind) {
            let voice = &mut self.session.voice;
            let now = voice.clock.last();
            let elapsed = now - mem::replace(&mut self.session.waits_since, now);
            let kind = EventKind::TimeoutReset {
                kind,
                configured,
                elapsed,
            };
            voice.tell_at_last(&mut self.parts.hooks, kind);
        }
    }

    /// Waits for the timeout of the next token.
    fn poll_timeout(&mut self, cx: &mut Context<'_>) -> Poll<TimedOut> {
        let kind = match self.session.state.token_count {
            0 => TimeoutKind::InitialToken,
            _ => TimeoutKind::InterToken,
        };
        let limit = self.parts.timeout.limit(kind);
        if mem::take(&mut self.session.timer_is_stale) {
            self.sleep.set(None);
            let sleep = limit.map(|limit| self.parts.timer.sleep(limit));
            self.sleep.set(sleep);
        }
        let (Some(sleep), Some(after)) = (self.sleep.as_mut().as_pin_mut(), limit) else {
            return Poll::Pending;
        };
        ready!(sleep.poll(cx));
        self.tokens.set(None);
        if self.is_heard() {
            let now = self.session.voice.clock.look(&self.parts.timer);
            self.tell(EventKind::TimeoutTriggered {
                kind,
                configured: after,
                elapsed: now - self.session.waits_since,
            });
        }
        Poll::Ready(TimedOut { kind, after })
    }

    /// Has the guardrails look at the content.
    pub(in crate::operation) fn look(
        &mut self,
        phase: GuardrailPhase,
    ) -> Result<(), AttemptError<S::Error>> {
        let is_heard = self.is_heard();
        if self.session.guard.is_none() {
            return Ok(());
        }
        if is_heard {
            self.tell(EventKind::GuardrailPhaseStart {
                phase,
                token_count: self.session.state.token_count,
            });
        }
        let session = &mut *self.session;
        let parts = &mut *self.parts;
        let Some(guard) = &mut session.guard else {
            return Ok(());
        };
        let state = &mut session.state;
        let context = GuardrailContext {
            completed: phase == GuardrailPhase::Final,
            token_count: state.token_count,
            fallback_index: state.fallback_index,
            ..GuardrailContext::so_far(&state.content)
        };
        let passed = guard.look(&context, &mut state.violations, |rule, violation| {
            if is_heard {
                let kind = EventKind::GuardrailRuleResult {
                    rule: rule.clone(),
                    passed: violation.is_none(),
                    violation: violation.cloned(),
                };
                session.voice.tell(&mut parts.hooks, &parts.timer, kind);
            }
        });
        let passed = verdict(passed);
        if is_heard {
            self.tell(EventKind::GuardrailPhaseEnd {
                phase,
                passed: passed.is_ok(),
            });
        }
        passed
    }
}

pub(in crate::operation) fn verdict<E>(passed: Passed) -> Result<(), AttemptError<E>> {
    match passed {
        Passed::Yes => Ok(()),
        Passed::No(violation) => Err(AttemptError::Violated(violation.into())),
        Passed::Panicked { rule, message } => Err(AttemptError::RulePanicked { rule, message }),
    }
}
