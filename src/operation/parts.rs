//! The settings of an operation.

use super::context::Context;
use super::guardrails::Guardrails;

/// Each may be of any type, so that what is not set costs nothing.
#[derive(Clone)]
pub(super) struct Parts<S, C, R, T, M, O> {
    pub(super) sources: S,
    pub(super) classify: C,
    pub(super) retry: R,
    pub(super) timeout: T,
    pub(super) timer: M,
    pub(super) hooks: O,
    pub(super) guardrails: Option<Guardrails>,
    pub(super) context: Option<Context>,
}

macro_rules! setters {
    ($($name:ident: $field:ident, [$($parameter:ident)*];)*) => {$(
        pub(super) fn $name<X>(self, map: impl FnOnce(setters!(@ $field)) -> X) -> setters!(@@ $field) {
            #[allow(clippy::redundant_field_names)]
            Parts { $field: map(self.$field), $($parameter: self.$parameter,)* guardrails: self.guardrails, context: self.context }
        }
    )*};
    (@ sources) => { S };
    (@ classify) => { C };
    (@ retry) => { R };
    (@ timeout) => { T };
    (@ timer) => { M };
    (@ hooks) => { O };
    (@@ sources) => { Parts<X, C, R, T, M, O> };
    (@@ classify) => { Parts<S, X, R, T, M, O> };
    (@@ retry) => { Parts<S, C, X, T, M, O> };
    (@@ timeout) => { Parts<S, C, R, X, M, O> };
    (@@ timer) => { Parts<S, C, R, T, X, O> };
    (@@ hooks) => { Parts<S, C, R, T, M, X> };
}

impl<S, C, R, T, M, O> Parts<S, C, R, T, M, O> {
    setters! {
        sources: sources, [classify retry timeout timer hooks];
        classify: classify, [sources retry timeout timer hooks];
        retry: retry, [sources classify timeout timer hooks];
        timeout: timeout, [sources classify retry timer hooks];
        timer: timer, [sources classify retry timeout hooks];
        hooks: hooks, [sources classify retry timeout timer];
    }
}
