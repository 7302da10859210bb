//! Every verb over lists and streams, and sets of all futures at once.

use std::ops::Range;

use abreast::{Outcome, join_all, parallel, parallel_stream};
use futures::{FutureExt, StreamExt, stream};

use crate::driver::{RunOutcome, drive};
use crate::plan::{End, any, gate, plans};
use crate::programs;
use crate::random::Random;
use crate::support::verbs::{Outputs, Run, every_verb};
use crate::world::World;

/// Draws the size of a window: small ones, those at the edges of what is stored in one place, and none at all.
pub(crate) fn window(random: &mut Random) -> usize {
    match random.below(12) {
        0 => usize::MAX,
        1 => [28, 29, 30, 31, 32, 64, 93, 94, 95, 1000][random.below(10)],
        _ => 1 + random.below(7),
    }
}

#[test]
fn every_verb_keeps_its_promises() {
    programs(every_verb_once);
}

pub(crate) fn every_verb_once(random: &mut Random) {
    let errors = [0, 5, 25, 90][random.below(4)];
    let world = World::new(plans(random, errors));
    let (len, window) = (world.plans().len(), window(random));
    let tasks = world.clone();
    let mut verbs = every_verb(len, window, move |index| tasks.task(index));
    let run = verbs.swap_remove(random.below(verbs.len()));
    drop(verbs);
    let is_cancelled = random.below(4) == 0;
    let Run {
        name,
        window,
        fails_fast,
        races,
        future,
    } = run;
    let outcome = drive(&world, random, is_cancelled, future);
    world.assert_over(window);
    if let RunOutcome::Output(outputs) = outcome {
        check(&world, name, fails_fast, races, outputs);
    } else {
        assert!(
            is_cancelled || any(world.plans(), End::Never),
            "{name} hangs"
        );
    }
}

/// Asserts that a verb has resolved to what its tasks have.
fn check(world: &World, name: &str, fails_fast: bool, races: bool, outputs: Outputs<usize, usize>) {
    let plans = world.plans();
    for &(index, result) in &outputs {
        assert_eq!(
            Some(result),
            plans[index].result(index),
            "{name} made it up"
        );
    }
    if !races && (!name.contains("stream") || name.contains("ordered")) {
        assert!(outputs.is_sorted_by_key(|output| output.0), "{name}: order");
    }
    let results = world.results();
    let succeeded = results.iter().filter(|result| result.is_ok()).count();
    let failed = results.len() - succeeded;
    let values = outputs.iter().filter(|output| output.1.is_ok()).count();
    let errors = outputs.len() - values;
    if races {
        // The first value is the winner. There is none if nothing has succeeded: then all errors are there.
        let winner = results.iter().find_map(|result| result.ok());
        match winner {
            Some(_) => assert_eq!((values, errors), (1, 0), "{name}: nobody wins"),
            None => assert_eq!((values, errors), (0, failed), "{name}: errors"),
        }
    } else if !fails_fast {
        assert!(!any(plans, End::Never), "{name} did not wait");
        assert_eq!(outputs.len(), results.len(), "{name} lost results");
        let ended = plans.iter().filter(|plan| plan.end != End::Panic);
        assert_eq!(outputs.len(), ended.count(), "{name} left out tasks");
    } else if failed > 0 {
        assert_eq!(errors, 1, "{name}: errors");
    } else {
        // All or nothing is returned by those that return values.
        assert!(!any(plans, End::Never), "{name} did not wait");
        let has_panicked = world.panics() > 0 && any(plans, End::Panic);
        assert!(values == plans.len() || has_panicked, "{name} lost values");
    }
}

#[test]
fn failing_fast_keeps_what_exists() {
    programs(failing_fast);
}

