//! What a record comes to.

use std::time::Duration;

use super::lanes::{Ends, Lane};
use super::plan::Plan;
use super::record::{Part, Place, Record, State};
use crate::axis::Seconds;

/// Shares of the time of all slots, as long as there are tasks to start: afterwards no scheduler has a use for them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Idle {
    /// There was a result that the program did not have yet.
    held: f64,
    /// A task had been woken, and was not polled.
    stalled: f64,
    empty: f64,
}

impl Idle {
    /// Returns the sum, in percent.
    fn total(self) -> f64 {
        (self.held + self.stalled + self.empty) * 100.0
    }
}

pub(super) struct Figures {
    /// In milliseconds.
    total: f64,
    /// Of a lane that has a limit.
    idle: Option<Idle>,
    in_flight: usize,
    polls: usize,
    /// A sentence or two for who cannot see the bars.
    pub(super) summary: String,
}

impl Figures {
    pub(super) fn new(record: &Record, lane: &Lane, plan: &Plan) -> Self {
        let total = record.end().unwrap_or_else(|| record.now());
        let idle = lane.is_bounded.then(|| idle(record, plan.limit));
        let mut summary = outcome(record);
        if lane.ends == Ends::AtLast {
            summary.push_str(&failure(record, total));
        }
        if let Some(idle) = idle {
            summary.push_str(&sentence(idle));
        }
        Self {
            total,
            idle,
            in_flight: record.most_in_flight(),
            polls: record.polls(),
            summary,
        }
    }

    /// Returns what is shown of them, by the names of the places for it.
    pub(super) fn shown(&self) -> [(&'static str, String); 4] {
        let idle = |idle: Idle| format!("{:.0} %", idle.total());
        [
            ("total", seconds(self.total)),
            ("idle", self.idle.map_or_else(|| "–".to_owned(), idle)),
            ("in-flight", self.in_flight.to_string()),
            ("polls", self.polls.to_string()),
        ]
    }
}

pub(super) fn seconds(millis: f64) -> String {
    Seconds(Duration::from_secs_f64(millis / 1000.0)).to_string()
}

fn idle(record: &Record, slots: usize) -> Idle {
    let tasks = record.tasks();
    let until = if tasks.iter().any(|task| task.state == State::Waiting) {
        record.end().unwrap_or_default()
    } else {
        tasks.iter().map(|task| task.started).fold(0.0, f64::max)
    };
    if until == 0.0 {
        return Idle::default();
    }
    let of = |parts: &[Part]| -> f64 {
        let spans = record.spans();
        let spans = spans.iter().filter(|span| {
            parts.contains(&span.part) && span.place != Place::Loop && span.start < until
        });
        spans
            .map(|span| span.end.min(until) - span.start)
            .sum::<f64>()
            / (until * slots as f64)
    };
    let (busy, held, stalled) = (
        of(&[Part::Work, Part::Saving]),
        of(&[Part::Held]),
        of(&[Part::Stalled]),
    );
    Idle {
        held,
        stalled,
        empty: (1.0 - busy - held - stalled).max(0.0),
    }
}

/// Says how it ended, and what became of the tasks.
fn outcome(record: &Record) -> String {
    let tasks = record.tasks();
    let count = |state| tasks.iter().filter(|task| task.state == state).count();
    let delivered = tasks.iter().filter(|task| task.delivered).count();
    let mut text = format!("{delivered} of {} results used", tasks.len());
    let lost = tasks
        .iter()
        .filter(|task| task.state == State::Succeeded && !task.delivered)
        .count();
    let rest = [
        (lost, "finished for nothing"),
        (count(State::Dropped), "dropped"),
        (count(State::Waiting), "never started"),
    ];
    for (number, what) in rest {
        if number > 0 {
            text.push_str(&format!(", {number} {what}"));
        }
    }
    text.push_str(". ");
    text
}

/// Says how soon the first failure was seen, if there was one.
fn failure(record: &Record, total: f64) -> String {
    let tasks = record.tasks();
    let failed = tasks
        .iter()
        .enumerate()
        .filter(|(_, task)| task.state == State::Failed)
        .min_by(|(_, one), (_, other)| one.ended.total_cmp(&other.ended));
    match failed {
        Some((index, task)) if total - task.ended < 20.0 => {
            format!("The failure of task {index} was seen at once. ")
        }
        Some((index, task)) => {
            let after = seconds(total - task.ended);
            format!("The failure of task {index} was seen {after} later. ")
        }
        None => String::new(),
    }
}

/// Says where idle time went.
fn sentence(idle: Idle) -> String {
    let parts = [
        (idle.held, "held by finished tasks"),
        (idle.stalled, "woken but not polled"),
        (idle.empty, "empty"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .map(|(share, what)| (share * 100.0, what))
        .filter(|(share, _)| *share >= 0.5)
        .map(|(share, what)| format!("{share:.0}\u{a0}% {what}"))
        .collect();
    if parts.is_empty() {
        return "No slot was idle while tasks waited.".to_owned();
    }
    format!("Slots while tasks waited: {}.", parts.join(", "))
}
