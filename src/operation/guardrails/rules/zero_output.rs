//! No content to speak of.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use super::super::{Checker, GuardrailContext, Rule, Violation};
use super::json::is_json;

/// Finds, at the end, that there is no content: white space only, punctuation only, or one or two characters over and over.
///
/// Short answers pass, and so do empty objects and arrays, numbers, and the operators of programming languages. So does an
/// answer without text if there were [other chunks](GuardrailContext::other_chunks).
///
/// ```
/// use abreast::operation::{Guardrails, rules};
///
/// let something = Guardrails::none().rule(rules::ZeroOutput);
/// for good in ["OK", "No.", "{}", "[]", "=>", "1000000000000"] {
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
            let content = context.content.trim();
            if !context.completed || (content.is_empty() && context.other_chunks > 0) {
                return Vec::new();
            }
            check(content).map(Violation::error).into_iter().collect()
        })
    }
}

/// What is punctuation only, and an answer all the same.
const OPERATORS: &[&str] = &[
    "=", "==", "===", "!=", "!==", "<", ">", "<=", ">=", "<=>", "=>", "->", "<-", "+", "+=", "-=",
    "*", "**", "*=", "/", "//", "/=", "%", "%=", "&", "&&", "&=", "|", "||", "|=", "|>", "^", "^=",
    "~", "=~", "!~", "<<", ">>", "::", ":=", "..=", "??", "?.", "?:", "@", "#", "$", "[]", "{}",
    "()",
];

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
    let is_operator = OPERATORS.contains(&content.trim_matches('`'));
    (!is_data && !is_operator && !is_number(content)).then_some(suspicious)
}

/// Returns whether content is a number, and not one digit over and over.
fn is_number(content: &str) -> bool {
    let mut digits = content.bytes();
    let first = digits.next();
    content.len() <= 64
        && content.bytes().all(|byte| byte.is_ascii_digit())
        && digits.any(|digit| Some(digit) != first)
}

/// Returns whether it is punctuation: that of ASCII, or the general and CJK punctuation of Unicode.
fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c, '¡' | '§' | '«' | '¶' | '·' | '»' | '¿')
        || matches!(c, '\u{2010}'..='\u{205e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}')
        || matches!(c, '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}')
}

/// Returns whether more than ten characters are of at most two kinds.
fn repeats_two_characters(content: &str) -> bool {
    let mut chars = content.chars();
    let first = chars.next();
    let second = chars.find(|&c| Some(c) != first);
    content.chars().nth(10).is_some() && chars.all(|c| Some(c) == first || Some(c) == second)
}
