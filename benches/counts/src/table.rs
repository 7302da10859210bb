//! `benches/counts.tsv`: the counts as they were last.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The counts of one program, done by one contender.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) program: String,
    pub(crate) contender: String,
    /// Instructions of the executable per task.
    pub(crate) instructions: f64,
    /// Instructions of libraries per task.
    pub(crate) libraries: f64,
    /// Polls of all tasks.
    pub(crate) polls: u64,
    /// Polls of the future that runs them.
    pub(crate) parent_polls: u64,
    /// Allocations and reallocations for all tasks.
    pub(crate) allocations: u64,
}

const HEAD: &str = "\
# What the programs of benches/counts cost. Instructions are per task; polls and allocations those of all tasks.
# Written by: cargo run --profile single-unit -p abreast-counts -- --update
program\tcontender\tinstructions\tin libraries\tpolls\tparent polls\tallocations
";

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            program,
            contender,
            instructions,
            libraries,
            polls,
            parent_polls,
            allocations,
        } = self;
        write!(
            f,
            "{program}\t{contender}\t{instructions:.1}\t{libraries:.1}\t{polls}\t{parent_polls}\t{allocations}"
        )
    }
}

fn parse(line: &str) -> Option<Row> {
    fn next<'a, T: FromStr>(cells: &mut impl Iterator<Item = &'a str>) -> Option<T> {
        cells.next()?.parse().ok()
    }
    let cells = &mut line.split('\t');
    Some(Row {
        program: next(cells)?,
        contender: next(cells)?,
        instructions: next(cells)?,
        libraries: next(cells)?,
        polls: next(cells)?,
        parent_polls: next(cells)?,
        allocations: next(cells)?,
    })
}

fn path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../counts.tsv"))
}

/// Reads the file.
///
/// # Panics
/// If it is missing, or a line of it cannot be read.
pub(crate) fn read() -> Vec<Row> {
    let text = std::fs::read_to_string(path()).expect("benches/counts.tsv can be read");
    let rows = text
        .strip_prefix(HEAD)
        .expect("the head is as it is written")
        .lines();
    rows.map(|line| parse(line).unwrap_or_else(|| panic!("not a row of counts: {line}")))
        .collect()
}

/// Writes the file.
///
/// # Panics
/// If that fails.
pub(crate) fn write(rows: &[Row]) {
    let lines = rows.iter().map(|row| format!("{row}\n"));
    let text: String = std::iter::once(HEAD.to_owned()).chain(lines).collect();
    std::fs::write(path(), text).expect("benches/counts.tsv can be written");
}

/// Puts the rows of the programs that were `counted` in place of their `earlier` ones, in the order of all `programs`.
pub(crate) fn merge(earlier: Vec<Row>, counted: Vec<Row>, programs: &[&str]) -> Vec<Row> {
    let is_counted = |row: &Row| counted.iter().any(|new| new.program == row.program);
    let kept = earlier.into_iter().filter(|row| !is_counted(row));
    let mut rows: Vec<Row> = kept.collect();
    rows.extend(counted);
    // Stable, so the contenders of a program keep their order.
    rows.sort_by_key(|row| programs.iter().position(|&name| name == row.program));
    rows
}
