//! The decision of a session on an attempt that has failed.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;
use core::mem;
use core::time::Duration;

use super::session::Session;
use crate::operation::classify::{Category, Classification};
use crate::operation::event::{EventKind, Recovery};
use crate::operation::guardrails::Severity;
use crate::operation::handlers::Handlers;
use crate::operation::outcome::{AttemptError, AttemptLocation, OperationFailure};
use crate::operation::retry::{Budget, RetryContext};

/// The consequence of a failed attempt.
pub(super) enum Decision<E> {
    /// The same stream is opened again after this delay.
    Retry { delay: Duration },
    /// The next stream is opened.
    Fallback,
    /// The operation has failed.
    Halt(OperationFailure<E>),
}

impl<E> Session<E> {
    /// Decides what follows a failed attempt, and prepares for it.
    pub(super) fn on_failure(
        &mut self,
        error: AttemptError<E>,
        now: Duration,
        handlers: &mut impl Handlers<E>,
    ) -> Decision<E>
    where
        E: fmt::Display,
    {
        // The attempt is over, and what belongs to it ends here.
        self.guard = None;
        self.state.duration = now;

        // The category decides whether a retry may help. Messages of the network are kept for the final state.
        let Classification {
            category,
            retry_after,
        } = classify(&error, handlers);
        if category == Category::Network {
            self.state.network_errors.push(error.to_string());
        }

        // The budget comes first, so that closures are asked only about what is possible.
        let retry = self.retry_delay(&error, category, retry_after);
        // After the last retry comes the next stream. A rule that panics would panic there, too.
        let recovery = match &error {
            _ if retry.is_some() => Recovery::Retry,
            AttemptError::RulePanicked { .. } => Recovery::Halt,
            _ if self.state.fallback_index + 1 < self.sources => Recovery::Fallback,
            _ => Recovery::Halt,
        };
        let delay = retry.unwrap_or_default();
        self.report_failure(&error, category, recovery, delay, now, handlers);

        // What belongs to the attempt moves to the list of those that failed, unless it is the last.
        let location = AttemptLocation {
            category,
            fallback_index: self.state.fallback_index,
            attempt: self.attempt,
        };
        match recovery {
            // The same stream again, at the cost of its budget.
            Recovery::Retry => {
                self.budget.spend(category);
                self.attempt = self.attempt.saturating_add(1);
                let count = if category.is_of_model() {
                    &mut self.state.model_retry_count
                } else {
                    &mut self.state.network_retry_count
                };
                *count = count.saturating_add(1);
            }
            // Another stream, with a budget of its own.
            Recovery::Fallback => {
                self.state.fallback_index += 1;
                self.attempt = 1;
                self.budget = Budget::default();
            }
            // The content of the last attempt stays in the state.
            Recovery::Halt => {
                return Decision::Halt(OperationFailure {
                    error,
                    state: Box::new(mem::take(&mut self.state)),
                    earlier: mem::take(&mut self.earlier),
                });
            }
        }
        let failed = self.state.start_afresh(error, location);
        self.earlier.push(failed);
        match recovery {
            Recovery::Retry => Decision::Retry { delay },
            _ => Decision::Fallback,
        }
    }

    /// Returns after which delay there is a retry, if there is to be one.
    fn retry_delay(
        &mut self,
        error: &AttemptError<E>,
        category: Category,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        // Without a policy there are no retries.
        let plan = self.settings.retry?;
        // The budget is asked first, as the closures may be expensive.
        let failed = RetryContext {
            error,
            state: &self.state,
            attempt: self.budget.spent().saturating_add(1),
            category,
        };
        if !self.budget.allows(&plan, category) || !self.predicates.allow(&failed) {
            return None;
        }
        // A delay of the user's own outweighs what the other side asks for, and that the strategy.
        if !plan.waits {
            return Some(Duration::ZERO);
        }
        let asked = retry_after.map(|delay| delay.min(plan.max_delay));
        let delay = self.predicates.delay(&failed).or(asked);
        Some(delay.unwrap_or_else(|| {
            let retries = self.budget.of(category);
            self.jitter.delay(&plan, retries, self.reporter.id())
        }))
    }

    /// Reports that an attempt has failed, and what follows.
    fn report_failure(
        &mut self,
        error: &AttemptError<E>,
        category: Category,
        recovery: Recovery,
        delay: Duration,
        now: Duration,
        handlers: &mut impl Handlers<E>,
    ) where
        E: fmt::Display,
    {
        // The message is written once, and only if anything listens.
        if !self.reporter.has_listeners(handlers) {
            return;
        }
        let message: String = error.to_string();
        // What the failure ends comes before it.
        self.report_ends(recovery != Recovery::Retry, false, now, handlers);
        let attempt = self.attempt;
        let mut report = |kind| self.reporter.report(kind, now, handlers);
        // Then the failure, with what follows.
        if category == Category::Network {
            let error = message.clone();
            report(EventKind::NetworkError { error });
        }
        report(EventKind::Error {
            category,
            recovery,
            error: message.clone(),
        });

        // Then the retry, or that there is none.
        let plan = self.settings.retry;
        match (recovery, plan) {
            (Recovery::Retry, plan) => {
                report(EventKind::RetryStart);
                report(EventKind::RetryAttempt {
                    attempt,
                    max_attempts: plan.map_or(0, |plan| self.budget.limit(&plan, category)),
                    delay,
                    reason: message.clone(),
                });
            }
            // Without a policy, or for a fatal error, there was nothing to give up.
            (_, Some(_)) if category != Category::Fatal => report(EventKind::RetryGiveUp {
                attempts: attempt,
                last_error: message.clone(),
            }),
            _ => {}
        }
        // And last the stream that is next. The state is still that of the one before.
        if recovery == Recovery::Fallback {
            let from_index = self.state.fallback_index;
            let to_index = from_index + 1;
            report(EventKind::FallbackStart {
                from_index,
                to_index,
                reason: message,
            });
            report(EventKind::FallbackSelected { index: to_index });
        }
    }
}

/// Returns the kind of failure. Only the errors of streams need to be asked.
fn classify<E>(error: &AttemptError<E>, handlers: &impl Handlers<E>) -> Classification {
    match error {
        AttemptError::Stream(error) => handlers.classify(error),
        // A late token may come in time when it is asked for again.
        AttemptError::TimedOut(_) => Category::Transient.into(),
        // So may content that is recoverable. All else would be no different.
        AttemptError::Violated(violation)
            if violation.recoverable && violation.severity != Severity::Fatal =>
        {
            Category::Content.into()
        }
        AttemptError::Violated(_) | AttemptError::RulePanicked { .. } => Category::Fatal.into(),
    }
}
