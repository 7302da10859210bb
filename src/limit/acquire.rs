//! What is waited for, and what one then has.

use alloc::sync::Arc;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::future::FusedFuture;

use super::{Limit, Shared};

/// The place of a waiter in the line of a limit.
#[derive(Debug)]
pub(super) struct Acquisition {
    /// There while it waits.
    ticket: Option<u64>,
    /// The run that it waits for, if it does, so that the run can take it out of the line.
    run: Option<u64>,
    /// Set while it does not wait.
    pub(super) weight: usize,
}

impl Acquisition {
    pub(super) const fn new(run: Option<u64>, weight: usize) -> Self {
        Self {
            ticket: None,
            run,
            weight,
        }
    }

    /// Polls for a permit. Until there is one, its place in the line is kept.
    pub(super) fn poll(&mut self, shared: &Shared, cx: &mut Context<'_>) -> Poll<()> {
        let Self {
            ticket,
            run,
            weight,
        } = self;
        // Most often there is a permit, or the waker is known from the last poll: neither needs a clone.
        let polled = shared
            .state
            .with(|state| state.poll(ticket, *weight, cx.waker()));
        if let Some(polled) = polled {
            return polled;
        }
        // The lock was free for the clone, so there may be a permit by now. A waker from before leaves in place of this
        // one.
        let mut waker = Some(cx.waker().clone());
        shared
            .state
            .with(|state| match state.poll(ticket, *weight, cx.waker()) {
                Some(polled) => polled,
                None => {
                    state.wait(ticket, *run, *weight, &mut waker);
                    Poll::Pending
                }
            })
    }

    /// Gives up the place, and the permit if it was granted.
    pub(super) fn leave(&mut self, shared: &Shared) {
        if let Some(ticket) = self.ticket.take() {
            let waker = shared.change(|state| state.leave(ticket));
            drop(waker);
        }
    }
}

/// The future of [`Limit::acquire`].
#[must_use = "futures do nothing unless polled"]
pub struct AcquirePermit {
    // `None` once it has resolved.
    limit: Option<Limit>,
    acquisition: Acquisition,
}

impl AcquirePermit {
    pub(super) const fn new(limit: Limit, weight: usize) -> Self {
        Self {
            limit: Some(limit),
            acquisition: Acquisition::new(None, weight),
        }
    }
}

impl Future for AcquirePermit {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit> {
        let this = &mut *self;
        let limit = this.limit.as_ref();
        let limit = limit.expect("`AcquirePermit` was polled after it had resolved");
        ready!(this.acquisition.poll(&limit.shared, cx));
        let permit = this.limit.take().map(|limit| Permit {
            shared: limit.shared,
            weight: this.acquisition.weight,
        });
        Poll::Ready(permit.expect("it is there until this has resolved"))
    }
}

impl FusedFuture for AcquirePermit {
    fn is_terminated(&self) -> bool {
        self.limit.is_none()
    }
}

/// Whoever waits behind it may be next now.
impl Drop for AcquirePermit {
    fn drop(&mut self) {
        if let Some(limit) = &self.limit {
            self.acquisition.leave(&limit.shared);
        }
    }
}

/// Stands for one of those that a [`Limit`] allows at a time. It goes on to the next in line when it is dropped.
///
/// ```
/// use abreast::Limit;
///
/// # smol::block_on(async {
/// let limit = Limit::new(10);
/// let permit = limit.acquire_many(3).await;
/// assert_eq!((permit.weight(), limit.in_use()), (3, 3));
///
/// drop(permit);
/// assert_eq!(limit.in_use(), 0);
/// # });
/// ```
#[must_use = "a permit that is dropped limits nothing"]
pub struct Permit {
    shared: Arc<Shared>,
    weight: usize,
}

impl Permit {
    pub(super) const fn new(shared: Arc<Shared>, weight: usize) -> Self {
        Self { shared, weight }
    }

    /// Returns the part of the limit that it takes up: 1, unless it was acquired by [`Limit::acquire_many`].
    #[must_use]
    pub const fn weight(&self) -> usize {
        self.weight
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let weight = mem::take(&mut self.weight);
        self.shared.change(|state| state.give_back(weight));
    }
}

impl_debug!(AcquirePermit |self| { weight: self.acquisition.weight, waits: self.acquisition.ticket.is_some() });
impl_debug! { Permit { weight } }
