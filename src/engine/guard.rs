//! The guards that stand for a slot and a task while foreign code runs: whatever panics, the window stays consistent.
//!
//! # The slots
//! ```text
//!   free ---> slot 3 ---> slot 0 ---> NONE      a free slot: its `index` is the next one that is free
//!             slot 1      slot 2                an occupied slot: its `index` is that of its task in the input
//! ```
//!
//! # A guard
//! ```text
//!                start                      poll: pending
//!   free slot ------------> SlotGuard -------------------------> forgotten: the slot stays occupied
//!       ^                    |     ^
//!       |                    |     | poll: ready, and refill has another task
//!       |                    |     |
//!       |                    +-----+
//!       |                    |
//!       +--------------------+
//!         dropped: no task follows, or something has panicked
//! ```
//!
//! | what panics | the guard | what is left |
//! |---|---|---|
//! | a hook when a task starts | `KeepTask` | the task in its slot, for the next pass |
//! | a task when it is polled | `RecordPanic`, then `SlotGuard` | a free slot, and no output in its place |
//! | a task when it is dropped, or a hook when it has ended | `SlotGuard` | a free slot, and the output |

use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::budget::PollBudget;
use super::ready_set::{MakeWaker, ReadySet};
use super::slots::{NONE, Slot, Slots};
use super::source::Source;
use super::task_set::TaskSet;

/// Which slots are free, and which are to be visited.
pub(super) struct SlotTable {
    /// The head of the free list.
    pub(super) free: usize,
    /// The number of slots that were made.
    pub(super) made: usize,
    /// The number of occupied slots.
    pub(super) in_flight: usize,
    /// The number of tasks that have started, which is the index of the next one unless the task set has another for
    /// it.
    pub(super) started: usize,
    /// Whether slots keep the order of their tasks. Only the last one is then used again.
    pub(super) ordered: bool,
    /// The first slot that may be used again: 0, or the last one if slots keep the order of their tasks.
    pub(super) first_reusable: usize,
    /// Makes the waker of a slot.
    pub(super) make_waker: MakeWaker,
    pub(super) ready: ReadySet,
}

impl SlotTable {
    #[inline(always)]
    fn make_waker(&mut self, number: usize) -> Waker {
        // Slots that are used once notice an indirect call. In WebAssembly it keeps their wakers out of other programs.
        if self.ordered && cfg!(not(target_family = "wasm")) {
            self.ready.shared_waker(number)
        } else {
            (self.make_waker)(&mut self.ready, number)
        }
    }
}

/// Counts what one poll of the window has done, and what it may still do.
pub(super) struct PollCounts {
    pub(super) budget: PollBudget,
    pub(super) completed: usize,
}

impl PollCounts {
    #[inline]
    pub(super) fn begin() -> Self {
        Self::new(PollBudget::begin())
    }

    #[inline]
    pub(super) const fn new(budget: PollBudget) -> Self {
        Self {
            budget,
            completed: 0,
        }
    }
}

/// A slot that is occupied, or about to be. Dropping it frees the slot, be it because its task has ended or has
/// panicked.
pub(super) struct SlotGuard<'a, Fut> {
    slot: Pin<&'a mut Slot<Fut>>,
    number: usize,
    table: &'a mut SlotTable,
}

impl<'a, Fut: Future> SlotGuard<'a, Fut> {
    /// Returns the slot with this number, if there is a task in it.
    #[inline(always)]
    pub(super) fn occupied(
        slots: &'a mut Slots<Fut>,
        table: &'a mut SlotTable,
        number: usize,
    ) -> Option<Self> {
        let slot = slots.get(number)?;
        if !slot.is_occupied() {
            return None;
        }
        Some(Self {
            slot,
            number,
            table,
        })
    }

    /// Puts the next task into the first free slot, made now if there is none. `None` if there is no task for now.
    #[inline(always)]
    pub(super) fn start<V>(
        slots: &'a mut Slots<Fut>,
        table: &'a mut SlotTable,
        source: &mut Source,
        mut tasks: Pin<&mut V>,
    ) -> Option<Self>
    where
        V: TaskSet<Task = Fut>,
    {
        // The slot is off the free list before foreign code runs: if that panics, the guard puts it back.
        let number = table.free;
        if number != NONE {
            let slot = slots.slot(number);
            table.free = slot.index;
            table.in_flight += 1;
            let mut guard = Self {
                slot,
                number,
                table,
            };
            let is_filled = guard.put_next(source, tasks, ReadySet::forget_free);
            return is_filled.then_some(guard);
        }
        let number = table.made;
        let mut slot = if Slots::<Fut>::has_spare(number) {
            // Written where it stays, as the last thing that the source does.
            let mut slot = slots.slot(number);
            let mut place = slot.as_mut().project().future;
            if !source.next(tasks.as_mut(), |task| place.set(Some(task))) {
                return None;
            }
            *slot.as_mut().project().waker = Some(table.make_waker(number));
            slot
        } else {
            // The source is asked first: there may be nothing to make a slot for.
            let mut made = None;
            source.next(tasks.as_mut(), |task| {
                let waker = table.make_waker(number);
                made = Some(slots.push(number, waker, task));
            });
            made?
        };
        *slot.as_mut().project().index = tasks.index_of(table.started);
        // A slot before this one would be visited before tasks that have started earlier.
        table.first_reusable = if table.ordered { number } else { 0 };
        table.made += 1;
        table.started += 1;
        table.in_flight += 1;
        Some(Self {
            slot,
            number,
            table,
        })
    }

