//! Tasks that follow a plan, and what is known of all of them.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::support::Random;

/// Panics as planned, which is no news to be printed.
pub(crate) fn planned_panic() -> ! {
    resume_unwind(Box::new("as planned"))
}

/// What a task does at one of its polls but the last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wait {
    /// It wakes itself, as one that yields.
    Itself,
    /// It wakes itself twice, the second time by value.
    Twice,
    /// It waits until it is released by the program.
    Released,
    /// It is woken by another thread.
    Thread,
}

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Value,
    Error,
    Panic,
    Never,
}

/// All that a task does.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) waits: Vec<Wait>,
    pub(crate) end: End,
    /// Whether its destructor panics.
    pub(crate) drop_panics: bool,
}

impl Plan {
    /// Returns what the task resolves to, if it does.
    pub(crate) fn result(&self, index: usize) -> Option<Result<usize, usize>> {
        match self.end {
            End::Value => Some(Ok(index)),
            End::Error => Some(Err(index)),
            End::Panic | End::Never => None,
        }
    }
}

/// Draws the plans of a program. Errors are as frequent as `errors` of a hundred.
pub(crate) fn plans(random: &mut Random, errors: usize) -> Vec<Plan> {
    let count = match random.below(20) {
        0 => random.below(150),
        _ => random.below(12),
    };
    // A destructor that panics during another panic would abort, so that a program has either, and of destructors one.
    let trouble = random.below(6);
    let mut plans: Vec<_> = (0..count)
        .map(|_| {
            let waits = (0..random.below(4)).map(|_| match random.below(12) {
                0..=2 => Wait::Itself,
                3 => Wait::Twice,
                4 => Wait::Thread,
                _ => Wait::Released,
            });
            let waits = waits.collect();
            let end = match random.below(100) {
                luck if luck < errors => End::Error,
                luck if luck >= 90 && trouble == 1 => End::Panic,
                luck if luck >= 90 && trouble == 2 => End::Never,
                _ => End::Value,
            };
            Plan {
                waits,
                end,
                drop_panics: false,
            }
        })
        .collect();
    if trouble == 3 && count > 0 {
        plans[random.below(count)].drop_panics = true;
    }
    plans
}

/// What is known of a task.
#[derive(Default)]
struct Cell {
    created: usize,
    dropped: usize,
    polls: usize,
    wakes: usize,
    /// Whether it has been woken since its last poll.
    is_woken: bool,
    is_being_polled: bool,
    has_ended: bool,
    /// How many of its waits are over.
    step: usize,
    is_released: bool,
    waker: Option<Waker>,
}

#[derive(Default)]
struct State {
    cells: Vec<Cell>,
    alive: usize,
    most_alive: usize,
    /// Those that have been polled and not been dropped.
    running: usize,
    most_running: usize,
    /// The wakes of tasks that have ended: each may wake the task that has its place now.
    stale_wakes: usize,
    /// Wakers that another thread is to wake, each with its task.
    for_threads: Vec<(usize, Waker)>,
    panics: usize,
    /// What tasks have resolved to, in that order.
    results: Vec<Result<usize, usize>>,
}

/// The tasks of a program.
#[derive(Clone)]
pub(crate) struct World {
    plans: Arc<Vec<Plan>>,
    state: Arc<Mutex<State>>,
}

impl World {
    pub(crate) fn new(plans: Vec<Plan>) -> Self {
        let cells = plans.iter().map(|_| Cell::default()).collect();
        Self {
            plans: Arc::new(plans),
            state: Arc::new(Mutex::new(State {
                cells,
                ..State::default()
            })),
        }
    }

