//! A future of ours may be dropped at any time: what it owns is gone at once, and nothing happens any more.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::support::verbs::{Outputs, Run, every_verb, verb_count};
use crate::support::{Board, Count, Counted, Driver, Random, Tally};
use abreast::{batched, parallel, race, sequential};
use futures::StreamExt;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const TASKS: usize = 12;

/// A run that was driven for some steps. After each poll but the last, one running task ended and another was woken.
struct Halfway<'a, T, E> {
    board: Board<T, E>,
    future: futures::future::BoxFuture<'a, Outputs<T, E>>,
    output: Option<Outputs<T, E>>,
    wakes: Arc<Count>,
    waker: Waker,
}

fn drive<T, E>(
    board: Board<T, E>,
    run: Run<'_, T, E>,
    polls: usize,
    mut end: impl FnMut(usize) -> Result<T, E>,
) -> Halfway<'_, T, E> {
    let (wakes, waker) = Count::new();
    let mut halfway = Halfway {
        board,
        future: run.future,
        output: None,
        wakes,
        waker,
    };
    let mut random = Random(polls as u64 + 1);
    for poll in 0..polls {
        if poll > 0 {
            let board = &halfway.board;
            let running: Vec<_> = (0..board.created())
                .filter(|&index| !board.is_dropped(index))
                .collect();
            let mut pick = || running[random.below(running.len())];
            let (ended, woken) = (pick(), pick());
            board.end(ended, end(ended));
            board.wake(woken);
        }
        let mut cx = Context::from_waker(&halfway.waker);
        if let Poll::Ready(output) = halfway.future.as_mut().poll(&mut cx) {
            halfway.output = Some(output);
            break;
        }
    }
    halfway
}

/// Runs the test at every poll at which a verb can be dropped.
fn at_every_poll<T: Send, E: Send>(
    end: impl Fn(&Run<'_, T, E>, usize) -> Result<T, E>,
    test: impl Fn(&str, Halfway<'_, T, E>),
) {
    for verb in 0..verb_count() {
        let mut resolved = false;
        for polls in 0..=TASKS + 2 {
            let board = Board::of(TASKS);
            let tasks = board.clone();
            let run = every_verb(TASKS, 4, move |index| tasks.task(index)).swap_remove(verb);
            let name = format!("{}, dropped after {polls} polls", run.name);
            let (races, fails_fast) = (run.races, run.fails_fast);
            let shape = Run {
                name: run.name,
                window: run.window,
                fails_fast,
                races,
                future: Box::pin(std::future::pending()),
            };
            let halfway = drive(board, run, polls, |index| end(&shape, index));
            resolved = halfway.output.is_some();
            test(&name, halfway);
        }
        assert!(resolved, "verb {verb} was not driven to its end");
    }
}

/// Values for those that go on after a value, and errors for a race.
fn to_the_end(run: &Run<'_, usize, &'static str>, index: usize) -> Result<usize, &'static str> {
    if run.races { Err("no") } else { Ok(index) }
}

#[test]
fn dropped_runs_drop_tasks_once() {
    at_every_poll(to_the_end, |name, halfway| {
        let board = halfway.board;
        let (created, polls) = (board.created(), board.total_polls());
        drop(halfway.future);
        assert_eq!(board.alive(), 0, "{name}");
        assert!((0..created).all(|index| board.is_dropped(index)), "{name}");
        assert_eq!(
            (board.created(), board.dropped()),
            (created, created),
            "{name}"
        );
        assert_eq!(board.total_polls(), polls, "{name}");
    });
}

#[test]
fn resolved_runs_hold_no_task() {
    let fail_at_last = |run: &Run<'_, usize, &'static str>, index| {
        let is_behind = index > TASKS / 2;
        if is_behind == run.races && index != TASKS / 2 {
            Ok(index)
        } else {
            Err("no")
        }
    };
    at_every_poll(fail_at_last, |name, halfway| {
        if halfway.output.is_some() {
            assert_eq!(halfway.board.alive(), 0, "{name}");
        }
    });
}

#[test]
fn stale_wakers_wake_nobody() {
    at_every_poll(to_the_end, |name, halfway| {
        let board = halfway.board;
        drop(halfway.future);
        halfway.wakes.take();
        for index in 0..board.created() {
            let stale = board.waker(index);
            stale.wake_by_ref();
            stale.wake();
        }
        assert_eq!(halfway.wakes.get(), 0, "{name}");
        // The last of them takes the parent along.
        drop(board);
        assert_eq!(
            Arc::strong_count(&halfway.wakes),
            2,
            "{name}: the parent is held by the test alone"
        );
    });
}

#[test]
fn every_parent_is_let_go_of() {
    // Several parents, one a poll, with wakes in between. The first one is kept for as long as a waker of a task is.
    for verb in 0..verb_count() {
        let board = Board::new(TASKS);
        let tasks = board.clone();
        let run = every_verb(TASKS, 4, move |index| tasks.task(index)).swap_remove(verb);
        let mut future = run.future;
        let parents: Vec<_> = (0..5).map(|_| Count::new()).collect();
        for (_, parent) in &parents {
            assert!(
                future
                    .as_mut()
                    .poll(&mut Context::from_waker(parent))
                    .is_pending()
            );
            board.wake(0);
        }
        for (count, _) in &parents {
            assert_eq!(count.get(), 1, "{}", run.name);
        }
        let held = parents
            .iter()
            .filter(|(count, _)| Arc::strong_count(count) > 2);
        assert!(held.count() <= 2, "{}: an earlier parent is kept", run.name);
        drop(future);
        let held = parents[1..]
            .iter()
            .filter(|(count, _)| Arc::strong_count(count) > 2);
        assert_eq!(held.count(), 0, "{}: a later parent is kept", run.name);
        drop(board);
        for (count, _) in &parents {
            assert_eq!(Arc::strong_count(count), 2, "{}", run.name);
        }
    }
}

#[test]
fn values_and_errors_are_dropped_once() {
    for half_fail in [false, true] {
        let tally = Tally::default();
        let end = |run: &Run<'_, Counted, Counted>, index| {
            let fails = if run.fails_fast {
                index == 9
            } else {
                half_fail && index % 2 == 0
            };
            if run.races || fails {
                Err(tally.make())
            } else {
                Ok(tally.make())
            }
        };
        at_every_poll(end, |name, halfway| {
            drop(halfway.future);
            drop(halfway.output);
            // What was told to return and was not polled again keeps its value on the board.
            drop(halfway.board);
            assert_eq!(tally.made(), tally.dropped(), "{name}");
        });
        assert!(tally.made() > 100);
    }
}

