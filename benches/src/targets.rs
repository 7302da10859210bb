//! What the crate sets out to reach, and whether it does.

use std::fmt;

use harness::Role;

use crate::statistics::geometric_mean;
use crate::table::{Row, Table};

/// A goal for the subject in one table.
#[derive(Clone, Copy)]
enum Goal {
    /// In columns from `from` to `to`, every peer whose name contains `rival` takes at least `factor` times as much.
    Ahead {
        rival: &'static str,
        factor: f64,
        from: usize,
        to: usize,
    },
    /// In columns from `from` on, it takes at most `factor` times as much as the floor.
    NearFloor { from: usize, factor: f64 },
    /// The last column takes at most `factor` times as much as the one at `from`.
    Flat { from: usize, factor: f64 },
    /// No column is above this.
    AtMost(f64),
}

const fn ahead(rival: &'static str, factor: f64) -> Goal {
    ahead_between(rival, factor, 0, usize::MAX)
}

const fn ahead_between(rival: &'static str, factor: f64, from: usize, to: usize) -> Goal {
    Goal::Ahead {
        rival,
        factor,
        from,
        to,
    }
}

const NEAR_FLOOR: Goal = Goal::NearFloor {
    from: 5,
    factor: 1.3,
};
const FLAT: Goal = Goal::Flat {
    from: 30,
    factor: 1.5,
};
const EVERY_PEER: &str = "";
/// Where a peer takes two thirds of the time, the subject is within 1.5 times.
const WITHIN_HALF_MORE: f64 = 1.0 / 1.5;

/// What titles begin with, and the goal for those tables.
const TARGETS: [(&str, Goal); 27] = [
    ("parallel W1", ahead_between(EVERY_PEER, 1.15, 5, 4096)),
    ("parallel W2", ahead_between(EVERY_PEER, 1.15, 5, 4096)),
    ("parallel W3", ahead_between(EVERY_PEER, 1.15, 5, 4096)),
    ("parallel W4", ahead_between(EVERY_PEER, 1.15, 5, 4096)),
    ("parallel W2, ", NEAR_FLOOR),
    ("parallel W4", NEAR_FLOOR),
    ("parallel chain", ahead(EVERY_PEER, 1.0)),
    ("parallel woken from threads", ahead(EVERY_PEER, 1.0)),
    ("parallel against N", ahead(EVERY_PEER, 1.0)),
    ("parallel huge", ahead(EVERY_PEER, 1.0)),
    ("stream", ahead(EVERY_PEER, 1.0)),
    ("race", ahead_between(EVERY_PEER, 1.0, 30, usize::MAX)),
    ("race", ahead("futures-buffered", 1.0)),
    ("race", ahead("futures-concurrency", 1.0)),
    ("race", ahead_between("select_ok", WITHIN_HALF_MORE, 3, 3)),
    ("race", FLAT),
    ("gather", ahead_between(EVERY_PEER, 1.0, 30, usize::MAX)),
    ("gather", ahead("futures-buffered", 1.0)),
    ("gather", ahead("futures-concurrency", 1.0)),
    (
        "gather",
        ahead_between("futures join_all", WITHIN_HALF_MORE, 3, 3),
    ),
    ("gather", FLAT),
    ("batched", ahead_between(EVERY_PEER, 1.0, 30, usize::MAX)),
    ("pool", ahead("tokio", 2.5)),
    ("pool", ahead(EVERY_PEER, 1.0)),
    // K slots in rows of eight, and a few for the ready set and the results.
    (
        "counts parallel W2 allocations K=5",
        Goal::AtMost(5.0 + 16.0),
    ),
    (
        "counts parallel W2 allocations K=256",
        Goal::AtMost(256.0 + 32.0 + 24.0),
    ),
    (
        "counts stream",
        Goal::Flat {
            from: 0,
            factor: 1.0,
        },
    ),
];

/// Whether a goal is met, what it is, and how near it is in the worst case.
struct Verdict {
    is_met: bool,
    goal: String,
    worst: String,
}

