//! Rules of users.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::super::{Checker, GuardrailContext, Rule, Violation};

/// Creates a rule of a closure over the content. It checks at the end only, unless it
/// [runs while streaming](FromFn::while_streaming).
///
/// ```
/// use abreast::operation::{Guardrails, Violation, rules};
///
/// let polite = rules::from_fn("polite", |context| match context.content.contains("please") {
///     true => vec![],
///     false => vec![Violation::error("it does not say please")],
/// });
/// assert_eq!(Guardrails::none().rule(polite).check("Give me that.").len(), 1);
/// ```
pub fn from_fn<F>(name: impl Into<Cow<'static, str>>, check: F) -> FromFn<F>
where
    F: Fn(&GuardrailContext<'_>) -> Vec<Violation> + Send + Sync + 'static,
{
    FromFn {
        name: name.into(),
        check: Arc::new(check),
        streaming: false,
    }
}

/// A rule that is a closure: see [`from_fn`].
pub struct FromFn<F> {
    name: Cow<'static, str>,
    check: Arc<F>,
    streaming: bool,
}

impl<F> FromFn<F> {
    /// Checks while tokens come, too. It should then read what is
    /// [unchecked](GuardrailContext::unchecked) only, so that its cost does not grow with the square of the length.
    ///
    /// ```
    /// use abreast::operation::{Violation, rules};
    ///
    /// let quiet = rules::from_fn("quiet", |context| match context.unchecked().find('!') {
    ///     Some(at) => vec![Violation::fatal("it shouts").at(context.checked + at)],
    ///     None => vec![],
    /// })
    /// .while_streaming();
    /// ```
    #[must_use]
    pub fn while_streaming(mut self) -> Self {
        self.streaming = true;
        self
    }
}

impl<F> Rule for FromFn<F>
where
    F: Fn(&GuardrailContext<'_>) -> Vec<Violation> + Send + Sync + 'static,
{
    fn name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    fn runs_while_streaming(&self) -> bool {
        self.streaming
    }

    fn checker(&self) -> Box<dyn Checker> {
        let check = self.check.clone();
        Box::new(move |context: &GuardrailContext<'_>| check(context))
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn")
            .field("name", &self.name)
            .field("streaming", &self.streaming)
            .finish_non_exhaustive()
    }
}
