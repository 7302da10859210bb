//! Races on a virtual clock: which task starts when, and which of them wins when.

use std::task::Poll;
use std::time::Duration;

use abreast::time::VirtualClock;
use abreast::{RaceError, fall_through, race, timeout};
use futures::FutureExt;
use futures::future::LocalBoxFuture;

use crate::programs;
use crate::random::Random;
use crate::support::Driver;

/// How long a racer takes, and whether it succeeds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Racer {
    pub(crate) millis: u64,
    pub(crate) succeeds: bool,
}

/// What becomes of a race, and when.
#[derive(Debug, PartialEq)]
pub(crate) struct Finish {
    pub(crate) winner: Option<usize>,
    /// In the order in which they have failed.
    pub(crate) failed: Vec<usize>,
    pub(crate) starts: Vec<u64>,
    pub(crate) at: u64,
}

/// Plays a race by its documentation: the next one starts when `delay` has passed since the last start, or when one has
/// failed.
pub(crate) fn play(racers: &[Racer], delay: Option<u64>) -> Finish {
    let mut finish = Finish {
        winner: None,
        failed: Vec::new(),
        starts: Vec::new(),
        at: 0,
    };
    let mut running: Vec<usize> = Vec::new();
    let mut may_start = 1;
    loop {
        // Of those that end now, the lowest index is first.
        let (starts, now) = (&finish.starts, finish.at);
        let (ended, rest) = running
            .iter()
            .partition(|&&index| starts[index] + racers[index].millis == now);
        running = rest;
        let ended: Vec<usize> = ended;
        for index in ended {
            if racers[index].succeeds {
                finish.winner = Some(index);
                return finish;
            }
            finish.failed.push(index);
            may_start += 1;
        }
        // Those that end at once make way for the next.
        while finish.starts.len() < racers.len() {
            let is_due = match (finish.starts.last(), delay) {
                (Some(last), Some(delay)) => last + delay <= now,
                _ => false,
            };
            if may_start == 0 && !is_due {
                break;
            }
            may_start = usize::saturating_sub(may_start, 1);
            let index = finish.starts.len();
            finish.starts.push(now);
            if racers[index].millis > 0 {
                running.push(index);
            } else if racers[index].succeeds {
                finish.winner = Some(index);
                return finish;
            } else {
                finish.failed.push(index);
                may_start += 1;
            }
        }
        if running.is_empty() && finish.starts.len() == racers.len() {
            return finish;
        }
        finish.at += 1;
    }
}

#[test]
fn races_keep_to_their_times() {
    programs(timed_races);
}

pub(crate) fn timed_races(random: &mut Random) {
    let racers: Vec<_> = (0..random.below(8))
        .map(|_| Racer {
            millis: random.below(20) as u64,
            succeeds: random.one_in(4),
        })
        .collect();
    let delay = match random.below(3) {
        0 => None,
        _ => Some(1 + random.below(8) as u64),
    };
    let expected = play(&racers, delay);
    let limit = match random.below(3) {
        0 => Some(1 + random.below(60) as u64),
        _ => None,
    };

    let clock = VirtualClock::new();
    let starts = std::cell::RefCell::new(Vec::new());
    let tasks = racers.iter().enumerate().map(|(index, &racer)| {
        let now = clock.now().as_millis() as u64;
        starts.borrow_mut().push(now);
        let wait = clock.sleep(Duration::from_millis(racer.millis));
        async move {
            // A timer of the clock waits for the clock, and be it for no time.
            if racer.millis > 0 {
                wait.await;
            }
            if racer.succeeds {
                Ok(index)
            } else {
                Err(index)
            }
        }
    });
    let run: LocalBoxFuture<'_, _> = match delay {
        None => fall_through(tasks).boxed_local(),
        Some(delay) => race(tasks)
            .stagger(Duration::from_millis(delay), clock.timer())
            .boxed_local(),
    };
    let run = match limit {
        None => run.map(Some).boxed_local(),
        Some(limit) => {
            let limit = Duration::from_millis(limit);
            timeout(limit, clock.timer(), run)
                .map(Result::ok)
                .boxed_local()
        }
    };
    let mut run = Driver::new(run);
    let result = loop {
        match run.run() {
            Poll::Ready(result) => break result,
            Poll::Pending => clock.advance(Duration::from_millis(1)),
        }
    };
    drop(run);

    let now = clock.now().as_millis() as u64;
    let Some(result) = result else {
        // It strikes to the millisecond, and only if the race would have gone on.
        assert_eq!(Some(now), limit);
        assert!(expected.at > now, "the race was over");
        return;
    };
    assert_eq!(now, expected.at, "when it ends");
    assert_eq!(starts.into_inner(), expected.starts, "starts");
    match result {
        Ok(won) => assert_eq!(Some(won.winner_index), expected.winner),
        Err(RaceError::NoTasks) => assert!(racers.is_empty()),
        Err(RaceError::AllFailed(failures)) => {
            assert_eq!(expected.winner, None);
            let failed = failures.into_iter().map(|(index, _)| index);
            assert!(failed.eq(expected.failed), "the order of failures");
        }
        Err(error) => panic!("{error}"),
    }
}
