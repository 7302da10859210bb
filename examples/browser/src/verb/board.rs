//! What has become of each task, and when.

use std::cell::{Cell, RefCell};

use abreast::{LocalPool, Progress};

use super::run::Watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Waiting,
    Running,
    Succeeded,
    Failed,
    Dropped,
    Winner,
    /// The run has ended without it.
    Unstarted,
}

impl State {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
            Self::Winner => "winner",
            Self::Unstarted => "unstarted",
        }
    }
}

/// A task, in milliseconds since the run began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) state: State,
    pub(crate) started: f64,
    pub(crate) ended: f64,
}

pub(crate) struct Board {
    now: Box<dyn Fn() -> f64>,
    entries: RefCell<Vec<Entry>>,
    /// Which entries are not what they were when last looked at.
    changed: RefCell<Vec<usize>>,
    /// How many tasks were running, from when on.
    load: RefCell<Vec<(f64, usize)>>,
    progress: Cell<Option<Progress>>,
    pool: RefCell<Option<LocalPool>>,
}

impl Board {
    /// Creates a board of tasks that wait. `now` tells the milliseconds since the run began.
    pub(crate) fn new(tasks: usize, now: impl Fn() -> f64 + 'static) -> Self {
        let waiting = Entry {
            state: State::Waiting,
            started: 0.0,
            ended: 0.0,
        };
        Self {
            now: Box::new(now),
            entries: RefCell::new(vec![waiting; tasks]),
            changed: RefCell::new((0..tasks).collect()),
            load: RefCell::new(vec![(0.0, 0)]),
            progress: Cell::new(None),
            pool: RefCell::new(None),
        }
    }

    pub(crate) fn now(&self) -> f64 {
        (self.now)()
    }

    pub(crate) fn entry(&self, index: usize) -> Entry {
        self.entries.borrow()[index]
    }

    pub(crate) fn load(&self) -> Vec<(f64, usize)> {
        self.load.borrow().clone()
    }

    pub(crate) fn take_changed(&self) -> Vec<usize> {
        self.changed.take()
    }

    pub(crate) fn count(&self, wanted: &[State]) -> usize {
        let entries = self.entries.borrow();
        entries
            .iter()
            .filter(|entry| wanted.contains(&entry.state))
            .count()
    }

    /// Returns how many tasks run: a pool is asked itself.
    pub(crate) fn active(&self) -> usize {
        match &*self.pool.borrow() {
            Some(pool) => pool.active_workers(),
            None => self.count(&[State::Running]),
        }
    }

    /// Returns how many tasks are yet to be started: a pool is asked itself.
    pub(crate) fn waiting(&self) -> usize {
        match &*self.pool.borrow() {
            Some(pool) => pool.queue_length(),
            None => self.count(&[State::Waiting]),
        }
    }

    /// Returns how many tasks have ended: the hooks say so, where the verb has them.
    pub(crate) fn completed(&self) -> usize {
        let ended = || self.count(&[State::Succeeded, State::Failed, State::Winner]);
        self.progress
            .get()
            .map_or_else(ended, |progress| progress.completed)
    }

    /// Notes that the run has ended, so what waits will never start.
    pub(crate) fn close(&self) {
        self.pool.take();
        let waiting: Vec<_> = (0..self.entries.borrow().len())
            .filter(|&index| self.entry(index).state == State::Waiting)
            .collect();
        for index in waiting {
            self.set(index, State::Unstarted);
        }
    }

    fn set(&self, index: usize, state: State) {
        let now = self.now();
        {
            let entry = &mut self.entries.borrow_mut()[index];
            match (entry.state, state) {
                (_, State::Running) => entry.started = now,
                (State::Running, _) => entry.ended = now,
                _ => {}
            }
            entry.state = state;
        }
        self.changed.borrow_mut().push(index);
        let running = self.count(&[State::Running]);
        let mut load = self.load.borrow_mut();
        // A slot that is refilled at once is not empty in between.
        while load.last().is_some_and(|&(at, _)| now - at < 4.0) && load.len() > 1 {
            load.pop();
        }
        if load.last().is_some_and(|&(_, last)| last != running) {
            load.push((now, running));
        }
    }
}

impl Watch for Board {
    fn started(&self, index: usize) {
        self.set(index, State::Running);
    }

    fn ended(&self, index: usize, succeeded: bool) {
        let state = if succeeded {
            State::Succeeded
        } else {
            State::Failed
        };
        self.set(index, state);
    }

    fn dropped(&self, index: usize) {
        self.set(index, State::Dropped);
    }

    fn won(&self, index: usize) {
        self.set(index, State::Winner);
    }

    fn progress(&self, progress: Progress) {
        self.progress.set(Some(progress));
    }

    fn queued(&self, pool: &LocalPool) {
        *self.pool.borrow_mut() = Some(pool.clone());
    }
}
