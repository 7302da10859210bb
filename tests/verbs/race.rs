//! Races: who wins, who is dropped, and which errors are kept.

use std::future::ready;
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use crate::support::{Board, Driver, yield_now};
use abreast::{RaceError, RaceResult, race};
use futures::future::{FusedFuture, FutureExt};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn losers_are_dropped_before_resolving() {
    let board = Board::new(3);
    let mut errors = Vec::new();
    let mut run =
        Driver::new(race(board.tasks()).on_error(|error, index| errors.push((*error, index))));
    assert!(run.run().is_pending());
    assert_eq!(board.alive(), 3, "all start");
    board.end(0, Err("no"));
    assert!(run.run().is_pending());
    assert!(board.is_dropped(0));
    board.end(2, Ok(2));
    let Poll::Ready(won) = run.poll() else {
        panic!()
    };
    assert_eq!(
        won,
        Ok(RaceResult {
            value: 2,
            winner_index: 2
        })
    );
    assert_eq!(board.alive(), 0);
    assert!(run.future.is_terminated());
    drop(run);
    assert_eq!(errors, [("no", 0)]);
}

#[test]
fn ties_go_to_the_lowest_index() {
    let board = Board::new(100);
    let mut run = Driver::new(race(board.tasks()));
    assert!(run.run().is_pending());
    for index in (3..100).rev() {
        board.end(index, Ok(index));
    }
    assert_eq!(run.finish().unwrap().winner_index, 3);
}

#[test]
fn a_tuple_races_unlike_tasks() {
    let board = Board::new(4);
    let late = async { board.task(1).await };
    let tasks = (board.task(0), late, board.task(2).boxed_local());
    let mut run = Driver::new(race(tasks));
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 3, "all start");
    board.end(0, Err("no"));
    board.end(2, Ok(2));
    board.end(1, Ok(1));
    let winner = run.finish().unwrap();
    assert_eq!((winner.value, winner.winner_index), (1, 1));
    assert_eq!(board.alive(), 0);
    assert_eq!(board.total_polls(), 5, "once each, and once per wake");
}

#[test]
fn a_tuple_keeps_every_error() {
    let failed = |error| async move { Err::<(), _>(error) };
    let tasks = (failed(0), async { Err(1) }, ready(Err(2)));
    let Err(RaceError::AllFailed(failures)) = Driver::new(race(tasks)).finish() else {
        panic!()
    };
    let failures: Vec<_> = failures.into_iter().collect();
    assert_eq!(failures, [(0, 0), (1, 1), (2, 2)]);
}

#[test]
fn twelve_unlike_tasks_race() {
    let fails = || async { Err::<usize, _>(()) };
    let (a, b, c, d) = (fails(), fails(), fails(), fails());
    let (e, f, g, h) = (ready(Err(())), ready(Err(())), fails(), fails());
    let (i, j, k, l) = (fails(), fails(), fails(), async { Ok(11) });
    let mut run = Driver::new(race((a, b, c, d, e, f, g, h, i, j, k, l)));
    let winner = run.finish().unwrap();
    assert_eq!((winner.value, winner.winner_index), (11, 11));
    assert_eq!(
        Driver::new(race((fails(),))).finish().unwrap_err().last(),
        Some(&())
    );
}

#[test]
fn failures_leave_ties_as_they_are() {
    // The failing ones free their slots before the others start.
    let board = Board::new(1000);
    (0..1000)
        .filter(|n| n % 3 != 0)
        .for_each(|n| board.end(n, Err("no")));
    let mut run = Driver::new(race(board.tasks()));
    assert!(run.run().is_pending());
    for index in (6..1000).rev().filter(|n| n % 3 == 0) {
        board.end(index, Ok(index));
    }
    assert_eq!(run.finish().unwrap().winner_index, 6);
}

