//! What happens in one lane: spans of time in its slots, and what became of each task.
//!
//! A task goes through these, each of which is a span of time in the same slot:
//!
//! ```text
//! started -> Work -> (Stalled -> Work)* -> Held -> Saving -> its slot is free
//!             |       |                     |       |
//!             |       |                     |       the program has the result, and saves it
//!             |       |                     there is a result that the program does not have yet
//!             |       it has been woken, and nobody has polled it since
//!             it waits for a timer
//! ```

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};

/// What a slot, or the loop, is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Work,
    Stalled,
    Held,
    Saving,
}

impl Part {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Stalled => "stalled",
            Self::Held => "held",
            Self::Saving => "saving",
        }
    }
}

/// Where a span is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Slot(usize),
    /// The body of the loop that takes the results.
    Loop,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) place: Place,
    pub(super) task: usize,
    pub(super) part: Part,
    pub(super) start: f64,
    /// As long as it is open, it has not ended.
    pub(super) end: f64,
    pub(super) is_open: bool,
    /// Whether it is the first of its task.
    pub(super) is_first: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Running,
    Succeeded,
    Failed,
    Dropped,
}

impl State {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) state: State,
    pub(super) started: f64,
    /// When it ended or was dropped.
    pub(super) ended: f64,
    /// Whether the loop has its result.
    pub(super) delivered: bool,
    slot: usize,
    /// Its last span, an index into those of the record.
    span: Option<usize>,
    woken: Arc<Woken>,
}

/// When a task was woken, as long as it has not been polled since: the bits of a number, which are never all ones.
#[derive(Debug)]
struct Woken(AtomicU64);

impl Woken {
    const NOT: u64 = u64::MAX;

    fn since(&self) -> Option<f64> {
        let bits = self.0.load(Ordering::Relaxed);
        (bits != Self::NOT).then(|| f64::from_bits(bits))
    }
}

/// Passes a wake on, and notes when that was.
struct NotingWaker {
    woken: Arc<Woken>,
    now: Now,
    waker: Waker,
}

impl Wake for NotingWaker {
    fn wake(self: Arc<Self>) {
        let now = (self.now)().to_bits();
        // The first of several wakes counts.
        let (not, relaxed) = (Woken::NOT, Ordering::Relaxed);
        let _ = self.woken.0.compare_exchange(not, now, relaxed, relaxed);
        self.waker.wake_by_ref();
    }
}

/// The milliseconds since the run began.
pub(super) type Now = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Less than this between a wake and the poll is no stall, in milliseconds: a browser takes its time, too.
const TOLERANCE: f64 = 10.0;

pub(super) struct Record {
    now: Now,
    /// Whether results are saved in the tasks, so in their slots.
    saves_in_tasks: bool,
    tasks: RefCell<Vec<Task>>,
    spans: RefCell<Vec<Span>>,
    /// The task that has each slot, as long as nothing else can.
    slots: RefCell<Vec<Option<usize>>>,
    in_flight: Cell<usize>,
    most_in_flight: Cell<usize>,
    polls: Cell<usize>,
    end: Cell<Option<f64>>,
}

