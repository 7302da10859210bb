//! The guards that stand for a slot and a task while foreign code runs: whatever panics, the window stays consistent.

use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::budget::Budget;
use super::ready_set::ReadySet;
use super::slots::{NONE, SlotProjection, Slots};
use super::task_set::TaskSet;
use super::window::Source;

/// Which slots are free, and which are to be visited.
pub(super) struct SlotTable {
    /// The head of the free list.
    pub(super) free: usize,
    /// The number of occupied slots.
    pub(super) in_flight: usize,
    /// The number of tasks that have started, which is the index of the next one.
    pub(super) started: usize,
    /// Whether slots keep the order of their tasks. Only the last one is then used again.
    pub(super) ordered: bool,
    /// The first slot that may be used again: 0, or the last one if slots keep the order of their tasks.
    pub(super) first_reusable: usize,
    pub(super) ready: ReadySet,
}

/// Counts what one poll of the window has done, and what it may still do.
pub(super) struct Turn {
    pub(super) budget: Budget,
    pub(super) completed: usize,
}

impl Turn {
    #[inline]
    pub(super) fn begin() -> Self {
        Self {
            budget: Budget::begin(),
            completed: 0,
        }
    }
}

/// A slot that is occupied, or about to be. Dropping it frees the slot, be it because its task has ended or has panicked.
pub(super) struct SlotGuard<'a, Fut> {
    slot: SlotProjection<'a, Fut>,
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
        let slot = slots.get(number)?.project();
        slot.future.as_ref().as_pin_ref()?;
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
        tasks: Pin<&mut V>,
    ) -> Option<Self>
    where
        V: TaskSet<Task = Fut>,
    {
        // The slot is off the free list before foreign code runs: if that panics, the guard puts it back.
        let number = table.free;
        if number != NONE {
            let slot = slots.slot(number).project();
            table.free = *slot.index;
            table.ready.forget_free(number);
            table.in_flight += 1;
            let mut guard = Self {
                slot,
                number,
                table,
            };
            return guard.refill(source, tasks).then_some(guard);
        }
        // The source is asked first: there may be nothing to make a slot for.
        let number = slots.len();
        let mut made = None;
        source.next(tasks, |task| {
            made = Some(slots.push(table.ready.slot_waker(number), task, table.started));
        });
        let slot = made?.project();
        // A slot before this one would be visited before tasks that have started earlier.
        if table.ordered {
            table.first_reusable = number;
        }
        table.started += 1;
        table.in_flight += 1;
        Some(Self {
            slot,
            number,
            table,
        })
    }

    /// Polls the task, and those that follow it in the slot, until one stays or none follows.
    #[inline(always)]
    pub(super) fn run<V>(mut self, source: &mut Source, mut tasks: Pin<&mut V>, turn: &mut Turn)
    where
        V: TaskSet<Task = Fut>,
    {
        loop {
            if self.poll(tasks.as_mut(), turn).is_pending() {
                // The task stays, and its slot with it.
                mem::forget(self);
                return;
            }
            // The slot counts as free for the question of whether another task may start.
            let others = self.table.in_flight - 1;
            if !self.is_reusable()
                || !source.may_start(&*tasks, others)
                || turn.budget.is_spent()
                || !self.refill(source, tasks.as_mut())
            {
                return;
            }
        }
    }

    /// Puts the next task into the slot, which is empty. False if there is none for now.
    #[inline(always)]
    pub(super) fn refill<V>(&mut self, source: &mut Source, tasks: Pin<&mut V>) -> bool
    where
        V: TaskSet<Task = Fut>,
    {
        // Written where it stays, as the last thing that the source does.
        let mut place = self.slot.future.as_mut();
        if !source.next(tasks, |task| place.set(Some(task))) {
            return false;
        }
        self.table.ready.forget_visited(self.number);
        *self.slot.index = self.table.started;
        self.table.started += 1;
        true
    }

    /// Polls the task. If it has ended, its output is recorded, it is dropped, and then the hooks are told.
    #[inline(always)]
    fn poll<V>(&mut self, mut tasks: Pin<&mut V>, turn: &mut Turn) -> Poll<()>
    where
        V: TaskSet<Task = Fut>,
    {
        let index = *self.slot.index;
        let future = self.slot.future.as_mut().as_pin_mut();
        let future = future.expect("there is a task in the slot until it has ended");
        let waker = self.slot.waker.as_ref();
        let waker = waker.expect("a slot with a task has a waker");
        turn.budget.spend();
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
        // Recorded first, so that it is not lost if the destructor panics.
        tasks.as_mut().record(index, Some(output));
        self.slot.future.set(None);
        tasks.notify(index);
        turn.completed += 1;
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
        if self.is_reusable() {
            *self.slot.index = mem::replace(&mut self.table.free, self.number);
        }
        // The last step, for it runs foreign code: it may panic, and the slot is empty all the same.
        self.slot.future.set(None);
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
