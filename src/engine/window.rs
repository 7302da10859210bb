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
//! While a task is polled a [`SlotGuard`] stands for its slot, and frees it unless the task stays. A slot is refilled
//! under the same guard: it is hot, and the free list is left alone.
//!
//! # A poll
//! 1. A *pass* visits the slots that were woken, and refills those whose task has ended. It comes first, so that a
//!    source of tasks that end on their first poll cannot keep it from its turn.
//! 2. What is free is *filled* while there is room. A new task is polled at once. Half of what may be done is kept for
//!    this, so that tasks that wake themselves again and again cannot keep slots empty.
//! 3. If nothing was woken meanwhile, the window goes to sleep. Otherwise there is another pass if this one has
//!    completed something, and if not it is the turn of the executor.
//!
//! Where nothing was woken, there is no pass to begin with: a stream is polled once more for each item that it has
//! handed over, to start the next task.
//!
//! All of it ends when the [budget](super::budget) is spent.

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::budget::PollBudget;
use super::guard::{PollCounts, SlotGuard, SlotTable};
use super::ready_set::{MakeWaker, ReadySet};
use super::slots::{NONE, Slots};
use super::source::Source;
use super::task_set::TaskSet;

/// This many slots, and what belongs to them, fit into no cache that is near.
const HUGE: usize = 1 << 15;

/// Runs the tasks of a [`TaskSet`].
pub(crate) struct Window<Fut> {
    /// What a first poll makes, until nothing is left to do.
    live: Option<Live<Fut>>,
    /// Whether slots keep the order of their tasks.
    ordered: bool,
    /// Makes the waker of a slot.
    make_waker: MakeWaker,
    /// Whether all is over: nothing is in flight, or to be started.
    ended: bool,
}

/// A window that was polled.
struct Live<Fut> {
    slots: Slots<Fut>,
    table: SlotTable,
    source: Source,
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
    /// Creates a window whose slots are used again and again.
    pub(crate) fn new() -> Self {
        Self {
            live: None,
            ordered: false,
            make_waker: ReadySet::own_waker,
            ended: false,
        }
    }

    /// Creates a window for tasks that all run at once: a slot is used once, unless its task ends on its first poll.
    /// Passes visit tasks in the order in which they started.
    ///
    /// In WebAssembly only this function names the [wakers](ReadySet::shared_waker) that such slots have, as they are
    /// much code: a program that does not call it is linked without them.
    pub(crate) fn all_at_once() -> Self {
        Self {
            live: None,
            ordered: true,
            make_waker: ReadySet::shared_waker,
            ended: false,
        }
    }

    /// Returns how many tasks are running.
    #[inline]
    pub(crate) fn in_flight(&self) -> usize {
        self.live.as_ref().map_or(0, |live| live.table.in_flight)
    }

    /// Returns whether there is nothing left to do.
    #[inline]
    pub(crate) fn is_finished(&self) -> bool {
        self.live.as_ref().map_or(self.ended, Live::is_finished)
    }

    /// Drops what is in flight, and starts nothing more.
    #[inline]
    pub(crate) fn clear(&mut self) {
        // First, as a destructor may panic.
        self.ended = true;
        self.live = None;
    }
}

