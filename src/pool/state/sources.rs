//! Sources: streams that are asked for a job when a worker is free.

use alloc::vec::Vec;

use super::PoolState;
use super::effect::{Accepted, Refusal, Released, Reservation};

impl<J, W: Clone> PoolState<J, W> {
    /// Asks for a worker that a source can count on while it is asked for a job. Without one, `waker` is woken when
    /// there is one for it and for all that wait ahead of it.
    ///
    /// `ticket` is its place in the line. All wakers that are left over are to be dropped.
    pub(crate) fn reserve(
        &self,
        ticket: &mut Option<u64>,
        waker: &mut Option<W>,
    ) -> (Reservation, Option<W>) {
        self.with_all(|fields| {
            // A drain only holds sources back: they come again when it ends.
            let refusal = fields
                .refusal()
                .filter(|refusal| *refusal != Refusal::Draining);
            let ahead = fields.sources.ahead_of(*ticket);
            if refusal.is_none() && fields.free_for_sources() <= ahead {
                fields.sources.wait(ticket, waker);
                return (Reservation::Wait, None);
            }
            // Its place becomes a reservation, so nothing changes for those who wait behind it.
            let own = fields.sources.leave(ticket);
            match refusal {
                Some(refusal) => (Reservation::Refused(refusal), own),
                None => {
                    fields.reserved += 1;
                    (Reservation::Granted, own)
                }
            }
        })
    }

    /// Turns a reservation into a job, whatever became of the pool meanwhile. If all workers have left, the job comes
    /// back counted as abandoned: it is to be dropped, and the reservation to be [released](Self::release) after that.
    ///
    /// Beside the job, it gives workers that can leave now, to be woken.
    pub(crate) fn accept_reserved(
        &self,
        job: J,
        priority: i32,
    ) -> Result<(Accepted<W>, Vec<W>), J> {
        self.with_all(|fields| {
            if fields.workers == 0 {
                fields.stats.total_accepted += 1;
                fields.stats.total_abandoned += 1;
                return Err(job);
            }
            fields.reserved -= 1;
            let accepted = fields.push(job, priority);
            Ok((accepted, fields.leaving()))
        })
    }

    /// Gives up a reservation.
    pub(crate) fn release(&self) -> Released<W> {
        self.with_all(|fields| {
            fields.reserved -= 1;
            Released {
                is_idle: fields.is_idle_awaited(),
                source: fields.wake_source(),
                leaving: fields.leaving(),
            }
        })
    }

    /// Gives up waiting for a worker. The first waker is to be woken, the second dropped.
    pub(crate) fn leave_sources(&self, ticket: &mut Option<u64>) -> (Option<W>, Option<W>) {
        self.with_all(|fields| {
            let own = fields.sources.leave(ticket);
            (fields.wake_source(), own)
        })
    }
}
