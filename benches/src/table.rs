//! What was measured: a row for each contender, a column for each size.

use std::fmt;

use harness::Role;

use crate::statistics::{Summary, summary};

/// What a table is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heading<'a> {
    pub(crate) title: &'a str,
    /// What is measured, with its unit.
    pub(crate) measure: &'a str,
    /// What the columns are, such as `K`.
    pub(crate) axis: &'a str,
    pub(crate) columns: &'a [usize],
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Why there are columns without samples.
    pub(crate) note: Option<String>,
    /// By column: one sample a round.
    pub(crate) samples: Vec<Vec<f64>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) measure: String,
    pub(crate) axis: String,
    pub(crate) columns: Vec<usize>,
    pub(crate) rows: Vec<Row>,
}

impl Table {
    pub(crate) fn new(heading: &Heading<'_>, rows: Vec<Row>) -> Self {
        Self {
            title: heading.title.to_owned(),
            measure: heading.measure.to_owned(),
            axis: heading.axis.to_owned(),
            columns: heading.columns.to_vec(),
            rows,
        }
    }

    /// Returns what the others are compared to. Missing if only peers were asked for.
    pub(crate) fn subject(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.role == Role::Subject)
    }

    pub(crate) fn column_name(&self, column: usize) -> String {
        format!("{}={}", self.axis, grouped(self.columns[column]))
    }

    pub(crate) fn median(&self, row: &Row, column: usize) -> Option<f64> {
        summary(row.samples[column].iter().copied()).map(|summary| summary.median)
    }

    /// Returns how many times as much as the subject `row` takes, round by round, so that what slows a whole round down
    /// does not show.
    pub(crate) fn ratio(&self, row: &Row, column: usize) -> Option<Summary> {
        ratio(row, self.subject()?, column)
    }

    /// Returns the peer that comes closest to the subject or is furthest ahead of it, and its ratio. A peer is one
    /// whose name contains `rival`.
    pub(crate) fn closest(&self, rival: &str, column: usize) -> Option<(&Row, Summary)> {
        self.closest_to(self.subject()?, rival, column)
    }

    /// Returns the peer that comes closest to `row`, as [`closest`](Self::closest) does.
    pub(crate) fn closest_to(
        &self,
        row: &Row,
        rival: &str,
        column: usize,
    ) -> Option<(&Row, Summary)> {
        let peers = self.rows.iter().filter(|peer| peer.role == Role::Peer);
        peers
            .filter(|peer| peer.name.contains(rival))
            .filter_map(|peer| Some((peer, ratio(peer, row, column)?)))
            .min_by(|(_, a), (_, b)| a.median.total_cmp(&b.median))
    }

    /// Returns how many times as much as the floor the subject takes.
    pub(crate) fn over_floor(&self, column: usize) -> Option<f64> {
        let floor = self.rows.iter().find(|row| row.role == Role::Floor)?;
        Some(1.0 / self.ratio(floor, column)?.median)
    }

    /// Returns a median, with a digit behind the point if it is small and not a count.
    pub(crate) fn format_median(&self, row: &Row, column: usize) -> Option<String> {
        let median = self.median(row, column)?;
        Some(if median.fract() != 0.0 && median < 100.0 {
            format!("{median:.1}")
        } else {
            grouped(median.round() as usize)
        })
    }

    /// Returns whether times were measured, which vary.
    pub(crate) fn is_timed(&self) -> bool {
        self.measure.starts_with("ns ")
    }
}

/// Returns how many times as much as `base` a row takes, round by round.
fn ratio(row: &Row, base: &Row, column: usize) -> Option<Summary> {
    let pairs = row.samples[column].iter().zip(&base.samples[column]);
    summary(pairs.map(|(other, base)| other / base))
}

/// Returns a number with commas between its thousands.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A ratio with its spread, such as `1.92x ±3%`.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.median < 10.0 { 2 } else { 1 };
        let ratio = format!("{:.digits$}x ±{:.0}%", self.median, 100.0 * self.spread);
        f.pad(&ratio)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}: {}", self.title, self.measure)?;
        write!(f, "{:36}", "")?;
        for column in 0..self.columns.len() {
            write!(f, "{:>22}", self.column_name(column))?;
        }
        writeln!(f)?;
        for row in &self.rows {
            write!(f, "{:36}", row.name)?;
            for column in 0..self.columns.len() {
                // The subject's ratio to itself says nothing.
                let ratio = self
                    .ratio(row, column)
                    .filter(|_| row.role != Role::Subject);
                let ratio = ratio.map_or_else(String::new, |ratio| ratio.to_string());
                let median = self.format_median(row, column);
                write!(f, "{:>9} {ratio:>12}", median.as_deref().unwrap_or("-"))?;
            }
            writeln!(f)?;
        }
        for row in &self.rows {
            if let Some(note) = &row.note {
                writeln!(f, "  {}: {note}", row.name)?;
            }
        }
        Ok(())
    }
}
