//! LaTeX.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::super::{Checker, GuardrailContext, Rule, Violation};
use super::lines::{Lines, without_code_spans};

/// What looks like LaTeX has matching `\begin` and `\end`, `\[` and `\]`, `$$` and `$`. Looks at the end only.
///
/// Text without commands that take arguments, without displayed formulas, passes: its dollars are money. Code in Markdown is
/// left out.
///
/// ```
/// use abreast::operation::{Guardrails, rules};
///
/// let latex = Guardrails::none().rule(rules::Latex);
/// assert!(latex.check(r"\[ \frac{1}{2} \]").is_empty());
/// assert!(latex.check("It costs $5.").is_empty());
/// assert_eq!(latex.check(r"\begin{align} a \end{equation}").len(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Latex;

impl Rule for Latex {
    fn name(&self) -> Cow<'static, str> {
        "latex".into()
    }

    fn checker(&self) -> Box<dyn Checker> {
        Box::new(|context: &GuardrailContext<'_>| match context.completed {
            true => check(context.content),
            false => Vec::new(),
        })
    }
}

fn check(content: &str) -> Vec<Violation> {
    let mut formulas = Formulas::default();
    for line in Lines::new(content).filter(|line| !line.is_code) {
        for (begin, text) in without_code_spans(line.text) {
            formulas.feed(text, line.at + begin);
        }
    }
    formulas.end()
}

/// What is open, and what was wrong.
#[derive(Default)]
struct Formulas<'a> {
    looks_like_latex: bool,
    environments: Vec<(&'a str, usize)>,
    display: Option<usize>,
    double_dollar: Option<usize>,
    dollar: Option<usize>,
    violations: Vec<Violation>,
}

impl<'a> Formulas<'a> {
    fn feed(&mut self, text: &'a str, begin: usize) {
        let mut rest = text;
        while let Some(found) = rest.find(['\\', '$']) {
            let at = begin + (text.len() - rest.len()) + found;
            let here = &rest[found..];
            rest = match here.strip_prefix('\\') {
                Some(command) => self.command(command, at),
                None => match here.strip_prefix("$$") {
                    Some(behind) => {
                        self.looks_like_latex = true;
                        toggle(&mut self.double_dollar, at);
                        behind
                    }
                    None => {
                        toggle(&mut self.dollar, at);
                        &here[1..]
                    }
                },
            };
        }
    }

    /// Looks at what is behind a backslash, and returns what is behind that.
    fn command(&mut self, text: &'a str, at: usize) -> &'a str {
        if let Some(name) = argument(text, "begin{") {
            self.looks_like_latex = true;
            self.environments.push((name, at));
        } else if let Some(name) = argument(text, "end{") {
            self.looks_like_latex = true;
            self.close(name, at);
        } else if text.starts_with('[') {
            self.looks_like_latex = true;
            if self.display.replace(at).is_some() {
                self.report(r"\[ in \[", at);
            }
        } else if text.starts_with(']') {
            self.looks_like_latex = true;
            if self.display.take().is_none() {
                self.report(r"\] without \[", at);
            }
        } else {
            let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
            self.looks_like_latex |= letters > 1 && text[letters..].starts_with('{');
        }
        let mut behind = text.chars();
        behind.next();
        behind.as_str()
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
        if !self.looks_like_latex {
            return Vec::new();
        }
        for (name, at) in core::mem::take(&mut self.environments) {
            self.report(&format!(r"\begin{{{name}}} without \end"), at);
        }
        let open = [
            (self.display, r"\[ without \]"),
            (self.double_dollar, "an odd number of $$"),
            (self.dollar, "an odd number of $"),
        ];
        for (at, message) in open {
            if let Some(at) = at {
                self.report(message, at);
            }
        }
        self.violations
    }
}

fn argument<'a>(text: &'a str, command: &str) -> Option<&'a str> {
    let (name, _) = text.strip_prefix(command)?.split_once('}')?;
    Some(name)
}

fn toggle(open: &mut Option<usize>, at: usize) {
    *open = match open {
        Some(_) => None,
        None => Some(at),
    };
}
