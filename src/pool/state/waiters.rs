//! A line of those who wait for a pool: for room in its queue, or for a free worker. First come, first served.
//!
//! Whoever waits keeps its place until it gets what it waits for, or gives up; being woken does not cost it the place.
//! So somebody who takes what it was woken for sends it to sleep again, and not to the end of the line.

use alloc::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Waiters<W> {
    /// In the order of their tickets.
    line: VecDeque<Waiter<W>>,
    next_ticket: u64,
}

#[derive(Debug)]
struct Waiter<W> {
    ticket: u64,
    /// `None` once it was taken to be woken; there again when its owner has been polled and must go on waiting.
    waker: Option<W>,
}

impl<W> Waiters<W> {
    pub(super) const fn new() -> Self {
        Self {
            line: VecDeque::new(),
            next_ticket: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Returns how many are ahead of the one with this ticket, or of a newcomer.
    pub(super) fn ahead_of(&self, ticket: Option<u64>) -> usize {
        match ticket {
            Some(ticket) => self.line.partition_point(|waiter| waiter.ticket < ticket),
            None => self.line.len(),
        }
    }

    /// Keeps the waker of the one with this ticket, or of a newcomer, which is given one. The waker from before is in
    /// `waker` afterwards, to be dropped outside of locks.
    pub(super) fn wait(&mut self, ticket: &mut Option<u64>, waker: &mut Option<W>) {
        let known = ticket.and_then(|ticket| self.find(ticket));
        match known.and_then(|place| self.line.get_mut(place)) {
            // It keeps its place.
            Some(waiter) => core::mem::swap(&mut waiter.waker, waker),
            // A newcomer goes to the end. Tickets grow, so the line stays sorted.
            None => {
                *ticket = Some(self.next_ticket);
                self.line.push_back(Waiter {
                    ticket: self.next_ticket,
                    waker: waker.take(),
                });
                self.next_ticket += 1;
            }
        }
    }

    /// Takes the one with this ticket out of the line. Its waker is to be dropped outside of locks.
    #[must_use]
    pub(super) fn leave(&mut self, ticket: &mut Option<u64>) -> Option<W> {
        let place = self.find(ticket.take()?)?;
        self.line.remove(place)?.waker
    }

    /// Takes the waker of the one that has `ahead` others ahead, to be woken.
    pub(super) fn wake(&mut self, ahead: usize) -> Option<W> {
        self.line.get_mut(ahead)?.waker.take()
    }

    /// Takes the wakers of the first `count`, to be woken.
    pub(super) fn wake_first(&mut self, count: usize) -> impl Iterator<Item = W> + '_ {
        let woken = self.line.iter_mut().take(count);
        woken.filter_map(|waiter| waiter.waker.take())
    }

    fn find(&self, ticket: u64) -> Option<usize> {
        self.line
            .binary_search_by_key(&ticket, |waiter| waiter.ticket)
            .ok()
    }
}
