//! Rules, and what they find.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// A rule that content must pass.
///
/// A rule keeps nothing: it makes a checker for each attempt, and that may keep what it likes. For a rule that is a
/// mere closure over the content, see [`from_fn`](super::rules::from_fn).
///
/// ```
/// use std::borrow::Cow;
/// use abreast::operation::{Checker, GuardrailContext, Guardrails, Rule, Violation};
///
/// /// No shouting, at any length.
/// struct Quiet;
///
/// impl Rule for Quiet {
///     fn name(&self) -> Cow<'static, str> {
///         "quiet".into()
///     }
///
///     fn runs_while_streaming(&self) -> bool {
///         true
///     }
///
///     fn checker(&self) -> Box<dyn Checker> {
///         // Reads each character once.
///         Box::new(|context: &GuardrailContext<'_>| {
///             let shout = context.unchecked().find('!');
///             let violation = |at| Violation::fatal("it shouts").at(context.checked + at);
///             shout.map(violation).into_iter().collect()
///         })
///     }
/// }
///
/// let violations = Guardrails::none().rule(Quiet).check("Good morning!");
/// assert_eq!((violations[0].rule.as_ref(), violations[0].position), ("quiet", Some(12)));
/// ```
pub trait Rule: Send + Sync {
    /// Returns the name, for violations and events.
    fn name(&self) -> Cow<'static, str>;

    /// Returns whether it checks the content while tokens come, not only at the end.
    fn runs_while_streaming(&self) -> bool {
        false
    }

    /// Creates a checker for one attempt.
    fn checker(&self) -> Box<dyn Checker>;
}

/// Checks the content of one attempt as it grows: see [`Rule`].
///
/// Every `FnMut(&GuardrailContext) -> Vec<Violation>` is a checker.
///
/// ```
/// use abreast::operation::{GuardrailContext, Rule, rules};
///
/// let mut checker = rules::Json.checker();
/// assert!(checker.check(&GuardrailContext::so_far("[1, ")).is_empty());
/// assert!(checker.check(&GuardrailContext::complete("[1, 2]")).is_empty());
/// assert_eq!(checker.looked_at(), 6);
/// ```
pub trait Checker: Send {
    /// Returns what it finds in the content, beyond what it has found before. Found again, the same violation counts
    /// once.
    fn check(&mut self, context: &GuardrailContext<'_>) -> Vec<Violation>;

    /// Returns the number of bytes that it has read, if it counts them. A byte that is read twice counts twice.
    fn looked_at(&self) -> usize {
        0
    }
}

impl<F> Checker for F
where
    F: FnMut(&GuardrailContext<'_>) -> Vec<Violation> + Send,
{
    fn check(&mut self, context: &GuardrailContext<'_>) -> Vec<Violation> {
        self(context)
    }
}

/// The content that a rule checks, and what belongs to it.
///
/// ```
/// use abreast::operation::GuardrailContext;
///
/// assert!(!GuardrailContext::so_far("Hel").completed);
/// let context = GuardrailContext::complete("Hello");
/// assert!(context.completed);
/// assert_eq!(context.unchecked(), "Hello"); // or less, while tokens come
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuardrailContext<'a> {
    /// All tokens of the attempt so far.
    pub content: &'a str,
    /// Whether the stream has ended.
    pub completed: bool,
    /// The number of tokens so far, those that were empty aside.
    pub token_count: usize,
    /// The bytes of the content that this checker was shown before.
    pub checked: usize,
    /// The number of chunks without text, such as calls of tools: see
    /// [`Operation::chunks`](crate::operation::Operation::chunks).
    pub other_chunks: usize,
    /// The index of the stream: 0 is the primary one.
    pub fallback_index: usize,
}

impl<'a> GuardrailContext<'a> {
    /// Creates a context of content that may go on, for trying out a rule.
    #[must_use]
    pub const fn so_far(content: &'a str) -> Self {
        Self {
            content,
            completed: false,
            token_count: 0,
            checked: 0,
            other_chunks: 0,
            fallback_index: 0,
        }
    }

    /// Creates a context of content that is complete, for trying out a rule.
    #[must_use]
    pub const fn complete(content: &'a str) -> Self {
        Self {
            completed: true,
            ..Self::so_far(content)
        }
    }

    /// Returns the content that this checker was not shown before.
    #[must_use]
    pub fn unchecked(&self) -> &'a str {
        &self.content[self.checked..]
    }
}

/// The severity of a violation: see the table in [`Guardrails`](super::Guardrails).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It is recorded.
    Warning,
    /// The content does not pass.
    Error,
    /// The content does not pass, and more of it would not help.
    Fatal,
}

/// Something that a rule has found.
///
/// ```
/// use abreast::operation::{Severity, Violation};
///
/// let violation = Violation::error("no greeting").at(0).suggest("begin with a greeting");
/// assert_eq!(violation.severity, Severity::Error);
/// assert!(violation.recoverable);
/// assert!(!violation.unrecoverable().recoverable);
/// assert_eq!(Violation::fatal("it gives away the prompt").severity, Severity::Fatal);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Violation {
    /// The name of the rule.
    pub rule: Cow<'static, str>,
    /// The message: what is wrong.
    pub message: String,
    /// The severity.
    pub severity: Severity,
    /// Whether it may be different when the content is asked for again.
    pub recoverable: bool,
    /// The place in the content, in bytes.
    pub position: Option<usize>,
    /// A remedy.
    pub suggestion: Option<String>,
}

impl Violation {
    fn new(message: impl Into<String>, severity: Severity) -> Self {
        Self {
            rule: Cow::Borrowed(""),
            message: message.into(),
            severity,
            recoverable: severity != Severity::Fatal,
            position: None,
            suggestion: None,
        }
    }

    /// Creates one that is recorded. The name of the rule is filled in.
    #[must_use]
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(message, Severity::Warning)
    }

    /// Creates one that does not pass, and is recoverable. The name of the rule is filled in.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(message, Severity::Error)
    }

    /// Creates one that ends the attempt, and is not recoverable. The name of the rule is filled in.
    #[must_use]
    pub fn fatal(message: impl Into<String>) -> Self {
        Self::new(message, Severity::Fatal)
    }

    /// Sets where it is in the content, in bytes.
    #[must_use]
    pub const fn at(mut self, position: usize) -> Self {
        self.position = Some(position);
        self
    }

    /// Sets what might help.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// Says that it would be no different when the content were asked for again, so that there is no retry.
    #[must_use]
    pub const fn unrecoverable(mut self) -> Self {
        self.recoverable = false;
        self
    }

    /// Says by which rule it was found, unless that is known.
    pub(super) fn of(mut self, rule: Cow<'static, str>) -> Self {
        if self.rule.is_empty() {
            self.rule = rule;
        }
        self
    }
}
