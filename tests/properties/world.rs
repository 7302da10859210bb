//! Tasks that follow a plan, and what is known of all of them.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::plan::{End, Plan, Wait};

/// Panics as planned, which is no news to be printed.
pub(crate) fn planned_panic() -> ! {
    resume_unwind(Box::new("as planned"))
}

/// What is known of a task.
#[derive(Default)]
struct Cell {
    created: usize,
    dropped: usize,
    polls: usize,
    wakes: usize,
    /// Those of the wakes that come from other threads, and so perhaps after its end.
    thread_wakes: usize,
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

    /// Returns the number of tasks that have been created.
    pub(crate) fn created(&self) -> usize {
        let state = self.state();
        state.cells.iter().map(|cell| cell.created).sum()
    }

    /// Counts a panic that is not one of a task, and panics.
    pub(crate) fn panic(&self) -> ! {
        self.state().panics += 1;
        planned_panic()
    }

    /// Returns whether the task has been polled.
    pub(crate) fn has_started(&self, index: usize) -> bool {
        self.state().cells[index].polls > 0
    }

    /// Returns whether the task has ended and been dropped.
    pub(crate) fn is_over(&self, index: usize) -> bool {
        let state = self.state();
        let cell = &state.cells[index];
        cell.has_ended && cell.created == cell.dropped
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

    /// Wakes a task by a waker that outlives all that it was made for.
    pub(crate) fn wake_too_late(&self, index: usize) {
        let waker = self.state().cells[index].waker.clone();
        if let Some(waker) = waker {
            waker.wake();
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
                    cell.thread_wakes += 1;
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
            // What a source waits for is polled when there is room for what it leads to. If not even then, it hangs.
            let runs = cell.created > cell.dropped && !cell.has_ended;
            let is_due = runs && !self.plans[index].shares_waker;
            assert!(
                !(is_due && cell.is_woken),
                "a wake of task {index} was lost"
            );
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
            if !self.plans[index].shares_waker {
                without_wake += cell.polls.saturating_sub(1 + cell.wakes);
            }
        }
        assert!(
            without_wake <= state.stale_wakes,
            "{without_wake} polls without a wake, {} stale wakes",
            state.stale_wakes
        );
        drop(state);
        self.forget_wakers();
    }

    /// Drops the wakers of all tasks: each keeps its parent, which keeps this world, so that it would never be freed.
    fn forget_wakers(&self) {
        let mut state = self.state();
        let wakers = state.cells.iter_mut().map(|cell| cell.waker.take());
        let wakers: Vec<_> = wakers.collect();
        // Foreign code does not run under the lock.
        drop(state);
        drop(wakers);
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
            let ended = self.end(guard, cx.waker());
            drop(before);
            return ended;
        };
        if wait != Wait::Released {
            cell.step += 1;
        }
        // However often it wakes itself during a poll, that is worth one more.
        let wakes_itself = !matches!(wait, Wait::Released | Wait::Thread);
        cell.wakes += usize::from(wakes_itself);
        cell.is_woken = wakes_itself;
        cell.is_being_polled = false;
        if wait == Wait::Thread {
            state.for_threads.push((index, cx.waker().clone()));
        }
        drop(guard);
        drop(before);
        if wakes_itself {
            cx.waker().wake_by_ref();
        }
        match wait {
            Wait::Twice => {
                let waker = cx.waker().clone();
                waker.wake();
            }
            Wait::Another(other) => self.world.wake(other),
            Wait::Itself | Wait::Released | Wait::Thread => {}
        }
        Poll::Pending
    }
}

impl Scripted {
    /// Ends the task as planned.
    fn end(&self, mut state: MutexGuard<'_, State>, waker: &Waker) -> Poll<Result<usize, usize>> {
        let plan = &self.world.plans[self.index];
        let cell = &mut state.cells[self.index];
        cell.is_being_polled = false;
        if plan.end == End::Never {
            return Poll::Pending;
        }
        cell.has_ended = true;
        // Others may be polled for what comes too late for this one.
        state.stale_wakes += cell.thread_wakes;
        let result = plan.result(self.index);
        state.results.extend(result);
        state.panics += usize::from(result.is_none());
        drop(state);
        // Not counted, since nobody is to be polled for it.
        if plan.end_wakes {
            waker.wake_by_ref();
        }
        match result {
            Some(result) => Poll::Ready(result),
            None => planned_panic(),
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let plan = &self.world.plans[self.index];
        let mut state = self.world.state();
        state.cells[self.index].dropped += 1;
        state.alive -= 1;
        state.running -= usize::from(state.cells[self.index].polls > 0);
        state.panics += usize::from(plan.drop_panics);
        drop(state);
        if let Some(other) = plan.drop_wakes {
            self.world.wake(other);
        }
        if plan.drop_panics {
            planned_panic();
        }
    }
}
