//! Reusable slots, refilled from a source as tasks finish.
//!
//! # A slot
//! ```text
//!            start: from the free list, or made             +--- refill: the next task, in place
//!    free -------------------------------------> occupied --+
//!     ^                                             |   ^   |
//!     |                                             |   +---+
//!     +---------------------------------------------+
//!            the task has ended or panicked, and none follows
//! ```
//! While a task is polled a [`SlotGuard`] stands for its slot, and frees it unless the task stays. A slot is refilled under
//! the same guard: it is hot, and the free list is left alone.
//!
//! # A poll
//! 1. A *pass* visits the slots that were woken, and refills those whose task has ended. It comes first, so that a source
//!    of tasks that end on their first poll cannot keep it from its turn.
//! 2. What is free is *filled* while there is room. A new task is polled at once. Half of what may be done is kept for
//!    this, so that tasks that wake themselves again and again cannot keep slots empty.
//! 3. If nothing was woken meanwhile, the window goes to sleep. Otherwise there is another pass if this one has completed
//!    something, and if not the executor has its turn.
//!
//! All of it ends when the [budget](super::budget) is spent.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::guard::{SlotGuard, SlotTable, Turn};
use super::ready_set::ReadySet;
use super::slots::{NONE, Slots};
use super::task_set::TaskSet;

/// Runs the tasks of a [`TaskSet`].
pub(crate) struct Window<Fut> {
    /// What a first poll makes.
    live: Option<Live<Fut>>,
    /// Whether slots keep the order of their tasks.
    ordered: bool,
    /// Whether nothing more is to be started.
    cleared: bool,
}

/// A window that was polled.
struct Live<Fut> {
    slots: Slots<Fut>,
    table: SlotTable,
    source: Source,
}

/// Remembers what is known of the source of tasks.
pub(super) struct Source {
    /// The waker that it is polled with.
    waker: Waker,
    /// Whether it is to be asked: it was not pending, or was woken since, and has not ended.
    is_open: bool,
    /// Whether it has ended.
    exhausted: bool,
}

impl Source {
    /// Returns whether the source is to be asked for a task that runs beside the `in_flight` others.
    #[inline(always)]
    pub(super) fn may_start<V: TaskSet>(&self, tasks: &V, in_flight: usize) -> bool {
        (self.is_open || (tasks.retry_source() && !self.exhausted)) && tasks.has_capacity(in_flight)
    }

    /// Has the source hand its next task to `start`. False if there is none for now.
    #[inline(always)]
    pub(super) fn next<V: TaskSet>(
        &mut self,
        tasks: Pin<&mut V>,
        start: impl FnOnce(V::Task),
    ) -> bool {
        let mut cx = Context::from_waker(&self.waker);
        let polled = tasks.poll_task(&mut cx, start);
        self.is_open = polled == Poll::Ready(true);
        if polled == Poll::Ready(false) {
            self.end();
        }
        self.is_open
    }

    fn wake(&mut self) {
        self.is_open = !self.exhausted;
    }

    fn end(&mut self) {
        self.is_open = false;
        self.exhausted = true;
    }
}

impl<Fut> fmt::Debug for Window<Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let started = self.live.as_ref().map_or(0, |live| live.table.started);
        f.debug_struct("Window")
            .field("in_flight", &self.in_flight())
            .field("started", &started)
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

impl<Fut> Window<Fut> {
    pub(crate) fn new() -> Self {
        Self {
            live: None,
            ordered: false,
            cleared: false,
        }
    }

    /// Creates a window whose passes visit tasks in the order in which they started. Costs a slot for each task that does
    /// not end on its first poll.
    pub(crate) fn ordered() -> Self {
        let mut window = Self::new();
        window.ordered = true;
        window
    }

    /// Returns how many tasks are running.
    #[inline]
    pub(crate) fn in_flight(&self) -> usize {
        self.live.as_ref().map_or(0, |live| live.table.in_flight)
    }

    /// Returns whether there is nothing left to do.
    #[inline]
    pub(crate) fn is_finished(&self) -> bool {
        self.live.as_ref().map_or(self.cleared, Live::is_finished)
    }

    /// Drops what is in flight, and starts nothing more.
    pub(crate) fn clear(&mut self) {
        self.cleared = true;
        if let Some(live) = &mut self.live {
            live.clear();
        }
    }
}

impl<Fut: Future> Window<Fut> {
    /// Runs tasks until all have ended, the outcome is settled, or there is something to hand over.
    #[inline]
    pub(crate) fn poll<V>(&mut self, cx: &mut Context<'_>, tasks: Pin<&mut V>) -> Poll<()>
    where
        V: TaskSet<Task = Fut>,
    {
        // Nothing is made before the first poll, which also says who the first parent is.
        let live = match &mut self.live {
            Some(live) => live,
            None => self.begin(cx, tasks.expected_in_flight(), tasks.uses_slots_once()),
        };
        // A poll in vain, as when a sibling of this window was woken, costs a few loads.
        if live.sleeps(cx, &*tasks) {
            return Poll::Pending;
        }
        live.poll(cx, tasks)
    }

    #[cold]
    #[inline(never)]
    fn begin(
        &mut self,
        cx: &Context<'_>,
        expected: Option<usize>,
        used_once: bool,
    ) -> &mut Live<Fut> {
        let ready = ReadySet::new(cx.waker(), expected, used_once);
        self.live.insert(Live {
            slots: Slots::new(),
            source: Source {
                waker: ready.source_waker(),
                is_open: !self.cleared,
                exhausted: self.cleared,
            },
            table: SlotTable {
                free: NONE,
                in_flight: 0,
                started: 0,
                ordered: self.ordered,
                first_reusable: 0,
                ready,
            },
        })
    }

    /// Polls each task that has been woken by now, once more before all are dropped, whatever is left of the budget.
    pub(crate) fn poll_woken<V>(&mut self, mut tasks: Pin<&mut V>)
    where
        V: TaskSet<Task = Fut>,
    {
        let Some(live) = &mut self.live else {
            return;
        };
        let mut turn = Turn::begin();
        // A pass that was cut short has gone past some of those that were woken since, so another one follows.
        while live.visit_next(tasks.as_mut(), &mut turn) {}
        live.begin_pass();
        while live.visit_next(tasks.as_mut(), &mut turn) {}
    }

    /// Starts tasks while there is room, and does nothing else.
    #[inline]
    pub(crate) fn top_up<V>(&mut self, mut tasks: Pin<&mut V>)
    where
        V: TaskSet<Task = Fut>,
    {
        if let Some(live) = &mut self.live {
            live.fill(tasks.as_mut(), &mut Turn::begin());
            if tasks.should_stop() {
                live.clear();
            }
        }
    }
}

impl<Fut> Live<Fut> {
    #[inline]
    fn is_finished(&self) -> bool {
        self.source.exhausted && self.table.in_flight == 0
    }

