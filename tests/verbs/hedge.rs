//! Delays of staggered races that are learned, and budgets of what they start. Needs the feature `test-util`.
#![cfg(feature = "test-util")]

use std::cell::RefCell;
use std::time::Duration;

use crate::support::{Board, Driver};
use abreast::time::VirtualClock;
use abreast::{Budget, Hedge, RaceError, race};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Returns a hedge that has seen 1 ms to 100 ms.
fn taught(quantile: f64) -> Hedge {
    let hedge = Hedge::quantile(quantile);
    (1..=100).for_each(|millis| hedge.record(ms(millis)));
    hedge
}

/// Races tasks that take so long each and succeed, and returns how many were started.
fn starts<const N: usize>(hedge: &Hedge, clock: &VirtualClock, takes: [u64; N]) -> usize {
    let started = RefCell::new(0);
    let tasks = takes.map(|takes| {
        let started = &started;
        async move {
            *started.borrow_mut() += 1;
            clock.sleep(ms(takes)).await;
            Ok::<_, ()>(takes)
        }
    });
    clock
        .run(race(tasks).stagger(hedge, clock.timer()))
        .unwrap();
    started.into_inner()
}

#[test]
fn the_delay_is_the_quantile() {
    let clock = VirtualClock::new();
    let hedge = taught(0.95);
    assert_eq!(hedge.delay(), Some(ms(95)));
    assert_eq!(starts(&hedge, &clock, [96, 1]), 2);
    assert_eq!(clock.now(), ms(96));
    assert_eq!(starts(&taught(0.95), &clock, [95, 1]), 1);
}

#[test]
fn without_latencies_nothing_is_hedged() {
    let clock = VirtualClock::new();
    let hedge = Hedge::quantile(0.9);
    assert_eq!(hedge.delay(), None);
    for _ in 0..10 {
        assert_eq!(starts(&hedge, &clock, [1000, 1]), 1);
    }
    assert_eq!(clock.timers_set(), 10, "those of the tasks");
    assert_eq!(hedge.delay(), Some(ms(1000)));
}

#[test]
fn the_initial_delay_comes_first() {
    let clock = VirtualClock::new();
    let hedge = Hedge::quantile(0.9).initial(ms(50)).floor(ms(20));
    assert_eq!(starts(&hedge, &clock, [1000, 10]), 2);
    assert_eq!(clock.now(), ms(60));
    assert_eq!(hedge.observations(), 1);
    (0..9).for_each(|_| hedge.record(ms(1)));
    assert_eq!(hedge.delay(), Some(ms(20)), "that is the floor");
}

#[test]
fn a_hedged_race_exceeds_its_delay() {
    let clock = VirtualClock::new();
    let hedge = Hedge::quantile(0.5).initial(ms(100));
    starts(&hedge, &clock, [1000, 1]);
    starts(&hedge, &clock, [30, 1]);
    assert_eq!(hedge.delay(), Some(ms(30)));
    hedge.record(ms(101));
    assert_eq!(
        hedge.delay(),
        Some(ms(101)),
        "the hedged one was recorded with its delay"
    );
}

#[test]
fn clones_share_the_latencies() {
    let hedge = Hedge::quantile(0.5);
    let (clone, other) = (hedge.clone(), hedge.clone().window(3));
    clone.record(ms(1));
    assert_eq!((hedge.observations(), other.observations()), (1, 0));
    (0..10).for_each(|_| other.record(ms(1)));
    assert_eq!(other.observations(), 3);
}

#[test]
fn lost_races_teach_nothing() {
    let clock = VirtualClock::new();
    let hedge = Hedge::quantile(0.5).initial(ms(10));
    let fails = || async { Err::<(), _>("no") };
    let run = race([fails(), fails()]).stagger(&hedge, clock.timer());
    clock.run(run).unwrap_err();
    let board = Board::new(2);
    let mut run = Driver::new(race(board.tasks()).stagger(hedge.clone(), clock.timer()));
    assert!(run.run().is_pending());
    drop(run);
    assert_eq!((hedge.observations(), clock.timers_running()), (0, 0));
}

