//! What follows when an attempt has failed.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;
use core::mem;
use core::time::Duration;

use super::session::Phase;
use crate::operation::OperationProjection;
use crate::operation::classify::{Category, Classification, Classifies};
use crate::operation::event::{EventKind, Recovery};
use crate::operation::guardrails::Severity;
use crate::operation::hooks::Hooks;
use crate::operation::outcome::{AttemptError, OperationFailure, Place};
use crate::operation::retry::RetryContext;
use crate::operation::retry::judge::{Retries, Wait};
use crate::operation::retry::strategy::Budget;
use crate::operation::source::Sources;
use crate::operation::timeout::Limits;
use crate::operation::waits::Waits;

/// What is done about an attempt that failed.
struct Verdict {
    category: Category,
    recovery: Recovery,
    delay: Duration,
    gave_up: bool,
}

impl<S, C, R, T, M, O> OperationProjection<'_, S, C, R, T, M, O>
where
    S: Sources,
    S::Error: fmt::Display,
    C: Classifies<S::Error>,
    R: Retries<S::Error>,
    T: Limits,
    M: Waits,
    O: Hooks,
{
    /// Ends an attempt, and prepares the next one, if there is to be one.
    pub(in crate::operation) fn fail(
        &mut self,
        error: AttemptError<S::Error>,
    ) -> Option<OperationFailure<S::Error>> {
        self.end_attempt();
        let now = self.session.voice.clock.look(&self.parts.timer);
        self.session.state.duration = now;
        let verdict = self.judge(&error);
        if self.is_heard() {
            self.tell_of_failure(&verdict, error.to_string());
        }
        let session = &mut *self.session;
        let place = Place {
            category: verdict.category,
            fallback_index: session.state.fallback_index,
            attempt: session.attempt,
        };
        match verdict.recovery {
            Recovery::Retry => {
                session.budget.spend(verdict.category);
                session.attempt += 1;
                match verdict.category.is_of_model() {
                    true => session.state.model_retry_count += 1,
                    false => session.state.network_retry_count += 1,
                }
                session.phase = Phase::Delay;
                if !verdict.delay.is_zero() {
                    self.sleep.set(Some(self.parts.timer.sleep(verdict.delay)));
                }
            }
            Recovery::Fallback => {
                session.state.fallback_index += 1;
                session.attempt = 1;
                session.budget = Budget::default();
                session.phase = Phase::Open;
            }
            Recovery::Halt => {
                session.phase = Phase::Done;
                return Some(OperationFailure {
                    error,
                    state: Box::new(session.take_state()),
                    earlier: mem::take(&mut session.earlier),
                });
            }
        }
        let failed = session.state.start_afresh(error, place);
        session.earlier.push(failed);
        None
    }

    fn judge(&mut self, error: &AttemptError<S::Error>) -> Verdict {
        let Classification {
            category,
            retry_after,
        } = classify(&self.parts.classify, error);
        let session = &mut *self.session;
        if category == Category::Network {
            session.state.network_errors.push(error.to_string());
        }
        let failed = RetryContext {
            error,
            state: &session.state,
            attempt: session.budget.spent() + 1,
            category,
        };
        let retry = &self.parts.retry;
        let plan = retry.plan();
        let plan_of_retry = plan
            .filter(|plan| session.budget.allows(plan, category))
            .filter(|_| retry.allows(&failed));
        let delay = plan_of_retry.filter(|_| R::Wait::WAITS).map(|plan| {
            let asked = retry_after.map(|delay| delay.min(plan.max_delay));
            retry.delay(&failed).or(asked).unwrap_or_else(|| {
                let retries = session.budget.of(category);
                session.dice.delay(plan, retries, session.voice.id())
            })
        });
        let next = session.state.fallback_index + 1;
        let recovery = match error {
            _ if plan_of_retry.is_some() => Recovery::Retry,
            AttemptError::RulePanicked { .. } => Recovery::Halt,
            _ if next < self.parts.sources.count() => Recovery::Fallback,
            _ => Recovery::Halt,
        };
        Verdict {
            category,
            recovery,
            delay: delay.unwrap_or_default(),
            gave_up: plan.is_some() && recovery != Recovery::Retry && category != Category::Fatal,
        }
    }

    fn tell_of_failure(&mut self, verdict: &Verdict, message: String) {
        let &Verdict {
            category,
            recovery,
            delay,
            gave_up,
        } = verdict;
        self.tell_of_ends(recovery != Recovery::Retry, false);
        if category == Category::Network {
            let error = message.clone();
            self.tell(EventKind::NetworkError { error });
        }
        self.tell(EventKind::Error {
            category,
            recovery,
            error: message.clone(),
        });
        if recovery == Recovery::Retry {
            let max_attempts =
                self.parts
                    .retry
                    .plan()
                    .map_or(0, |plan| match category.is_of_model() {
                        true => plan.attempts.min(plan.max_retries),
                        false => plan.max_retries,
                    });
            self.tell(EventKind::RetryStart);
            self.tell(EventKind::RetryAttempt {
                attempt: self.session.attempt,
                max_attempts,
                delay,
                reason: message,
            });
            return;
        }
        if gave_up {
            self.tell(EventKind::RetryGiveUp {
                attempts: self.session.attempt,
                last_error: message.clone(),
            });
        }
        if recovery == Recovery::Fallback {
            let from_index = self.session.state.fallback_index;
            let to_index = from_index + 1;
            self.tell(EventKind::FallbackStart {
                from_index,
                to_index,
                reason: message,
            });
            self.tell(EventKind::FallbackSelected { index: to_index });
        }
    }
}

fn classify<E>(by: &impl Classifies<E>, error: &AttemptError<E>) -> Classification {
    match error {
        AttemptError::Stream(error) => by.classify(error),
        AttemptError::TimedOut(_) => Category::Transient.into(),
        AttemptError::Violated(violation) => {
            match violation.recoverable && violation.severity != Severity::Fatal {
                true => Category::Content.into(),
                false => Category::Fatal.into(),
            }
        }
        AttemptError::RulePanicked { .. } => Category::Fatal.into(),
    }
}
