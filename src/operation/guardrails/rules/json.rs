//! JSON.

use alloc::format;
use alloc::vec::Vec;

use serde::de::IgnoredAny;

use super::super::{Checker, GuardrailContext, Violation};

/// Finds broken JSON: content that begins like a JSON object or array must be one, or several on lines of their own.
///
/// Other content passes. What follows the first bracket decides: `[1] Smith`, `[Note: ...]`, `[x] done` and `{name} is`
/// are prose, and so is a list of numbers with words behind it.
///
/// While tokens come, it finds a bracket that closes what was not opened. At the end, the content must parse.
///
/// ```
/// use abreast::operation::{Guardrails, rules};
///
/// let json = Guardrails::none().rule(rules::Json);
/// assert!(json.check(r#"{"a": [1, 2]}"#).is_empty());
/// assert!(json.check("{\"a\": 1}\n{\"a\": 2}").is_empty());
/// assert!(json.check("[1] Smith, 2019.").is_empty());
/// assert_eq!(json.check(r#"{"a": [1, 2}"#).len(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl_rule!(Json, "json", while_streaming: |_rule| Brackets::default());

/// Decides whether content is meant to be JSON, and counts its brackets outside of strings.
///
/// ```text
/// Start --{--> Key --"--> JSON         Item --"{'--> JSON
///   |            '-- } -----.            |  '--1 t f n--> Scalar --,--> Item, once it is a valid one
///   '--[--> Item            |            '------- ] ------.    '---- ] -----.
///                           v                             v                 v
///                        Closed: JSON if nothing follows but another value or a bracket too many
/// ```
///
/// Whatever else follows in these states makes it prose. `Item` leads to `Item` and `Key` for what is nested.
#[derive(Debug, Default)]
struct Brackets {
    /// The bytes that were read.
    seen: usize,
    /// The brackets that are open.
    depth: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    /// Nothing but white space so far.
    #[default]
    Start,
    /// Behind the opening brace of what may be an object.
    Key,
    /// Behind the opening bracket of what may be an array, or behind a comma in it.
    Item { is_first: bool },
    /// In a number or a literal that begins here.
    Scalar { begin: usize },
    /// Behind an item.
    Behind,
    /// Behind what may have been a whole value.
    Closed,
    /// It is meant to be JSON.
    Json,
    /// In a string of it.
    InString,
    /// Behind a backslash in a string.
    Escaped,
    /// It is not meant to be JSON.
    Prose,
    /// It is meant to be JSON, and has a bracket too many.
    Broken,
}

impl Brackets {
    /// Follows the content to its end, and returns where the first bracket is that closes what was not opened.
    fn follow(&mut self, content: &str) -> Option<usize> {
        // White space before the first character decides nothing, be it of Unicode.
        if self.state == State::Start {
            let rest = content[self.seen..].trim_start();
            self.seen = content.len() - rest.len();
        }
        // Brackets, quotes and backslashes are ASCII, so bytes will do.
        for (at, &byte) in content.as_bytes().iter().enumerate().skip(self.seen) {
            // It is decided, and the rest need not be read.
            if matches!(self.state, State::Prose | State::Broken) {
                return None;
            }
            self.seen = at + 1;
            self.state = self.next(content, at, byte);
            if self.state == State::Broken {
                return Some(at);
            }
        }
        None
    }

    /// Returns the state behind a byte.
    fn next(&mut self, content: &str, at: usize, byte: u8) -> State {
        let is_space = byte.is_ascii_whitespace();
        match (self.state, byte) {
            // Strings hide brackets.
            (State::InString, b'"') => State::Json,
            (State::InString, b'\\') => State::Escaped,
            (State::InString | State::Escaped, _) => State::InString,

            // Meant to be JSON: only brackets count.
            (State::Json, b'"') => State::InString,
            (State::Json, b'{' | b'[') => self.open(State::Json),
            (State::Json, b'}' | b']') => self.close(State::Json),
            (State::Json, _) => State::Json,

            // A value begins, or another one behind the first.
            (State::Start | State::Closed, b'{') => self.open(State::Key),
            (State::Start | State::Closed, b'[') => self.open(State::Item { is_first: true }),
            (State::Closed, b'}' | b']') => State::Broken,
            (State::Closed, _) if is_space => State::Closed,

            // An object must go on with a key.
            (State::Key, b'"') => State::InString,
            // Single quotes are how Python writes it: broken, but meant to be JSON.
            (State::Key, b'\'') => State::Json,
            (State::Key, b'}') => self.close_undecided(),
            (State::Key, _) if is_space => State::Key,

            // An array must go on with an item; `[x]` and `[Note` do not.
            (State::Item { .. }, b'"') => State::InString,
            (State::Item { .. }, b'\'') => State::Json,
            (State::Item { .. }, b'{') => self.open(State::Key),
            (State::Item { .. }, b'[') => self.open(State::Item { is_first: true }),
            (State::Item { is_first: true }, b']') => self.close_undecided(),
            (State::Item { is_first: false }, b']') => self.close(State::Json),
            (State::Item { .. }, b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                State::Scalar { begin: at }
            }
            (State::Item { is_first }, _) if is_space => State::Item { is_first },

            // A number or a literal must be a valid one where it ends: `[1st` is prose.
            (State::Scalar { begin }, b',' | b']') if is_json(&content[begin..at]) => {
                self.behind_item(byte)
            }
            (State::Scalar { begin }, _) if is_space && is_json(&content[begin..at]) => {
                State::Behind
            }
            (State::Scalar { begin }, _) if is_of_scalar(byte) => State::Scalar { begin },

            // Behind an item, there is another one or the end.
            (State::Behind, b',' | b']') => self.behind_item(byte),
            (State::Behind, _) if is_space => State::Behind,
            _ => State::Prose,
        }
    }

