//! Sets of known size: tuples, arrays and lists, of which all, all or the first error, or the first value is wanted.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use abreast::{RaceError, fall_through, gather, join_all, race, try_gather};
use futures::FutureExt;
use futures::future::LocalBoxFuture;

use crate::driver::{RunOutcome, assert_may_be_cut, drive};
use crate::plan::{End, any, plans, plans_of};
use crate::programs;
use crate::random::Random;
use crate::world::World;

type Results = Vec<Result<usize, usize>>;

/// A set of which a future has panicked says so when it is polled again, or once the others have ended. Then this
/// resolves to `None`.
struct OrNone<F>(Pin<Box<F>>);

impl<F: Future> Future for OrNone<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx)));
        match polled {
            Ok(polled) => polled.map(Some),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                if text.is_some_and(|text| text.contains("has panicked")) {
                    return Poll::Ready(None);
                }
                resume_unwind(panic)
            }
        }
    }
}

/// Hands a tuple of tasks of a world to a verb, and maps what it resolves to.
macro_rules! tuple {
    ($world:ident, $verb:ident, $($index:literal)+) => { $verb(($($world.task($index),)+)) };
}

/// Does something for a tuple of each size: with the indices of its tasks, and names for their outputs.
macro_rules! by_len {
    ($len:expr, $each:ident) => {
        match $len {
            1 => $each!([0] [a]),
            2 => $each!([0 1] [a b]),
            3 => $each!([0 1 2] [a b c]),
            5 => $each!([0 1 2 3 4] [a b c d e]),
            8 => $each!([0 1 2 3 4 5 6 7] [a b c d e f g h]),
            _ => $each!([0 1 2 3 4 5 6 7 8 9 10 11] [a b c d e f g h i j k l]),
        }
    };
}

/// Draws the size of a tuple.
fn len_of_tuple(random: &mut Random) -> usize {
    [1, 2, 3, 5, 8, 12][random.below(6)]
}

#[test]
fn all_outputs_are_gathered() {
    programs(gathered);
}

pub(crate) fn gathered(random: &mut Random) {
    let is_tuple = random.one_in(2);
    let plans = if is_tuple {
        plans_of(len_of_tuple(random), random, 25)
    } else {
        plans(random, 25)
    };
    let world = World::new(plans);
    let len = world.plans().len();
    let mut limit = usize::MAX;
    let run: LocalBoxFuture<'_, Results> = if is_tuple {
        macro_rules! run {
            ([$($index:literal)+] [$($name:ident)+]) => {
                tuple!(world, gather, $($index)+).map(|($($name,)+)| vec![$($name),+]).boxed_local()
            };
        }
        by_len!(len, run)
    } else {
        let tasks: Vec<_> = (0..len).map(|index| world.task(index)).collect();
        if random.one_in(2) {
            gather(tasks).boxed_local()
        } else {
            limit = 1 + random.below(8);
            join_all(tasks).concurrency(limit).boxed_local()
        }
    };
    let is_cancelled = random.one_in(4);
    let outcome = drive(&world, random, is_cancelled, OrNone(Box::pin(run)));
    world.assert_over(usize::MAX);
    assert!(world.most_running() <= limit, "more futures than may run");
    match outcome {
        RunOutcome::Cancelled => assert_may_be_cut(&world, is_cancelled),
        RunOutcome::Output(None) => assert!(any(world.plans(), End::Panic), "no output"),
        RunOutcome::Output(Some(outputs)) => {
            let plans = world.plans().iter().enumerate();
            let expected = plans.map(|(index, plan)| plan.result(index));
            assert!(outputs.into_iter().map(Some).eq(expected), "outputs");
        }
    }
}

#[test]
fn the_first_error_ends_a_set() {
    programs(tried);
}

pub(crate) fn tried(random: &mut Random) {
    let is_tuple = random.one_in(2);
    let errors = [0, 10][random.below(2)];
    let plans = if is_tuple {
        plans_of(len_of_tuple(random), random, errors)
    } else {
        plans(random, errors)
    };
    let world = World::new(plans);
    let len = world.plans().len();
    let run: LocalBoxFuture<'_, Result<Vec<usize>, usize>> = if is_tuple {
        macro_rules! run {
            ([$($index:literal)+] [$($name:ident)+]) => {{
                let run = tuple!(world, try_gather, $($index)+);
                run.map(|values| values.map(|($($name,)+)| vec![$($name),+])).boxed_local()
            }};
        }
        by_len!(len, run)
    } else {
        let tasks: Vec<_> = (0..len).map(|index| world.task(index)).collect();
        try_gather(tasks).boxed_local()
    };
    let is_cancelled = random.one_in(4);
    let outcome = drive(&world, random, is_cancelled, OrNone(Box::pin(run)));
    world.assert_over(usize::MAX);
    let first_error = world.results().into_iter().find_map(Result::err);
    match outcome {
        RunOutcome::Cancelled => assert_may_be_cut(&world, is_cancelled),
        RunOutcome::Output(None) => assert!(any(world.plans(), End::Panic), "no output"),
        RunOutcome::Output(Some(Err(error))) => assert_eq!(Some(error), first_error),
        RunOutcome::Output(Some(Ok(values))) => {
            assert_eq!(first_error, None, "it goes on after an error");
            assert!(values.into_iter().eq(0..len), "values");
        }
    }
}

#[test]
fn unlike_racers_have_one_winner() {
    programs(raced);
}

pub(crate) fn raced(random: &mut Random) {
    let (len, errors) = (len_of_tuple(random), [25, 90][random.below(2)]);
    let world = World::new(plans_of(len, random, errors));
    let falls_through = random.one_in(3);
    let run: LocalBoxFuture<'_, _> = if falls_through {
        macro_rules! run {
            ([$($index:literal)+] [$($name:ident)+]) => {
                tuple!(world, fall_through, $($index)+).boxed_local()
            };
        }
        by_len!(len, run)
    } else {
        macro_rules! run {
            ([$($index:literal)+] [$($name:ident)+]) => {
                tuple!(world, race, $($index)+).boxed_local()
            };
        }
        by_len!(len, run)
    };
    let is_cancelled = random.one_in(4);
    let outcome = drive(&world, random, is_cancelled, run);
    world.assert_over(usize::MAX);
    let results = world.results();
    let winner = results.iter().find_map(|result| result.ok());
    match outcome {
        RunOutcome::Cancelled => assert_may_be_cut(&world, is_cancelled),
        RunOutcome::Output(Ok(won)) => {
            assert_eq!((Some(won.value), Some(won.winner_index)), (winner, winner));
        }
        RunOutcome::Output(Err(RaceError::AllFailed(failures))) => {
            assert_eq!(winner, None, "nobody wins");
            let errors = results.into_iter().filter_map(Result::err);
            let expected = errors.map(|error| (error, error));
            assert!(failures.into_iter().eq(expected), "errors in their order");
        }
        RunOutcome::Output(Err(error)) => {
            // All of them have panicked.
            assert!(world.panics() > 0 && results.is_empty(), "{error}");
        }
    }
    if falls_through {
        assert!(world.most_running() <= 1, "two at a time");
    }
}
