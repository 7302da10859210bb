//! No content to speak of.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use super::super::{Checker, GuardrailContext, Rule, Violation};
use super::json::is_json;

/// There is content, it is more than punctuation, and it is not one or two characters over and over. Looks at the end only.
///
/// Short answers pass, and so do empty objects and arrays.
///
/// ```
/// use abreast::operation::{Guardrails, rules};
///
/// let something = Guardrails::none().rule(rules::ZeroOutput);
/// for good in ["OK", "No.", "{}", "[]"] {
///     assert!(something.check(good).is_empty());
/// }
/// for bad in ["", " \n", "...", "aaaaaaaaaaaa"] {
///     assert_eq!(something.check(bad).len(), 1);
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ZeroOutput;

impl Rule for ZeroOutput {
    fn name(&self) -> Cow<'static, str> {
        "zero_output".into()
    }

    fn checker(&self) -> Box<dyn Checker> {
        Box::new(|context: &GuardrailContext<'_>| {
            let message = context
                .completed
                .then(|| check(context.content.trim()))
                .flatten();
            message.map(Violation::error).into_iter().collect()
        })
    }
}

fn check(content: &str) -> Option<&'static str> {
    if content.is_empty() {
        return Some("there is no content");
    }
    let suspicious = if content
        .chars()
        .all(|c| c.is_whitespace() || is_punctuation(c))
    {
        "there is nothing but punctuation"
    } else if repeats_two_characters(content) {
        "there are no more than two different characters"
    } else {
        return None;
    };
    let is_data = content.starts_with(['{', '[']) && is_json(content);
    (!is_data).then_some(suspicious)
}

/// That of ASCII, and the general and CJK punctuation of Unicode.
fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c, '¡' | '§' | '«' | '¶' | '·' | '»' | '¿')
        || matches!(c, '\u{2010}'..='\u{205e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}')
        || matches!(c, '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}')
}

/// Whether more than ten characters are of at most two kinds.
fn repeats_two_characters(content: &str) -> bool {
    let mut chars = content.chars();
    let first = chars.next();
    let second = chars.find(|&c| Some(c) != first);
    content.chars().nth(10).is_some() && chars.all(|c| Some(c) == first || Some(c) == second)
}