impl Record {
    /// Creates a record of tasks that wait.
    pub(super) fn new(
        tasks: usize,
        saves_in_tasks: bool,
        now: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Self {
        let waiting = || Task {
            state: State::Waiting,
            started: 0.0,
            ended: 0.0,
            delivered: false,
            slot: 0,
            span: None,
            woken: Arc::new(Woken(AtomicU64::new(Woken::NOT))),
        };
        Self {
            now: Arc::new(now),
            saves_in_tasks,
            tasks: RefCell::new((0..tasks).map(|_| waiting()).collect()),
            spans: RefCell::default(),
            slots: RefCell::default(),
            in_flight: Cell::new(0),
            most_in_flight: Cell::new(0),
            polls: Cell::new(0),
            end: Cell::new(None),
        }
    }

    pub(super) fn now(&self) -> f64 {
        (self.now)()
    }

    /// Returns when the program ended, if it has.
    pub(super) fn end(&self) -> Option<f64> {
        self.end.get()
    }

    pub(super) fn tasks(&self) -> Vec<Task> {
        self.tasks.borrow().clone()
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        self.spans.borrow().clone()
    }

    /// Returns how many slots have been used.
    pub(super) fn slots(&self) -> usize {
        self.slots.borrow().len()
    }

    pub(super) fn most_in_flight(&self) -> usize {
        self.most_in_flight.get()
    }

    pub(super) fn polls(&self) -> usize {
        self.polls.get()
    }

    // --- What the tasks say

    /// Notes that a task is about to be polled, and returns the waker for it.
    pub(super) fn polled(&self, task: usize, waker: &Waker) -> Waker {
        self.polls.set(self.polls.get() + 1);
        self.note_stall(task);
        let woken = self.tasks.borrow()[task].woken.clone();
        woken.0.store(Woken::NOT, Ordering::Relaxed);
        let (now, waker) = (self.now.clone(), waker.clone());
        Arc::new(NotingWaker { woken, now, waker }).into()
    }

    /// Notes that a task has been polled for the first time.
    pub(super) fn started(&self, task: usize) {
        let slot = self.take_slot(task);
        let entry = &mut self.tasks.borrow_mut()[task];
        (entry.state, entry.slot, entry.started) = (State::Running, slot, self.now());
        let in_flight = self.in_flight.get() + 1;
        self.in_flight.set(in_flight);
        self.most_in_flight
            .set(self.most_in_flight.get().max(in_flight));
    }

    /// Notes that a task waits for a timer.
    pub(super) fn step_started(&self, task: usize) {
        self.open(task, Part::Work);
    }

    /// Notes that a task has been polled again after its timer fired.
    pub(super) fn step_ended(&self, task: usize) {
        self.close(task);
    }

    pub(super) fn ended(&self, task: usize, succeeded: bool) {
        let state = if succeeded {
            State::Succeeded
        } else {
            State::Failed
        };
        self.leave(task, state);
        self.open(task, Part::Held);
    }

    /// Notes that the future of a task was dropped while it ran.
    pub(super) fn dropped(&self, task: usize) {
        self.note_stall(task);
        self.close(task);
        self.leave(task, State::Dropped);
        self.free_slot(task);
    }

    // --- What the program says

    /// Notes that the program has the result of a task, and is going to save it.
    pub(super) fn saving(&self, task: usize) {
        self.close(task);
        self.tasks.borrow_mut()[task].delivered = true;
        if !self.saves_in_tasks {
            self.free_slot(task);
        }
        self.open(task, Part::Saving);
    }

    pub(super) fn saved(&self, task: usize) {
        self.close(task);
        self.free_slot(task);
    }

    /// Notes that the program has ended, or was dropped, and with it whatever is still open.
    pub(super) fn finish(&self) {
        let now = self.now();
        for span in &mut *self.spans.borrow_mut() {
            if span.is_open {
                (span.end, span.is_open) = (now, false);
            }
        }
        self.end.set(Some(now));
    }

    // --- What time says

    /// Notes what is stalled: it has been woken, and was not polled for some time.
    pub(super) fn note_stalls(&self) {
        let tasks = self.tasks.borrow().len();
        for task in 0..tasks {
            self.note_stall(task);
        }
    }

    fn note_stall(&self, task: usize) {
        let (woken, last) = {
            let entry = &self.tasks.borrow()[task];
            (entry.woken.since(), entry.span)
        };
        let (Some(woken), Some(last)) = (woken, last) else {
            return;
        };
        let span = self.spans.borrow()[last];
        if span.is_open && span.part == Part::Work && self.now() - woken > TOLERANCE {
            // The work has ended when the timer fired, and not just now.
            self.close_at(task, woken);
            self.open(task, Part::Stalled);
            if let Some(stalled) = self.spans.borrow_mut().last_mut() {
                stalled.start = woken;
            }
        }
    }

    fn open(&self, task: usize, part: Part) {
        let now = self.now();
        let mut spans = self.spans.borrow_mut();
        let entry = &mut self.tasks.borrow_mut()[task];
        let is_first = entry.span.replace(spans.len()).is_none();
        let place = if part == Part::Saving && !self.saves_in_tasks {
            Place::Loop
        } else {
            Place::Slot(entry.slot)
        };
        spans.push(Span {
            place,
            task,
            part,
            start: now,
            end: now,
            is_open: true,
            is_first,
        });
    }

    fn close(&self, task: usize) {
        self.close_at(task, self.now());
    }

    /// Ends the last span of a task, if it has not ended before.
    fn close_at(&self, task: usize, end: f64) {
        let last = self.tasks.borrow()[task].span;
        if let Some(last) = last {
            let span = &mut self.spans.borrow_mut()[last];
            if span.is_open {
                (span.end, span.is_open) = (end, false);
            }
        }
    }

    fn leave(&self, task: usize, state: State) {
        let entry = &mut self.tasks.borrow_mut()[task];
        (entry.state, entry.ended) = (state, self.now());
        self.in_flight.set(self.in_flight.get() - 1);
    }

    /// Returns the first slot that is free, or else has a task that has ended: its scheduler needs no room for the
    /// result.
    fn take_slot(&self, task: usize) -> usize {
        let free = |other: &Option<usize>| other.is_none();
        let has_ended = |other: &Option<usize>| {
            other.is_some_and(|other| {
                let other = &self.tasks.borrow()[other];
                !other.delivered && other.state != State::Running
            })
        };
        let found = {
            let slots = self.slots.borrow();
            slots
                .iter()
                .position(free)
                .or_else(|| slots.iter().position(has_ended))
        };
        let slot = found.unwrap_or_else(|| {
            self.slots.borrow_mut().push(None);
            self.slots.borrow().len() - 1
        });
        if let Some(other) = self.slots.borrow_mut()[slot].replace(task) {
            self.close(other);
        }
        slot
    }

    fn free_slot(&self, task: usize) {
        let slot = self.tasks.borrow()[task].slot;
        let mut slots = self.slots.borrow_mut();
        if slots.get(slot) == Some(&Some(task)) {
            slots[slot] = None;
        }
    }
}
