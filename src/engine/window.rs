//! A fixed number of reusable slots, refilled from a source as tasks finish.

use core::fmt;
use core::future::Future;
use core::mem::{self, ManuallyDrop};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::ready_set::ReadySet;
use super::slots::{NONE, SlotProjection, Slots};
use super::task_set::TaskSet;

/// This many polls are made before a poll of the window yields to the executor, however many slots there are. The tasks
/// may share a budget with the whole executor task, as they do under tokio. Once that is spent they are polled in vain,
/// without a wake that would show, until the executor has had its turn: a poll of them all for each such budget would
/// make the polls quadratic.
const BUDGET: usize = 256;

/// This many tasks may wake themselves while they are polled, not for the first time, before a poll of the window yields
/// to the executor. Tasks do so to yield, or because a budget that they share with the whole executor task is spent, and
/// only yielding renews it.
const YIELDS: usize = 64;

/// What one poll of the window may still do.
struct Turn {
    polls: usize,
    yields: usize,
    completed: usize,
}

impl Turn {
    fn new() -> Self {
        Self {
            polls: BUDGET,
            yields: YIELDS,
            completed: 0,
        }
    }

    /// A turn that ends with the pass.
    fn unlimited() -> Self {
        Self {
            polls: usize::MAX,
            yields: usize::MAX,
            completed: 0,
        }
    }

    fn is_spent(&self) -> bool {
        self.polls == 0 || self.yields == 0
    }
}

/// Slots, and who is in them.
pub(crate) struct Window<Fut> {
    slots: Slots<Fut>,
    books: Books,
    source: Waker,
    source_woken: bool,
    exhausted: bool,
}

/// Who is in which slot.
struct Books {
    /// The head of the free list, through which a new task always enters its slot.
    free: usize,
    /// How many tasks are running. A new one is counted when it has been polled and is pending.
    in_flight: usize,
    started: usize,
    /// Whether slots keep the order of their tasks. Only the last one is then used again.
    ordered: bool,
    ready: ReadySet,
}

impl<Fut> fmt::Debug for Window<Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("in_flight", &self.books.in_flight)
            .field("started", &self.books.started)
            .field("exhausted", &self.exhausted)
            .finish_non_exhaustive()
    }
}

impl<Fut> Window<Fut> {
    pub(crate) fn new() -> Self {
        let ready = ReadySet::new();
        Self {
            slots: Slots::new(),
            source: ready.source_waker(),
            source_woken: true,
            exhausted: false,
            books: Books {
                free: NONE,
                in_flight: 0,
                started: 0,
                ordered: false,
                ready,
            },
        }
    }

    /// A window whose passes visit tasks in the order in which they started. Costs a slot for each task that does not end
    /// on its first poll.
    pub(crate) fn ordered() -> Self {
        let mut window = Self::new();
        window.books.ordered = true;
        window
    }

    /// How many tasks are running.
    pub(crate) fn in_flight(&self) -> usize {
        self.books.in_flight
    }

    /// Whether there is nothing left to do.
    pub(crate) fn is_finished(&self) -> bool {
        self.exhausted && self.books.in_flight == 0
    }

    /// Drops what is in flight, and starts nothing more.
    pub(crate) fn clear(&mut self) {
        self.exhausted = true;
        self.books.in_flight = 0;
        self.books.free = NONE;
        self.slots.clear();
    }
}