impl<Fut: Future> Window<Fut> {
    /// Runs tasks until all have ended, the outcome is settled, or there is something to hand over.
    #[inline]
    pub(crate) fn poll<V>(&mut self, cx: &mut Context<'_>, mut tasks: Pin<&mut V>) -> Poll<()>
    where
        V: TaskSet<Task = Fut>,
    {
        // Nothing is made before the first poll, which also says who the first parent is.
        let live = match &mut self.live {
            Some(live) => live,
            None if self.ended => return Poll::Ready(()),
            None => self.begin(cx, tasks.expected_in_flight(), tasks.may_wait()),
        };
        let polled = live.poll(cx, tasks.as_mut());
        // Whoever waits for the outcome gets it when nothing is in flight any more.
        if polled.is_ready() && (live.is_finished() || tasks.should_stop()) {
            self.clear();
        }
        polled
    }

    #[cold]
    #[inline(never)]
    fn begin(
        &mut self,
        cx: &Context<'_>,
        expected: Option<usize>,
        may_wait: bool,
    ) -> &mut Live<Fut> {
        let make_waker = self.make_waker_for(expected);
        let ready = ReadySet::new(cx.waker(), expected);
        let source_waker = if may_wait {
            ready.source_waker()
        } else {
            Waker::noop().clone()
        };
        let live = Live {
            slots: Slots::new(expected),
            source: Source::new(source_waker),
            table: SlotTable {
                free: NONE,
                made: 0,
                first_reusable: 0,
                in_flight: 0,
                started: 0,
                ordered: self.ordered,
                make_waker,
                ready,
            },
        };
        // There is nothing that would have to be dropped.
        mem::forget(self.live.replace(live));
        self.live.as_mut().expect("it was made just now")
    }

    /// Returns what makes the wakers of about `expected` slots.
    fn make_waker_for(&self, expected: Option<usize>) -> MakeWaker {
        // The allocation of a slot's own waker would be a cache miss for each wake, which takes longer than the
        // mispredicted call of one that shares the word. Not in WebAssembly, where every program would be linked with
        // those.
        let is_huge = expected.is_some_and(|expected| (HUGE..usize::MAX).contains(&expected));
        if is_huge && cfg!(not(target_family = "wasm")) {
            ReadySet::shared_waker
        } else {
            self.make_waker
        }
    }

    /// Polls each task that has been woken by now, once more before all are dropped, whatever is left of the budget.
    pub(crate) fn poll_woken<V>(&mut self, mut tasks: Pin<&mut V>)
    where
        V: TaskSet<Task = Fut>,
    {
        let Some(live) = &mut self.live else {
            return;
        };
        let mut counts = PollCounts::begin();
        // A pass that was cut short has gone past some of those that were woken since, so another one follows.
        while live.visit_next(tasks.as_mut(), &mut counts) {}
        live.begin_pass();
        while live.visit_next(tasks.as_mut(), &mut counts) {}
    }

    /// Starts tasks while there is room, and does nothing else.
    #[inline]
    pub(crate) fn top_up<V>(&mut self, mut tasks: Pin<&mut V>)
    where
        V: TaskSet<Task = Fut>,
    {
        if let Some(live) = &mut self.live {
            // Not by a call: a stream does this for each item that it holds.
            if live.source.may_start(&*tasks, live.table.in_flight) {
                live.start_tasks(tasks.as_mut(), &mut PollCounts::begin());
            }
            if tasks.should_stop() {
                self.clear();
            }
        }
    }
}

impl<Fut> Live<Fut> {
    #[inline]
    fn is_finished(&self) -> bool {
        self.source.has_ended() && self.table.in_flight == 0
    }

