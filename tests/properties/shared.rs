//! Runs that share a limit, whose permits change while they run, or a rate; tasks that are tried again.

use std::cell::{Cell, RefCell};
use std::task::Poll;
use std::time::Duration;

use abreast::time::VirtualClock;
use abreast::{EndReason, Outcome, ParallelResult, Rate, Retry, gather, parallel, retry};

use crate::driver::{RunOutcome, drive_with};
use crate::plan::{End, Plan, any, gate, plans, plans_of};
use crate::programs;
use crate::random::Random;
use crate::support::Driver;
use crate::verbs::window;
use crate::watched::{Watched, through_panics};
use crate::world::World;

/// Returns whether the run of a task may panic.
fn may_panic(plan: &Plan) -> bool {
    plan.end == End::Panic || plan.drop_panics
}

#[test]
fn runs_keep_to_a_shared_limit() {
    programs(shared_limits);
}

pub(crate) fn shared_limits(random: &mut Random) {
    // Two runs, and what changes their limit.
    let mut plans = plans(random, 25);
    let count = plans.len();
    let first = random.below(count + 1);
    plans.push(gate(random));
    let world = World::new(plans);
    let watched = Watched::new(1 + random.below(6));
    let windows = [window(random), window(random)];
    let fails_fast = [random.one_in(4), random.one_in(4)];
    let is_cancelled = random.one_in(4);
    let mut permits = Random::from_seed(random.below(256) as u64);

    let runs = [0..first, first..count].map(|range| {
        let (world, watched) = (&world, &watched);
        range.map(move |index| watched.run(world.task(index)))
    });
    let [left, right] = runs;
    let left = parallel(left)
        .concurrency(windows[0])
        .fail_fast(fails_fast[0])
        .limit(&watched.limit);
    let right = parallel(right)
        .concurrency(windows[1])
        .fail_fast(fails_fast[1])
        .limit(&watched.limit);
    let change = watched.change(world.task(count), &mut permits);
    let panics = Cell::new(0);
    let runs = gather((
        through_panics(left, &panics),
        through_panics(right, &panics),
        change,
    ));
    let outcome = drive_with(&world, random, is_cancelled, false, runs);

    // Each task exists from its start on, and one of each run before.
    let limit = windows[0].saturating_add(windows[1]).saturating_add(1);
    world.assert_over(limit);
    watched.assert_unused();
    assert!(panics.get() <= world.panics(), "others than tasks panic");
    let RunOutcome::Output((left, right, ())) = outcome else {
        assert!(is_cancelled || any(world.plans(), End::Never), "it hangs");
        return;
    };
    assert_outcomes(&world, 0, &left, fails_fast[0]);
    assert_outcomes(&world, first, &right, fails_fast[1]);
    let kept = [&left, &right].map(|run| run.success_count() + run.failure_count());
    let results = world.results().len() - 1;
    assert_eq!(kept[0] + kept[1], results, "results were lost");
}

/// Asserts that a run of the tasks from `first` on has ended as planned.
#[track_caller]
fn assert_outcomes(
    world: &World,
    first: usize,
    outcomes: &ParallelResult<usize, usize>,
    fast: bool,
) {
    let has_failed = outcomes.end_reason() == EndReason::Failed;
    assert_eq!(has_failed, fast && outcomes.failure_count() > 0);
    for (place, outcome) in outcomes.iter().enumerate() {
        let index = first + place;
        let expected = world.plans()[index].result(index).map(Outcome::from);
        let may_be_left_out = has_failed || world.plans()[index].end == End::Panic;
        let is_left_out = may_be_left_out && outcome.is_cancelled();
        assert!(is_left_out || Some(*outcome) == expected);
    }
}

/// Creates a policy of so many attempts in all, which follow each other after this many milliseconds.
fn policy(attempts: usize, millis: u64) -> Retry {
    Retry::exponential()
        .attempts(attempts as u32 - 1)
        .base_delay(Duration::from_millis(millis))
        .max_delay(Duration::from_millis(millis))
}

#[test]
fn tasks_are_tried_in_their_turns() {
    programs(retried_tasks);
}

