//! A run of the program: measures contenders side by side, round by round.

use harness::{Contender, Job, Workload, nanoseconds};

use crate::options::{Mode, Options};
use crate::padding::{Random, padded};
use crate::table::{Heading, Row, Table, grouped};
use crate::{long, ratios, targets};

/// Contenders that do the same tasks, at several sizes.
pub(crate) struct Comparison<'a> {
    pub(crate) heading: Heading<'a>,
    pub(crate) workload: Workload,
    /// How many tasks there are, at least.
    pub(crate) tasks: usize,
    /// How many there are for each unit of size, at least.
    pub(crate) tasks_per_size: usize,
    pub(crate) contenders: Vec<Contender>,
}

struct Plan {
    /// How many rounds there are besides the first, which is not kept.
    rounds: usize,
    /// Whether contenders are spared what takes them too long.
    is_capped: bool,
}

pub(crate) struct Session {
    options: Options,
    random: Random,
    tables: Vec<Table>,
}

impl Session {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            random: Random::new(),
            tables: Vec::new(),
        }
    }

    /// Returns whether this measures for the long form.
    pub(crate) fn is_long(&self) -> bool {
        self.options.is_for_long()
    }

    /// Shrinks a workload for a quick run.
    pub(crate) fn scale(&self, size: usize) -> usize {
        match self.options.mode {
            Mode::Quick => size / 10,
            Mode::Usual | Mode::Long => size,
        }
    }

    /// Measures how long a task takes each contender.
    pub(crate) fn compare(&mut self, comparison: &Comparison<'_>) {
        let Comparison {
            ref heading,
            workload,
            tasks,
            tasks_per_size,
            ref contenders,
        } = *comparison;
        let tasks = self.scale(tasks);
        self.time(heading, contenders, |run, size| {
            // Whole chunks, and enough of them for the first to be one of many.
            let tasks = tasks.max(tasks_per_size * size).next_multiple_of(size);
            let job = Job {
                workload,
                size,
                tasks,
            };
            run(job, nanoseconds) / tasks as f64
        });
    }

    /// Measures times: several rounds in turn, after one that is not kept. `sample` runs a contender at a column's
    /// size, and returns what that took.
    pub(crate) fn time<R>(
        &mut self,
        heading: &Heading<'_>,
        contenders: &[Contender<R>],
        sample: impl Fn(&R, usize) -> f64,
    ) {
        let rounds = match self.options.mode {
            Mode::Quick => 3,
            // There are several such processes.
            _ if self.is_long() => 5,
            Mode::Usual | Mode::Long => 9,
        };
        let plan = Plan {
            rounds,
            is_capped: true,
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
            is_capped: false,
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
        if !self.options.wants(heading.title) {
            return;
        }
        let is_asked_for = |contender: &&Contender<R>| {
            let mut names = self.options.only.split(',');
            names.any(|name| contender.name.contains(name))
        };
        let contenders: Vec<_> = contenders.iter().filter(is_asked_for).collect();
        let mut rows: Vec<Row> = contenders
            .iter()
            .map(|contender| Row {
                name: contender.name.to_owned(),
                role: contender.role,
                note: plan.is_capped.then(|| note(contender, heading)).flatten(),
                samples: vec![Vec::new(); heading.columns.len()],
            })
            .collect();

        for (position, &column) in heading.columns.iter().enumerate() {
            for round in 0..=plan.rounds {
                // Another contender begins in each round, so that none always comes after the same one.
                for turn in 0..contenders.len() {
                    let index = (round + turn) % contenders.len();
                    let contender = contenders[index];
                    if plan.is_capped && !contender.is_timed_at(column) {
                        continue;
                    }
                    let mut taken = 0.0;
                    padded(&mut self.random, &mut || {
                        taken = sample(&contender.run, column);
                    });
                    // The first round warms up, unless it is the only one that there can be.
                    if round > 0 {
                        rows[index].samples[position].push(taken);
                    }
                }
            }
        }

        let table = Table::new(heading, rows);
        print!("{table}");
        self.tables.push(table);
    }

    /// Says what all that means, or hands it to the process that will.
    pub(crate) fn finish(self) {
        match &self.options.samples {
            Some(path) => long::write_samples(path, &self.tables),
            None => print!("{}", targets::Report(&self.tables)),
        }
        if let Some(path) = &self.options.plot {
            ratios::write(path, &self.tables);
        }
    }
}

/// Says why columns of a contender stay empty.
fn note<R>(contender: &Contender<R>, heading: &Heading<'_>) -> Option<String> {
    let (size, why) = contender.cap?;
    let is_left_out = heading.columns.iter().any(|&column| column > size);
    is_left_out.then(|| format!("only up to {}={}: {why}", heading.axis, grouped(size)))
}
