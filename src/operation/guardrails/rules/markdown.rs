//! Markdown.

use alloc::format;
use alloc::vec::Vec;

use super::super::{GuardrailContext, Violation};
use super::lines::Lines;

/// Finds, at the end, blocks of code that are not closed, and tables whose rows differ in their columns (a warning).
///
/// ```
/// use abreast::operation::{Guardrails, Severity, rules};
///
/// let markdown = Guardrails::none().rule(rules::Markdown);
/// assert_eq!(markdown.check("```rust\nfn main() {}\n").len(), 1);
///
/// let table = "| a | b |\n|---|---|\n| 1 |\n";
/// assert_eq!(markdown.check(table)[0].severity, Severity::Warning);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Markdown;

impl_rule!(Markdown, "markdown", at_end: check);

fn check(context: &GuardrailContext<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut table = Table::default();
    let mut lines = Lines::new(context.content);
    for line in &mut lines {
        // Code ends a table, as an empty line does.
        let text = if line.is_code { "" } else { line.text };
        if let Some((found, expected)) = table.follow(text) {
            let message = format!("a row of a table has {found} columns instead of {expected}");
            violations.push(Violation::warning(message).at(line.at));
        }
    }
    if let Some(at) = lines.open_fence() {
        let violation = Violation::error("a block of code is not closed").at(at);
        violations.push(violation.suggest("end it with a line of as many backticks"));
    }
    violations
}

/// Follows tables line by line.
#[derive(Default)]
struct Table {
    /// The columns of the line before, if it has any.
    before: Option<usize>,
    /// The columns of the table that this is in.
    columns: Option<usize>,
    /// Whether one of its rows was reported.
    reported: bool,
}

impl Table {
    /// Returns the columns of a line if they differ from those of its table, and those; once for each table.
    fn follow(&mut self, line: &str) -> Option<(usize, usize)> {
        // A line without bars ends the table.
        let columns = columns(line);
        let before = core::mem::replace(&mut self.before, columns);
        let Some(columns) = columns else {
            *self = Self::default();
            return None;
        };
        // A table begins with its second line, which must be a rule. The first one has the columns that all should
        // have.
        let expected = match (self.columns, before) {
            (Some(expected), _) => expected,
            (None, Some(header)) if is_delimiter(line) => *self.columns.insert(header),
            (None, _) => return None,
        };
        // One row says it for the whole table.
        if columns == expected || self.reported {
            return None;
        }
        self.reported = true;
        Some((columns, expected))
    }
}

/// Returns the number of cells of a line; `None` if nothing separates them.
fn columns(line: &str) -> Option<usize> {
    if !line.contains('|') {
        return None;
    }
    // Bars with a backslash before them are text.
    let line = line.trim();
    let mut bars = 0;
    let mut escaped = false;
    let mut ends_with_bar = false;
    for byte in line.bytes() {
        ends_with_bar = byte == b'|' && !escaped;
        bars += usize::from(ends_with_bar);
        escaped = byte == b'\\' && !escaped;
    }
    // Bars at the edges separate nothing.
    let outer = usize::from(line.starts_with('|')) + usize::from(ends_with_bar && line.len() > 1);
    (bars > 0).then(|| (bars + 1).saturating_sub(outer))
}

/// Returns whether this is the line below the header of a table.
fn is_delimiter(line: &str) -> bool {
    // Each cell has dashes only, and a colon at either end if it is aligned.
    let is_rule = |cell: &str| {
        let cell = cell.trim();
        let dashes = cell.strip_prefix(':').unwrap_or(cell);
        let dashes = dashes.strip_suffix(':').unwrap_or(dashes);
        !dashes.is_empty() && dashes.bytes().all(|byte| byte == b'-')
    };
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let line = line.strip_suffix('|').unwrap_or(line);
    line.split('|').all(is_rule)
}