impl<Fut: Future> Window<Fut> {
    /// Runs tasks until all have ended, the tasks is decided, or it is satisfied with what it has.
    ///
    /// Makes passes over the tasks that were woken, and fills what is free, for as long as each pass completes something
    /// and the turn lasts. Wakes `cx` if there is more to do at once. The pass comes first, so that a source of tasks that
    /// end on their first poll cannot keep it from its turn.
    pub(crate) fn poll<V>(&mut self, cx: &mut Context<'_>, mut tasks: Pin<&mut V>) -> Poll<()>
    where
        V: TaskSet<Task = Fut>,
    {
        let mut turn = Turn::new();
        loop {
            let completed_before = turn.completed;
            self.source_woken |= self.books.ready.begin_pass();
            self.pass(tasks.as_mut(), &mut turn);
            self.fill(tasks.as_mut(), &mut turn);
            if tasks.should_stop() {
                self.clear();
            }
            if self.is_finished() || tasks.should_yield() {
                return Poll::Ready(());
            }
            if turn.is_spent() {
                break;
            }
            if turn.completed == completed_before {
                if self.books.ready.arm(cx.waker()) {
                    return Poll::Pending;
                }
                break;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Polls each task that has been woken by now, once more before all are dropped, whatever is left of a budget.
    pub(crate) fn poll_woken<V>(&mut self, mut tasks: Pin<&mut V>)
    where
        V: TaskSet<Task = Fut>,
    {
        // A pass that was cut short has gone past some of those that were woken since, so another one follows.
        let mut turn = Turn::unlimited();
        self.pass(tasks.as_mut(), &mut turn);
        self.source_woken |= self.books.ready.begin_pass();
        self.pass(tasks, &mut turn);
    }

    /// Starts tasks while there is room, and does nothing else.
    pub(crate) fn top_up<V>(&mut self, mut tasks: Pin<&mut V>)
    where
        V: TaskSet<Task = Fut>,
    {
        let mut turn = Turn::new();
        self.fill(tasks.as_mut(), &mut turn);
        if tasks.should_stop() {
            self.clear();
        }
    }

    /// Starts tasks while there is room. A new task is polled at once.
    fn fill<V>(&mut self, mut tasks: Pin<&mut V>, turn: &mut Turn)
    where
        V: TaskSet<Task = Fut>,
    {
        while (self.source_woken || tasks.retry_source())
            && !self.exhausted
            && !turn.is_spent()
            && tasks.has_capacity(self.books.in_flight)
            && !tasks.should_stop()
        {
            let mut cx = Context::from_waker(&self.source);
            match tasks.as_mut().poll_task(&mut cx) {
                Poll::Ready(Some(task)) => {
                    self.source_woken = true;
                    if self.start(task).visit(tasks.as_mut(), turn) {
                        turn.polls -= 1;
                    }
                }
                Poll::Ready(None) => self.exhausted = true,
                Poll::Pending => self.source_woken = false,
            }
        }
    }

    /// Visits what is ready, and refills in place what has ended.
    fn pass<V>(&mut self, mut tasks: Pin<&mut V>, turn: &mut Turn)
    where
        V: TaskSet<Task = Fut>,
    {
        while !turn.is_spent() && !tasks.should_stop() {
            let Some(number) = self.books.ready.next_ready() else {
                return;
            };
            turn.polls -= 1;
            let tenant = self.tenant(number);
            if tenant.is_some_and(|tenant| tenant.visit(tasks.as_mut(), turn)) {
                self.fill(tasks.as_mut(), turn);
            }
        }
    }

    /// Puts a task into the first free slot, made now if there is none. The slot stays in the free list for now.
    #[inline]
    fn start(&mut self, task: Fut) -> Tenant<'_, Fut, true> {
        let books = &mut self.books;
        if books.free == NONE {
            books.free = self.slots.len();
            self.slots.push(books.ready.slot_waker(books.free));
        } else {
            books.ready.forget(books.free);
        }
        let number = books.free;
        let is_last = number + 1 == self.slots.len();
        let mut slot = self.slots.slot(number).project();
        *slot.index = books.started;
        books.started += 1;
        slot.future.set(Some(task));
        Tenant {
            is_last,
            number,
            slot,
            books,
        }
    }

    /// The task in a slot that was woken, unless it is gone.
    #[inline]
    fn tenant(&mut self, number: usize) -> Option<Tenant<'_, Fut, false>> {
        let len = self.slots.len();
        if number >= len {
            return None;
        }
        let slot = self.slots.slot(number).project();
        slot.future.as_ref().as_pin_ref()?;
        Some(Tenant {
            is_last: number + 1 == len,
            number,
            slot,
            books: &mut self.books,
        })
    }
}

impl<Fut> Drop for Window<Fut> {
    fn drop(&mut self) {
        // Wakers that outlive the window must neither wake its task nor keep it alive.
        self.books.ready.close();
    }
}

/// A task that is being polled, for the first time if `NEW`. Dropping it empties its slot, be it because the task has
/// ended or has panicked.
struct Tenant<'a, Fut, const NEW: bool> {
    slot: SlotProjection<'a, Fut>,
    number: usize,
    is_last: bool,
    books: &'a mut Books,
}

impl<Fut: Future, const NEW: bool> Tenant<'_, Fut, NEW> {
    /// Polls the task. True if it has ended.
    #[inline]
    fn visit<V>(mut self, tasks: Pin<&mut V>, turn: &mut Turn) -> bool
    where
        V: TaskSet<Task = Fut>,
    {
        let mut delivery = Delivery {
            tasks,
            index: *self.slot.index,
            output: None,
        };
        let future = self.slot.future.as_mut().as_pin_mut();
        let future = future.expect("a tenant is there until it is dropped");
        match future.poll(&mut Context::from_waker(self.slot.waker)) {
            Poll::Pending => {
                mem::forget(delivery);
                self.stay(turn);
                false
            }
            Poll::Ready(output) => {
                delivery.output = Some(output);
                turn.completed += 1;
                drop(self);
                delivery.deliver();
                true
            }
        }
    }

    /// Leaves the task where it is.
    #[inline]
    fn stay(self, turn: &mut Turn) {
        let mut tenant = ManuallyDrop::new(self);
        if NEW {
            // Not held against the turn: every free slot is filled, whatever the tasks do.
            tenant.books.free = *tenant.slot.next_free;
            tenant.books.in_flight += 1;
        } else if tenant.books.ready.is_woken(tenant.number) {
            turn.yields -= 1;
        }
    }
}

impl<Fut, const NEW: bool> Drop for Tenant<'_, Fut, NEW> {
    #[inline]
    fn drop(&mut self) {
        if !NEW {
            self.books.in_flight -= 1;
            if self.is_last || !self.books.ordered {
                *self.slot.next_free = mem::replace(&mut self.books.free, self.number);
            }
        }
        // The last step, for it runs foreign code: it may panic, and the slot is empty all the same.
        self.slot.future.set(None);
    }
}

/// What a task returns, on its way to the tasks. It is recorded even if the task or its destructor panics.
struct Delivery<'a, V: TaskSet> {
    tasks: Pin<&'a mut V>,
    index: usize,
    output: Option<<V::Task as Future>::Output>,
}

impl<V: TaskSet> Delivery<'_, V> {
    fn record(&mut self) {
        let output = self.output.take();
        self.tasks.as_mut().record(self.index, output);
    }

    fn deliver(self) {
        let mut delivery = ManuallyDrop::new(self);
        delivery.record();
        let index = delivery.index;
        delivery.tasks.as_mut().notify(index);
    }
}

impl<V: TaskSet> Drop for Delivery<'_, V> {
    fn drop(&mut self) {
        self.record();
    }
}
