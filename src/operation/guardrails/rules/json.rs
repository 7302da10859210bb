//! JSON.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use serde::de::IgnoredAny;

use super::super::{Checker, GuardrailContext, Rule, Violation};

/// What begins like a JSON object or array is one. Other content passes.
///
/// While tokens come, it finds a bracket that closes what was not opened. At the end, the content must parse.
///
/// ```
/// use abreast::operation::{Guardrails, rules};
///
/// let json = Guardrails::none().rule(rules::Json);
/// assert!(json.check(r#"{"a": [1, 2]}"#).is_empty());
/// assert!(json.check("I like {braces}.").is_empty());
/// assert_eq!(json.check(r#"{"a": [1, 2}"#).len(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Rule for Json {
    fn name(&self) -> Cow<'static, str> {
        "json".into()
    }

    fn runs_while_streaming(&self) -> bool {
        true
    }

    fn checker(&self) -> Box<dyn Checker> {
        Box::new(Brackets::default())
    }
}

/// Counts brackets outside of strings.
#[derive(Debug, Default)]
struct Brackets {
    seen: usize,
    depth: usize,
    place: Place,
}

#[derive(Debug, Default, PartialEq)]
enum Place {
    /// Nothing but white space so far.
    #[default]
    Before,
    Outside,
    InString,
    /// Behind a backslash in a string.
    Escaped,
    /// It is no JSON, or it is known to be broken.
    Done,
}

impl Brackets {
    /// Where the first bracket is that closes what was not opened.
    fn feed(&mut self, content: &str) -> Option<usize> {
        if self.place == Place::Before {
            let rest = content[self.seen..].trim_start();
            self.seen = content.len() - rest.len();
            match rest.bytes().next() {
                None => return None,
                Some(b'{' | b'[') => self.place = Place::Outside,
                Some(_) => self.place = Place::Done,
            }
        }
        if self.place == Place::Done {
            return None;
        }
        for (offset, &byte) in content.as_bytes()[self.seen..].iter().enumerate() {
            match (&self.place, byte) {
                (Place::InString, b'"') => self.place = Place::Outside,
                (Place::InString, b'\\') => self.place = Place::Escaped,
                (Place::InString, _) => {}
                (Place::Escaped, _) => self.place = Place::InString,
                (_, b'"') => self.place = Place::InString,
                (_, b'{' | b'[') => self.depth += 1,
                (_, b'}' | b']') => match self.depth.checked_sub(1) {
                    Some(depth) => self.depth = depth,
                    None => {
                        let at = self.seen + offset;
                        self.seen = at + 1;
                        self.place = Place::Done;
                        return Some(at);
                    }
                },
                _ => {}
            }
        }
        self.seen = content.len();
        None
    }
}

impl Checker for Brackets {
    fn check(&mut self, context: &GuardrailContext<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        if let Some(at) = self.feed(context.content) {
            violations.push(Violation::error("more brackets are closed than opened").at(at));
        }
        if context.completed && looks_like_json(context.content) {
            violations.extend(parse(context.content));
        }
        violations
    }

    fn looked_at(&self) -> usize {
        self.seen
    }
}

/// All of the content is a JSON object or array.
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

impl Rule for StrictJson {
    fn name(&self) -> Cow<'static, str> {
        "strict_json".into()
    }

    fn checker(&self) -> Box<dyn Checker> {
        Box::new(|context: &GuardrailContext<'_>| {
            if !context.completed {
                return Vec::new();
            }
            let violation = parse(context.content).or_else(|| {
                let message = "the root is neither an object nor an array";
                (!looks_like_json(context.content)).then(|| Violation::error(message))
            });
            violation.into_iter().collect()
        })
    }
}

fn looks_like_json(content: &str) -> bool {
    content.trim_start().starts_with(['{', '['])
}

/// Whether content is JSON, of any kind.
pub(super) fn is_json(content: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(content.trim()).is_ok()
}

fn parse(content: &str) -> Option<Violation> {
    let error = serde_json::from_str::<IgnoredAny>(content.trim()).err()?;
    let suggestion = "ask for JSON only, without anything around it";
    Some(Violation::error(format!("not JSON: {error}")).suggest(suggestion))
}
