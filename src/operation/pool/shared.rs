//! What operations of a pool share, and what becomes of it where they have settings of their own.

use alloc::sync::Arc;

use super::super::Operation;
use super::super::context::Context;
use super::super::guardrails::Guardrails;
use super::super::hooks::{Hooks, Shared};
use super::super::retry::Retry;
use super::super::source::Sources;
use super::super::timeout::Timeout;
use super::super::waits::{By, Unset, Waits};

/// The settings of a pool.
pub(super) struct Settings<R, T, M> {
    pub(super) retry: Arc<R>,
    pub(super) timeout: T,
    pub(super) timer: Arc<M>,
    pub(super) guardrails: Option<Guardrails>,
    pub(super) context: Option<Context>,
    pub(super) on_event: Shared,
}

/// A setting of an operation, or else that of its pool.
pub trait Or<X> {
    #[doc(hidden)]
    type Setting;
    #[doc(hidden)]
    fn or(self, shared: &X) -> Self::Setting;
}

impl<X: Clone> Or<X> for Unset {
    type Setting = X;

    fn or(self, shared: &X) -> X {
        shared.clone()
    }
}

macro_rules! wins {
    ($([$($parameter:ident),*] $setting:ty;)*) => {$(
        impl<X, $($parameter),*> Or<X> for $setting {
            type Setting = Self;

            fn or(self, _: &X) -> Self {
                self
            }
        }
    )*};
}

wins! {
    [P, W] Retry<P, W>;
    [] Timeout;
    [M] By<M>;
}

/// An operation with the settings of a pool of the settings `R2`, `T2`, `M2`.
pub(super) type Settled<S, C, R, T, M, O, R2, T2, M2> = Operation<
    S,
    C,
    <R as Or<Arc<R2>>>::Setting,
    <T as Or<T2>>::Setting,
    <M as Or<Arc<M2>>>::Setting,
    (O, Shared),
>;

impl<R2, T2, M2> Settings<R2, T2, M2> {
    /// Fills in what an operation has not set.
    pub(super) fn settle<S, C, R, T, M, O>(
        &self,
        operation: Operation<S, C, R, T, M, O>,
    ) -> Settled<S, C, R, T, M, O, R2, T2, M2>
    where
        S: Sources,
        R: Or<Arc<R2>>,
        T: Or<T2>,
        M: Waits + Or<Arc<M2>, Setting: Waits>,
        O: Hooks,
    {
        let mut parts = operation.parts;
        parts.guardrails = parts.guardrails.or_else(|| self.guardrails.clone());
        parts.context = parts.context.or_else(|| self.context.clone());
        let handler = match parts.hooks.wants_events() {
            true => Shared::default(),
            false => self.on_event.clone(),
        };
        let parts = parts
            .retry(|retry| retry.or(&self.retry))
            .timeout(|timeout| timeout.or(&self.timeout))
            .timer(|timer| timer.or(&self.timer))
            .hooks(|hooks| (hooks, handler));
        Operation::from_parts(parts)
    }
}