#[test]
fn a_lost_race_has_every_error() {
    let board = Board::<(), _>::of(3);
    let mut run = Driver::new(race(board.tasks()));
    assert!(run.run().is_pending());
    for (index, error) in [(1, "a"), (2, "b"), (0, "c")] {
        board.end(index, Err(error));
        if index > 0 {
            assert!(run.run().is_pending());
        }
    }
    let error = run.finish().unwrap_err();
    assert_eq!(error.last(), Some(&"c"));
    let RaceError::AllFailed(failures) = error else {
        panic!()
    };
    assert!(failures.iter().eq([(1, &"a"), (2, &"b"), (0, &"c")]));
    assert_eq!(
        format!("{failures:#}"),
        "all 3 tasks failed, task 0 last: c"
    );
    assert!(failures.into_iter().eq([(1, "a"), (2, "b"), (0, "c")]));
}

#[test]
fn races_of_any_length_are_alike() {
    for (len, winner) in (1..=6).flat_map(|len| (0..=len).map(move |winner| (len, winner))) {
        let board = Board::new(len);
        let mut run = Driver::new(race(board.tasks()));
        assert!(run.run().is_pending());
        for index in (0..len).rev().filter(|&index| index != winner) {
            assert!(run.run().is_pending());
            board.end(index, Err("no"));
        }
        if winner < len {
            assert!(run.run().is_pending());
            board.end(winner, Ok(winner));
            assert_eq!(run.finish().unwrap().winner_index, winner);
        } else {
            let RaceError::AllFailed(failures) = run.finish().unwrap_err() else {
                panic!("there are tasks");
            };
            assert!(failures.iter().map(|(index, _)| index).eq((0..len).rev()));
        }
        // One poll to start, one for its end.
        assert_eq!(board.total_polls(), 2 * len);
    }
}

/// Tasks of which the size hint says that there are `hint`.
struct Hinted<I> {
    tasks: I,
    hint: usize,
}

impl<I: Iterator> Iterator for Hinted<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.tasks.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.hint, Some(self.hint))
    }
}

#[test]
fn wrong_size_hints_lose_no_task() {
    for hint in 0..6 {
        for len in 0..6 {
            let tasks = (0..len).map(|index| ready(Err::<(), _>(index)));
            let error = Driver::new(race(Hinted { tasks, hint }))
                .finish()
                .unwrap_err();
            let failed: Vec<_> = match error {
                RaceError::AllFailed(failures) => failures.into_iter().collect(),
                _ => Vec::new(),
            };
            assert_eq!(
                failed,
                (0..len).map(|index| (index, index)).collect::<Vec<_>>()
            );

            let wins_last =
                (0..len).map(|index| ready(if index + 1 == len { Ok(()) } else { Err(()) }));
            let tasks = Hinted {
                tasks: wins_last,
                hint,
            };
            let won = Driver::new(race(tasks)).finish();
            assert_eq!(won.map(|won| won.winner_index).ok(), len.checked_sub(1));
        }
    }
}

#[cfg(panic = "unwind")]
#[test]
fn a_panicking_iterator_ends_no_race() {
    for len in 1..=6 {
        for panics_at in 0..len {
            let tasks = (0..len).map(|index| {
                assert!(index != panics_at, "as planned");
                ready(Err::<(), _>(index))
            });
            let mut run = Driver::new(race(tasks));
            assert!(catch_unwind(AssertUnwindSafe(|| run.poll().is_ready())).is_err());
            let failed: Vec<_> = match run.finish().unwrap_err() {
                RaceError::AllFailed(failures) => failures.into_iter().collect(),
                _ => Vec::new(),
            };
            // Later indices move up.
            let others = (0..len).filter(|&index| index != panics_at);
            assert!(
                failed.into_iter().eq(others.enumerate()),
                "{panics_at} of {len}"
            );
        }
    }
}

#[test]
fn races_of_any_length_yield() {
    for len in 1..=6 {
        let mut run = Driver::new(race((0..len).map(|index| async move {
            yield_now().await;
            Ok::<_, ()>(index)
        })));
        assert!(run.poll().is_pending(), "the executor has its turn");
        assert_eq!(run.wakes(), 1);
        assert_eq!(run.finish().unwrap().value, 0);
    }
}