pub(crate) fn retried_tasks(random: &mut Random) {
    // The attempts of a task follow each other, and so do their plans.
    let tries = 1 + random.below(4);
    let tasks = random.below(8);
    let mut plans = plans_of(tasks * tries, random, 60);
    for plan in &mut plans {
        // They have the waker of their task.
        plan.shares_waker = true;
    }
    plans.push(gate(random));
    let world = World::new(plans);
    let watched = Watched::new(1 + random.below(6));
    let window = window(random);
    let is_cancelled = random.one_in(4);
    let mut permits = Random::from_seed(random.below(256) as u64);

    let clock = VirtualClock::new();
    let attempts = (0..tasks).map(|task| {
        let (world, watched) = (&world, &watched);
        let mut next = task * tries;
        retry(policy(tries, 0), clock.timer(), move || {
            next += 1;
            watched.run(world.task(next - 1))
        })
    });
    let run = parallel(attempts).concurrency(window).limit(&watched.limit);
    let change = watched.change(world.task(tasks * tries), &mut permits);
    let panics = Cell::new(0);
    let runs = gather((through_panics(run, &panics), change));
    let outcome = drive_with(&world, random, is_cancelled, false, runs);

    world.assert_over(window.saturating_add(1));
    watched.assert_unused();
    assert!(panics.get() <= world.panics(), "others than tasks panic");
    assert_eq!(clock.timers_set(), 0, "what follows at once needs no timer");
    let RunOutcome::Output((outcomes, ())) = outcome else {
        assert!(is_cancelled || any(world.plans(), End::Never), "it hangs");
        return;
    };
    // The first success is the last attempt, and no error is forgotten.
    assert_eq!(outcomes.len(), tasks);
    for (task, outcome) in outcomes.into_iter().enumerate() {
        let indices = task * tries..(task + 1) * tries;
        let mut errors = Vec::new();
        let mut expected = None;
        let mut has_panicked = false;
        for index in indices {
            assert!(world.is_over(index), "attempt {index} is missing");
            let plan = &world.plans()[index];
            has_panicked |= may_panic(plan);
            match plan.result(index) {
                Some(Err(error)) => errors.push(error),
                result => expected = result.and_then(Result::ok),
            }
            if has_panicked || expected.is_some() {
                break;
            }
        }
        match outcome {
            Outcome::Succeeded(value) => assert_eq!(Some(value), expected),
            Outcome::Failed(error) => {
                assert_eq!(expected, None);
                assert!(error.errors().eq(&errors), "errors were lost");
            }
            Outcome::Cancelled => assert!(has_panicked, "task {task} is left out"),
        }
    }
}

#[test]
fn runs_keep_to_a_shared_rate() {
    programs(shared_rates);
}

/// A task that fails so many times, and takes so long each time.
#[derive(Clone, Copy)]
struct Job {
    failures: usize,
    millis: u64,
}

pub(crate) fn shared_rates(random: &mut Random) {
    let tries = 1 + random.below(3);
    let pause = random.below(5) as u64;
    let count = random.below(12);
    let jobs: Vec<_> = (0..count)
        .map(|_| Job {
            failures: random.below(4),
            millis: random.below(8) as u64,
        })
        .collect();
    let first = random.below(count + 1);
    // So many units in so many milliseconds.
    let (units, period) = (1 + random.below(5), 1 + random.below(20));
    let burst = 1 + random.below(4);
    let windows = [window(random), window(random)];
    let cancel_at = random.one_in(4).then(|| random.below(40) as u128);

    let clock = VirtualClock::new();
    let rate = Rate::per(units as u32, Duration::from_millis(period as u64)).burst(burst as u32);
    let watched = Watched::new(1 + random.below(6));
    let starts = RefCell::new(Vec::new());
    let attempt = async |job: Job, attempt: usize| {
        if attempt == 0 {
            starts.borrow_mut().push(clock.now().as_nanos());
        }
        let _running = watched.start();
        if job.millis > 0 {
            clock.sleep(Duration::from_millis(job.millis)).await;
        }
        if attempt < job.failures {
            Err(attempt)
        } else {
            Ok(attempt)
        }
    };
    let runs = [&jobs[..first], &jobs[first..]].map(|jobs| {
        let (clock, attempt) = (&clock, &attempt);
        jobs.iter().map(move |&job| {
            let mut next = 0;
            retry(policy(tries, pause), clock.timer(), move || {
                next += 1;
                attempt(job, next - 1)
            })
        })
    });
    let [left, right] = runs;
    // The rate comes last, so that a task starts at once when it has its unit.
    let left = parallel(left)
        .concurrency(windows[0])
        .limit(&watched.limit)
        .rate(&rate, clock.timer());
    let right = parallel(right)
        .concurrency(windows[1])
        .limit(&watched.limit)
        .rate(&rate, clock.timer());
    let mut run = Driver::new(gather((left, right)));

    // The clock goes on by what nobody waits for, too.
    let ended = loop {
        if cancel_at.is_some_and(|millis| clock.now().as_millis() >= millis) {
            break None;
        }
        match run.run() {
            Poll::Ready(ended) => break Some(ended),
            Poll::Pending => {
                assert!(clock.timers_running() > 0, "it hangs");
                clock.advance(Duration::from_micros(1 + random.below(1000) as u64));
            }
        }
    };
    drop(run);
    assert_eq!(clock.timers_running(), 0, "a timer is left");
    watched.assert_unused();

    // No stretch of time has more starts than the burst and what the rate allows in it.
    let starts = starts.into_inner();
    for (place, &until) in starts.iter().enumerate() {
        for (before, &from) in starts[..place].iter().enumerate() {
            let beyond = (place - before + 1).saturating_sub(burst);
            let takes = (beyond * period * 1_000_000).div_ceil(units);
            assert!(until - from >= takes as u128, "starts are too close");
        }
    }
    let Some((left, right)) = ended else { return };
    assert_eq!(starts.len(), count);
    for (job, outcome) in jobs.iter().zip(left.into_iter().chain(right)) {
        match outcome {
            Outcome::Succeeded(last) => assert!(last == job.failures && last < tries),
            Outcome::Failed(error) => {
                assert!(job.failures >= tries);
                assert!(error.errors().copied().eq(0..tries), "errors were lost");
            }
            Outcome::Cancelled => panic!("a task is left out"),
        }
    }
}
