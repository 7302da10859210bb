//! Runs and groups that a signal stops, and races of which several win.

use abreast::{EndReason, Outcome, TaskGroupResult, parallel, race, task_group};

use crate::driver::{RunOutcome, drive};
use crate::plan::{End, any, gate, plans};
use crate::programs;
use crate::random::Random;
use crate::verbs::window;
use crate::world::World;

/// Draws tasks and a signal, which is the last of them.
fn with_signal(random: &mut Random) -> (World, usize) {
    let mut plans = plans(random, 25);
    plans.push(gate(random));
    let signal = plans.len() - 1;
    (World::new(plans), signal)
}

/// Returns what the tasks have returned, and whether the signal was ready.
fn results(world: &World, signal: usize) -> (Vec<Result<usize, usize>>, bool) {
    let is_signal = |result: &Result<usize, usize>| *result == Ok(signal) || *result == Err(signal);
    let (signals, results): (Vec<_>, Vec<_>) = world.results().into_iter().partition(is_signal);
    (results, !signals.is_empty())
}

#[test]
fn stopped_runs_keep_what_exists() {
    programs(stopped_runs);
}

pub(crate) fn stopped_runs(random: &mut Random) {
    let (world, signal) = with_signal(random);
    let window = window(random);
    let fails_fast = random.below(4) == 0;
    let is_cancelled = random.below(8) == 0;
    let tasks = world.clone();
    let run = parallel((0..signal).map(move |index| tasks.task(index)))
        .concurrency(window)
        .fail_fast(fails_fast)
        .stop_on(world.task(signal));
    let outcome = drive(&world, random, is_cancelled, run);
    world.assert_over(window.saturating_add(1));
    let RunOutcome::Output(outcomes) = outcome else {
        assert!(is_cancelled || any(world.plans(), End::Never), "it hangs");
        return;
    };

    // Each result that exists is there, at its index, and there are no others.
    let (results, was_ready) = results(&world, signal);
    assert_eq!(outcomes.len(), signal);
    let kept = outcomes.success_count() + outcomes.failure_count();
    assert_eq!(kept, results.len(), "results were lost");
    for (index, outcome) in outcomes.iter().enumerate() {
        let expected = world.plans()[index].result(index).map(Outcome::from);
        assert!(outcome.is_cancelled() || Some(*outcome) == expected);
    }
    match outcomes.end_reason() {
        EndReason::Stopped => assert!(was_ready),
        EndReason::Failed => assert!(fails_fast && outcomes.failure_count() > 0),
        EndReason::Completed => {
            let plans = &world.plans()[..signal];
            let panics = plans.iter().filter(|plan| plan.end == End::Panic).count();
            assert_eq!(outcomes.cancelled_count(), panics);
        }
        other => panic!("it ended because of {other:?}"),
    }
}

#[test]
fn stopped_groups_keep_what_exists() {
    programs(stopped_groups);
}

pub(crate) fn stopped_groups(random: &mut Random) {
    let (world, signal) = with_signal(random);
    let window = 1 + random.below(7);
    let is_cancelled = random.below(8) == 0;
    let tasks = world.clone();
    let group = task_group(|group| {
        for index in 0..signal {
            group.spawn(tasks.task(index));
        }
        async { Ok::<_, usize>(()) }
    });
    let run = group.concurrency(window).stop_on(world.task(signal));
    let outcome = drive(&world, random, is_cancelled, run);
    world.assert_over(usize::MAX);
    let RunOutcome::Output(result) = outcome else {
        assert!(is_cancelled || any(world.plans(), End::Never), "it hangs");
        return;
    };

    let (results, was_ready) = results(&world, signal);
    let TaskGroupResult {
        error, end_reason, ..
    } = result;
    let failed = results.iter().filter(|result| result.is_err()).count();
    let known = error.as_ref().map_or(0, |error| error.failures().len());
    assert_eq!(known, failed, "failures were lost");
    match end_reason {
        EndReason::Stopped => assert!(was_ready && error.is_none()),
        EndReason::Failed => assert!(error.is_some()),
        EndReason::Completed => {
            assert_eq!((results.len(), result.cancelled_count), (signal, 0));
            assert_eq!(result.value, Some(()));
        }
        other => panic!("it ended because of {other:?}"),
    }
}

#[test]
fn quorums_lose_nothing() {
    programs(quorums);
}

pub(crate) fn quorums(random: &mut Random) {
    let errors = [5, 50, 90][random.below(3)];
    let world = World::new(plans(random, errors));
    let needed = 1 + random.below(4);
    let is_cancelled = random.below(8) == 0;
    let tasks = world.clone();
    let len = world.plans().len();
    let run = race((0..len).map(move |index| tasks.task(index))).quorum(needed);
    let outcome = drive(&world, random, is_cancelled, run);
    world.assert_over(usize::MAX);
    let RunOutcome::Output(result) = outcome else {
        assert!(is_cancelled || any(world.plans(), End::Never), "it hangs");
        return;
    };

    let results = world.results();
    let values = results.iter().filter(|result| result.is_ok()).count();
    let winners = match &result {
        Ok(winners) => {
            assert_eq!((winners.len(), values), (needed, needed));
            winners
        }
        Err(error) => {
            assert!(values < needed, "the quorum was there");
            assert_eq!(error.failures.len(), results.len() - values);
            &error.winners
        }
    };
    assert_eq!(winners.len(), values, "values were lost");
    for won in winners {
        let planned = world.plans()[won.winner_index].result(won.winner_index);
        assert_eq!(planned, Some(Ok(won.value)));
    }
}
