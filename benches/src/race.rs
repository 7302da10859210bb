//! `race`, against those who take the first success.

use std::future::Future;

use futures::future::select_ok;
use futures_buffered::FuturesUnorderedBounded;
use futures_concurrency::future::RaceOk;
use tokio::task::JoinSet;

use crate::board::{drive, wait, waiting};
use crate::host::{block_on, block_on_tokio};
use crate::session::{Contender, Heading, Session, nanoseconds, polls};
use crate::sets::Set;
use crate::workload::{Meter, Task};

#[derive(Clone, Copy)]
enum Course {
    /// All are ready on their first poll. All but the last fail.
    Ready,
    /// All wait. One by one is woken and fails, in random order; the one that remains succeeds.
    Failing,
    /// All wait. The first that is woken succeeds.
    Won,
}

/// A way to have the first success of many.
trait Race {
    /// Starts all racers. Returns what the winner does.
    fn run<F: Task>(racers: impl Iterator<Item = F>) -> impl Future<Output = Option<usize>>;

    /// Runs the future of [`run`](Self::run) where it belongs.
    fn host<F: Future>(future: F) -> F::Output {
        block_on(future)
    }
}

type Entry = Contender<fn(Course, Job, Meter) -> f64>;

#[derive(Clone, Copy)]
struct Job {
    racers: usize,
    /// How many races there are, one after another.
    races: usize,
}

fn measure<R: Race>(course: Course, job: Job, meter: Meter) -> f64 {
    let racers = 0..job.racers;
    let last = job.racers - 1;
    match course {
        Course::Ready => metered::<R, _>(job, 0, meter, || {
            let runs =
                move |index| async move { if index == last { Ok(index) } else { Err(index) } };
            racers.clone().map(runs)
        }),
        Course::Failing => metered::<R, _>(job, job.racers, meter, || {
            let runs = |index| async move {
                wait().await;
                if waiting() == 0 {
                    Ok(index)
                } else {
                    Err(index)
                }
            };
            racers.clone().map(runs)
        }),
        Course::Won => metered::<R, _>(job, job.racers, meter, || {
            let runs = |index| async move {
                wait().await;
                Ok(index)
            };
            racers.clone().map(runs)
        }),
    }
}

fn metered<R, I>(job: Job, audience: usize, meter: Meter, line_up: impl Fn() -> I) -> f64
where
    R: Race,
    I: Iterator<Item: Task>,
{
    meter(&mut || {
        for _ in 0..job.races {
            let race = R::run(line_up());
            let winner = match audience {
                0 => R::host(race),
                _ => R::host(drive(race, audience, 1)),
            };
            assert!(winner.is_some(), "every race has a winner");
        }
    })
}

struct Abreast;

impl Race for Abreast {
    async fn run<F: Task>(racers: impl Iterator<Item = F>) -> Option<usize> {
        Some(abreast::race(racers).await.ok()?.value)
    }
}

struct SelectOk;

impl Race for SelectOk {
    async fn run<F: Task>(racers: impl Iterator<Item = F>) -> Option<usize> {
        let (value, _losers) = select_ok(racers.map(Box::pin)).await.ok()?;
        Some(value)
    }
}

struct ConcurrencyRaceOk;

impl Race for ConcurrencyRaceOk {
    async fn run<F: Task>(racers: impl Iterator<Item = F>) -> Option<usize> {
        racers.collect::<Vec<_>>().race_ok().await.ok()
    }
}

/// What people write around a set of futures.
async fn first_success<S, F>(racers: impl Iterator<Item = F>) -> Option<usize>
where
    S: Set<F>,
    F: Task,
{
    let racers: Vec<F> = racers.collect();
    let mut set = S::with_capacity(racers.len());
    for racer in racers {
        set.push(racer);
    }
    while let Some(result) = set.next().await {
        if let Ok(value) = result {
            return Some(value);
        }
    }
    None
}

struct Unordered;

impl Race for Unordered {
    async fn run<F: Task>(racers: impl Iterator<Item = F>) -> Option<usize> {
        first_success::<futures::stream::FuturesUnordered<F>, F>(racers).await
    }
}

struct Buffered;

impl Race for Buffered {
    async fn run<F: Task>(racers: impl Iterator<Item = F>) -> Option<usize> {
        first_success::<FuturesUnorderedBounded<F>, F>(racers).await
    }
}

struct Unicycle;

impl Race for Unicycle {
    async fn run<F: Task>(racers: impl Iterator<Item = F>) -> Option<usize> {
        first_success::<unicycle::FuturesUnordered<F>, F>(racers).await
    }
}

struct TokioJoinSet;

impl Race for TokioJoinSet {
    async fn run<F: Task>(racers: impl Iterator<Item = F>) -> Option<usize> {
        let mut set: JoinSet<_> = racers.collect();
        while let Some(result) = set.join_next().await {
            if let Ok(Ok(value)) = result {
                set.shutdown().await;
                return Some(value);
            }
        }
        None
    }

    fn host<F: Future>(future: F) -> F::Output {
        block_on_tokio(future)
    }
}

const QUADRATIC: &str = "as each wake has it poll all racers";

fn contenders(largest: usize) -> Vec<Entry> {
    vec![
        Entry::subject("abreast race", measure::<Abreast>),
        Entry::peer("futures select_ok", measure::<SelectOk>).up_to(largest, QUADRATIC),
        Entry::peer("futures-concurrency race_ok", measure::<ConcurrencyRaceOk>)
            .up_to(largest, QUADRATIC),
        Entry::peer("FuturesUnordered, by hand", measure::<Unordered>),
        Entry::peer("futures-buffered, by hand", measure::<Buffered>),
        Entry::peer("unicycle, by hand", measure::<Unicycle>),
        Entry::peer("tokio JoinSet", measure::<TokioJoinSet>),
    ]
}

/// A table a course, and one of child polls.
pub(crate) fn measure_all(session: &mut Session) {
    let courses = [
        ("race ready, the last succeeds", Course::Ready),
        (
            "race failing, woken one by one until one is left",
            Course::Failing,
        ),
        ("race won, by the first of many to be woken", Course::Won),
    ];
    let total = session.scale(30_000);
    for (title, course) in courses {
        let heading = Heading {
            title,
            measure: "ns per racer",
            axis: "N",
            columns: &[3, 30, 1000, 10_000],
        };
        let largest = match course {
            Course::Failing => 1000,
            Course::Ready | Course::Won => usize::MAX,
        };
        session.time(&heading, &contenders(largest), |run, racers| {
            let races = (total / racers).max(1);
            run(course, Job { racers, races }, nanoseconds) / (races * racers) as f64
        });
    }
    let heading = Heading {
        title: "counts race failing",
        measure: "polls of racers in one race",
        axis: "N",
        columns: &[3, 30, 1000, 10_000],
    };
    session.count(&heading, &contenders(usize::MAX), |run, racers| {
        run(Course::Failing, Job { racers, races: 1 }, polls)
    });
}
