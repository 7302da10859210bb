//! Rules that content must pass.

mod guard;
mod rule;
pub mod rules;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

pub(super) use guard::{Guard, Passed};
pub use rule::{Checker, GuardrailContext, Rule, Severity, Violation};

/// Rules that content must pass, while it comes and at the end.
///
/// | preset | rules |
/// |---|---|
/// | [`minimal`](Self::minimal) | [`Json`](rules::Json), [`ZeroOutput`](rules::ZeroOutput) |
/// | [`recommended`](Self::recommended) | those, [`Markdown`](rules::Markdown), [`Patterns`](rules::Patterns) |
/// | [`strict`](Self::strict) | those, [`Latex`](rules::Latex), [`Repetition`](rules::Repetition) |
/// | [`json_only`](Self::json_only) | [`StrictJson`](rules::StrictJson), [`ZeroOutput`](rules::ZeroOutput) |
/// | [`none`](Self::none) | |
///
/// ```
/// use abreast::operation::Guardrails;
///
/// assert!(Guardrails::none().check("").is_empty());
/// assert_eq!(Guardrails::minimal().check("[1, 2").len(), 1);
/// assert_eq!(Guardrails::recommended().check("```rust\nfn main() {").len(), 1);
/// assert_eq!(Guardrails::strict().check(r"\begin{align} x").len(), 1);
/// assert_eq!(Guardrails::json_only().check("Here you are: {}").len(), 1);
/// ```
///
/// What becomes of a violation:
///
/// | severity | while tokens come | at the end |
/// |---|---|---|
/// | [`Warning`](Severity::Warning) | is recorded | is recorded |
/// | [`Error`](Severity::Error), recoverable | is recorded, and counts at the end | the attempt has failed with the category [`Content`](super::Category::Content), and may be retried |
/// | [`Error`](Severity::Error), not recoverable | is recorded, and counts at the end | the attempt has failed with the category [`Fatal`](super::Category::Fatal): there is no retry, but a fallback may follow |
/// | [`Fatal`](Severity::Fatal) | the attempt has failed, as above, and its stream is dropped at once | as above |
///
/// ```
/// use abreast::operation::{Guardrails, Operation, Retry};
/// use futures::stream;
///
/// # smol::block_on(async {
/// let mut calls = 0;
/// let state = Operation::new(|| {
///     calls += 1;
///     stream::iter([Ok::<_, String>(if calls == 1 { r#"{"answer": 4"# } else { r#"{"answer": 42}"# })])
/// })
/// .guardrails(Guardrails::recommended())
/// .retry_at_once(Retry::recommended())
/// .run()
/// .await?;
/// assert_eq!(state.content, r#"{"answer": 42}"#);
/// # Ok::<_, abreast::operation::OperationFailure<String>>(())
/// # }).unwrap();
/// ```
///
/// A rule of your own is a closure, or implements [`Rule`]:
///
/// ```
/// use abreast::operation::{Guardrails, Violation, rules};
///
/// let guardrails = Guardrails::minimal().check_every(5).rule(rules::from_fn("short", |context| {
///     let too_long = context.content.len() > 1_000;
///     too_long.then(|| Violation::error("longer than 1,000 bytes")).into_iter().collect()
/// }));
/// assert!(guardrails.check("Short enough.").is_empty());
/// ```
///
/// Clones share the rules. Nothing is remembered from one attempt or operation to the next.
#[derive(Clone)]
pub struct Guardrails {
    rules: Vec<Arc<dyn Rule>>,
    every: usize,
}

impl Guardrails {
    /// Returns no rules: all content passes.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            rules: Vec::new(),
            every: 15,
        }
    }

    /// Returns the rules that there is content, and that what looks like JSON is JSON.
    #[must_use]
    pub fn minimal() -> Self {
        Self::none().rule(rules::Json).rule(rules::ZeroOutput)
    }

    /// Returns the rules that suit most content.
    #[must_use]
    pub fn recommended() -> Self {
        Self::minimal()
            .rule(rules::Markdown)
            .rule(rules::Patterns::known())
    }

    /// Returns the recommended rules, and those that formulas are complete and nothing is said over and over.
    #[must_use]
    pub fn strict() -> Self {
        Self::recommended()
            .rule(rules::Latex)
            .rule(rules::Repetition)
    }

    /// Returns the rules for a JSON object or array, and nothing else.
    #[must_use]
    pub fn json_only() -> Self {
        Self::none().rule(rules::StrictJson).rule(rules::ZeroOutput)
    }

    /// Adds a rule behind those that are there.
    #[must_use]
    pub fn rule(mut self, rule: impl Rule + 'static) -> Self {
        self.rules.push(Arc::new(rule));
        self
    }

    /// Sets the number of tokens after which the rules that run while tokens come check them; 15 by default.
    ///
    /// # Panics
    /// If `tokens` is 0: pass 1 to check after every token.
    #[must_use]
    #[track_caller]
    pub fn check_every(mut self, tokens: usize) -> Self {
        assert!(
            tokens > 0,
            "guardrails cannot check after every 0 tokens: pass at least 1"
        );
        self.every = tokens;
        self
    }

    /// Returns what the rules find in a text that is complete.
    ///
    /// # Panics
    /// A panic of a rule passes through.
    #[must_use]
    pub fn check(&self, content: &str) -> Vec<Violation> {
        let context = GuardrailContext::complete(content);
        let mut violations = Vec::new();
        for rule in &self.rules {
            let found = rule.checker().check(&context);
            violations.extend(found.into_iter().map(|violation| violation.of(rule.name())));
        }
        violations
    }
}

impl fmt::Debug for Guardrails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.rules.iter().map(|rule| rule.name()).collect();
        f.debug_struct("Guardrails")
            .field("rules", &names)
            .field("every", &self.every)
            .finish()
    }
}
