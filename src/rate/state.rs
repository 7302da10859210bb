//! The arithmetic of a rate, and the line of those who wait for it, behind its lock.
//!
//! This is the generic cell rate algorithm. It keeps one moment, `free_at`: when all that was acquired would have been
//! used up, had it been used at the rate. Each unit of cost puts that off by one interval, and it may lie ahead of the
//! clock by the burst:
//!
//! ```text
//!              now         free_at   now + burst
//!   time  ------|-------------|-----------|----->
//!                             '--- room --'          a cost of so many intervals may be acquired now
//! ```
//!
//! Time is counted in parts of a nanosecond, as many as there are units in a period. So an interval is a whole number,
//! whatever the rate, and nothing is rounded but the moment at which a timer is to fire: upwards.
//!
//! Of those who wait, the first has a timer, and the others a waker, which is woken when they are the first.

use alloc::collections::VecDeque;
use core::task::Waker;
use core::time::Duration;

/// A rate as it was set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    /// This much may be acquired in each period.
    pub(super) units: u32,
    pub(super) period: Duration,
    pub(super) burst: u32,
}

impl Quota {
    /// Returns a time in parts of a nanosecond.
    fn parts(self, time: Duration) -> u128 {
        time.as_nanos().saturating_mul(u128::from(self.units))
    }

    /// Returns the intervals of `cost` units, in parts of a nanosecond.
    fn intervals(self, cost: u32) -> u128 {
        self.period.as_nanos().saturating_mul(u128::from(cost))
    }

    /// Returns parts of a nanosecond as a time, rounded upwards.
    fn time(self, parts: u128) -> Duration {
        let nanos = parts.div_ceil(u128::from(self.units));
        nanos.try_into().map_or(Duration::MAX, Duration::from_nanos)
    }
}

#[derive(Debug)]
pub(super) struct State {
    /// In parts of a nanosecond.
    free_at: u128,
    /// Nothing is acquired before.
    paused_until: Duration,
    /// In the order of their tickets.
    line: VecDeque<Waiter>,
    next_ticket: u64,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    /// The run that it waits for, if it does.
    run: Option<u64>,
    /// `None` for the first in line, and for one that was woken to be that.
    waker: Option<Waker>,
}

/// What comes of an attempt.
pub(super) enum Attempt {
    /// It was acquired. The next in line is to be woken outside of the lock.
    Acquired(Option<Waker>),
    /// It is the first in line, and has to wait for this long.
    Wait(Duration),
    /// Others are before it.
    Behind,
}

impl State {
    pub(super) const fn new() -> Self {
        Self {
            free_at: 0,
            paused_until: Duration::ZERO,
            line: VecDeque::new(),
            next_ticket: 0,
        }
    }

    pub(super) fn pause_until(&mut self, moment: Duration) {
        self.paused_until = self.paused_until.max(moment);
    }

    /// Returns a number that no waiter and no run has had.
    pub(super) fn next_ticket(&mut self) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        ticket
    }

    /// Acquires `cost` if it is free by now, or returns how long it is not.
    fn take(&mut self, quota: Quota, cost: u32, now: Duration) -> Result<(), Duration> {
        let after = self.free_at.saturating_add(quota.intervals(cost));
        let free = quota.time(after.saturating_sub(quota.intervals(quota.burst)));
        match free.max(self.paused_until).checked_sub(now) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                let from = self.free_at.max(quota.parts(now));
                self.free_at = from.saturating_add(quota.intervals(cost));
                Ok(())
            }
        }
    }

    /// Acquires `cost` if nobody waits and it is free.
    pub(super) fn try_take(&mut self, quota: Quota, cost: u32, now: Duration) -> bool {
        self.line.is_empty() && self.take(quota, cost, now).is_ok()
    }

    /// Acquires `cost` if it is this waiter's turn and it is free. If not, the waiter is in line afterwards, and has a
    /// ticket.
    pub(super) fn attempt(
        &mut self,
        quota: Quota,
        cost: u32,
        now: Duration,
        ticket: &mut Option<u64>,
        run: Option<u64>,
    ) -> Attempt {
        // A newcomer is behind all others.
        let place = self.place_of(*ticket).unwrap_or(self.line.len());
        // Only the first asks for units, so that what is cheap does not overtake.
        let attempt = if place > 0 {
            Attempt::Behind
        } else {
            match self.take(quota, cost, now) {
                Ok(()) => {
                    let next = self.leave(ticket).1;
                    return Attempt::Acquired(next);
                }
                Err(wait) => Attempt::Wait(wait),
            }
        };
        // It waits from now on: a newcomer has to be in line for that.
        if place == self.line.len() {
            let new = self.next_ticket();
            *ticket = Some(new);
            self.line.push_back(Waiter {
                ticket: new,
                run,
                waker: None,
            });
        }
        attempt
    }

    /// Keeps the waker of one that is behind others. False if it is the first by now. The waker from before is in
    /// `waker` afterwards, to be dropped outside of the lock.
    pub(super) fn wait_behind(&mut self, ticket: Option<u64>, waker: &mut Option<Waker>) -> bool {
        let place = self.place_of(ticket).filter(|&place| place > 0);
        let waiter = place.and_then(|place| self.line.get_mut(place));
        waiter
            .map(|waiter| core::mem::swap(&mut waiter.waker, waker))
            .is_some()
    }

    /// Takes a waiter out of the line. Returns its waker, to be dropped, and that of the one that is first now, to be
    /// woken: both outside of the lock.
    pub(super) fn leave(&mut self, ticket: &mut Option<u64>) -> (Option<Waker>, Option<Waker>) {
        let place = self.place_of(ticket.take());
        place.map_or((None, None), |place| self.leave_place(place))
    }

    /// Takes the waiter of a run out of the line, as [`leave`](Self::leave) does.
    pub(super) fn leave_run(&mut self, run: u64) -> (Option<Waker>, Option<Waker>) {
        let mut line = self.line.iter();
        let place = line.position(|waiter| waiter.run == Some(run));
        place.map_or((None, None), |place| self.leave_place(place))
    }

    fn leave_place(&mut self, place: usize) -> (Option<Waker>, Option<Waker>) {
        let own = self.line.remove(place).and_then(|waiter| waiter.waker);
        let first = self.line.front_mut().filter(|_| place == 0);
        (own, first.and_then(|first| first.waker.take()))
    }

    fn place_of(&self, ticket: Option<u64>) -> Option<usize> {
        let ticket = ticket?;
        self.line
            .binary_search_by_key(&ticket, |waiter| waiter.ticket)
            .ok()
    }
}