pub(crate) fn failing_fast(random: &mut Random) {
    let world = World::new(plans(random, 10));
    let window = window(random);
    let tasks = (0..world.plans().len()).map(|index| world.task(index));
    let run = parallel(tasks).concurrency(window).fail_fast(true);
    let outcome = drive(&world, random, false, run);
    world.assert_over(window);
    let RunOutcome::Output(outcomes) = outcome else {
        assert!(any(world.plans(), End::Never), "it hangs");
        return;
    };
    // Each value that a task has returned is there, and the error that ended it.
    let results = world.results();
    let values = results.iter().filter(|result| result.is_ok()).count();
    let errors = results.iter().filter(|result| result.is_err()).count();
    assert_eq!(outcomes.success_count(), values);
    assert_eq!(outcomes.failure_count(), errors.min(1));
    assert_eq!(outcomes.len(), world.plans().len());
}

/// Tasks whose number it lies about.
struct Lying {
    world: World,
    indices: Range<usize>,
    hint: (usize, Option<usize>),
}

impl Iterator for Lying {
    type Item = crate::world::Scripted;

    fn next(&mut self) -> Option<Self::Item> {
        self.indices.next().map(|index| self.world.task(index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.hint
    }
}

#[test]
fn size_hints_may_be_wrong() {
    programs(wrong_hints);
}

pub(crate) fn wrong_hints(random: &mut Random) {
    let world = World::new(plans(random, 25));
    let indices = 0..world.plans().len();
    let hints = [
        (0, None),
        (0, Some(0)),
        (1, Some(1)),
        (500, Some(500)),
        (usize::MAX, None),
        (usize::MAX, Some(usize::MAX)),
        (7, Some(3)),
    ];
    let tasks = Lying {
        world: world.clone(),
        indices,
        hint: hints[random.below(hints.len())],
    };
    let window = window(random);
    let is_cancelled = random.below(8) == 0;
    // It has no output to return for a future that panicked, and panics again in the end.
    let has_output = !any(world.plans(), End::Panic);
    let outputs = if random.below(2) == 0 || !has_output {
        let run = parallel(tasks).concurrency(window);
        let outputs = run.map(|outcomes| outcomes.into_iter().collect::<Vec<_>>());
        drive(&world, random, is_cancelled, outputs)
    } else {
        let run = join_all(tasks).concurrency(window);
        let outputs = run.map(|results| results.into_iter().map(Outcome::from).collect());
        drive(&world, random, is_cancelled, outputs)
    };
    world.assert_over(window);
    if let RunOutcome::Output(outputs) = outputs {
        let expected = world.plans().iter().enumerate();
        let expected = expected.map(|(index, plan)| match plan.result(index) {
            Some(result) => Outcome::from(result),
            None => Outcome::Cancelled,
        });
        assert!(outputs.into_iter().eq(expected));
    }
}

#[test]
fn a_source_may_keep_them_waiting() {
    programs(waiting_source);
}

pub(crate) fn waiting_source(random: &mut Random) {
    // Before each task, the source waits for another one to end.
    let tasks = plans(random, 25);
    let mut interleaved = Vec::new();
    for task in tasks {
        interleaved.push(gate(random));
        interleaved.push(task);
    }
    let world = World::new(interleaved);
    let window = 1 + random.below(7);
    let source = world.clone();
    let source = stream::iter((0..world.plans().len()).step_by(2)).then(move |gate| {
        let tasks = source.clone();
        source.task(gate).map(move |_| tasks.task(gate + 1))
    });
    let run = parallel_stream(source).concurrency(window);
    let is_cancelled = random.below(4) == 0;
    let outcome = drive(&world, random, is_cancelled, run);
    world.assert_over(window + 1);
    let RunOutcome::Output(outcomes) = outcome else {
        assert!(is_cancelled || any(world.plans(), End::Never), "it hangs");
        return;
    };
    let tasks = world.plans().iter().enumerate().skip(1).step_by(2);
    let expected = tasks.map(|(index, plan)| match plan.result(index) {
        Some(result) => Outcome::from(result),
        None => Outcome::Cancelled,
    });
    assert!(outcomes.into_iter().eq(expected));
}
