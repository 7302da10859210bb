//! Hooks that panic: each is called once for what it is to be told, and nothing is lost.

use std::cell::RefCell;

use abreast::{Observer, Progress, batched, join_all, parallel, race, sequential};
use futures::future::LocalBoxFuture;
use futures::{FutureExt, StreamExt};

use crate::driver::{RunOutcome, drive};
use crate::plan::{End, any, plans};
use crate::programs;
use crate::random::Random;
use crate::verbs::window;
use crate::world::World;

/// Panics at some of the calls, and notes all of them.
struct Hooks<'a> {
    world: World,
    random: &'a RefCell<Random>,
    seen: &'a RefCell<Seen>,
}

#[derive(Default)]
struct Seen {
    started: Vec<usize>,
    results: Vec<Result<usize, usize>>,
    progress: Vec<usize>,
}

impl Hooks<'_> {
    fn may_panic(&self) {
        if self.random.borrow_mut().one_in(6) {
            self.world.panic();
        }
    }
}

impl Observer<usize, usize> for Hooks<'_> {
    fn on_start(&mut self, index: usize) {
        self.seen.borrow_mut().started.push(index);
        self.may_panic();
    }

    fn on_complete(&mut self, value: &usize, index: usize) {
        assert_eq!(*value, index);
        self.seen.borrow_mut().results.push(Ok(*value));
        self.may_panic();
    }

    fn on_error(&mut self, error: &usize, index: usize) {
        assert_eq!(*error, index);
        self.seen.borrow_mut().results.push(Err(*error));
        self.may_panic();
    }

    fn on_progress(&mut self, progress: Progress) {
        self.seen.borrow_mut().progress.push(progress.completed);
        self.may_panic();
    }
}

#[test]
fn panicking_hooks_change_no_outcome() {
    programs(hooks);
}

pub(crate) fn hooks(random: &mut Random) {
    let errors = [0, 25, 90][random.below(3)];
    let mut plans = plans(random, errors);
    // Which task has panicked is known by its outcome. Here, the hooks are the ones that do.
    for plan in &mut plans {
        if plan.end == End::Panic {
            plan.end = End::Value;
        }
    }
    let world = World::new(plans);
    let (len, window) = (world.plans().len(), window(random));
    let (verb, is_cancelled) = (random.below(6), random.one_in(4));
    let drawn = RefCell::new(Random::from_seed(random.below(256) as u64));
    let seen = RefCell::default();
    let hooks = Hooks {
        world: world.clone(),
        random: &drawn,
        seen: &seen,
    };
    let source = world.clone();
    let make = move |index| source.task(index);
    let tasks = (0..len).map(make.clone());
    // How many results there are.
    let run: LocalBoxFuture<'_, usize> = match verb {
        0 => {
            let run = parallel(tasks).concurrency(window).observe(hooks);
            run.map(|outcomes| outcomes.success_count() + outcomes.failure_count())
                .boxed_local()
        }
        1 => {
            let run = parallel(tasks).concurrency(window).observe(hooks);
            run.into_ordered_stream().count().boxed_local()
        }
        2 => {
            let run = batched(0..len, make).batch_size(window).settle();
            let run = run.observe(hooks);
            run.map(|outcomes| outcomes.success_count() + outcomes.failure_count())
                .boxed_local()
        }
        3 => {
            let run = sequential(tasks).observe(hooks);
            run.map(|values| values.map_or(1, |values| values.len()))
                .boxed_local()
        }
        4 => {
            let mut hooks = hooks;
            let run = join_all(tasks).concurrency(window);
            let run = run.on_progress(move |progress| hooks.on_progress(progress));
            run.map(|outputs| outputs.len()).boxed_local()
        }
        _ => {
            let mut hooks = hooks;
            let run = race(tasks).on_error(move |error, index| hooks.on_error(error, index));
            run.map(|won| usize::from(won.is_ok())).boxed_local()
        }
    };
    let outcome = drive(&world, random, is_cancelled, run);
    world.assert_over(usize::MAX);
    let results = world.results();
    let seen = seen.into_inner();
    let is_observed = |result: &&Result<usize, usize>| match verb {
        0..=3 => true,
        4 => false,
        _ => result.is_err(),
    };
    // They are told once of each result, in the order in which tasks end, unless the destructor of the task has
    // panicked.
    let is_told = |result: &&Result<usize, usize>| {
        let index = result.unwrap_or_else(|error| error);
        is_observed(result) && !world.plans()[index].drop_panics
    };
    let expected: Vec<_> = results.iter().filter(is_told).copied().collect();
    assert_eq!(seen.results, expected, "what the hooks have seen");
    assert!(seen.progress.is_sorted(), "progress goes back");
    // Each task that has started once, in order, whether the hook panics or not.
    assert!(seen.started.iter().copied().eq(0..seen.started.len()));
    if verb <= 3 {
        let last = results
            .iter()
            .map(|result| result.unwrap_or_else(|error| error))
            .max();
        assert!(last < Some(seen.started.len()), "a task has started unseen");
    }
    let RunOutcome::Output(count) = outcome else {
        assert!(is_cancelled || any(world.plans(), End::Never), "it hangs");
        return;
    };
    match verb {
        0..=2 | 4 => assert_eq!(count, len, "lost"),
        3 => {
            let has_failed = results.iter().any(Result::is_err);
            assert_eq!(count, if has_failed { 1 } else { len }, "lost");
        }
        _ => assert_eq!(count, usize::from(results.iter().any(Result::is_ok))),
    }
}
