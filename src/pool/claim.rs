//! An operation on its way through a worker.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use crate::time::Moment;

use super::kind::{Job, Kind};
use super::stats::JobOutcome;
use super::task::Work;

/// An operation that was taken out of the queue.
pub(super) struct Claim<K: Kind> {
    pub(super) id: u64,
    pub(super) job: Job<K>,
    /// When it was started; or when the first of those was that ended on their first poll just before it.
    pub(super) started: Option<Moment>,
    /// Whether it did not end on its first poll.
    pub(super) waited: bool,
    /// Whether the hook knows.
    pub(super) told: bool,
}

impl<K: Kind> Claim<K> {
    pub(super) fn new(id: u64, job: Job<K>, started: Option<Moment>) -> Self {
        Self {
            id,
            job,
            started,
            waited: false,
            told: false,
        }
    }

    /// The time that it stands for, up to `now`.
    pub(super) fn duration(&self, now: Moment) -> Duration {
        self.started
            .map_or(Duration::ZERO, |started| now.since(started))
    }
}

/// A claim in the window. It leaves the window when the task has ended.
pub(super) struct Running<K: Kind>(pub(super) Option<Claim<K>>);

impl<K: Kind> Future for Running<K> {
    type Output = (Claim<K>, JobOutcome);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(claim) = &mut self.0 else {
            return Poll::Pending;
        };
        let Poll::Ready(outcome) = claim.job.as_mut().poll(cx) else {
            claim.waited = true;
            return Poll::Pending;
        };
        match self.0.take() {
            Some(claim) => Poll::Ready((claim, outcome)),
            None => Poll::Pending,
        }
    }
}
