//! Where the outcomes of tasks go: into a list by index, or into a buffer to be handed over.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::outcome::Outcome;

/// Keeps outcomes as tasks end.
pub trait Sink {
    /// What a task that succeeds returns.
    type Value;
    /// What a task that fails returns.
    type Error;

    /// Makes room for what `hint` tasks return, within reason. Called once, first.
    fn reserve(&mut self, hint: Option<usize>) {
        let _ = hint;
    }

    /// Makes the place for the outcome of the task that starts next, so that to record it is a plain store.
    #[inline(always)]
    fn push_pending(&mut self) {}

    /// Keeps an outcome. Each index comes at most once, after its task has started.
    fn put(&mut self, index: usize, outcome: Outcome<Self::Value, Self::Error>);

    /// Returns the outcome at `index`, which was the last to be put.
    fn last_put(&self, index: usize) -> Option<&Outcome<Self::Value, Self::Error>>;

    /// Returns how many outcomes are yet to be handed over before more tasks may start.
    fn held(&self) -> usize {
        0
    }

    /// Returns whether an outcome can be handed over now.
    fn is_ready(&self) -> bool {
        false
    }
}

/// The index and the result of a task.
pub(crate) type HandedOver<K> = (usize, Result<<K as Sink>::Value, <K as Sink>::Error>);

/// A sink that hands its outcomes over one by one.
pub trait Buffer: Sink {
    /// Creates an empty buffer.
    fn new() -> Self;

    /// Returns whether the outcome at `index`, which has just come, is the next to hand over.
    fn is_next(&self, index: usize) -> bool;

    /// Notes that the outcome that was [next](Self::is_next) was handed over without having been put.
    fn pass(&mut self);

    /// Returns whether what was passed last has held up others, so that they can be handed over now.
    fn has_let_pass(&self) -> bool;

    /// Takes the next outcome to hand over; `ended` if no more will be put.
    fn pop(&mut self, ended: bool) -> Option<HandedOver<Self>>;
}

/// Keeps all outcomes, by index.
#[derive(Debug)]
pub(crate) struct Outcomes<T, E> {
    outcomes: Vec<Outcome<T, E>>,
    hint: Option<usize>,
}

impl<T, E> Outcomes<T, E> {
    /// At most this many outcomes are made room for before there are any.
    const FIRST: usize = 1024;

    pub(crate) const fn new() -> Self {
        Self {
            outcomes: Vec::new(),
            hint: None,
        }
    }

    /// Takes the outcomes of all tasks that have started. Those that have not ended were cancelled.
    pub(crate) fn take(&mut self) -> Vec<Outcome<T, E>> {
        core::mem::take(&mut self.outcomes)
    }

    /// Makes room for `needed` outcomes. Goes towards the hint in few steps, but never far beyond what was needed so
    /// far: a hint is a promise of the caller's iterator, and may be far too large.
    #[cold]
    fn grow(&mut self, needed: usize) {
        // Beyond the hint, the list grows as any list does.
        if let Some(hint) = self.hint.filter(|&hint| hint >= needed) {
            let steps = needed.saturating_mul(8).max(Self::FIRST);
            let capacity = hint.min(steps);
            self.outcomes.reserve_exact(capacity - self.outcomes.len());
        }
    }
}

impl<T, E> Sink for Outcomes<T, E> {
    type Value = T;
    type Error = E;

    fn reserve(&mut self, hint: Option<usize>) {
        self.hint = hint;
        self.outcomes = Vec::with_capacity(hint.unwrap_or(0).min(Self::FIRST));
    }

    #[inline(always)]
    fn push_pending(&mut self) {
        let len = self.outcomes.len();
        if len == self.outcomes.capacity() {
            self.grow(len + 1);
        }
        self.outcomes.push(Outcome::Cancelled);
    }

    #[inline(always)]
    fn put(&mut self, index: usize, outcome: Outcome<T, E>) {
        if let Some(place) = self.outcomes.get_mut(index) {
            *place = outcome;
        }
    }

    #[inline(always)]
    fn last_put(&self, index: usize) -> Option<&Outcome<T, E>> {
        self.outcomes.get(index)
    }
}

/// Holds outcomes in the order in which tasks ended.
#[derive(Debug)]
pub struct AsFinished<T, E> {
    outcomes: VecDeque<(usize, Outcome<T, E>)>,
}

impl<T, E> Sink for AsFinished<T, E> {
    type Value = T;
    type Error = E;

    #[inline(always)]
    fn put(&mut self, index: usize, outcome: Outcome<T, E>) {
        if !outcome.is_cancelled() {
            self.outcomes.push_back((index, outcome));
        }
    }

    #[inline(always)]
    fn last_put(&self, _: usize) -> Option<&Outcome<T, E>> {
        self.outcomes.back().map(|(_, outcome)| outcome)
    }