impl Goal {
    /// Compares a table with the goal. There is nothing to say of a table without what the goal is about.
    fn verdict(self, table: &Table) -> Option<Verdict> {
        match self {
            Self::Ahead {
                rival,
                factor,
                from,
                to,
            } => {
                let columns = columns(table, from, to).filter_map(|column| {
                    let (row, ratio) = table.closest(rival, column)?;
                    Some((ratio, row, column))
                });
                let by_ratio = columns.min_by(|(a, ..), (b, ..)| a.median.total_cmp(&b.median));
                let (ratio, row, column) = by_ratio?;
                let rivals = if rival.is_empty() {
                    "every peer"
                } else {
                    rival
                };
                Some(Verdict {
                    is_met: ratio.median >= factor,
                    goal: format!("{factor:.2}x {rivals}"),
                    worst: format!("{ratio} {}, {}", row.name, table.column_name(column)),
                })
            }
            Self::NearFloor { from, factor } => {
                let columns = columns(table, from, usize::MAX)
                    .filter_map(|column| Some((table.over_floor(column)?, column)));
                let (over, column) = columns.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
                Some(Verdict {
                    is_met: over <= factor,
                    goal: format!("within {factor:.1}x of the bare loop"),
                    worst: format!("{over:.2}x, {}", table.column_name(column)),
                })
            }
            Self::Flat { from, factor } => {
                let subject = table.subject()?;
                let first = columns(table, from, usize::MAX).next()?;
                let last = table.columns.len() - 1;
                let growth = table.median(subject, last)? / table.median(subject, first)?;
                let (first, last) = (table.column_name(first), table.column_name(last));
                Some(Verdict {
                    is_met: growth <= factor,
                    goal: format!("flat within {factor:.1}x"),
                    worst: format!("{growth:.2}x from {first} to {last}"),
                })
            }
            Self::AtMost(limit) => {
                let subject = table.subject()?;
                let medians = columns(table, 0, usize::MAX)
                    .filter_map(|column| table.median(subject, column));
                let most = medians.max_by(f64::total_cmp)?;
                Some(Verdict {
                    is_met: most <= limit,
                    goal: format!("at most {limit}"),
                    worst: format!("{most}"),
                })
            }
        }
    }
}

fn columns(table: &Table, from: usize, to: usize) -> impl Iterator<Item = usize> {
    let is_in = move |&column: &usize| (from..=to).contains(&table.columns[column]);
    (0..table.columns.len()).filter(is_in)
}

/// The ratios of the fastest peer to one contender, over W1-W4 and K from 5 to 4096.
pub(crate) struct Overall<'a> {
    pub(crate) name: &'a str,
    pub(crate) role: Role,
    pub(crate) mean: f64,
    pub(crate) worst: f64,
}

/// Sums up the windows: the subject, and then the floors, which show how much of the machine is left. There is nothing
/// to sum up unless all four workloads were measured.
pub(crate) fn overall(tables: &[Table]) -> Vec<Overall<'_>> {
    let workloads = [
        "parallel W1, ",
        "parallel W2, ",
        "parallel W3, ",
        "parallel W4, ",
    ];
    let windows = workloads.map(|workload| {
        let mut tables = tables.iter();
        tables.find(|table| table.title.starts_with(workload))
    });
    let [Some(first), ..] = windows else {
        return Vec::new();
    };
    let rows = first.rows.iter();
    let rows = rows.filter(|row| matches!(row.role, Role::Subject | Role::Floor));
    rows.filter_map(|row| overall_of(row, &windows)).collect()
}

/// Sums up the rows of one name.
fn overall_of<'a>(row: &'a Row, windows: &[Option<&Table>]) -> Option<Overall<'a>> {
    let mut ratios = Vec::new();
    for table in windows {
        let table = (*table)?;
        let row = table.rows.iter().find(|other| other.name == row.name)?;
        for column in columns(table, 5, 4096) {
            let (_, ratio) = table.closest_to(row, EVERY_PEER, column)?;
            ratios.push(ratio.median);
        }
    }
    Some(Overall {
        name: row.name.trim(),
        role: row.role,
        mean: geometric_mean(&ratios)?,
        worst: ratios.iter().copied().min_by(f64::total_cmp)?,
    })
}

/// Says how each target fares in the tables that were measured.
pub(crate) struct Report<'a>(pub(crate) &'a [Table]);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\ntargets")?;
        for Overall {
            name,
            role,
            mean,
            worst,
        } in overall(self.0)
        {
            let (met, name, goal) = match role {
                Role::Floor => ("floor", name, "schedules nothing, or next to it"),
                _ => (verdict(mean >= 1.9), "", "1.90x in the geometric mean"),
            };
            writeln!(
                f,
                "  {met:8}{:58}{goal:36}{mean:.2}x, the worst {worst:.2}x {name}",
                "parallel W1-W4, K=5 to 4096, the fastest peer of each",
            )?;
        }
        for (titles, goal) in &TARGETS {
            for table in self
                .0
                .iter()
                .filter(|table| table.title.starts_with(titles))
            {
                if let Some(Verdict {
                    is_met,
                    goal,
                    worst,
                }) = goal.verdict(table)
                {
                    writeln!(
                        f,
                        "  {:8}{:58}{goal:36}{worst}",
                        verdict(is_met),
                        table.title
                    )?;
                }
            }
        }
        Ok(())
    }
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "MISSED" }
}