    #[inline(always)]
    fn begin_pass(&mut self) {
        if self.table.ready.begin_pass() {
            self.source.wake();
        }
    }
}

impl<Fut: Future> Live<Fut> {
    /// Polls the window: with a pass if something was woken, and otherwise without one.
    #[inline]
    fn poll<V>(&mut self, cx: &Context<'_>, tasks: Pin<&mut V>) -> Poll<()>
    where
        V: TaskSet<Task = Fut>,
    {
        if self.table.ready.is_idle() {
            if self.source.may_start(&*tasks, self.table.in_flight) {
                return self.start(cx, tasks);
            }
            // A poll in vain, as when a sibling of this window was woken, costs a few loads.
            if !self.has_outcome(&*tasks) && self.table.ready.arm(cx.waker()) {
                return Poll::Pending;
            }
        }
        self.run(cx, tasks, PollBudget::begin())
    }

    /// Polls a window in which nothing was woken: starts what may be started first, as there is nothing to visit.
    #[inline]
    fn start<V>(&mut self, cx: &Context<'_>, mut tasks: Pin<&mut V>) -> Poll<()>
    where
        V: TaskSet<Task = Fut>,
    {
        let mut counts = PollCounts::begin();
        let is_full = self.fill_now(tasks.as_mut(), &mut counts);
        match self.end_round(cx, &*tasks, &counts, 0, is_full) {
            Some(polled) => polled,
            None => self.run(cx, tasks, counts.budget),
        }
    }

    /// Visits what was woken, starts what may be started, and does so again while that leads anywhere.
    #[inline(never)]
    fn run<V>(&mut self, cx: &Context<'_>, mut tasks: Pin<&mut V>, budget: PollBudget) -> Poll<()>
    where
        V: TaskSet<Task = Fut>,
    {
        let mut counts = PollCounts::new(budget);
        loop {
            // What was woken comes first, and what it leaves free is refilled in place.
            let completed_before = counts.completed;
            self.begin_pass();
            if self.table.ready.in_pass() {
                self.pass(tasks.as_mut(), &mut counts);
            }
            // What could not be refilled then, or was never filled, is filled now.
            let is_full = self.fill(tasks.as_mut(), &mut counts);
            let ended = self.end_round(cx, &*tasks, &counts, completed_before, is_full);
            if let Some(polled) = ended {
                return polled;
            }
        }
    }

    /// Returns what the window is polled to if it is not to go on with another pass.
    #[inline(always)]
    fn end_round<V>(
        &mut self,
        cx: &Context<'_>,
        tasks: &V,
        counts: &PollCounts,
        completed_before: usize,
        is_full: bool,
    ) -> Option<Poll<()>>
    where
        V: TaskSet<Task = Fut>,
    {
        if self.has_outcome(tasks) {
            return Some(Poll::Ready(()));
        }
        // Armed at once, and not after another pass that finds nothing.
        if is_full && self.table.ready.arm(cx.waker()) {
            return Some(Poll::Pending);
        }
        // Something was woken meanwhile. It may be what wakes itself until others have had their counts.
        if counts.completed == completed_before || counts.budget.is_spent() {
            // There is more to do, after whatever else the executor has to run.
            cx.waker().wake_by_ref();
            return Some(Poll::Pending);
        }
        None
    }

    #[inline(always)]
    fn has_outcome<V: TaskSet>(&self, tasks: &V) -> bool {
        tasks.should_stop() || self.is_finished() || tasks.should_yield()
    }

    /// Visits what is ready, and refills in place what has ended.
    #[inline(always)]
    fn pass<V>(&mut self, mut tasks: Pin<&mut V>, counts: &mut PollCounts)
    where
        V: TaskSet<Task = Fut>,
    {
        // Tasks that wake themselves again and again must not keep slots empty: half of the budget is for new ones.
        let may_start = self.source.may_start(&*tasks, self.table.in_flight);
        counts.budget.reserve_half(may_start);
        while !counts.budget.is_spent() && !tasks.should_stop() {
            if !self.visit_next(tasks.as_mut(), counts) {
                break;
            }
        }
        counts.budget.reserve_half(false);
    }

    /// Visits the next slot of the pass. False if that was the last.
    #[inline(always)]
    fn visit_next<V>(&mut self, tasks: Pin<&mut V>, counts: &mut PollCounts) -> bool
    where
        V: TaskSet<Task = Fut>,
    {
        let Some(number) = self.table.ready.next_ready() else {
            return false;
        };
        // A late wake may come for a slot that is empty by now.
        if let Some(guard) = SlotGuard::occupied(&mut self.slots, &mut self.table, number) {
            guard.run(&mut self.source, tasks, counts);
        }
        true
    }

    /// Starts tasks while there is room. False if it could go on but for the budget.
    #[inline(always)]
    fn fill<V>(&mut self, tasks: Pin<&mut V>, counts: &mut PollCounts) -> bool
    where
        V: TaskSet<Task = Fut>,
    {
        !self.source.may_start(&*tasks, self.table.in_flight) || self.fill_now(tasks, counts)
    }

    /// The same where a task may start, as a function that its callers share.
    #[inline(never)]
    fn fill_now<V>(&mut self, tasks: Pin<&mut V>, counts: &mut PollCounts) -> bool
    where
        V: TaskSet<Task = Fut>,
    {
        self.start_tasks(tasks, counts)
    }

    /// Starts a task, which may start, and others while there is room. False if it could go on but for the budget.
    #[inline(always)]
    fn start_tasks<V>(&mut self, mut tasks: Pin<&mut V>, counts: &mut PollCounts) -> bool
    where
        V: TaskSet<Task = Fut>,
    {
        // The owner is at work now: a new task that wakes itself need not wake the parent.
        self.table.ready.disarm();
        while !counts.budget.is_spent() {
            let (slots, table) = (&mut self.slots, &mut self.table);
            match SlotGuard::start(slots, table, &mut self.source, tasks.as_mut()) {
                Some(guard) if tasks.has_start_hook() => {
                    if let Some(guard) = guard.notify_start(tasks.as_mut()) {
                        guard.run(&mut self.source, tasks.as_mut(), counts);
                    }
                }
                Some(guard) => guard.run(&mut self.source, tasks.as_mut(), counts),
                None => return true,
            }
            if !self.source.may_start(&*tasks, self.table.in_flight) {
                return true;
            }
        }
        false
    }
}

impl<Fut> Drop for Live<Fut> {
    fn drop(&mut self) {
        // Wakers that outlive the window must not wake its task.
        self.table.ready.close();
    }
}