    /// Tells the hooks of the task, which has just been put into the slot. It stays there if they panic.
    #[cold]
    pub(super) fn notify_start<V>(self, tasks: Pin<&mut V>) -> Option<Self>
    where
        V: TaskSet<Task = Fut>,
    {
        let index = self.slot.index;
        let mut kept = KeepTask(Some(self));
        tasks.on_start(index);
        kept.0.take()
    }

    /// Polls the task, and those that follow it in the slot, until one stays or none follows.
    #[inline(always)]
    pub(super) fn run<V>(
        mut self,
        source: &mut Source,
        mut tasks: Pin<&mut V>,
        counts: &mut PollCounts,
    ) where
        V: TaskSet<Task = Fut>,
    {
        loop {
            if self.poll(tasks.as_mut(), counts).is_pending() {
                // The task stays, and its slot with it.
                mem::forget(self);
                return;
            }
            // A slot that nothing follows in is empty, and needs no guard.
            let others = self.table.in_flight - 1;
            if !self.is_reusable() {
                self.table.in_flight = others;
                mem::forget(self);
                return;
            }
            // It counts as free for the question of whether another task may start.
            if !source.may_start(&*tasks, others)
                || counts.budget.is_spent()
                || !self.refill(source, tasks.as_mut())
            {
                return;
            }
            if tasks.has_start_hook() {
                match self.notify_start(tasks.as_mut()) {
                    Some(guard) => self = guard,
                    None => return,
                }
            }
        }
    }

    /// Puts the next task into the slot, whose task has just ended. False if there is none for now.
    #[inline(always)]
    fn refill<V>(&mut self, source: &mut Source, tasks: Pin<&mut V>) -> bool
    where
        V: TaskSet<Task = Fut>,
    {
        self.put_next(source, tasks, ReadySet::forget_visited)
    }

    /// Puts the next task into the slot, which is empty, and drops the wakes that were meant for an earlier one. False
    /// if there is none for now.
    #[inline(always)]
    fn put_next<V>(
        &mut self,
        source: &mut Source,
        mut tasks: Pin<&mut V>,
        forget: impl FnOnce(&mut ReadySet, usize),
    ) -> bool
    where
        V: TaskSet<Task = Fut>,
    {
        // Written where it stays, as the last thing that the source does.
        let mut place = self.slot.as_mut().project().future;
        if !source.next(tasks.as_mut(), |task| place.set(Some(task))) {
            return false;
        }
        forget(&mut self.table.ready, self.number);
        *self.slot.as_mut().project().index = tasks.index_of(self.table.started);
        self.table.started += 1;
        true
    }

    /// Polls the task. If it has ended, its output is recorded, it is dropped, and then the hooks are notified.
    #[inline(always)]
    fn poll<V>(&mut self, mut tasks: Pin<&mut V>, counts: &mut PollCounts) -> Poll<()>
    where
        V: TaskSet<Task = Fut>,
    {
        let index = self.slot.index;
        let slot = self.slot.as_mut().project();
        let future = slot.future.as_pin_mut();
        let future = future.expect("there is a task in the slot until it has ended");
        let waker = slot.waker.as_ref();
        let waker = waker.expect("a slot with a task has a waker");
        counts.budget.spend();
        // A task that panics has ended, too.
        let guard = RecordPanic {
            tasks: tasks.as_mut(),
            index,
        };
        let polled = future.poll(&mut Context::from_waker(waker));
        mem::forget(guard);
        let Poll::Ready(output) = polled else {
            return Poll::Pending;
        };
        let slot = self.slot.as_mut();
        let drop_task = || slot.project().future.set(None);
        tasks.finish(index, output, drop_task, &mut counts.budget);
        counts.completed += 1;
        Poll::Ready(())
    }
}

impl<Fut> SlotGuard<'_, Fut> {
    #[inline(always)]
    fn is_reusable(&self) -> bool {
        self.number >= self.table.first_reusable
    }
}

impl<Fut> Drop for SlotGuard<'_, Fut> {
    #[inline]
    fn drop(&mut self) {
        self.table.in_flight -= 1;
        let is_reusable = self.is_reusable();
        let slot = self.slot.as_mut().project();
        if is_reusable {
            *slot.index = mem::replace(&mut self.table.free, self.number);
        }
        // The last step, for it runs foreign code: it may panic, and the slot is empty all the same.
        let mut future = slot.future;
        future.set(None);
    }
}

/// Keeps a task that has just started in its slot if a hook panics: it is polled in the next pass, as if it had been
/// woken.
struct KeepTask<'a, Fut>(Option<SlotGuard<'a, Fut>>);

impl<Fut> Drop for KeepTask<'_, Fut> {
    fn drop(&mut self) {
        let Some(guard) = self.0.take() else {
            return;
        };
        // The owner is awake, so this wakes nobody.
        if let Some(waker) = guard.slot.waker.as_ref() {
            waker.wake_by_ref();
        }
        mem::forget(guard);
    }
}

/// Records that a task has panicked, if it is dropped.
struct RecordPanic<'a, V: TaskSet> {
    tasks: Pin<&'a mut V>,
    index: usize,
}

impl<V: TaskSet> Drop for RecordPanic<'_, V> {
    #[cold]
    fn drop(&mut self) {
        self.tasks.as_mut().record(self.index, None);
    }
}