    #[inline(always)]
    fn begin_pass(&mut self) {
        if self.table.ready.begin_pass() {
            self.source.wake();
        }
    }

    #[cold]
    fn clear(&mut self) {
        self.source.end();
        self.table.in_flight = 0;
        self.table.free = NONE;
        self.slots.clear();
    }
}

impl<Fut: Future> Live<Fut> {
    /// Goes back to sleep if it was polled in vain.
    #[inline]
    fn sleeps<V>(&mut self, cx: &Context<'_>, tasks: &V) -> bool
    where
        V: TaskSet<Task = Fut>,
    {
        self.table.ready.is_idle()
            && !self.is_finished()
            && !tasks.should_stop()
            && !tasks.should_yield()
            && !self.source.may_start(tasks, self.table.in_flight)
            && self.table.ready.arm(cx.waker())
    }

    #[inline(never)]
    fn poll<V>(&mut self, cx: &Context<'_>, mut tasks: Pin<&mut V>) -> Poll<()>
    where
        V: TaskSet<Task = Fut>,
    {
        let mut turn = Turn::begin();
        loop {
            // What was woken comes first, and what it leaves free is refilled in place.
            let completed_before = turn.completed;
            self.begin_pass();
            if self.table.ready.in_pass() {
                self.pass(tasks.as_mut(), &mut turn);
            }
            // What could not be refilled then, or was never filled, is filled now.
            let is_full = self.fill(tasks.as_mut(), &mut turn);
            // Whoever waits for the outcome gets it when nothing is in flight any more.
            if tasks.should_stop() {
                self.clear();
            }
            if self.is_finished() || tasks.should_yield() {
                return Poll::Ready(());
            }
            // Armed at once, and not after another pass that finds nothing.
            if is_full && self.table.ready.arm(cx.waker()) {
                return Poll::Pending;
            }
            // Something was woken meanwhile. It may be what wakes itself until others have had their turn.
            if turn.completed == completed_before || turn.budget.is_spent() {
                break;
            }
        }
        // There is more to do, after whatever else the executor has to run.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Visits what is ready, and refills in place what has ended.
    #[inline(always)]
    fn pass<V>(&mut self, mut tasks: Pin<&mut V>, turn: &mut Turn)
    where
        V: TaskSet<Task = Fut>,
    {
        // Tasks that wake themselves again and again must not keep slots empty: half of the budget is for new ones.
        let may_start = self.source.may_start(&*tasks, self.table.in_flight);
        turn.budget.reserve_half(may_start);
        while !turn.budget.is_spent() && !tasks.should_stop() {
            if !self.visit_next(tasks.as_mut(), turn) {
                break;
            }
        }
        turn.budget.reserve_half(false);
    }

    /// Visits the next slot of the pass. False if that was the last.
    #[inline(always)]
    fn visit_next<V>(&mut self, tasks: Pin<&mut V>, turn: &mut Turn) -> bool
    where
        V: TaskSet<Task = Fut>,
    {
        let Some(number) = self.table.ready.next_ready() else {
            return false;
        };
        // A late wake may come for a slot that is empty by now.
        if let Some(guard) = SlotGuard::occupied(&mut self.slots, &mut self.table, number) {
            guard.run(&mut self.source, tasks, turn);
        }
        true
    }

    /// Starts tasks while there is room. False if it could go on but for the budget.
    #[inline(always)]
    fn fill<V>(&mut self, tasks: Pin<&mut V>, turn: &mut Turn) -> bool
    where
        V: TaskSet<Task = Fut>,
    {
        !self.source.may_start(&*tasks, self.table.in_flight) || self.fill_now(tasks, turn)
    }

    #[inline(never)]
    fn fill_now<V>(&mut self, mut tasks: Pin<&mut V>, turn: &mut Turn) -> bool
    where
        V: TaskSet<Task = Fut>,
    {
        // The owner is at work now: a new task that wakes itself need not wake the parent.
        self.table.ready.disarm();
        while !turn.budget.is_spent() {
            let (slots, table) = (&mut self.slots, &mut self.table);
            match SlotGuard::start(slots, table, &mut self.source, tasks.as_mut()) {
                Some(guard) => guard.run(&mut self.source, tasks.as_mut(), turn),
                None => return true,
            }
            if !self.source.may_start(&*tasks, self.table.in_flight) {
                return true;
            }
        }
        false
    }
}

impl<Fut> Drop for Window<Fut> {
    fn drop(&mut self) {
        // Wakers that outlive the window must not wake its task.
        if let Some(live) = &mut self.live {
            live.table.ready.close();
        }
    }
}
