//! LaTeX.

use alloc::format;
use alloc::vec::Vec;
use core::mem;
use core::ops::Range;

use super::super::{GuardrailContext, Violation};
use super::lines::{Lines, without_code_spans};

/// Finds, at the end, LaTeX whose `\begin` and `\end`, `\[` and `\]`, `$$` or `$` do not match.
///
/// Text passes if nothing in it looks like LaTeX: a command with an argument, an environment, a displayed formula. Code
/// in Markdown is left out, and so are dollars of prices and of shell variables.
///
/// ```
/// use abreast::operation::{Guardrails, rules};
///
/// let latex = Guardrails::none().rule(rules::Latex);
/// assert!(latex.check(r"\[ \frac{1}{2} \]").is_empty());
/// assert!(latex.check(r"The formula \frac{1}{2} costs $5.").is_empty());
/// assert_eq!(latex.check(r"\begin{align} a \end{equation}").len(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Latex;

impl_rule!(Latex, "latex", at_end: check);

fn check(context: &GuardrailContext<'_>) -> Vec<Violation> {
    let mut formulas = Formulas::default();
    for line in Lines::new(context.content) {
        // A formula between dollars ends with its paragraph.
        if line.is_code || line.text.trim().is_empty() {
            formulas.end_paragraph();
            continue;
        }
        for (begin, text) in without_code_spans(line.text) {
            formulas.follow(line.text, begin..begin + text.len(), line.at);
        }
    }
    formulas.end()
}

/// What is open, and what was wrong.
#[derive(Default)]
struct Formulas<'a> {
    looks_like_latex: bool,
    /// The `\begin`s that are open, and where they are.
    environments: Vec<(&'a str, usize)>,
    /// Where the `\[` is that is open.
    display: Option<usize>,
    /// Where the `$$` is that is open.
    double_dollar: Option<usize>,
    /// The `$` that may be open.
    dollar: Option<Dollar>,
    /// What was found, if it turns out to be LaTeX.
    violations: Vec<Violation>,
}

/// A `$` that may begin a formula.
#[derive(Clone, Copy)]
struct Dollar {
    at: usize,
    /// Whether it has white space on both sides: then the one that closes it may have, too.
    is_spaced: bool,
    /// Whether it may as well be that of a price or a variable, which needs no other.
    may_stand_alone: bool,
}

impl<'a> Formulas<'a> {
    /// Follows a part of a line, which begins at `at`.
    fn follow(&mut self, line: &'a str, part: Range<usize>, at: usize) {
        let mut begin = part.start;
        while let Some(found) = line[begin..part.end].find(['\\', '$']) {
            let here = begin + found;
            let length = if line[here..].starts_with('\\') {
                self.command(line, here, at);
                // What is behind a backslash is not looked at again: `\$` is no dollar of a formula.
                1 + line[here + 1..].chars().next().map_or(0, char::len_utf8)
            } else {
                self.dollar(line, here, at)
            };
            begin = (here + length).min(part.end);
        }
    }

    /// Follows a backslash, and what is behind it.
    fn command(&mut self, line: &'a str, here: usize, line_at: usize) {
        // Environments are nested, displayed formulas are not, and any other command with an argument says that it is
        // LaTeX.
        let (at, text) = (line_at + here, &line[here + 1..]);
        if let Some(name) = argument(text, "begin{") {
            self.looks_like_latex = true;
            self.environments.push((name, at));
        } else if let Some(name) = argument(text, "end{") {
            self.looks_like_latex = true;
            self.close(name, at);
        } else if text.starts_with('[') {
            // In the middle of a line it may be an escaped bracket, unless it is closed.
            self.looks_like_latex |= line[..here].trim().is_empty();
            if self.display.replace(at).is_some() {
                self.report(r"\[ in \[", at);
            }
        } else if let Some(behind) = text.strip_prefix(']') {
            let was_open = self.display.take().is_some();
            self.looks_like_latex |= was_open || behind.trim().is_empty();
            if !was_open {
                self.report(r"\] without \[", at);
            }
        } else {
            let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
            self.looks_like_latex |= letters > 1 && text[letters..].starts_with('{');
        }
    }

    /// Follows a dollar, or two, and returns how many.
    fn dollar(&mut self, line: &str, here: usize, line_at: usize) -> usize {
        let at = line_at + here;
        let is_space = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let before = line[..here].chars().next_back();
        let behind = line[here + 1..].chars().next();

        // It closes a formula where no space is before it and no digit behind, as in `$x$`, but not in `$5 and $10`.
        if let Some(open) = self.dollar {
            let closes_tight = !is_space(before) && !behind.is_some_and(|c| c.is_ascii_digit());
            if closes_tight || (open.is_spaced && is_space(behind)) {
                self.dollar = None;
                return 1;
            }
            self.end_paragraph();
        }
        // Two dollars open a displayed formula, or close it.
        if behind == Some('$') {
            self.looks_like_latex = true;
            self.double_dollar = match self.double_dollar {
                Some(_) => None,
                None => Some(at),
            };
            return 2;
        }
        // Inside of `$$`, and behind a word as in `US$ 5`, it opens nothing.
        if self.double_dollar.is_none() && (!is_space(behind) || is_space(before)) {
            self.dollar = Some(Dollar {
                at,
                is_spaced: is_space(behind),
                may_stand_alone: is_price_or_variable(&line[here + 1..]),
            });
        }
        1
    }

    /// Formulas between dollars do not go on in another paragraph.
    fn end_paragraph(&mut self) {
        if let Some(dollar) = self.dollar.take().filter(|dollar| !dollar.may_stand_alone) {
            self.report("an odd number of $", dollar.at);
        }
    }

    fn close(&mut self, name: &str, at: usize) {
        match self.environments.pop() {
            Some((open, _)) if open == name => {}
            Some((open, _)) => {
                self.report(&format!(r"\begin{{{open}}} ends with \end{{{name}}}"), at);
            }
            None => self.report(&format!(r"\end{{{name}}} without \begin"), at),
        }
    }

    fn report(&mut self, message: &str, at: usize) {
        self.violations.push(Violation::error(message).at(at));
    }

    fn end(mut self) -> Vec<Violation> {
        // What is open now is never closed.
        self.end_paragraph();
        for (name, at) in mem::take(&mut self.environments) {
            self.report(&format!(r"\begin{{{name}}} without \end"), at);
        }
        if let Some(at) = self.display {
            self.report(r"\[ without \]", at);
        }
        if let Some(at) = self.double_dollar {
            self.report("an odd number of $$", at);
        }
        // Prose may have as many brackets and dollars as it likes.
        if self.looks_like_latex {
            self.violations
        } else {
            Vec::new()
        }
    }
}

/// Returns whether what is behind a dollar makes it that of a price, `$5`, or of a variable of a shell, `$HOME` or
/// `${x}`.
fn is_price_or_variable(text: &str) -> bool {
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    text.starts_with(|c: char| c.is_ascii_digit() || c == '{' || c == '(')
        || text.chars().take_while(|&c| is_name(c)).count() > 1
}

fn argument<'a>(text: &'a str, command: &str) -> Option<&'a str> {
    let (name, _) = text.strip_prefix(command)?.split_once('}')?;
    Some(name)
}
