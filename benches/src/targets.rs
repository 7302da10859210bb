//! What the crate sets out to reach, and whether it does.

use crate::session::{Role, Row, Session, Table};

enum Goal {
    /// In columns from `from` to `to`, every peer whose name contains `rival` takes at least `factor` times as much.
    Ahead {
        rival: &'static str,
        factor: f64,
        from: usize,
        to: usize,
    },
    /// The last column takes at most `factor` times as much as the one at `from`.
    Flat { from: usize, factor: f64 },
    /// No column is above this.
    AtMost(f64),
}

struct Target {
    /// What the titles of the tables begin with.
    tables: &'static str,
    goal: Goal,
}

const fn ahead(tables: &'static str, rival: &'static str, factor: f64) -> Target {
    let goal = Goal::Ahead {
        rival,
        factor,
        from: 0,
        to: usize::MAX,
    };
    Target { tables, goal }
}

/// For sets of this size and up.
const LARGE: usize = 30;

const fn ahead_if_large(tables: &'static str) -> Target {
    let goal = Goal::Ahead {
        rival: "",
        factor: 1.0,
        from: LARGE,
        to: usize::MAX,
    };
    Target { tables, goal }
}

const fn flat(tables: &'static str) -> Target {
    let goal = Goal::Flat {
        from: LARGE,
        factor: 1.5,
    };
    Target { tables, goal }
}

const fn at_most(tables: &'static str, limit: f64) -> Target {
    let goal = Goal::AtMost(limit);
    Target { tables, goal }
}

const TARGETS: [Target; 27] = [
    ahead("parallel W1", "", 2.0),
    ahead("parallel W1", "buffer_unordered", 4.0),
    ahead("parallel W2", "", 2.0),
    ahead("parallel W2", "buffer_unordered", 4.0),
    ahead("parallel W4", "", 2.0),
    ahead("parallel W4", "buffer_unordered", 4.0),
    ahead("parallel W3", "", 1.0),
    ahead("parallel chain", "", 1.0),
    ahead("stream unordered W2", "", 1.0),
    ahead("stream unordered W3", "", 1.0),
    ahead("stream unordered W4", "", 1.0),
    ahead("stream ordered W2", "", 1.0),
    ahead("stream ordered W3", "", 1.0),
    ahead("stream ordered W4", "", 1.0),
    ahead_if_large("race"),
    flat("race"),
    Target {
        tables: "race",
        goal: Goal::Ahead {
            rival: "select_ok",
            factor: 1.0 / 1.5,
            from: 3,
            to: 3,
        },
    },
    ahead_if_large("batched"),
    flat("batched"),
    ahead_if_large("gather"),
    flat("gather"),
    // Twice the slots, and a few for the results.
    at_most("counts parallel W2 allocations K=5", 2.0 * 5.0 + 16.0),
    at_most("counts parallel W2 allocations K=256", 2.0 * 256.0 + 24.0),
    Target {
        tables: "counts stream unordered",
        goal: Goal::Flat {
            from: 0,
            factor: 1.0,
        },
    },
    Target {
        tables: "counts stream ordered",
        goal: Goal::Flat {
            from: 0,
            factor: 1.0,
        },
    },
    ahead("pool", "tokio", 2.0),
    ahead("pool", "async-executor", 1.0),
];

/// Whether a goal is met, what it is, and how near it is in the worst case.
struct Verdict {
    met: bool,
    goal: String,
    worst: String,
}

impl Goal {
    fn judge(&self, table: &Table) -> Option<Verdict> {
        let subject = table.subject()?;
        match *self {
            Self::Ahead {
                rival,
                factor,
                from,
                to,
            } => {
                let (ratio, row, column) = closest(table, rival, from, to)?;
                let rivals = if rival.is_empty() {
                    "every peer"
                } else {
                    rival
                };
                Some(Verdict {
                    met: ratio >= factor,
                    goal: format!("{factor:.1}x {rivals}"),
                    worst: format!("{ratio:.2}x {}, {}", row.name, table.column_name(column)),
                })
            }
            Self::Flat { from, factor } => {
                let first = table.columns.iter().position(|&column| column >= from)?;
                let last = table.columns.len() - 1;
                let growth = table.median(subject, last)? / table.median(subject, first)?;
                let (first, last) = (table.column_name(first), table.column_name(last));
                Some(Verdict {
                    met: growth <= factor,
                    goal: format!("flat within {factor:.1}x"),
                    worst: format!("{growth:.2}x from {first} to {last}"),
                })
            }
            Self::AtMost(limit) => {
                let columns = 0..table.columns.len();
                let medians = columns.filter_map(|column| table.median(subject, column));
                let most = medians.max_by(f64::total_cmp)?;
                Some(Verdict {
                    met: most <= limit,
                    goal: format!("at most {limit}"),
                    worst: format!("{most}"),
                })
            }
        }
    }
}

/// The peer that comes closest, and where: its ratio, row and column.
fn closest<'a>(
    table: &'a Table,
    rival: &str,
    from: usize,
    to: usize,
) -> Option<(f64, &'a Row, usize)> {
    let columns = 0..table.columns.len();
    columns
        .filter(|&column| (from..=to).contains(&table.columns[column]))
        .flat_map(|column| table.rows.iter().map(move |row| (row, column)))
        .filter(|(row, _)| row.role == Role::Peer && row.name.contains(rival))
        .filter_map(|(row, column)| Some((table.ratio(row, column)?, row, column)))
        .min_by(|(a, ..), (b, ..)| a.total_cmp(b))
}

/// Prints how each target fares in the tables that were measured.
pub(crate) fn print(session: &Session) {
    println!("\ntargets");
    for Target { tables, goal } in &TARGETS {
        let named = |table: &&Table| table.title.starts_with(tables);
        if session.is_whole() && !session.tables.iter().any(|table| named(&table)) {
            println!("  {:8}{tables:58}not measured yet", "-");
        }
        for table in session.tables.iter().filter(named) {
            if let Some(Verdict { met, goal, worst }) = goal.judge(table) {
                let met = if met { "met" } else { "MISSED" };
                println!("  {met:8}{:58}{goal:36}{worst}", table.title);
            }
        }
    }
}
