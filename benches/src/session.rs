//! Measures contenders side by side, and prints what came of it.

use std::time::Instant;

/// What a contender is to the comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// What the others are compared to.
    Subject,
    Peer,
    /// Does less than the work of the others: the physical limit.
    Floor,
}

/// A named implementation of some work. `R` is how to run it.
pub(crate) struct Contender<R> {
    name: &'static str,
    role: Role,
    run: R,
    cap: Option<(usize, &'static str)>,
}

impl<R> Contender<R> {
    fn new(name: &'static str, role: Role, run: R) -> Self {
        Self {
            name,
            role,
            run,
            cap: None,
        }
    }

    pub(crate) fn subject(name: &'static str, run: R) -> Self {
        Self::new(name, Role::Subject, run)
    }

    pub(crate) fn peer(name: &'static str, run: R) -> Self {
        Self::new(name, Role::Peer, run)
    }

    pub(crate) fn floor(name: &'static str, run: R) -> Self {
        Self::new(name, Role::Floor, run)
    }

    /// Leaves out columns above `size`, and says why.
    pub(crate) fn up_to(mut self, size: usize, why: &'static str) -> Self {
        self.cap = Some((size, why));
        self
    }

    fn admits(&self, column: usize) -> bool {
        self.cap.is_none_or(|(size, _)| column <= size)
    }
}

/// What a table is of. Words of the title are what the filter of the command line looks for.
pub(crate) struct Heading<'a> {
    pub(crate) title: &'a str,
    /// What is measured, with its unit.
    pub(crate) measure: &'a str,
    /// What the columns are, such as `K`.
    pub(crate) axis: &'a str,
    pub(crate) columns: &'a [usize],
}

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    note: Option<String>,
    /// By column: one sample a round.
    samples: Vec<Vec<f64>>,
}

pub(crate) struct Table {
    pub(crate) title: String,
    measure: String,
    axis: String,
    pub(crate) columns: Vec<usize>,
    pub(crate) rows: Vec<Row>,
}

fn median(samples: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut samples: Vec<f64> = samples.into_iter().collect();
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied()
}

impl Table {
    pub(crate) fn subject(&self) -> &Row {
        let mut rows = self.rows.iter();
        let subject = rows.find(|row| row.role == Role::Subject);
        subject.expect("every table has a subject")
    }

    pub(crate) fn median(&self, row: &Row, column: usize) -> Option<f64> {
        median(row.samples[column].iter().copied())
    }

    /// How many times as much as the subject `row` takes: the median over rounds, so that what slows a whole round down
    /// does not show.
    pub(crate) fn ratio(&self, row: &Row, column: usize) -> Option<f64> {
        let pairs = row.samples[column]
            .iter()
            .zip(&self.subject().samples[column]);
        median(pairs.map(|(peer, subject)| peer / subject))
    }

    fn print(&self) {
        println!("\n{}: {}", self.title, self.measure);
        print!("{:36}", "");
        for column in &self.columns {
            print!("{:>20}", format!("{}={column}", self.axis));
        }
        println!();
        for row in &self.rows {
            print!("{:36}", row.name);
            for column in 0..self.columns.len() {
                match (self.median(row, column), self.ratio(row, column)) {
                    (Some(median), Some(ratio)) if ratio.is_finite() => {
                        let digits = usize::from(median.fract() != 0.0 && median < 10_000.0);
                        print!("{median:>12.digits$} {ratio:>6.2}x");
                    }
                    (Some(median), _) => print!("{median:>12.1} {:>7}", ""),
                    _ => print!("{:>20}", "-"),
                }
            }
            println!();
        }
        for row in &self.rows {
            if let Some(note) = &row.note {
                println!("  {}: {note}", row.name);
            }
        }
    }
}

/// A run of the program: what to measure, and what was measured so far.
pub(crate) struct Session {
    words: Vec<String>,
    pub(crate) quick: bool,
    pub(crate) tables: Vec<Table>,
}

impl Session {
    /// Reads the command line: `--quick`, and words that the titles of all tables to be measured contain.
    pub(crate) fn from_args(args: impl Iterator<Item = String>) -> Self {
        let (flags, words): (Vec<_>, Vec<_>) = args.partition(|arg| arg.starts_with('-'));
        for flag in &flags {
            assert!(
                flag == "--quick",
                "unknown flag {flag}: there is only --quick"
            );
        }
        Self {
            words: words.iter().map(|word| word.to_lowercase()).collect(),
            quick: !flags.is_empty(),
            tables: Vec::new(),
        }
    }

    fn wants(&self, title: &str) -> bool {
        let title = title.to_lowercase();
        self.words.iter().all(|word| title.contains(word.as_str()))
    }

    /// Shrinks a workload for a quick run.
    pub(crate) fn scale(&self, size: usize) -> usize {
        size / if self.quick { 10 } else { 1 }
    }

    /// Measures times: several rounds in turn, after one that is not counted. `sample` runs a contender at a column's
    /// size, and returns what that took.
    pub(crate) fn time<R>(
        &mut self,
        heading: &Heading<'_>,
        contenders: &[Contender<R>],
        sample: impl Fn(&R, usize) -> f64,
    ) {
        let rounds = if self.quick { 3 } else { 7 };
        self.measure(heading, contenders, 1 + rounds, 1, sample);
    }

    /// Counts what does not vary from one run to the next.
    pub(crate) fn count<R>(
        &mut self,
        heading: &Heading<'_>,
        contenders: &[Contender<R>],
        sample: impl Fn(&R, usize) -> f64,
    ) {
        self.measure(heading, contenders, 2, 1, sample);
    }

    fn measure<R>(
        &mut self,
        heading: &Heading<'_>,
        contenders: &[Contender<R>],
        rounds: usize,
        warm_ups: usize,
        sample: impl Fn(&R, usize) -> f64,
    ) {
        if !self.wants(heading.title) {
            return;
        }
        let mut rows: Vec<Row> = contenders
            .iter()
            .map(|contender| Row {
                name: contender.name,
                role: contender.role,
                note: contender
                    .cap
                    .filter(|(size, _)| heading.columns.iter().any(|column| column > size))
                    .map(|(size, why)| format!("only up to {}={size}, {why}", heading.axis)),
                samples: vec![Vec::new(); heading.columns.len()],
            })
            .collect();
        for (position, &column) in heading.columns.iter().enumerate() {
            for round in 0..rounds {
                for (row, contender) in rows.iter_mut().zip(contenders) {
                    if !contender.admits(column) {
                        continue;
                    }
                    let sample = sample(&contender.run, column);
                    if round >= warm_ups {
                        row.samples[position].push(sample);
                    }
                }
            }
        }
        let table = Table {
            title: heading.title.to_owned(),
            measure: heading.measure.to_owned(),
            axis: heading.axis.to_owned(),
            columns: heading.columns.to_vec(),
            rows,
        };
        table.print();
        self.tables.push(table);
    }
}

/// How long `work` takes, in nanoseconds.
pub(crate) fn nanoseconds(work: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64
}