#[test]
fn a_budget_limits_hedges() {
    let clock = VirtualClock::new();
    let budget = Budget::percent(5).burst(2);
    let hedge = Hedge::quantile(0.95)
        .initial(ms(10))
        .window(1000)
        .budget(budget.clone());
    // An outage: all calls are slow, and would be made twice.
    let started: usize = (0..19)
        .map(|_| starts(&hedge, &clock, [500, 500, 500]))
        .sum();
    assert_eq!((started, budget.available()), (19 + 2, 0));
    // One in twenty may be hedged then.
    let hedge = Hedge::quantile(0.95).initial(ms(10)).budget(budget);
    let started: usize = (0..100).map(|_| starts(&hedge, &clock, [9, 500])).sum();
    assert_eq!(started, 100);
    assert_eq!(starts(&hedge, &clock, [500, 1, 1]), 2);
}

#[test]
fn an_empty_budget_ends_failing_races() {
    let clock = VirtualClock::new();
    let budget = Budget::percent(0).burst(2);
    let hedge = Hedge::quantile(0.95).budget(budget.clone());
    let board = Board::new(5);
    let mut run = Driver::new(race(board.tasks()).stagger(&hedge, clock.timer()));
    for index in 0..3 {
        assert!(run.run().is_pending());
        assert_eq!(board.created(), index + 1);
        board.end(index, Err("down"));
    }
    let RaceError::AllFailed(failures) = run.finish().unwrap_err() else {
        panic!("there were tasks")
    };
    assert_eq!((failures.len(), board.created()), (3, 3));
    assert_eq!(budget.available(), 0);
}

#[test]
fn an_empty_budget_waits_for_failures() {
    let clock = VirtualClock::new();
    let budget = Budget::percent(0).burst(0);
    let hedge = Hedge::quantile(0.95).initial(ms(10)).budget(budget);
    let board = Board::new(2);
    let mut run = Driver::new(race(board.tasks()).stagger(&hedge, clock.timer()));
    assert!(run.run().is_pending());
    clock.advance(ms(10));
    assert!(run.run().is_pending());
    assert_eq!((board.created(), clock.timers_running()), (1, 0));
    assert_eq!(clock.timers_set(), 1, "it does not wait again");
    board.end(0, Ok(1));
    assert_eq!(run.finish().unwrap().winner_index, 0);
}

#[test]
fn the_last_task_costs_no_token() {
    let clock = VirtualClock::new();
    let budget = Budget::percent(0).burst(5);
    let hedge = Hedge::quantile(0.95).budget(budget.clone());
    let fails = || async { Err::<(), _>("no") };
    let run = race([fails(), fails(), fails()]).stagger(&hedge, clock.timer());
    clock.run(run).unwrap_err();
    assert_eq!(budget.available(), 3);
}

#[test]
#[should_panic = "a quantile is between 0 and 1"]
fn a_quantile_of_one_panics() {
    let _ = Hedge::quantile(1.0);
}

#[test]
#[should_panic = "pass at least 1"]
fn a_window_of_zero_panics() {
    let _ = Hedge::quantile(0.5).window(0);
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn hedged_races_can_be_spawned() {
    async fn get(url: &str) -> Result<usize, String> {
        crate::support::yield_now().await;
        Ok(url.len())
    }
    let hedge = Hedge::quantile(0.95)
        .initial(ms(50))
        .budget(Budget::percent(5));
    let run = async move {
        let urls = ["a", "bc"].map(String::from);
        race(urls.iter().map(|url| get(url)))
            .stagger(&hedge, smol::Timer::after)
            .await
    };
    let executor = smol::Executor::new();
    let winner = smol::block_on(executor.run(executor.spawn(run)));
    assert_eq!(winner.unwrap().value, 1);
}
