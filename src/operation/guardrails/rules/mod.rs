//! The rules of this crate.
//!
//! | rule | name | runs while streaming |
//! |---|---|---|
//! | [`Json`] | `json` | yes |
//! | [`StrictJson`] | `strict_json` | |
//! | [`Markdown`] | `markdown` | |
//! | [`Latex`] | `latex` | |
//! | [`Patterns`] | `pattern` | yes |
//! | [`ZeroOutput`] | `zero_output` | |
//! | [`Repetition`] | `repetition` | yes |
//! | [`from_fn`] | as you like | as you like |
//!
//! Those that run while streaming read each character a fixed number of times at most, however long the content is and
//! however often they check it. What a rule finds does not depend on where the content was cut into tokens.

/// Implements [`Rule`](super::Rule): for a check at the end, or for a checker that follows the content while tokens
/// come.
macro_rules! impl_rule {
    ($Rule:ty, $name:literal, at_end: $check:expr) => {
        impl_rule!(@ $Rule, $name, false, |_rule| |context: &crate::operation::GuardrailContext<'_>| {
            if context.completed { $check(context) } else { alloc::vec::Vec::new() }
        });
    };
    ($Rule:ty, $name:literal, while_streaming: |$rule:ident| $checker:expr) => {
        impl_rule!(@ $Rule, $name, true, |$rule| $checker);
    };
    (@ $Rule:ty, $name:literal, $streaming:literal, |$rule:ident| $checker:expr) => {
        impl crate::operation::Rule for $Rule {
            fn name(&self) -> alloc::borrow::Cow<'static, str> {
                $name.into()
            }

            fn runs_while_streaming(&self) -> bool {
                $streaming
            }

            fn checker(&self) -> alloc::boxed::Box<dyn crate::operation::Checker> {
                let $rule = self;
                alloc::boxed::Box::new($checker)
            }
        }
    };
}

mod closure;
mod json;
mod latex;
mod lines;
mod list;
mod markdown;
mod pattern;
mod phrases;
mod repetition;
mod zero_output;

pub use closure::{FromFn, from_fn};
pub use json::{Json, StrictJson};
pub use latex::Latex;
pub use markdown::Markdown;
pub use pattern::Patterns;
pub use repetition::Repetition;
pub use zero_output::ZeroOutput;
