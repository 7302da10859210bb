//! No content to speak of.

use alloc::vec::Vec;

use super::super::{GuardrailContext, Violation};
use super::json::is_json;

/// Finds, at the end, that there is no content: white space only, punctuation only, or one or two characters over and
/// over.
///
/// Short answers pass, and so do empty objects and arrays, numbers, and the operators of programming languages. So does
/// an answer without text if there were [other chunks](GuardrailContext::other_chunks).
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

impl_rule!(ZeroOutput, "zero_output", at_end: check);

/// What is punctuation only, and an answer all the same.
const OPERATORS: &[&str] = &[
    "=", "==", "===", "!=", "!==", "<", ">", "<=", ">=", "<=>", "=>", "->", "<-", "+", "+=", "-=",
    "*", "**", "*=", "/", "//", "/=", "%", "%=", "&", "&&", "&=", "|", "||", "|=", "|>", "^", "^=",
    "~", "=~", "!~", "<<", ">>", "::", ":=", "..=", "??", "?.", "?:", "@", "#", "$", "[]", "{}",
    "()",
];

fn check(context: &GuardrailContext<'_>) -> Vec<Violation> {
    let found = missing(context.content.trim(), context.other_chunks);
    found.map(Violation::error).into_iter().collect()
}

/// Returns what is wrong with content that says nothing.
fn missing(content: &str, other_chunks: usize) -> Option<&'static str> {
    if content.is_empty() {
        return (other_chunks == 0).then_some("there is no content");
    }
    // Suspicious is what has no words in it.
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
    // Data and code have none either.
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
