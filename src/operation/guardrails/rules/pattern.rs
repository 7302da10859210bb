//! Phrases that should not be there.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::super::{Checker, GuardrailContext, Violation};
use super::list::{Found, List, Phrase, fold};
use super::phrases::KNOWN;

/// Warns of phrases that give a model away, whatever their case.
///
/// Those that are [known](Self::known) are meta commentary ("as an AI language model"), hedging, refusals, leaks of the
/// prompt, placeholders ("\[insert ...\]", "lorem ipsum") and collapse of the format ("Sure! Here's"). Each is reported
/// once.
///
/// A phrase is found where it begins and ends with a word; any white space of up to eight characters is as good as
/// another.
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

impl Patterns {
    /// Returns a rule without phrases, to be added to.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Returns a rule with the phrases that are known.
    #[must_use]
    pub fn known() -> Self {
        #[cfg(feature = "std")]
        {
            static LIST: std::sync::OnceLock<Arc<List>> = std::sync::OnceLock::new();
            Self(LIST.get_or_init(|| Arc::new(known())).clone())
        }
        #[cfg(not(feature = "std"))]
        Self(Arc::new(known()))
    }

    /// Adds a phrase.
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
        Arc::make_mut(&mut self.0).add("phrase", &normal(phrase));
        self
    }
}

/// Lists the phrases that are known. They are many, so where there is `std` the list is made once.
fn known() -> List {
    let mut list = List::default();
    for &(kind, phrases) in KNOWN {
        for phrase in phrases.split(';') {
            list.add(kind, &normal(phrase));
        }
    }
    list
}

/// Returns a phrase as it is compared.
fn normal(phrase: &str) -> String {
    phrase.trim_start().chars().map(fold).collect()
}

impl_rule!(Patterns, "pattern", while_streaming: |rule| Search {
    list: rule.0.clone(),
    reported: vec![false; rule.0.phrases().len()],
    seen: 0,
    behind_word: false,
    looked_at: 0,
});

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phrases = self.0.phrases().iter().map(|phrase| &phrase.text);
        f.debug_list().entries(phrases).finish()
    }
}

/// Follows the content character by character.
struct Search {
    list: Arc<List>,
    /// Which phrases were found already.
    reported: Vec<bool>,
    /// The bytes in which no phrase begins any more that was not found.
    seen: usize,
    /// Whether the last of them is of a word.
    behind_word: bool,
    looked_at: usize,
}

impl Checker for Search {
    fn check(&mut self, context: &GuardrailContext<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        let fresh = &context.content[self.seen..];
        let mut behind_word = self.behind_word;
        let mut end = fresh.len();
        for (offset, c) in fresh.char_indices() {
            // A phrase begins where a word may.
            let is_word = c.is_alphanumeric();
            let is_inside_word = is_word && behind_word;
            if !is_inside_word && self.list.begins(c) {
                let rest = &fresh[offset..];
                match self.list.find(rest, context.completed, &mut self.looked_at) {
                    // Once is enough for each phrase.
                    Found::Phrase(index) if !self.reported[index] => {
                        self.reported[index] = true;
                        let Phrase { kind, text } = &self.list.phrases()[index];
                        let violation = Violation::warning(format!("{kind}: \"{text}\""));
                        violations.push(violation.at(self.seen + offset));
                    }
                    Found::Phrase(_) | Found::Nothing => {}
                    Found::TooEarly => {
                        // It begins here again when there is more.
                        end = offset;
                        break;
                    }
                }
            }
            behind_word = is_word;
        }
        self.seen += end;
        self.looked_at += end;
        self.behind_word = behind_word;
        violations
    }

    fn looked_at(&self) -> usize {
        self.looked_at
    }
}