    fn open(&mut self, inside: State) -> State {
        self.depth += 1;
        inside
    }

    /// Closes a bracket of what is meant to be JSON.
    fn close(&mut self, behind: State) -> State {
        match self.depth.checked_sub(1) {
            Some(depth) => {
                self.depth = depth;
                behind
            }
            None => State::Broken,
        }
    }

    /// Closes a bracket, of which there is one, of what may be JSON.
    fn close_undecided(&mut self) -> State {
        self.depth -= 1;
        if self.depth == 0 {
            State::Closed
        } else {
            State::Behind
        }
    }

    fn behind_item(&mut self, byte: u8) -> State {
        if byte == b',' {
            State::Item { is_first: false }
        } else {
            self.close_undecided()
        }
    }

    /// Returns whether all of the content, which it has followed, is meant to be JSON.
    fn is_meant(&self, content: &str) -> bool {
        match self.state {
            State::Start | State::Prose => false,
            // The content ends within a number or a literal: it is meant to be one as far as it goes.
            State::Scalar { begin } => {
                let scalar = &content[begin..];
                let literals = ["true", "false", "null", "-"];
                is_json(scalar) || literals.iter().any(|literal| literal.starts_with(scalar))
            }
            _ => true,
        }
    }
}

/// Returns whether a number or a literal may have this byte in it.
const fn is_of_scalar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-')
}

impl Checker for Brackets {
    fn check(&mut self, context: &GuardrailContext<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        // A bracket too many is known at once, and all else at the end only.
        if let Some(at) = self.follow(context.content) {
            violations.push(Violation::error("more brackets are closed than opened").at(at));
        }
        if context.completed && self.is_meant(context.content) {
            violations.extend(parse_values(context.content));
        }
        violations
    }

    fn looked_at(&self) -> usize {
        self.seen
    }
}

/// Finds content that is not, from its first character to its last, one JSON object or array.
///
/// ```
/// use abreast::operation::{Guardrails, rules};
///
/// let json = Guardrails::none().rule(rules::StrictJson);
/// assert!(json.check("[]").is_empty());
/// assert_eq!(json.check("42")[0].message, "the root is neither an object nor an array");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct StrictJson;

impl_rule!(StrictJson, "strict_json", at_end: check_strictly);

fn check_strictly(context: &GuardrailContext<'_>) -> Vec<Violation> {
    let violation = parse(context.content).or_else(|| {
        let message = "the root is neither an object nor an array";
        (!is_object_or_array(context.content)).then(|| Violation::error(message))
    });
    violation.into_iter().collect()
}

fn is_object_or_array(content: &str) -> bool {
    content.trim_start().starts_with(['{', '['])
}

/// Returns whether content is JSON, of any kind.
pub(super) fn is_json(content: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(content.trim()).is_ok()
}

fn parse(content: &str) -> Option<Violation> {
    let error = serde_json::from_str::<IgnoredAny>(content.trim()).err()?;
    Some(not_json(&error))
}

/// Finds what is wrong in a value, or in one of several, each on lines of its own.
fn parse_values(content: &str) -> Option<Violation> {
    let mut rest = content.trim();
    loop {
        // One value, and what is behind it.
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        let value = values.next()?;
        let behind = &rest[values.byte_offset()..];
        let next = behind.trim_start();
        let gap = &behind[..behind.len() - next.len()];
        match value {
            Ok(_) if next.is_empty() => return None,
            Ok(_) if gap.contains('\n') && is_object_or_array(next) => rest = next,
            // Words behind the value are reported as such.
            Ok(_) => return parse(rest),
            Err(error) => return Some(not_json(&error)),
        }
    }
}

fn not_json(error: &serde_json::Error) -> Violation {
    let suggestion = "ask for JSON only, without anything around it";
    Violation::error(format!("not JSON: {error}")).suggest(suggestion)
}
