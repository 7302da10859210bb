//! A fixed number of reusable slots, refilled from a source as tasks finish.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::mem::{self, ManuallyDrop};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::ready::ReadySet;

/// What sets one verb apart from another: the source, the limit and the sink of the tasks in a [`Window`].
///
/// The window calls it in this order for every task: `poll_task`, `record`, `announce`. Only `poll_task` and `announce`
/// may run foreign code: `record` is also called while a panic of the task or of its destructor unwinds, so that what the
/// task returned is not lost.
pub(crate) trait Verb {
    type Task: Future;

    /// Whether another task may start beside the `in_flight` running ones. Asked again after each task that ended.
    fn admits(&self, in_flight: usize) -> bool;

    /// The next task. `None` is final: it is not called again. After it was pending, it is called again when its waker was
    /// woken, or when the verb [has reconsidered](Self::reconsiders).
    fn poll_task(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Task>>;

    /// Keeps the output of the task that was the `index`th to start; `None` if the task has panicked.
    fn record(self: Pin<&mut Self>, index: usize, output: Option<<Self::Task as Future>::Output>);

    /// Tells the hooks of what was just recorded.
    fn announce(self: Pin<&mut Self>, index: usize);

    /// Whether the end of a task lets another start although the source said that it had to wait. To be false again once
    /// `poll_task` was called.
    fn reconsiders(&self) -> bool {
        false
    }

    /// Whether the outcome is settled, so that what is in flight is to be dropped.
    fn is_decided(&self) -> bool {
        false
    }

    /// Whether there is something to hand over between two passes.
    fn is_satisfied(&self) -> bool {
        false
    }
}

/// At least this many polls are made before a poll of the window yields to the executor.
const BUDGET: usize = 256;

/// This many tasks may wake themselves while they are polled before a poll of the window yields to the executor. Tasks
/// do so to yield, or because a budget that they share with the whole executor task is spent, and only yielding renews
/// it.
const YIELDS: usize = 64;

/// No slot: the end of the free list.
const NONE: usize = usize::MAX;

pin_project! {
    /// A place for a task. All of it in one piece of memory, as all of it is needed when the task is polled.
    struct Slot<Fut> {
        #[pin]
        future: Option<Fut>,
        waker: Waker,
        // The how manieth task the tenant is.
        index: usize,
        // The next slot in the free list, while this one is in it.
        next_free: usize,
    }
}

/// What one poll of the window may still do.
struct Turn {
    polls: usize,
    yields: usize,
    completed: usize,
}

impl Turn {
    fn new(slots: usize) -> Self {
        Self {
            polls: slots.max(BUDGET),
            yields: YIELDS,
            completed: 0,
        }
    }

    fn is_spent(&self) -> bool {
        self.polls == 0 || self.yields == 0
    }
}

/// The slots, and where the next tenant comes from.
pub(crate) struct Window<Fut> {
    slots: Vec<Pin<Box<Slot<Fut>>>>,
    /// The head of the free list, through which a new task always enters its slot.
    free: usize,
    /// How many tasks are running. A new one is counted when it has been polled and is pending.
    in_flight: usize,
    started: usize,
    source: Waker,
    source_woken: bool,
    exhausted: bool,
    /// Whether slots keep the order of their tasks.
    ordered: bool,
    ready: ReadySet,
}

impl<Fut> fmt::Debug for Window<Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("in_flight", &self.in_flight)
            .field("started", &self.started)
            .field("exhausted", &self.exhausted)
            .finish_non_exhaustive()
    }
}

impl<Fut> Window<Fut> {
    pub(crate) fn new() -> Self {
        let ready = ReadySet::new();
        Self {
            slots: Vec::new(),
            free: NONE,
            in_flight: 0,
            started: 0,
            source: ready.source_waker(),
            source_woken: true,
            exhausted: false,
            ordered: false,
            ready,
        }
    }

