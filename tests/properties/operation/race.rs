//! What comes of streams that race for the first token, by its documentation, as the script of one stream.

use super::draw::text;
use crate::script::{Fault, Step};
use crate::times::{Racer, play};

/// What a stream does for its operation.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Chunk(&'static str),
    Wait(u64),
    /// With the streams that have failed, in that order.
    Fail(Vec<(usize, Fault)>),
    Hang,
}

/// Longer than any race in which nothing hangs.
const NEVER: u64 = 1000;

/// Returns what a stream by itself does.
pub(crate) fn alone(script: &[Step], index: usize) -> Vec<Act> {
    let acts = script.iter().map(|step| match *step {
        Step::Token(chunk) => Act::Chunk(chunk),
        Step::Wait(millis) => Act::Wait(millis),
        Step::Fail(fault) => Act::Fail(vec![(index, fault)]),
        Step::Hang => Act::Hang,
    });
    acts.collect()
}

/// A stream until its first token, which is where its race is decided.
struct Opening {
    millis: u64,
    /// The number of steps until then.
    steps: usize,
    wins: bool,
    fault: Option<Fault>,
}

impl Opening {
    fn of(script: &[Step]) -> Self {
        let mut this = Self {
            millis: 0,
            steps: 0,
            wins: false,
            fault: None,
        };
        let mut has_others = false;
        for step in script {
            this.steps += 1;
            match *step {
                Step::Wait(millis) => this.millis += millis,
                Step::Hang => this.millis = NEVER,
                Step::Fail(fault) => this.fault = Some(fault),
                Step::Token(chunk) => {
                    this.wins = text(&chunk).is_some_and(|text| !text.is_empty());
                    has_others |= text(&chunk).is_none();
                }
            }
            if this.wins || this.fault.is_some() || this.millis >= NEVER {
                return this;
            }
        }
        // An answer that is no text wins at its end.
        this.wins = has_others;
        this
    }
}

/// Returns what streams that race do together, and when each of them is opened.
pub(crate) fn raced(scripts: &[&[Step]], stagger: Option<u64>) -> (Vec<Act>, Vec<u64>) {
    let openings: Vec<_> = scripts.iter().map(|script| Opening::of(script)).collect();
    let racers: Vec<_> = openings
        .iter()
        .map(|opening| Racer {
            millis: opening.millis,
            succeeds: opening.wins,
        })
        .collect();
    let finish = play(&racers, Some(stagger.unwrap_or(0)));
    let mut starts = finish.starts;
    starts.retain(|&start| start < NEVER);
    if finish.at >= NEVER {
        return (vec![Act::Hang], starts);
    }

    let mut acts = vec![Act::Wait(finish.at)];
    if let Some(index) = finish.winner {
        // What came before the first token comes with it.
        let (before, after) = scripts[index].split_at(openings[index].steps);
        let before = alone(before, index).into_iter();
        acts.extend(before.filter(|act| matches!(act, Act::Chunk(_))));
        acts.extend(alone(after, index));
    } else {
        // Those that have ended without a token have lost, but not failed.
        let failed = finish.failed.into_iter();
        let faults = failed.filter_map(|index| Some((index, openings[index].fault?)));
        let faults: Vec<_> = faults.collect();
        if !faults.is_empty() {
            acts.push(Act::Fail(faults));
        }
    }
    (acts, starts)
}
