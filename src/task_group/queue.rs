//! The state that a group shares with whoever spawns into it: the queue through which tasks come, and whether it has
//! ended.
//!
//! A group that finds the queue empty leaves its waker in the same critical section, and a task that is pushed takes it
//! out. So no task is missed, and a group that runs anyway is not woken. Wakers and tasks are dropped outside of the
//! locks.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::task::Waker;

use crate::sync::Lock;
use crate::sync::panic::catch;

/// Tasks that were spawned and that the group has not taken yet.
pub(crate) struct Queue<Task> {
    arrivals: Lock<Arrivals<Task>>,
    end: Arc<End>,
}

struct Arrivals<Task> {
    tasks: VecDeque<Task>,
    /// Woken when a task is spawned. Left by a group that found no task.
    group: Option<Waker>,
    /// Whether tasks that come are dropped: the group has ended.
    is_closed: bool,
}

impl<Task> Queue<Task> {
    pub(crate) fn new() -> Self {
        Self {
            arrivals: Lock::new(Arrivals {
                tasks: VecDeque::new(),
                group: None,
                is_closed: false,
            }),
            end: End::new(),
        }
    }

    pub(crate) const fn end(&self) -> &Arc<End> {
        &self.end
    }

    /// Adds a task and wakes the group. Drops the task if the group has ended.
    pub(crate) fn push(&self, task: Task) {
        // A task that is refused is dropped outside of the lock.
        let mut task = Some(task);
        let group = self.arrivals.with(|arrivals| {
            if !arrivals.is_closed {
                arrivals.tasks.extend(task.take());
            }
            arrivals.group.take()
        });
        if let Some(group) = group {
            group.wake();
        }
    }

    /// Swaps all tasks for `empty`. If there are none, the next wakes `waker`.
    pub(crate) fn swap(&self, empty: &mut VecDeque<Task>, waker: &Waker) {
        // Cloned outside of the lock, as a waker is foreign. What it replaces is dropped there, too.
        let mut waker = Some(waker.clone());
        self.arrivals.with(|arrivals| {
            mem::swap(&mut arrivals.tasks, empty);
            if empty.is_empty() {
                mem::swap(&mut arrivals.group, &mut waker);
            }
        });
    }

    /// Returns how many tasks there are to take.
    pub(crate) fn len(&self) -> usize {
        self.arrivals.with(|arrivals| arrivals.tasks.len())
    }

    /// Returns whether there is no task to take.
    pub(crate) fn is_empty(&self) -> bool {
        self.arrivals.with(|arrivals| arrivals.tasks.is_empty())
    }

    /// Drops all tasks that come from now on.
    pub(crate) fn close(&self) {
        let group = self.arrivals.with(|arrivals| {
            arrivals.is_closed = true;
            arrivals.group.take()
        });
        drop(group);
    }

    /// Drops all tasks that were not taken.
    pub(crate) fn clear(&self) {
        let tasks = self
            .arrivals
            .with(|arrivals| mem::take(&mut arrivals.tasks));
        drop(tasks);
    }
}

/// The end of a group, for those who wait for what ends with it.
pub(crate) struct End(Lock<EndState>);

struct EndState {
    has_ended: bool,
    /// Woken when the group has ended.
    wakers: Vec<Waker>,
}

impl End {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Lock::new(EndState {
            has_ended: false,
            wakers: Vec::new(),
        })))
    }

    /// Says that all of the group has been dropped, and wakes those who wait for that.
    pub(crate) fn arrive(&self) {
        let wakers = self.0.with(|state| {
            state.has_ended = true;
            core::mem::take(&mut state.wakers)
        });
        for waker in wakers {
            // One that panics keeps no other from being woken.
            let _ = catch(|| waker.wake());
        }
    }

    /// Returns whether all of the group has been dropped.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.with(|state| state.has_ended)
    }

    /// Wakes `waker` when the group has ended: at once, if it has.
    pub(crate) fn wake_at_end(&self, waker: Waker) {
        // One of a kind is enough: a handle that is polled again has left its waker already.
        let mut waker = Some(waker);
        let has_ended = self.0.with(|state| {
            let is_new = |new: &Waker| !state.wakers.iter().any(|known| known.will_wake(new));
            if !state.has_ended && waker.as_ref().is_some_and(is_new) {
                state.wakers.extend(waker.take());
            }
            state.has_ended
        });
        if let (true, Some(waker)) = (has_ended, waker) {
            waker.wake();
        }
    }
}

impl_debug!(Queue<Task> |self| { len: self.len() });
