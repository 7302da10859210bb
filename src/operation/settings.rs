//! The settings of an operation, or of all operations of a pool.

use core::time::Duration;

use super::context::EventContext;
use super::guardrails::Guardrails;
use super::timeout::{Timeout, TimeoutKind};
use crate::retry::Plan;

/// The settings; `None` is what was not set.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) retry: Option<Plan>,
    pub(super) timeout: Option<Timeout>,
    /// The limit to all attempts together.
    pub(super) total_time: Option<Duration>,
    pub(super) guardrails: Option<Guardrails>,
    pub(super) context: Option<EventContext>,
    /// Whether chunks without text leave the timeout alone.
    pub(super) only_text_resets: bool,
}

impl Settings {
    /// Fills in what was not set by what others share.
    pub(super) fn inherit(&mut self, shared: &Self) {
        fn inherit<T: Clone>(own: &mut Option<T>, shared: &Option<T>) {
            if own.is_none() {
                own.clone_from(shared);
            }
        }
        inherit(&mut self.retry, &shared.retry);
        inherit(&mut self.timeout, &shared.timeout);
        inherit(&mut self.total_time, &shared.total_time);
        inherit(&mut self.guardrails, &shared.guardrails);
        inherit(&mut self.context, &shared.context);
        // Whether other chunks reset the timeout is a matter of the operation's own chunks.
    }

    /// Returns how long a token of this kind may take, if there is a limit.
    pub(super) fn limit(&self, kind: TimeoutKind) -> Option<Duration> {
        self.timeout.as_ref()?.limit(kind)
    }
}
