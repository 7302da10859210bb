//! Measures contenders side by side, and prints what came of it.

use std::time::Instant;

use crate::board::polled;

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

    /// Is not timed in columns above `size`, and says why.
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
    /// Missing if only peers were asked for.
    pub(crate) fn subject(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.role == Role::Subject)
    }

    pub(crate) fn column_name(&self, column: usize) -> String {
        format!("{}={}", self.axis, self.columns[column])
    }

    pub(crate) fn median(&self, row: &Row, column: usize) -> Option<f64> {
        median(row.samples[column].iter().copied())
    }

    /// How many times as much as the subject `row` takes: the median over rounds, so that what slows a whole round down
    /// does not show.
    pub(crate) fn ratio(&self, row: &Row, column: usize) -> Option<f64> {
        let subject = &self.subject()?.samples[column];
        let pairs = row.samples[column].iter().zip(subject);
        median(pairs.map(|(peer, subject)| peer / subject))
    }

    fn print(&self) {
        println!("\n{}: {}", self.title, self.measure);
        print!("{:36}", "");
        for column in 0..self.columns.len() {
            print!("{:>20}", self.column_name(column));
        }
        println!();
        for row in &self.rows {
            print!("{:36}", row.name);
            for column in 0..self.columns.len() {
                let ratio = self.ratio(row, column);
                let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}x"));
                match self.median(row, column) {
                    Some(median) => {
                        let digits = usize::from(median.fract() != 0.0);
                        print!("{median:>11.digits$} {ratio:>8}");
                    }
                    None => print!("{:>20}", "-"),
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

struct Plan {
    /// How many rounds there are besides the first, which is not kept.
    rounds: usize,
    /// Whether contenders are spared what takes them too long.
    capped: bool,
}

/// A run of the program: what to measure, and what was measured so far.
pub(crate) struct Session {
    words: Vec<String>,
    /// What the names of contenders contain.
    only: String,
    pub(crate) quick: bool,
    pub(crate) tables: Vec<Table>,
}

impl Session {
    /// Reads the command line: `--quick`, `--only=NAME` for a single contender, and words that the titles of all tables
    /// to be measured contain.
    pub(crate) fn from_args(args: impl Iterator<Item = String>) -> Self {
        let mut session = Self {
            words: Vec::new(),
            only: String::new(),
            quick: false,
            tables: Vec::new(),
        };
        for arg in args {
            if arg == "--quick" {
                session.quick = true;
            } else if let Some(name) = arg.strip_prefix("--only=") {
                session.only = name.to_owned();
            } else {
                assert!(
                    !arg.starts_with('-'),
                    "{arg} is neither --quick nor --only=NAME"
                );
                session.words.push(arg.to_lowercase());
            }
        }
        session
    }

    /// Whether all tables are measured.
    pub(crate) fn is_whole(&self) -> bool {
        self.words.is_empty()
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
        let plan = Plan {
            rounds,
            capped: true,
        };
        self.measure(heading, contenders, &plan, sample);
    }

    /// Counts what does not vary from one run to the next.
    pub(crate) fn count<R>(
        &mut self,
        heading: &Heading<'_>,
        contenders: &[Contender<R>],
        sample: impl Fn(&R, usize) -> f64,
    ) {
        let plan = Plan {
            rounds: 1,
            capped: false,
        };
        self.measure(heading, contenders, &plan, sample);
    }

    fn measure<R>(
        &mut self,
        heading: &Heading<'_>,
        contenders: &[Contender<R>],
        plan: &Plan,
        sample: impl Fn(&R, usize) -> f64,
    ) {
        if !self.wants(heading.title) {
            return;
        }
        let contenders: Vec<_> = contenders
            .iter()
            .filter(|contender| contender.name.contains(&self.only))
            .collect();
        let mut rows: Vec<Row> = contenders
            .iter()
            .map(|contender| Row {
                name: contender.name,
                role: contender.role,
                note: contender
                    .cap
                    .filter(|_| plan.capped)
                    .filter(|(size, _)| heading.columns.iter().any(|column| column > size))
                    .map(|(size, why)| format!("only up to {}={size}, {why}", heading.axis)),
                samples: vec![Vec::new(); heading.columns.len()],
            })
            .collect();
        for (position, &column) in heading.columns.iter().enumerate() {
            for round in 0..=plan.rounds {
                for (row, contender) in rows.iter_mut().zip(&contenders) {
                    if plan.capped && !contender.admits(column) {
                        continue;
                    }
                    let sample = sample(&contender.run, column);
                    // The first round warms up.
                    if round > 0 {
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

/// How often waiting tasks are polled in `work`.
pub(crate) fn polls(work: &mut dyn FnMut()) -> f64 {
    let before = polled();
    work();
    (polled() - before) as f64
}
