//! The decision of a session on an attempt that has failed.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;
use core::mem;
use core::time::Duration;

use super::session::Session;
use crate::operation::event::{EventKind, Recovery};
use crate::operation::guardrails::Severity;
use crate::operation::handlers::Handlers;
use crate::operation::outcome::{AttemptError, AttemptLocation, OperationFailure};
use crate::operation::retry::{RetryContext, RetryPredicates};
use crate::retry::{Category, Classification, Closures};

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
        let classification = classify(&error, handlers);
        let category = classification.category;
        self.last_failed = (!self.is_fallback()).then_some(classification);
        if category == Category::Network {
            self.state.network_errors.push(error.to_string());
        }

        let left = self.left(now);
        let retry = self.retry_delay(&error, classification, left);
        // After the last retry comes the next stream, if there is time. A rule that panics would panic there, too.
        let recovery = match &error {
            _ if retry.is_some() => Recovery::Retry,
            AttemptError::RulePanicked { .. } | AttemptError::OutOfTime(_) => Recovery::Halt,
            _ if left.is_some_and(|left| left.is_zero()) => Recovery::Halt,
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
            // The same stream again, which has a retry less.
            Recovery::Retry => {
                self.retries.spend(category);
                self.attempt = self.attempt.saturating_add(1);
                let count = if category.is_of_model() {
                    &mut self.state.model_retry_count
                } else {
                    &mut self.state.network_retry_count
                };
                *count = count.saturating_add(1);
            }
            // Another stream, with retries of its own.
            Recovery::Fallback => {
                self.state.fallback_index += 1;
                self.attempt = 1;
                self.retries.reset();
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
        classification: Classification,
        left: Option<Duration>,
    ) -> Option<Duration> {
        // Without a policy there are no retries.
        let plan = self.settings.retry.as_ref()?;
        let mut closures = Asked {
            predicates: &self.predicates,
            failed: RetryContext {
                error,
                state: &self.state,
                attempt: self.retries.spent().saturating_add(1),
                category: classification.category,
            },
        };
        let decision = self
            .retries
            .decide(plan, classification, left, &mut closures);
        decision.ok()
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
        let plan = self.settings.retry.as_ref();
        let limit = plan.map_or(0, |plan| self.retries.limit(plan, category));
        match (recovery, plan) {
            (Recovery::Retry, _) => {
                report(EventKind::RetryStart);
                report(EventKind::RetryAttempt {
                    attempt,
                    max_attempts: limit,
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

/// The closures of a policy, and the attempt that they are asked about.
struct Asked<'a, E> {
    predicates: &'a RetryPredicates<E>,
    failed: RetryContext<'a, E>,
}

impl<E> Closures for Asked<'_, E> {
    fn allow(&mut self) -> bool {
        self.predicates.allow(&self.failed)
    }

    fn delay(&mut self) -> Option<Duration> {
        self.predicates.delay(&self.failed)
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
        AttemptError::OutOfTime(_)
        | AttemptError::Violated(_)
        | AttemptError::RulePanicked { .. } => Category::Fatal.into(),
    }
}
