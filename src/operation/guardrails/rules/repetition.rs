//! The same over and over.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::mem;
use core::ops::Range;

use super::super::{Checker, GuardrailContext, Violation};
use super::lines::{Fences, Lines};

/// Finds a sentence of more than 20 characters that comes three times, and, at the end, a text that has run into a
/// loop.
///
/// It is a loop if the last 200 characters are one passage of at most 100 characters over and over, or if more than
/// half of the last 100 characters equal, position by position, the 100 before. Blocks of code and tables do not count.
///
/// ```
/// use abreast::operation::{Guardrails, rules};
///
/// let fresh = Guardrails::none().rule(rules::Repetition);
/// assert!(fresh.check("Round and round. Round and round. Round and round.").is_empty());
/// assert_eq!(fresh.check(&"The wheels on the bus go round. ".repeat(3)).len(), 1);
/// assert_eq!(fresh.check(&"and on ".repeat(30)).len(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Repetition;

/// The characters at the end that are compared with as many before, and the longest period of a loop.
const TAIL: usize = 100;
/// A sentence counts if it has more characters.
const SHORT: usize = 20;

impl_rule!(Repetition, "repetition", while_streaming: |_rule| Sentences::default());

/// The sentences so far, of whole lines only: how a line ends decides whether it is code or a row of a table.
#[derive(Debug, Default)]
struct Sentences {
    /// Where the next line begins.
    seen: usize,
    /// Where the end of that line is looked for next.
    scanned: usize,
    fences: Fences,
    /// The sentences that count, by their hashes.
    known: BTreeMap<u64, Sentence>,
    looked_at: usize,
}

#[derive(Debug)]
struct Sentence {
    /// Where it came first, so that its text need not be kept.
    first: Range<usize>,
    times: u32,
}

impl Sentences {
    /// Follows the line that ends here, its end included.
    fn follow_line(&mut self, content: &str, end: usize, violations: &mut Vec<Violation>) {
        let begin = mem::replace(&mut self.seen, end);
        self.looked_at += end - begin;
        // Code and tables repeat themselves with good reason.
        let line = &content[begin..end];
        if self
            .fences
            .is_code(line.trim_end_matches(['\n', '\r']), begin)
            || is_row(line)
        {
            return;
        }
        // Sentences end with their punctuation, or with the line.
        let mut at = begin;
        for sentence in line.split_inclusive(['.', '!', '?']) {
            self.count(content, at..at + sentence.len(), violations);
            at += sentence.len();
        }
    }

    /// Counts a sentence.
    fn count(&mut self, content: &str, range: Range<usize>, violations: &mut Vec<Violation>) {
        // Its position is that of its first letter. Short ones, such as greetings, may come as often as they like.
        let begin = range.end - content[range.clone()].trim_start().len();
        let sentence = content[range].trim();
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
        // Lines that have ended are followed once, and the search for the next end goes on where it was given up.
        while let Some(end) = content[self.scanned..].find('\n') {
            let end = self.scanned + end + 1;
            self.looked_at += end - self.scanned;
            self.scanned = end;
            self.follow_line(content, end, &mut violations);
        }
        self.looked_at += content.len() - self.scanned;
        self.scanned = content.len();
        // The last line has no end of its own, and only now is it known where the text ends.
        if context.completed {
            self.follow_line(content, content.len(), &mut violations);
            self.looked_at += content.len();
            violations.extend(loop_at_end(content));
        }
        violations
    }

    fn looked_at(&self) -> usize {
        self.looked_at
    }
}

/// Returns whether a line is a row of a table.
fn is_row(line: &str) -> bool {
    let line = line.trim();
    let bars = line.bytes().filter(|&byte| byte == b'|').count();
    bars > 1 || (bars == 1 && (line.starts_with('|') || line.ends_with('|')))
}

fn loop_at_end(content: &str) -> Option<Violation> {
    // The last characters outside of code and tables, the last one first, and where they are.
    let mut prose = Vec::new();
    let mut end = content.len();
    let lines: Vec<_> = Lines::new(content).collect();
    for line in lines.iter().rev() {
        let text = &content[line.at..end];
        end = line.at;
        if !line.is_code && !is_row(text) {
            let chars = text.char_indices().rev();
            prose.extend(
                chars
                    .map(|(offset, c)| (line.at + offset, c))
                    .take(2 * TAIL),
            );
        }
        if prose.len() >= 2 * TAIL {
            break;
        }
    }
    // Too short to tell.
    if prose.len() < 2 * TAIL {
        return None;
    }
    prose.truncate(2 * TAIL);

    // More than half of it the same, or all of it one passage again and again.
    let (last, before) = prose.split_at(TAIL);
    let equal = last.iter().zip(before).filter(|((_, a), (_, b))| a == b);
    let repeats_half = equal.count() > TAIL / 2;
    let has_period = |period| {
        let shifted = prose[period..].iter();
        shifted.zip(&prose).all(|((_, a), (_, b))| a == b)
    };
    (repeats_half || (1..TAIL).any(has_period))
        .then(|| Violation::error("the end repeats what was before it").at(last[TAIL - 1].0))
}

/// Hashes a sentence by FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
