//! The same over and over.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use super::super::{Checker, GuardrailContext, Rule, Violation};

/// No sentence of more than 20 characters comes three times, and the end does not repeat what was before it.
///
/// The end repeats itself if more than half of the last 100 characters equal, position by position, the 100 before.
///
/// ```
/// use abreast::operation::{Guardrails, rules};
///
/// let fresh = Guardrails::none().rule(rules::Repetition);
/// assert!(fresh.check("Round and round. Round and round. Round and round.").is_empty());
/// assert_eq!(fresh.check(&"The wheels on the bus go round. ".repeat(3)).len(), 1);
/// assert_eq!(fresh.check(&"round and ".repeat(20)).len(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Repetition;

/// How many characters of the end are compared.
const TAIL: usize = 100;
/// How many characters a sentence must have to count.
const SHORT: usize = 20;

impl Rule for Repetition {
    fn name(&self) -> Cow<'static, str> {
        "repetition".into()
    }

    fn runs_while_streaming(&self) -> bool {
        true
    }

    fn checker(&self) -> Box<dyn Checker> {
        Box::new(Sentences::default())
    }
}

/// The sentences so far.
#[derive(Debug, Default)]
struct Sentences {
    seen: usize,
    /// Where the sentence begins that has not ended yet.
    begin: usize,
    known: BTreeMap<u64, Sentence>,
    looked_at: usize,
}

#[derive(Debug)]
struct Sentence {
    first: Range<usize>,
    times: u32,
}

impl Sentences {
    /// Counts the sentence that ends here.
    fn end_sentence(&mut self, content: &str, end: usize, violations: &mut Vec<Violation>) {
        let sentence = content[self.begin..end].trim();
        let begin = self.begin
            + (content[self.begin..end].len() - content[self.begin..end].trim_start().len());
        self.looked_at += end - self.begin;
        self.begin = end;
        if sentence.chars().nth(SHORT).is_none() {
            return;
        }
        let first = begin..begin + sentence.len();
        let known = self.known.entry(hash(sentence));
        let known = known.or_insert(Sentence { first, times: 0 });
        // Two sentences of one hash are too rare to count both.
        known.times += u32::from(content[known.first.clone()] == *sentence);
        if known.times == 3 {
            let violation = Violation::error("a sentence comes three times").at(begin);
            violations.push(violation);
        }
    }
}

impl Checker for Sentences {
    fn check(&mut self, context: &GuardrailContext<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        let content = context.content;
        let fresh = &content.as_bytes()[self.seen..];
        self.looked_at += fresh.len();
        let from = self.seen;
        for (offset, byte) in fresh.iter().enumerate() {
            if matches!(byte, b'.' | b'!' | b'?' | b'\n') {
                self.end_sentence(content, from + offset + 1, &mut violations);
            }
        }
        self.seen = content.len();
        if context.completed {
            self.end_sentence(content, content.len(), &mut violations);
            violations.extend(repeated_tail(content));
        }
        violations
    }

    fn looked_at(&self) -> usize {
        self.looked_at
    }
}

fn repeated_tail(content: &str) -> Option<Violation> {
    let mut last: Vec<char> = content.chars().rev().take(2 * TAIL).collect();
    let before = last.split_off(TAIL.min(last.len()));
    let equal = last.iter().zip(&before).filter(|(a, b)| a == b).count();
    let at = content.len() - last.iter().map(|c| c.len_utf8()).sum::<usize>();
    (before.len() == TAIL && equal > TAIL / 2)
        .then(|| Violation::error("the end repeats what was before it").at(at))
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
