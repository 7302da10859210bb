//! Phrases that should not be there.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::super::{Checker, GuardrailContext, Rule, Violation};
use super::phrases::KNOWN;

/// Warns of phrases that give a model away, whatever their case.
///
/// Those that are [known](Self::known) are meta commentary ("as an AI language model"), hedging, refusals, leaks of the
/// prompt, placeholders ("\[insert ...\]", "lorem ipsum") and collapse of the format ("Sure! Here's"). Each is reported once.
///
/// A phrase is found where it begins and ends with a word; any white space of up to eight characters is as good as another.
///
/// ```
/// use abreast::operation::{Guardrails, rules};
///
/// let phrases = Guardrails::none().rule(rules::Patterns::known().phrase("delve into"));
/// let found = phrases.check("As an AI language\nmodel, I delve  into things.");
/// assert_eq!(found[0].message, r#"meta commentary: "as an ai language model""#);
/// assert_eq!((found[1].message.as_str(), found[1].position), (r#"phrase: "delve into""#, Some(27)));
/// ```
#[derive(Clone, Default)]
pub struct Patterns(Arc<List>);

#[derive(Clone, Default)]
struct List {
    phrases: Vec<Phrase>,
    /// Which phrases begin with a character, by its code; those beyond ASCII share the last place.
    by_first: Vec<Vec<usize>>,
}

#[derive(Clone)]
struct Phrase {
    kind: &'static str,
    text: String,
}

/// How many characters of white space are as good as one.
const GAP: usize = 8;

impl Patterns {
    /// No phrases, to be added to.
    ///
    /// ```
    /// # use abreast::operation::rules;
    /// let rule = rules::Patterns::none().phrase("delve into");
    /// ```
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Those that are known.
    ///
    /// ```
    /// # use abreast::operation::{Guardrails, rules};
    /// let found = Guardrails::none().rule(rules::Patterns::known()).check("Dear [insert name],");
    /// assert_eq!(found[0].message, r#"placeholder: "[insert ""#);
    /// ```
    #[must_use]
    pub fn known() -> Self {
        let mut list = List::default();
        for &(kind, phrases) in KNOWN {
            phrases.iter().for_each(|phrase| list.add(kind, phrase));
        }
        Self(Arc::new(list))
    }

    /// Adds a phrase.
    ///
    /// ```
    /// # use abreast::operation::rules;
    /// let rule = rules::Patterns::known().phrase("delve into");
    /// ```
    ///
    /// # Panics
    /// If the phrase is empty: it would be everywhere.
    #[must_use]
    #[track_caller]
    pub fn phrase(mut self, phrase: &str) -> Self {
        assert!(
            !phrase.trim().is_empty(),
            "an empty phrase is everywhere: pass one with at least a character"
        );
        Arc::make_mut(&mut self.0).add("phrase", phrase);
        self
    }
}

impl List {
    fn add(&mut self, kind: &'static str, phrase: &str) {
        let text: String = phrase.trim_start().chars().map(fold).collect();
        self.by_first.resize(129, Vec::new());
        if let Some(first) = text.chars().next() {
            self.by_first[place(first)].push(self.phrases.len());
            self.phrases.push(Phrase { kind, text });
        }
    }
}

fn place(first: char) -> usize {
    (first as usize).min(128)
}

/// Characters that are told apart by case or by typography only are the same.
fn fold(c: char) -> char {
    match c {
        '’' => '\'',
        _ if c.is_ascii() => c.to_ascii_lowercase(),
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

impl Rule for Patterns {
    fn name(&self) -> Cow<'static, str> {
        "pattern".into()
    }

    fn runs_while_streaming(&self) -> bool {
        true
    }

    fn checker(&self) -> Box<dyn Checker> {
        Box::new(Search {
            list: self.0.clone(),
            reported: vec![false; self.0.phrases.len()],
            seen: 0,
            behind_word: false,
            looked_at: 0,
        })
    }
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phrases = self.0.phrases.iter().map(|phrase| &phrase.text);
        f.debug_list().entries(phrases).finish()
    }
}

/// Follows the content character by character.
struct Search {
    list: Arc<List>,
    reported: Vec<bool>,
    seen: usize,
    behind_word: bool,
    looked_at: usize,
}

enum Match {
    Yes,
    No,
    /// The content ends too early to tell.
    Open,
}

impl Checker for Search {
    fn check(&mut self, context: &GuardrailContext<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        if self.list.phrases.is_empty() {
            return violations;
        }
        let fresh = &context.content[self.seen..];
        for (offset, c) in fresh.char_indices() {
            let is_word = c.is_alphanumeric();
            let begins = &self.list.by_first[place(fold(c))];
            let is_inside_word = is_word && self.behind_word;
            if !(is_inside_word || begins.is_empty()) {
                let mut longest: Option<usize> = None;
                for &index in begins {
                    let phrase = &self.list.phrases[index].text;
                    let rest = &fresh[offset..];
                    let ended = context.completed;
                    match matches(phrase, rest, ended, &mut self.looked_at) {
                        Match::Open => {
                            // It begins here again when there is more.
                            self.seen += offset;
                            return violations;
                        }
                        Match::Yes
                            if longest.is_none_or(|longest| {
                                self.list.phrases[longest].text.len() < phrase.len()
                            }) =>
                        {
                            longest = Some(index);
                        }
                        _ => {}
                    }
                }
                if let Some(index) = longest {
                    if !core::mem::replace(&mut self.reported[index], true) {
                        let Phrase { kind, text } = &self.list.phrases[index];
                        let violation = Violation::warning(format!("{kind}: \"{text}\""));
                        violations.push(violation.at(self.seen + offset));
                    }
                }
            }
            self.looked_at += c.len_utf8();
            self.behind_word = is_word;
        }
        self.seen = context.content.len();
        violations
    }

    fn looked_at(&self) -> usize {
        self.looked_at
    }
}

/// Whether a text begins with a phrase, and the phrase ends where a word does.
fn matches(phrase: &str, text: &str, ended: bool, looked_at: &mut usize) -> Match {
    let mut rest = text.chars();
    let mut last = ' ';
    for expected in phrase.chars() {
        let Some(c) = rest.next() else {
            return if ended { Match::No } else { Match::Open };
        };
        *looked_at += c.len_utf8();
        if expected != fold(c) && !(expected == ' ' && c.is_whitespace()) {
            return Match::No;
        }
        if expected == ' ' {
            for _ in 1..GAP {
                match rest.clone().next() {
                    Some(c) if c.is_whitespace() => {
                        *looked_at += c.len_utf8();
                        rest.next();
                    }
                    _ => break,
                }
            }
        }
        last = expected;
    }
    match rest.next() {
        _ if !last.is_alphanumeric() => Match::Yes,
        Some(c) if c.is_alphanumeric() => Match::No,
        Some(_) => Match::Yes,
        None if ended => Match::Yes,
        // Were it to go on with a letter, it would be another word.
        None => Match::Open,
    }
}
