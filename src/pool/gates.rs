//! What holds the starts of a pool back: its settings, of which each worker makes a gate of its own.

use alloc::boxed::Box;

use super::kind::{Kind, Local, Sendable};
use super::rate::RateWaiter;
use crate::limit::Limit;

/// The limit and the rate that the jobs of a pool start by.
pub(super) struct Gates<K: Kind> {
    pub(super) limit: Option<Limit>,
    pub(super) rate: Option<Box<K::NewRateWaiter>>,
}

impl<K: Kind> Gates<K> {
    pub(super) const fn none() -> Self {
        Self {
            limit: None,
            rate: None,
        }
    }

    pub(super) const fn is_none(&self) -> bool {
        self.limit.is_none() && self.rate.is_none()
    }
}

impl Gates<Sendable> {
    /// Makes it that of a pool whose jobs stay on one thread.
    pub(super) fn local(self) -> Gates<Local> {
        let rate = self.rate;
        Gates {
            limit: self.limit,
            rate: rate
                .map(|new_waiter| Box::new(move || -> Box<dyn RateWaiter> { new_waiter() }) as _),
        }
    }
}
