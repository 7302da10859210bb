//! Timers that are as hostile as tasks: timeouts, races whose starts are put off, and pauses between batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use abreast::{Outcome, RaceError, batched, join_all, race, timeout};
use futures::FutureExt;

use crate::driver::{RunOutcome, assert_may_be_cut, drive};
use crate::plan::{End, Plan, any, gate, plans};
use crate::programs;
use crate::random::Random;
use crate::world::{Scripted, World};

/// What is asked of a timer does not matter: when it fires is drawn.
const DELAY: Duration = Duration::from_secs(1);

/// Adds `count` timers to tasks.
fn with_timers(mut tasks: Vec<Plan>, count: usize, random: &mut Random) -> Vec<Plan> {
    let may_panic = !tasks.iter().any(|plan| plan.drop_panics) && !any(&tasks, End::Panic);
    tasks.extend((0..count).map(|_| gate(random)));
    if may_panic && count > 0 && random.one_in(4) {
        let timer = tasks.len() - 1 - random.below(count);
        tasks[timer].drop_panics = true;
    }
    tasks
}

/// Returns a timer that makes the tasks of a world from `first` on, one after another.
fn timer(world: &World, first: usize) -> impl Fn(Duration) -> Scripted + Clone + use<> {
    let (world, next) = (world.clone(), Arc::new(AtomicUsize::new(first)));
    move |delay| {
        assert_eq!(delay, DELAY);
        world.task(next.fetch_add(1, Ordering::SeqCst))
    }
}

#[test]
fn a_timeout_has_one_outcome() {
    programs(timeouts);
}

pub(crate) fn timeouts(random: &mut Random) {
    let mut tasks = plans(random, 25);
    // What has panicked has no output, and the set of it none either.
    for plan in &mut tasks {
        if plan.end == End::Panic {
            plan.end = End::Value;
        }
    }
    let len = tasks.len();
    let mut plans = with_timers(tasks, 1, random);
    if random.one_in(4) {
        plans[len].end = End::Never;
    }
    let world = World::new(plans);
    let tasks: Vec<_> = (0..len).map(|index| world.task(index)).collect();
    let run = timeout(DELAY, timer(&world, len), join_all(tasks));
    let is_cancelled = random.one_in(4);
    let outcome = if random.one_in(2) {
        // No list is as long as the default.
        let default = vec![Ok(0); 1000];
        let run = run.or(default).map(|outputs| {
            let is_default = outputs.len() == 1000;
            (!is_default).then_some(outputs)
        });
        drive(&world, random, is_cancelled, run)
    } else {
        drive(&world, random, is_cancelled, run.map(Result::ok))
    };
    world.assert_over(usize::MAX);

    // The future is asked first. The timer is only there if it was not ready at once, and fires only before it.
    let results = world.results();
    let has_fired = results.contains(&Ok(len));
    match outcome {
        RunOutcome::Cancelled => assert_may_be_cut(&world, is_cancelled),
        RunOutcome::Output(None) => assert!(has_fired, "it has not fired"),
        RunOutcome::Output(Some(outputs)) => {
            assert!(!has_fired, "it has fired");
            let plans = world.plans()[..len].iter().enumerate();
            let expected = plans.map(|(index, plan)| plan.result(index));
            assert!(outputs.into_iter().map(Some).eq(expected), "outputs");
        }
    }
}

#[test]
fn starts_wait_for_timers_or_failures() {
    programs(staggered);
}

pub(crate) fn staggered(random: &mut Random) {
    let errors = [25, 90][random.below(2)];
    let racers = plans(random, errors);
    let len = racers.len();
    // Each start has a timer, and one more where a destructor of a timer has panicked.
    let world = World::new(with_timers(racers, len + 2, random));
    let source = world.clone();
    let racers = (0..len).map(move |index| source.task(index));
    let run = race(racers).stagger(DELAY, timer(&world, len));
    let is_cancelled = random.one_in(4);
    let outcome = drive(&world, random, is_cancelled, run);
    world.assert_over(usize::MAX);

    let results = world.results();
    let (of_racers, of_timers): (Vec<_>, Vec<_>) = results
        .into_iter()
        .partition(|result| result.unwrap_or_else(|error| error) < len);
    let winner = of_racers.iter().find_map(|result| result.ok());
    let failed = of_racers.iter().filter(|result| result.is_err()).count();
    // One starts at once, and one for each that has ended or for each timer that has fired.
    let started = (0..len).filter(|&index| world.has_started(index)).count();
    let reasons = 1 + failed + world.panics() + of_timers.len();
    assert!(started <= reasons, "{started} starts for {reasons} reasons");
    match outcome {
        RunOutcome::Cancelled => assert_may_be_cut(&world, is_cancelled),
        RunOutcome::Output(Ok(won)) => {
            assert_eq!((Some(won.value), Some(won.winner_index)), (winner, winner));
        }
        RunOutcome::Output(Err(RaceError::AllFailed(failures))) => {
            assert_eq!((winner, started), (None, len), "it ends too early");
            let errors = of_racers.into_iter().filter_map(Result::err);
            let expected = errors.map(|error| (error, error));
            assert!(failures.into_iter().eq(expected), "errors in their order");
        }
        RunOutcome::Output(Err(error)) => {
            assert!(len == 0 || world.panics() > 0, "{error}");
        }
    }
}

#[test]
fn pauses_keep_batches_apart() {
    programs(pauses);
}

pub(crate) fn pauses(random: &mut Random) {
    let items = plans(random, 25);
    let (len, size) = (items.len(), 1 + random.below(5));
    let timers = len.div_ceil(size) + 1;
    let world = World::new(with_timers(items, timers, random));
    let source = world.clone();
    let handler = move |index: usize| {
        // A timer has fired after each batch before, all of which has ended.
        let results = source.results();
        let is_timer = |result: &&Result<usize, usize>| result.is_ok_and(|value| value >= len);
        let fired = results.iter().filter(is_timer).count();
        assert!(fired >= index / size, "batches run into each other");
        let ended = (0..index / size * size).all(|earlier| source.is_over(earlier));
        assert!(ended, "an earlier batch is running");
        source.task(index)
    };
    let run = batched(0..len, handler).batch_size(size);
    let run = run.pause(DELAY, timer(&world, len)).settle();
    let is_cancelled = random.one_in(4);
    let outcome = drive(&world, random, is_cancelled, run);
    world.assert_over(size.max(1));
    match outcome {
        RunOutcome::Cancelled => assert_may_be_cut(&world, is_cancelled),
        RunOutcome::Output(outcomes) => {
            let plans = world.plans()[..len].iter().enumerate();
            let expected = plans.map(|(index, plan)| match plan.result(index) {
                Some(result) => Outcome::from(result),
                None => Outcome::Cancelled,
            });
            assert!(outcomes.into_iter().eq(expected), "outcomes");
        }
    }
}
