//! Task groups: a body that spawns all tasks, awaits some of them, and ends in one way or another.

use std::collections::BTreeSet;

use abreast::{Origin, join_all, task_group};

use crate::driver::{RunOutcome, drive};
use crate::plan::{End, plans};
use crate::programs;
use crate::random::Random;
use crate::world::World;

#[test]
fn a_group_keeps_its_promises() {
    programs(group);
}

pub(crate) fn group(random: &mut Random) {
    let errors = [0, 5, 25][random.below(3)];
    let world = World::new(plans(random, errors));
    let limit = match random.below(2) {
        0 => usize::MAX,
        _ => 1 + random.below(8),
    };
    // An error of the body is one more than any task can have.
    let body_error = (random.below(8) == 0).then_some(world.plans().len());
    let awaits = random.below(3);
    let tasks: Vec<_> = (0..world.plans().len())
        .map(|index| world.task(index))
        .collect();
    let group = task_group(|group| async move {
        let handles: Vec<_> = tasks.into_iter().map(|task| group.spawn(task)).collect();
        // Some of the handles are awaited, and the others are dropped while their tasks run on.
        let awaited = handles.into_iter().step_by(1 + awaits);
        let values = join_all(awaited).await;
        body_error.map_or(Ok(values), Err)
    });
    let is_cancelled = random.below(4) == 0;
    let outcome = drive(&world, random, is_cancelled, group.concurrency(limit));
    world.assert_over(usize::MAX);
    assert!(world.most_running() <= limit, "more tasks than may run");

    let plans = world.plans();
    let never = plans.iter().any(|plan| plan.end == End::Never);
    let errors: BTreeSet<_> = world
        .results()
        .into_iter()
        .filter_map(Result::err)
        .collect();
    match outcome {
        RunOutcome::Cancelled => assert!(is_cancelled || never, "it hangs"),
        RunOutcome::Output(Ok(values)) => {
            let expected = (0..plans.len()).step_by(1 + awaits);
            assert!(values.into_iter().eq(expected), "values");
            assert!(errors.is_empty() && body_error.is_none() && !never);
            assert_eq!(world.results().len(), plans.len(), "it did not wait");
        }
        RunOutcome::Output(Err(failed)) => {
            // Each error that a task has returned is there, by its index, and no other.
            let (of_body, of_tasks): (Vec<_>, Vec<_>) = failed
                .failures()
                .partition(|(origin, _)| *origin == Origin::Body);
            assert!(of_tasks.len() == errors.len(), "lost or made up");
            for (origin, error) in of_tasks {
                assert_eq!(origin, Origin::Task(*error));
                assert!(errors.contains(error), "made up");
            }
            let has_panicked = world.panics() > 0;
            assert!(of_body.len() <= usize::from(body_error.is_some()));
            assert!(failed.first().is_some() || has_panicked, "no reason");
        }
    }
}
