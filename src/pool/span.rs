//! The spans of jobs, with the feature `tracing`; without it, nothing.
//!
//! ```text
//!            first poll                 it has returned, or is dropped
//!   Queued  ------------->  Running  ---------------------------------->  Ended
//!   the span of             its own,                                      none
//!   who submits             within that
//! ```

#[cfg(feature = "tracing")]
pub(crate) use traced::JobSpan;

/// What a job has of `tracing`.
#[cfg(feature = "tracing")]
mod traced {
    use tracing::Span;
    use tracing::field::Empty;

    use crate::pool::stats::JobOutcome;
    use crate::trace;

    /// The span of a job, or before that of whoever has submitted it.
    #[derive(Debug)]
    pub(crate) struct JobSpan {
        span: Span,
        phase: Phase,
        /// Known when the job is started.
        id: u64,
    }

    /// How far a job is: see the drawing above.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Phase {
        Queued,
        Running,
        Ended,
    }

    impl JobSpan {
        /// Creates that of a job which is submitted now: it is going to be within the span that is current.
        #[inline]
        pub(crate) fn submitted() -> Self {
            Self {
                span: trace::current(),
                phase: Phase::Queued,
                id: 0,
            }
        }

        /// Creates that of a job which has none, as its task has a span by itself.
        #[cfg(feature = "operation")]
        pub(crate) fn none() -> Self {
            Self {
                span: Span::none(),
                phase: Phase::Ended,
                id: 0,
            }
        }

        /// Notes the id of the job. Runs no foreign code.
        pub(in crate::pool) fn set_id(&mut self, id: u64) {
            self.id = id;
        }

        /// Calls `poll` within the span, which is opened now if this is the first poll.
        #[inline]
        pub(in crate::pool) fn in_scope<T>(&mut self, poll: impl FnOnce() -> T) -> T {
            if self.phase == Phase::Queued {
                self.begin();
            }
            self.span.in_scope(poll)
        }

        fn begin(&mut self) {
            self.phase = Phase::Running;
            self.span = tracing::info_span!(
                parent: &self.span,
                "job",
                id = self.id,
                outcome = Empty,
                otel.status_code = Empty,
            );
        }

        /// Closes the span with what the job has come to; `None` if it was abandoned.
        #[inline]
        pub(in crate::pool) fn end(&mut self, outcome: Option<JobOutcome>) {
            if self.phase == Phase::Running && !self.span.is_disabled() {
                self.record(outcome);
            }
            self.phase = Phase::Ended;
            self.span = Span::none();
        }

        #[cold]
        fn record(&self, outcome: Option<JobOutcome>) {
            let outcome = match outcome {
                Some(JobOutcome::Succeeded) => "ok",
                Some(JobOutcome::Failed) => {
                    self.span.record("otel.status_code", "ERROR");
                    "error"
                }
                Some(JobOutcome::Cancelled) => "cancelled",
                Some(JobOutcome::Panicked) => "panicked",
                None => "abandoned",
            };
            self.span.record("outcome", outcome);
        }
    }
}

/// Nothing, and nothing to do.
#[cfg(not(feature = "tracing"))]
#[derive(Debug)]
pub(crate) struct JobSpan;

#[cfg(not(feature = "tracing"))]
impl JobSpan {
    #[inline(always)]
    pub(crate) const fn submitted() -> Self {
        Self
    }

    #[cfg(feature = "operation")]
    pub(crate) const fn none() -> Self {
        Self
    }

    #[inline(always)]
    pub(super) fn in_scope<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        poll()
    }

    #[inline(always)]
    pub(super) fn end(&mut self, _: Option<super::stats::JobOutcome>) {}
}
