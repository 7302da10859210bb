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
