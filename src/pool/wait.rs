//! The futures that wait for a pool: to be quiet, or to have room.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use event_listener::{Event, EventListener};
use futures::future::FusedFuture;

use super::Pool;
use super::error::PoolError;
use super::handle::JobHandle;
use super::inner::Hub;
use super::job::Slot;
use super::kind::{Job, Kind, Sendable};
use super::state::Refusal;

/// Makes an `attempt` now and each time that `event` is notified, until it gives something.
fn poll_until<T>(
    listener: &mut Option<EventListener>,
    event: &Event,
    cx: &mut Context<'_>,
    mut attempt: impl FnMut() -> Option<T>,
) -> Poll<T> {
    loop {
        // A notification is used up before the attempt that it is for, or it would be passed on.
        if let Some(listening) = listener {
            ready!(Pin::new(listening).poll(cx));
            *listener = None;
        }
        if let Some(value) = attempt() {
            return Poll::Ready(value);
        }
        // Another attempt comes after this, so what it waits for cannot be missed.
        let listening = event.listen();
        if let Some(value) = attempt() {
            return Poll::Ready(value);
        }
        *listener = Some(listening);
    }
}

/// The future of [`Pool::drain`]. While it is there, the pool accepts nothing.
#[must_use = "dropping a drain ends it"]
pub struct Drain<K: Kind = Sendable> {
    hub: Arc<Hub<K>>,
    listener: Option<EventListener>,
    done: bool,
}

impl<K: Kind> Drain<K> {
    pub(super) fn new(hub: Arc<Hub<K>>) -> Self {
        hub.ledger.begin_drain();
        let drain = Self {
            hub,
            listener: None,
            done: false,
        };
        drain.hub.refuse_waiting();
        drain
    }
}

impl<K: Kind> Future for Drain<K> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(());
        }
        let hub = &*this.hub;
        let drained = poll_until(&mut this.listener, &hub.quiet, cx, || {
            hub.ledger.try_end_drain().then_some(())
        });
        this.done = drained.is_ready();
        drained
    }
}

impl<K: Kind> Drop for Drain<K> {
    fn drop(&mut self) {
        if !self.done {
            self.hub.ledger.end_drain();
        }
    }
}

impl<K: Kind> FusedFuture for Drain<K> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

/// The future of [`Pool::shutdown`]. The pool stays closed without it.
#[must_use = "the pool is closed now, but what was accepted may be running still"]
pub struct Shutdown<K: Kind = Sendable> {
    hub: Arc<Hub<K>>,
    listener: Option<EventListener>,
    done: bool,
}

impl<K: Kind> Shutdown<K> {
    pub(super) fn new(hub: Arc<Hub<K>>) -> Self {
        hub.close();
        Self {
            hub,
            listener: None,
            done: false,
        }
    }
}

impl<K: Kind> Future for Shutdown<K> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(());
        }
        let hub = &*this.hub;
        let ended = poll_until(&mut this.listener, &hub.quiet, cx, || {
            hub.ledger.is_quiet().then_some(())
        });
        this.done = ended.is_ready();
        ended
    }
}

impl<K: Kind> FusedFuture for Shutdown<K> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

/// The future of [`Pool::execute_when_room`]. Dropping it drops the task, unless it has resolved.
#[must_use = "futures do nothing unless polled"]
pub struct ExecuteWhenRoom<T, E, K: Kind = Sendable> {
    pool: Pool<K>,
    slot: Arc<Slot<T, E>>,
    job: Option<Job<K>>,
    listener: Option<EventListener>,
}

impl<T, E, K: Kind> ExecuteWhenRoom<T, E, K> {
    pub(super) fn new(pool: Pool<K>, slot: Arc<Slot<T, E>>, job: Job<K>) -> Self {
        Self {
            pool,
            slot,
            job: Some(job),
            listener: None,
        }
    }
}

impl<T, E, K: Kind> Future for ExecuteWhenRoom<T, E, K> {
    type Output = Result<JobHandle<T, E, K>, PoolError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let hub = this.pool.hub();
        let (job, slot) = (&mut this.job, &this.slot);
        poll_until(&mut this.listener, &hub.room, cx, || {
            let submitted = hub.submit(job.take().expect("it has not resolved yet"));
            match submitted {
                Ok(id) => Some(Ok(JobHandle::new(slot.clone(), hub.clone(), id))),
                Err((Refusal::Full, refused)) => {
                    *job = Some(refused);
                    None
                }
                Err((refusal, _)) => Some(Err(refusal.into())),
            }
        })
    }
}

impl<T, E, K: Kind> FusedFuture for ExecuteWhenRoom<T, E, K> {
    fn is_terminated(&self) -> bool {
        self.job.is_none()
    }
}

impl<T, E, K: Kind> Unpin for ExecuteWhenRoom<T, E, K> {}

macro_rules! opaque_debug {
    ($($name:ident<$($generic:ident),*>),*) => {$(
        impl<$($generic,)* K: Kind> fmt::Debug for $name<$($generic,)* K> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

opaque_debug!(Drain<>, Shutdown<>, ExecuteWhenRoom<T, E>);