    /// A window whose passes visit tasks in the order in which they started. Costs a slot for each task that does not end
    /// on its first poll.
    pub(crate) fn ordered() -> Self {
        let mut window = Self::new();
        window.ordered = true;
        window
    }

    /// How many tasks are running.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether there is nothing left to do.
    pub(crate) fn is_finished(&self) -> bool {
        self.exhausted && self.in_flight == 0
    }

    /// Drops what is in flight, and starts nothing more.
    pub(crate) fn clear(&mut self) {
        self.exhausted = true;
        self.in_flight = 0;
        self.free = NONE;
        self.slots.clear();
    }
}

impl<Fut: Future> Window<Fut> {
    /// Runs tasks until all have ended, the verb is decided, or it is satisfied with what it has.
    ///
    /// Makes passes over the tasks that were woken, and fills what is free, for as long as each pass completes something
    /// and the turn lasts. Wakes `cx` if there is more to do at once. The pass comes first, so that a source of tasks that
    /// end on their first poll cannot keep it from its turn.
    pub(crate) fn poll<V>(&mut self, cx: &mut Context<'_>, mut verb: Pin<&mut V>) -> Poll<()>
    where
        V: Verb<Task = Fut>,
    {
        let mut turn = Turn::new(self.slots.len());
        loop {
            let completed_before = turn.completed;
            self.source_woken |= self.ready.begin_pass();
            self.pass(verb.as_mut(), &mut turn);
            self.fill(verb.as_mut(), &mut turn);
            if verb.is_decided() {
                self.clear();
            }
            if self.is_finished() || verb.is_satisfied() {
                return Poll::Ready(());
            }
            if turn.is_spent() {
                break;
            }
            if turn.completed == completed_before {
                if self.ready.arm(cx.waker()) {
                    return Poll::Pending;
                }
                break;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Starts tasks while there is room, and does nothing else.
    pub(crate) fn top_up<V>(&mut self, mut verb: Pin<&mut V>)
    where
        V: Verb<Task = Fut>,
    {
        let mut turn = Turn::new(self.slots.len());
        self.fill(verb.as_mut(), &mut turn);
        if verb.is_decided() {
            self.clear();
        }
    }

    /// Starts tasks while there is room. A new task is polled at once.
    fn fill<V>(&mut self, mut verb: Pin<&mut V>, turn: &mut Turn)
    where
        V: Verb<Task = Fut>,
    {
        while (self.source_woken || verb.reconsiders())
            && !self.exhausted
            && !turn.is_spent()
            && verb.admits(self.in_flight)
            && !verb.is_decided()
        {
            let mut cx = Context::from_waker(&self.source);
            match verb.as_mut().poll_task(&mut cx) {
                Poll::Ready(Some(task)) => {
                    self.source_woken = true;
                    let slot = self.place(task);
                    if self.visit::<V, true>(slot, verb.as_mut(), turn) {
                        turn.polls -= 1;
                    }
                }
                Poll::Ready(None) => self.exhausted = true,
                Poll::Pending => self.source_woken = false,
            }
        }
    }

    /// Visits what is ready, and refills in place what has ended.
    fn pass<V>(&mut self, mut verb: Pin<&mut V>, turn: &mut Turn)
    where
        V: Verb<Task = Fut>,
    {
        while !turn.is_spent() && !verb.is_decided() {
            let Some(slot) = self.ready.next_ready() else {
                return;
            };
            turn.polls -= 1;
            if self.visit::<V, false>(slot, verb.as_mut(), turn) {
                self.fill(verb.as_mut(), turn);
            }
        }
    }

    /// Puts a task into the first free slot, made now if there is none. The slot stays in the free list for now.
    fn place(&mut self, task: Fut) -> usize {
        let index = self.started;
        self.started += 1;
        match self.slots.get_mut(self.free) {
            Some(slot) => {
                let mut slot = slot.as_mut().project();
                *slot.index = index;
                slot.future.set(Some(task));
                self.ready.forget(self.free);
            }
            None => {
                self.free = self.slots.len();
                self.slots.push(Box::pin(Slot {
                    future: Some(task),
                    waker: self.ready.slot_waker(self.free),
                    index,
                    next_free: NONE,
                }));
            }
        }
        self.free
    }

    /// Polls the task in `slot`, if there is one. True if it has ended.
    fn visit<V, const NEW: bool>(&mut self, slot: usize, verb: Pin<&mut V>, turn: &mut Turn) -> bool
    where
        V: Verb<Task = Fut>,
    {
        let Some(mut tenant) = Tenant::<Fut, NEW>::of(self, slot) else {
            return false;
        };
        let mut delivery = Delivery {
            verb,
            index: tenant.index(),
            output: None,
        };
        match tenant.poll() {
            Poll::Pending => {
                mem::forget(delivery);
                tenant.stay();
                if self.ready.is_woken(slot) {
                    turn.yields -= 1;
                }
                false
            }
            Poll::Ready(output) => {
                delivery.output = Some(output);
                turn.completed += 1;
                drop(tenant);
                delivery.deliver();
                true
            }
        }
    }
}

impl<Fut> Drop for Window<Fut> {
    fn drop(&mut self) {
        // Wakers that outlive the window must neither wake its task nor keep it alive.
        self.ready.close();
    }
}

/// A slot that is being polled, for the first time if `NEW`. Dropping it empties the slot, be it because the task has
/// ended or has panicked.
struct Tenant<'a, Fut, const NEW: bool> {
    window: &'a mut Window<Fut>,
    slot: usize,
}

impl<'a, Fut: Future, const NEW: bool> Tenant<'a, Fut, NEW> {
    fn of(window: &'a mut Window<Fut>, slot: usize) -> Option<Self> {
        window.slots.get(slot)?.future.as_ref()?;
        Some(Self { window, slot })
    }

    fn poll(&mut self) -> Poll<Fut::Output> {
        let slot = self.window.slots[self.slot].as_mut().project();
        let future = slot.future.as_pin_mut();
        let future = future.expect("a tenant was found here");
        future.poll(&mut Context::from_waker(slot.waker))
    }

    fn index(&self) -> usize {
        self.window.slots[self.slot].index
    }

    /// Leaves the task where it is.
    fn stay(self) {
        let mut tenant = ManuallyDrop::new(self);
        if NEW {
            let window = &mut *tenant.window;
            window.free = window.slots[window.free].next_free;
            window.in_flight += 1;
        }
    }
}

impl<Fut, const NEW: bool> Drop for Tenant<'_, Fut, NEW> {
    fn drop(&mut self) {
        let window = &mut *self.window;
        let is_last = self.slot + 1 == window.slots.len();
        let slot = window.slots[self.slot].as_mut().project();
        if !NEW {
            window.in_flight -= 1;
            if is_last || !window.ordered {
                *slot.next_free = mem::replace(&mut window.free, self.slot);
            }
        }
        // The last step, for it runs foreign code: it may panic, and the slot is empty all the same.
        let mut future = slot.future;
        future.set(None);
    }
}

/// What a task returns, on its way to the verb. It is recorded even if the task or its destructor panics.
struct Delivery<'a, V: Verb> {
    verb: Pin<&'a mut V>,
    index: usize,
    output: Option<<V::Task as Future>::Output>,
}

impl<V: Verb> Delivery<'_, V> {
    fn record(&mut self) {
        let output = self.output.take();
        self.verb.as_mut().record(self.index, output);
    }

    fn deliver(self) {
        let mut delivery = ManuallyDrop::new(self);
        delivery.record();
        let index = delivery.index;
        delivery.verb.as_mut().announce(index);
    }
}

impl<V: Verb> Drop for Delivery<'_, V> {
    fn drop(&mut self) {
        self.record();
    }
}