    pub(crate) fn plans(&self) -> &[Plan] {
        &self.plans
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Checks that fail do so under this lock, and are not to hide behind it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a task.
    pub(crate) fn task(&self, index: usize) -> Scripted {
        let mut state = self.state();
        state.cells[index].created += 1;
        state.alive += 1;
        state.most_alive = state.most_alive.max(state.alive);
        drop(state);
        Scripted {
            world: self.clone(),
            index,
        }
    }

    /// Returns what tasks have resolved to so far, in that order.
    pub(crate) fn results(&self) -> Vec<Result<usize, usize>> {
        self.state().results.clone()
    }

    /// Returns the number of panics of tasks and of their destructors.
    pub(crate) fn panics(&self) -> usize {
        self.state().panics
    }

    /// Returns the largest number of tasks that had been polled and not been dropped at any time.
    pub(crate) fn most_running(&self) -> usize {
        self.state().most_running
    }

    /// Returns whether the task has been polled.
    pub(crate) fn has_started(&self, index: usize) -> bool {
        self.state().cells[index].polls > 0
    }

    /// Returns whether the task was created, and has neither ended nor been dropped.
    fn runs(&self, index: usize) -> bool {
        let state = self.state();
        let cell = &state.cells[index];
        cell.created > cell.dropped && !cell.has_ended
    }

    /// Returns the tasks that wait to be released.
    pub(crate) fn waiting(&self) -> Vec<usize> {
        let state = self.state();
        let waits = |index: &usize| {
            let (cell, plan) = (&state.cells[*index], &self.plans[*index]);
            cell.created > cell.dropped
                && cell.polls > 0
                && !cell.is_released
                && plan.waits.get(cell.step) == Some(&Wait::Released)
        };
        (0..state.cells.len()).filter(waits).collect()
    }

    /// Lets a task go on that waits for it.
    pub(crate) fn release(&self, index: usize) {
        self.state().cells[index].is_released = true;
        self.wake(index);
    }

    /// Wakes a task that has been polled, whether it still exists or not.
    pub(crate) fn wake(&self, index: usize) {
        if let Some(waker) = self.note_wake(index) {
            waker.wake_by_ref();
        }
    }

    /// Notes a wake, and returns the waker to be woken: not under the lock, since a waker may do anything.
    fn note_wake(&self, index: usize) -> Option<Waker> {
        let runs = self.runs(index);
        let mut state = self.state();
        let state = &mut *state;
        let cell = &mut state.cells[index];
        let waker = cell.waker.clone()?;
        if runs {
            cell.wakes += 1;
            cell.is_woken = true;
        } else {
            state.stale_wakes += 1;
        }
        Some(waker)
    }

    /// Returns the wakers that another thread is to wake.
    pub(crate) fn take_for_threads(&self) -> Vec<Waker> {
        let mut state = self.state();
        let state = &mut *state;
        let taken = state.for_threads.drain(..);
        taken
            .map(|(index, waker)| {
                let cell = &mut state.cells[index];
                if cell.created > cell.dropped && !cell.has_ended {
                    cell.wakes += 1;
                    cell.is_woken = true;
                } else {
                    state.stale_wakes += 1;
                }
                waker
            })
            .collect()
    }

    /// Asserts that no wake was lost, of what runs while nothing moves.
    #[track_caller]
    pub(crate) fn assert_at_rest(&self) {
        let state = self.state();
        for (index, cell) in state.cells.iter().enumerate() {
            let runs = cell.created > cell.dropped && !cell.has_ended;
            assert!(!(runs && cell.is_woken), "a wake of task {index} was lost");
        }
    }

    /// Asserts what holds at the end of every program, of which at most `limit` tasks were to exist at a time.
    #[track_caller]
    pub(crate) fn assert_over(&self, limit: usize) {
        let state = self.state();
        assert_eq!(state.alive, 0, "tasks are left");
        assert!(
            state.most_alive <= limit,
            "{} of {limit} at a time",
            state.most_alive
        );
        let mut without_wake = 0;
        for (index, cell) in state.cells.iter().enumerate() {
            assert!(cell.created <= 1, "task {index} was created again");
            assert_eq!(cell.created, cell.dropped, "drops of task {index}");
            without_wake += cell.polls.saturating_sub(1 + cell.wakes);
        }
        assert!(
            without_wake <= state.stale_wakes,
            "{without_wake} polls without a wake, {} stale wakes",
            state.stale_wakes
        );
    }
}

/// A task of a world.
pub(crate) struct Scripted {
    world: World,
    index: usize,
}

impl Future for Scripted {
    type Output = Result<usize, usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (world, index) = (&self.world, self.index);
        let plan = &world.plans[index];
        let mut guard = world.state();
        let state = &mut *guard;
        let cell = &mut state.cells[index];
        assert!(!cell.has_ended, "task {index} is polled after its end");
        assert!(!cell.is_being_polled, "task {index} is polled while it is");
        if cell.polls == 0 {
            state.running += 1;
            state.most_running = state.most_running.max(state.running);
        }
        cell.is_being_polled = true;
        cell.polls += 1;
        cell.is_woken = false;
        // Dropped without the lock: it may be the last of a program that is over.
        let before = cell.waker.replace(cx.waker().clone());

        // Only a release ends a wait for it. Any poll ends the others.
        if plan.waits.get(cell.step) == Some(&Wait::Released) && cell.is_released {
            cell.is_released = false;
            cell.step += 1;
        }
        let Some(&wait) = plan.waits.get(cell.step) else {
            let ended = self.end(guard);
            drop(before);
            return ended;
        };
        if wait != Wait::Released {
            cell.step += 1;
        }
        let wakes = match wait {
            Wait::Itself => 1,
            Wait::Twice => 2,
            Wait::Released | Wait::Thread => 0,
        };
        cell.wakes += wakes;
        cell.is_woken = wakes > 0;
        cell.is_being_polled = false;
        if wait == Wait::Thread {
            state.for_threads.push((index, cx.waker().clone()));
        }
        drop(guard);
        drop(before);
        if wakes > 0 {
            cx.waker().wake_by_ref();
        }
        if wakes > 1 {
            let waker = cx.waker().clone();
            waker.wake();
        }
        Poll::Pending
    }
}

impl Scripted {
    /// Ends the task as planned.
    fn end(&self, mut state: MutexGuard<'_, State>) -> Poll<Result<usize, usize>> {
        let plan = &self.world.plans[self.index];
        let cell = &mut state.cells[self.index];
        cell.is_being_polled = false;
        match plan.result(self.index) {
            Some(result) => {
                cell.has_ended = true;
                state.results.push(result);
                Poll::Ready(result)
            }
            None if plan.end == End::Panic => {
                cell.has_ended = true;
                state.panics += 1;
                drop(state);
                planned_panic();
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let mut state = self.world.state();
        state.cells[self.index].dropped += 1;
        state.alive -= 1;
        state.running -= usize::from(state.cells[self.index].polls > 0);
        if self.world.plans[self.index].drop_panics {
            state.panics += 1;
            drop(state);
            planned_panic();
        }
    }
}