#[test]
fn unpolled_futures_create_nothing() {
    let board = Board::new(TASKS);
    let tasks = board.clone();
    for run in every_verb(TASKS, 4, move |index| tasks.task(index)) {
        drop(run.future);
    }
    assert_eq!((board.created(), board.dropped()), (0, 0));
}

#[test]
fn futures_drop_before_their_slots_refill() {
    // Ends some tasks on their first poll and some later, and looks whenever the next one is made.
    for ready in 0..4 {
        for verb in 0..verb_count() {
            let board = Board::new(TASKS);
            let tasks = board.clone();
            let make = move |index| {
                assert!(tasks.alive() < if index < 4 { index + 1 } else { 4 });
                tasks.task(index)
            };
            let run = every_verb(TASKS, 4, make).swap_remove(verb);
            if run.races {
                continue;
            }
            let one_at_a_time = run.window == 1;
            let mut run = Driver::new(run.future);
            let ends_at_once = |index: usize| index % 4 < ready;
            for index in (0..TASKS).filter(|&index| ends_at_once(index)) {
                board.end(index, Ok(index));
            }
            let mut later = (0..TASKS).filter(|&index| !ends_at_once(index));
            while run.run().is_pending() {
                assert!(!one_at_a_time || board.alive() == 1);
                let index = later.next().expect("a task is running");
                board.end(index, Ok(index));
            }
            assert_eq!(board.dropped(), TASKS);
        }
    }
}

#[test]
fn hooks_see_no_finished_future() {
    let board = Board::new(TASKS);
    for index in 0..TASKS {
        let result = if index % 3 == 0 { Err("no") } else { Ok(index) };
        board.end(index, result);
    }
    let (of_value, of_error, of_progress) = (board.clone(), board.clone(), board.clone());
    let run = parallel(board.tasks())
        .concurrency(4)
        .on_complete(move |_, index| assert!(of_value.is_dropped(index)))
        .on_error(move |_, index| assert!(of_error.is_dropped(index)))
        .on_progress(move |progress| assert_eq!(of_progress.dropped(), progress.completed));
    assert_eq!(Driver::new(run).finish().len(), TASKS);

    let board = Board::new(TASKS);
    (0..TASKS).for_each(|index| board.end(index, Err("no")));
    let observed = board.clone();
    let run = race(board.tasks()).on_error(move |_, index| assert!(observed.is_dropped(index)));
    assert!(Driver::new(run).finish().is_err());

    let board = Board::new(TASKS);
    (0..TASKS).for_each(|index| board.end(index, Ok(index)));
    let (handled, observed) = (board.clone(), board.clone());
    let run = batched(0..TASKS, move |index| handled.task(index))
        .batch_size(5)
        .on_progress(move |progress| {
            assert_eq!(observed.dropped(), progress.completed);
            assert_eq!(observed.created(), progress.completed);
        });
    assert_eq!(Driver::new(run).finish().unwrap().len(), TASKS);
}

#[test]
fn failures_drop_siblings_before_resolving() {
    let board = Board::new(TASKS);
    let mut run = Driver::new(sequential(board.tasks()));
    assert!(run.run().is_pending());
    board.end(0, Err("no"));
    assert!(run.poll().is_ready());
    assert_eq!((board.created(), board.alive()), (1, 0));

    // All of the window is woken, and the first in line fails: nobody else is polled.
    let board = Board::new(TASKS);
    let mut run = Driver::new(parallel(board.tasks()).concurrency(6).fail_fast(true));
    assert!(run.run().is_pending());
    (1..6).for_each(|index| board.wake(index));
    board.end(0, Err("no"));
    assert!(run.poll().is_ready());
    assert_eq!((board.total_polls(), board.alive()), (7, 0));
}

#[test]
fn dropped_streams_drop_held_results() {
    for ordered in [false, true] {
        for taken in 1..=4 {
            let (tally, board) = (Tally::default(), Board::<Counted, Counted>::of(9));
            let run = parallel(board.tasks()).concurrency(4);
            let mut stream = if ordered {
                run.into_ordered_stream().boxed()
            } else {
                run.into_stream().boxed()
            };
            let waker = Waker::noop();
            let mut next = || stream.poll_next_unpin(&mut Context::from_waker(waker));
            assert!(next().is_pending());
            (0..4).for_each(|index| board.end(index, Ok(tally.make())));
            for _ in 0..taken {
                assert!(matches!(next(), Poll::Ready(Some((_, Ok(_))))));
            }
            assert_eq!(tally.dropped(), taken);
            drop(stream);
            assert_eq!((tally.dropped(), board.alive()), (4, 0));
        }
    }
}
