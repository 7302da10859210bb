//! Races that end with the first few successes.
#![cfg(feature = "test-util")]

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::future::{Ready, ready};
#[cfg(panic = "unwind")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::support::{Board, Driver};
use abreast::time::VirtualClock;
use abreast::{BoxErrors, Budget, Hedge, fall_through, race};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn the_first_two_win() {
    let board = Board::new(5);
    let mut run = Driver::new(race(board.tasks()).quorum(2));
    assert!(run.run().is_pending());
    board.end(3, Ok(30));
    assert!(run.run().is_pending());
    board.end(1, Ok(10));
    let winners = run.finish().unwrap();
    let winners: Vec<_> = winners
        .iter()
        .map(|won| (won.winner_index, won.value))
        .collect();
    assert_eq!(winners, [(3, 30), (1, 10)]);
    assert_eq!((board.total_polls(), board.alive()), (7, 0));
}

#[test]
fn no_more_win_than_needed() {
    let board = Board::new(4);
    let mut run = Driver::new(race(board.tasks()).quorum(2));
    assert!(run.run().is_pending());
    for index in 0..4 {
        board.end(index, Ok(index));
    }
    assert_eq!(run.finish().unwrap().len(), 2);
    assert_eq!((board.polls(2), board.polls(3)), (1, 1));
}

#[test]
fn tasks_behind_a_quorum_never_start() {
    let board = Board::new(4);
    board.end(0, Ok(0));
    board.end(1, Ok(1));
    assert!(Driver::new(race(board.tasks()).quorum(2)).finish().is_ok());
    assert_eq!(board.created(), 2);
}

#[test]
fn out_of_reach_fails_at_once() {
    let board = Board::new(4);
    let mut seen = Vec::new();
    let run = race(board.tasks()).on_error(|error, index| seen.push((index, *error)));
    let mut run = Driver::new(run.quorum(3));
    assert!(run.run().is_pending());
    board.end(2, Ok(2));
    board.end(0, Err("a"));
    assert!(run.run().is_pending());
    board.end(3, Err("b"));

    // One still runs, but even with it there would be only two.
    let error = run.finish().unwrap_err();
    assert_eq!(error.needed, 3);
    assert_eq!(
        (error.winners[0].winner_index, error.winners[0].value),
        (2, 2)
    );
    assert_eq!(
        error.failures.iter().collect::<Vec<_>>(),
        [(0, &"a"), (3, &"b")]
    );
    assert_eq!(board.alive(), 0);
    assert_eq!(
        format!("{:#}", error.boxed()),
        "1 of 3 needed tasks succeeded, 2 failed, task 3 last: b"
    );
    drop(run);
    assert_eq!(seen, [(0, "a"), (3, "b")]);
}

#[test]
fn more_needed_than_tasks_fails() {
    let board = Board::new(2);
    let mut run = Driver::new(race(board.tasks()).quorum(3));
    // That is known when there is no third.
    let error = run.finish().unwrap_err();
    assert_eq!((error.winners.len(), error.failures.len()), (0, 0));
    assert_eq!(board.alive(), 0);
    assert!(
        Driver::new(race(Board::new(0).tasks()).quorum(1))
            .finish()
            .is_err()
    );
}

#[test]
fn unknown_lengths_fail_at_their_end() {
    let board = Board::new(3);
    let unknown = board.tasks().filter(|_| true);
    let mut run = Driver::new(race(unknown.into_iter()).quorum(2));
    assert!(run.run().is_pending());
    board.end(0, Err("a"));
    assert!(run.run().is_pending());
    board.end(1, Err("b"));
    assert_eq!(run.finish().unwrap_err().failures.len(), 2);
}

#[test]
fn each_failure_starts_another() {
    let board = Board::new(5);
    let mut run = Driver::new(fall_through(board.tasks()).quorum(2));
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 2);
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 2, "one is still needed, and runs");
    board.end(1, Err("no"));
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 3);
    board.end(2, Ok(2));
    assert_eq!(run.finish().unwrap().len(), 2);
}

#[test]
fn delays_start_what_is_not_needed() {
    let clock = VirtualClock::new();
    let board = Board::new(4);
    let run = race(board.tasks()).stagger(Duration::from_secs(1), clock.timer());
    let mut run = Driver::new(run.quorum(2));
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 2);
    clock.advance(Duration::from_secs(1));
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 3);
    board.end(2, Ok(2));
    board.end(0, Ok(0));
    assert_eq!(run.finish().unwrap().len(), 2);
}