    #[inline(always)]
    fn held(&self) -> usize {
        self.outcomes.len()
    }

    #[inline(always)]
    fn is_ready(&self) -> bool {
        !self.outcomes.is_empty()
    }
}

impl<T, E> Buffer for AsFinished<T, E> {
    fn new() -> Self {
        Self {
            outcomes: VecDeque::new(),
        }
    }

    #[inline(always)]
    fn is_next(&self, _: usize) -> bool {
        self.outcomes.is_empty()
    }

    #[inline(always)]
    fn pass(&mut self) {}

    #[inline(always)]
    fn has_let_pass(&self) -> bool {
        false
    }

    #[inline(always)]
    fn pop(&mut self, _: bool) -> Option<(usize, Result<T, E>)> {
        let (index, outcome) = self.outcomes.pop_front()?;
        Some((index, into_result(outcome)?))
    }
}

/// Holds outcomes in input order.
#[derive(Debug)]
pub struct InOrder<T, E> {
    /// A ring, whose length is a power of two: the outcome at an index is at the place of that number modulo the
    /// length. `None` where none is held.
    places: Vec<Option<Outcome<T, E>>>,
    /// The index of what is to be handed over next. The places are those from this on.
    next: usize,
    held: usize,
    /// How many of the places are of tasks that were cancelled, which are to be skipped.
    cancelled: usize,
}

impl<T, E> InOrder<T, E> {
    /// Returns the number of the place for the outcome at `index`.
    #[inline(always)]
    fn number(&self, index: usize) -> usize {
        index & self.places.len().wrapping_sub(1)
    }

    /// Makes places for `needed` outcomes from the next one on.
    #[cold]
    fn grow(&mut self, needed: usize) {
        let len = needed.next_power_of_two();
        let mut places: Vec<_> = (0..len).map(|_| None).collect();
        for index in self.next..self.next + self.places.len() {
            let number = self.number(index);
            places[index & (len - 1)] = self.places[number].take();
        }
        self.places = places;
    }

    /// Goes on to the next index, and past those that will never have a result, so that nothing waits behind them.
    #[inline(always)]
    fn shift(&mut self) {
        self.next += 1;
        if self.cancelled > 0 {
            self.skip_cancelled();
        }
    }

    #[cold]
    fn skip_cancelled(&mut self) {
        loop {
            let number = self.number(self.next);
            let Some(place @ Some(Outcome::Cancelled)) = self.places.get_mut(number) else {
                return;
            };
            *place = None;
            self.cancelled -= 1;
            self.next += 1;
        }
    }
}

impl<T, E> Sink for InOrder<T, E> {
    type Value = T;
    type Error = E;

    #[inline(always)]
    fn put(&mut self, index: usize, outcome: Outcome<T, E>) {
        let offset = index - self.next;
        if offset >= self.places.len() {
            self.grow(offset + 1);
        }
        let is_cancelled = outcome.is_cancelled();
        let number = self.number(index);
        if let Some(place) = self.places.get_mut(number) {
            *place = Some(outcome);
        }
        if is_cancelled {
            self.cancelled += 1;
            self.skip_cancelled();
        } else {
            self.held += 1;
        }
    }

    #[inline(always)]
    fn last_put(&self, index: usize) -> Option<&Outcome<T, E>> {
        self.places.get(self.number(index))?.as_ref()
    }

    #[inline(always)]
    fn held(&self) -> usize {
        self.held
    }

    #[inline(always)]
    fn is_ready(&self) -> bool {
        matches!(self.places.get(self.number(self.next)), Some(Some(_)))
    }
}

impl<T, E> Buffer for InOrder<T, E> {
    fn new() -> Self {
        Self {
            places: Vec::new(),
            next: 0,
            held: 0,
            cancelled: 0,
        }
    }

    #[inline(always)]
    fn is_next(&self, index: usize) -> bool {
        index == self.next
    }

    #[inline(always)]
    fn pass(&mut self) {
        self.shift();
    }

    #[inline(always)]
    fn has_let_pass(&self) -> bool {
        self.held > 0 && self.is_ready()
    }

    #[inline(always)]
    fn pop(&mut self, ended: bool) -> Option<(usize, Result<T, E>)> {
        while self.held > 0 {
            let (index, number) = (self.next, self.number(self.next));
            let outcome = self.places.get_mut(number)?.take();
            if outcome.is_none() && !ended {
                return None;
            }
            self.shift();
            if let Some(result) = outcome.and_then(into_result) {
                self.held -= 1;
                return Some((index, result));
            }
        }
        None
    }
}

fn into_result<T, E>(outcome: Outcome<T, E>) -> Option<Result<T, E>> {
    match outcome {
        Outcome::Succeeded(value) => Some(Ok(value)),
        Outcome::Failed(error) => Some(Err(error)),
        Outcome::Cancelled => None,
    }
}
