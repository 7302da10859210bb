//! The permits of a limit behind its lock, and the line of those who wait for one.
//!
//! ```text
//!             front                                                       back
//!   line:     granted  granted | waiting  waiting  waiting  waiting  <- newcomers
//!                              ^
//!                              granted: 2
//! ```
//!
//! Permits are granted from the front on, so those that were granted and not yet taken are the first of the line. A
//! waiter that is polled then takes its permit and leaves. One that is dropped before leaves, too, and its permit goes
//! on to the next. Nobody overtakes: while somebody waits, a newcomer gets none.
//!
//! All of it runs under the lock, so nothing here runs foreign code: wakers are cloned, woken and dropped by the
//! callers.

use alloc::collections::VecDeque;
use core::task::{Poll, Waker};

#[derive(Debug)]
pub(super) struct State {
    limit: usize,
    /// The weights of all permits that are granted or taken. More than the limit if that was lowered, or if one weighs
    /// more.
    in_use: usize,
    /// In the order of their tickets.
    line: VecDeque<Waiter>,
    /// The number of waiters at the front of the line whose permit is granted.
    granted: usize,
    next_ticket: u64,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    /// The run that it waits for, if it does.
    run: Option<u64>,
    weight: usize,
    /// Taken when the permit is granted.
    waker: Option<Waker>,
}

/// A permit that has just been granted.
pub(super) struct Granted {
    /// Whoever waited for it, to be woken outside of the lock.
    pub(super) waker: Option<Waker>,
    /// Whether there is another one to grant.
    pub(super) more: bool,
}

impl State {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            limit,
            in_use: 0,
            line: VecDeque::new(),
            granted: 0,
            next_ticket: 0,
        }
    }

    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    pub(super) const fn in_use(&self) -> usize {
        self.in_use
    }

    pub(super) fn waiting(&self) -> usize {
        self.line.len() - self.granted
    }

    /// Returns a number that no waiter and no run has had.
    pub(super) fn next_ticket(&mut self) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        ticket
    }

    /// Returns whether a permit of this weight may be granted now. What is heavier than the limit may be if it is
    /// alone.
    fn fits(&self, weight: usize) -> bool {
        let sum = self.in_use.checked_add(weight);
        let has_room = sum.is_some_and(|sum| sum <= self.limit);
        self.limit > 0 && (has_room || self.in_use == 0)
    }

    /// Takes a permit if nobody waits and there is one.
    pub(super) fn try_take(&mut self, weight: usize) -> bool {
        let takes = self.waiting() == 0 && self.fits(weight);
        if takes {
            self.in_use += weight;
        }
        takes
    }

    /// Gives back a permit that was taken.
    pub(super) fn give_back(&mut self, weight: usize) {
        self.in_use -= weight;
    }

    /// Grants the permit of the first waiter, if there is one and it fits. To be called after each change, until there
    /// is none more to grant.
    pub(super) fn grant_next(&mut self) -> Option<Granted> {
        let weight = self.line.get(self.granted)?.weight;
        if !self.fits(weight) {
            return None;
        }
        let waker = self.line[self.granted].waker.take();
        self.in_use += weight;
        self.granted += 1;
        let next = self.line.get(self.granted);
        let more = next.is_some_and(|next| self.fits(next.weight));
        Some(Granted { waker, more })
    }

    /// Takes a permit: the one that was granted to `ticket`, or any if it has no ticket yet. `None` if the waiter has
    /// to wait and does not yet wait with this waker.
    pub(super) fn poll(
        &mut self,
        ticket: &mut Option<u64>,
        weight: usize,
        waker: &Waker,
    ) -> Option<Poll<()>> {
        let Some(place) = self.place_of(*ticket) else {
            return self.try_take(weight).then_some(Poll::Ready(()));
        };
        // Taken, it is in use already.
        if place < self.granted {
            self.line.remove(place);
            self.granted -= 1;
            *ticket = None;
            return Some(Poll::Ready(()));
        }
        let known = self.line[place].waker.as_ref();
        known
            .is_some_and(|known| known.will_wake(waker))
            .then_some(Poll::Pending)
    }

    /// Keeps the waker of a waiter, which joins the line if it is not in it. The waker from before is in `waker`
    /// afterwards, to be dropped outside of the lock.
    pub(super) fn wait(
        &mut self,
        ticket: &mut Option<u64>,
        run: Option<u64>,
        weight: usize,
        waker: &mut Option<Waker>,
    ) {
        if let Some(place) = self.place_of(*ticket) {
            core::mem::swap(&mut self.line[place].waker, waker);
            return;
        }
        let new = self.next_ticket();
        *ticket = Some(new);
        self.line.push_back(Waiter {
            ticket: new,
            run,
            weight,
            waker: waker.take(),
        });
    }

    /// Takes a waiter out of the line, and gives back its permit if it was granted. Returns its waker, to be dropped
    /// outside of the lock.
    pub(super) fn leave(&mut self, ticket: u64) -> Option<Waker> {
        let place = self.place_of(Some(ticket))?;
        self.leave_place(place)
    }

    /// Takes the waiter of a run out of the line.
    pub(super) fn leave_run(&mut self, run: u64) -> Option<Waker> {
        let mut line = self.line.iter();
        let place = line.position(|waiter| waiter.run == Some(run))?;
        self.leave_place(place)
    }

    fn leave_place(&mut self, place: usize) -> Option<Waker> {
        let waiter = self.line.remove(place)?;
        if place < self.granted {
            self.granted -= 1;
            self.give_back(waiter.weight);
        }
        waiter.waker
    }

    fn place_of(&self, ticket: Option<u64>) -> Option<usize> {
        let ticket = ticket?;
        self.line
            .binary_search_by_key(&ticket, |waiter| waiter.ticket)
            .ok()
    }
}