#[test]
fn budgets_are_for_spare_tasks() {
    let clock = VirtualClock::new();
    let board = Board::new(4);
    let second = Duration::from_secs(1);
    let budget = Budget::percent(1).burst(1);
    assert!(budget.withdraw());
    let hedge = Hedge::quantile(0.95).initial(second).budget(budget);
    let run = race(board.tasks()).stagger(hedge, clock.timer());
    let mut run = Driver::new(run.quorum(2));
    assert!(run.run().is_pending());
    clock.advance(second);
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 2, "there is no budget for another");
    board.end(1, Ok(1));
    board.end(0, Ok(0));
    assert_eq!(run.finish().unwrap().len(), 2);
}

#[test]
fn refused_replacements_are_out_of_reach() {
    let (clock, board) = (VirtualClock::new(), Board::new(4));
    let budget = Budget::percent(0).burst(1);
    let hedge = Hedge::quantile(0.95).budget(budget.clone());
    let run = race(board.tasks()).stagger(hedge, clock.timer());
    let mut run = Driver::new(run.quorum(2));
    assert!(run.run().is_pending());
    board.end(0, Err("a"));
    assert!(run.run().is_pending());
    assert_eq!((board.created(), budget.available()), (3, 0));
    board.end(1, Err("b"));

    // Another runs, and the last may not start.
    assert_eq!(run.finish().unwrap_err().failures.len(), 2);
    assert_eq!((board.created(), board.alive()), (3, 0));
}

#[test]
fn a_quorum_earns_budget_once() {
    let (clock, board) = (VirtualClock::new(), Board::new(4));
    let budget = Budget::percent(100).burst(4);
    while budget.withdraw() {}
    let hedge = Hedge::quantile(0.95).budget(budget.clone());
    let run = race(board.tasks()).stagger(hedge, clock.timer());
    let mut run = Driver::new(run.quorum(3));
    assert!(run.run().is_pending());
    assert_eq!((board.created(), budget.available()), (3, 1));
}

#[test]
fn successes_ask_no_timer() {
    let (board, timers) = (Board::new(4), Board::new(4));
    let set = Cell::new(0);
    let timer = |_| {
        let index = set.replace(set.get() + 1);
        timers.task(index)
    };
    let run = race(board.tasks()).stagger(Duration::from_secs(1), timer);
    let mut run = Driver::new(run.quorum(2));
    assert!(run.run().is_pending());
    assert_eq!((board.created(), timers.polls(0)), (2, 1));
    board.end(0, Ok(0));
    assert!(run.run().is_pending());
    assert_eq!((set.get(), timers.polls(0)), (1, 1));
}

#[test]
fn starts_are_seen_in_order() {
    let board = Board::new(4);
    let started = RefCell::new(Vec::new());
    let run = race(board.tasks()).on_start(|index| started.borrow_mut().push(index));
    let mut run = Driver::new(run.quorum(2));
    assert!(run.run().is_pending());
    assert_eq!(*started.borrow(), [0, 1, 2, 3]);
}

#[test]
fn the_last_failure_is_the_source() {
    let failures = [ready(Err::<(), _>(Fault("a"))), ready(Err(Fault("b")))];
    let error = Driver::new(race(failures).quorum(1)).finish().unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "b");
    let nothing = race(Vec::<Ready<Result<(), Fault>>>::new()).quorum(1);
    assert!(
        Driver::new(nothing)
            .finish()
            .unwrap_err()
            .source()
            .is_none()
    );
}

/// An error that says this.
#[derive(Debug)]
struct Fault(&'static str);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Fault {}

#[cfg(panic = "unwind")]
#[test]
fn a_panicking_racer_is_replaced() {
    let board = Board::new(3);
    let task = |index: usize| {
        let task = board.task(index);
        async move {
            let result = task.await;
            assert_ne!(result, Err("panic"), "on purpose");
            result
        }
    };
    let mut run = Driver::new(fall_through((0..3).map(task)).quorum(2));
    assert!(run.run().is_pending());
    board.end(0, Err("panic"));
    assert!(catch_unwind(AssertUnwindSafe(|| run.poll())).is_err());
    assert!(run.run().is_pending());
    assert_eq!(board.created(), 3);
    board.end(1, Ok(1));
    board.end(2, Ok(2));
    assert_eq!(run.finish().unwrap().len(), 2);
}

#[test]
#[should_panic = "pass at least 1"]
fn a_quorum_of_none_panics() {
    drop(race(Board::new(1).tasks()).quorum(0));
}
