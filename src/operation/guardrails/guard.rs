//! The rules at work on one attempt.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Checker, GuardrailContext, Guardrails, Rule, Severity, Violation};
use crate::sync::panic::catch;

/// The checkers of one attempt.
pub(in super::super) struct Guard {
    checkers: Vec<Watch>,
    /// The tokens from one check to the next.
    every: usize,
    /// The tokens until the next check; never zero.
    until_check: usize,
    /// Whether any of the rules runs while tokens come.
    streaming: bool,
}

/// A rule at work.
struct Watch {
    rule: Arc<dyn Rule>,
    name: Cow<'static, str>,
    checker: Box<dyn Checker>,
    /// Whether it runs while tokens come.
    streaming: bool,
    /// The bytes of the content that the checker was shown.
    checked: usize,
}

/// The result of a check.
pub(in super::super) enum Passed {
    /// Nothing worse than warnings, or nothing that counts yet.
    Yes,
    /// This one counts.
    No(Violation),
    /// A rule panicked.
    Panicked { rule: String, message: String },
}

impl Guard {
    /// Makes a fresh checker for each rule. Rules may panic in there.
    pub(in super::super) fn new(guardrails: &Guardrails) -> Result<Option<Self>, Passed> {
        // Without rules there is nothing to count tokens for.
        if guardrails.rules.is_empty() {
            return Ok(None);
        }
        let mut checkers = Vec::with_capacity(guardrails.rules.len());
        for rule in &guardrails.rules {
            // Rules are foreign code, their names and destructors included.
            let watch = catch(|| Watch {
                rule: rule.clone(),
                name: rule.name(),
                checker: rule.checker(),
                streaming: rule.runs_while_streaming(),
                checked: 0,
            });
            checkers.push(watch.map_err(|panic| Passed::Panicked {
                rule: String::from("that makes a checker"),
                message: panic.into_message(),
            })?);
        }
        Ok(Some(Self {
            every: guardrails.every,
            until_check: guardrails.every,
            streaming: checkers.iter().any(|watch| watch.streaming),
            checkers,
        }))
    }

    /// Counts a token, and returns whether a check is due.
    #[inline]
    pub(in super::super) fn is_due(&mut self) -> bool {
        // Counting down is all that most tokens cost.
        self.until_check -= 1;
        if self.until_check > 0 {
            return false;
        }
        self.until_check = self.every;
        self.streaming
    }

    /// Checks the content. What is found goes to `violations`, and each rule's result to `report`.
    pub(in super::super) fn check(
        &mut self,
        context: &GuardrailContext<'_>,
        violations: &mut Vec<Violation>,
        mut report: impl FnMut(&Cow<'static, str>, Option<&Violation>),
    ) -> Passed {
        for watch in &mut self.checkers {
            // While tokens come, the rules for the end keep still.
            if !(context.completed || watch.streaming) {
                continue;
            }
            // Each checker is told how far it has come, as not all of them run each time.
            let context = GuardrailContext {
                checked: watch.checked,
                ..*context
            };
            // A panic of a rule ends the operation, and is reported as that of the rule.
            let found = match catch(|| watch.checker.check(&context)) {
                Ok(found) => found,
                Err(panic) => {
                    let rule = watch.name.clone().into_owned();
                    let message = panic.into_message();
                    return Passed::Panicked { rule, message };
                }
            };
            watch.checked = context.content.len();
            // What is found again counts once, so that a rule need not remember what it has said.
            if found.is_empty() {
                report(&watch.name, None);
            }
            for violation in found {
                let violation = violation.of(watch.name.clone());
                report(&watch.name, Some(&violation));
                if !violations.contains(&violation) {
                    violations.push(violation);
                }
            }
        }
        worst(violations, context.completed)
    }
}

/// Returns the worst violation, the first of several.
fn worst(violations: &[Violation], completed: bool) -> Passed {
    // Errors count at the end only, as more content may mend them.
    let rank = |violation: &Violation| match (violation.severity, violation.recoverable) {
        (Severity::Fatal, _) => 3,
        (Severity::Error, false) if completed => 2,
        (Severity::Error, true) if completed => 1,
        _ => 0,
    };
    // Of equals, `max_by_key` takes the last, and the first is wanted.
    let found = violations
        .iter()
        .rev()
        .max_by_key(|violation| rank(violation));
    match found {
        Some(found) if rank(found) > 0 => Passed::No(found.clone()),
        _ => Passed::Yes,
    }
}

/// The destructors of checkers are foreign code too.
impl Drop for Guard {
    fn drop(&mut self) {
        for watch in self.checkers.drain(..) {
            let _ = catch(|| drop((watch.checker, watch.rule)));
        }
    }
}
