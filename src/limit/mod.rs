//! A limit that is shared, and that may change while it is used.
//!
//! A [`Limit`] is a small value to be cloned. Any number of runs, pools and parts of a program go by it at once:
//! together, they have at most as many tasks running as it has permits.
//!
//! ```
//! use abreast::{Limit, gather, parallel};
//! # async fn fetch(page: u32) -> Result<u32, std::io::Error> { Ok(page) }
//!
//! # smol::block_on(async {
//! // The database takes eight queries at a time, from whatever part of the program.
//! let database = Limit::new(8);
//!
//! let users = parallel((0..100).map(fetch)).limit(&database);
//! let orders = parallel((100..200).map(fetch)).limit(&database);
//! let audit = async {
//!     let _permit = database.acquire().await;
//!     fetch(200).await
//! };
//! let (users, orders, audit) = gather((users, orders, audit)).await;
//! # assert!(users.all_succeeded() && orders.all_succeeded() && audit.is_ok());
//! # });
//! ```

mod acquire;
mod adaptive;
mod gate;
mod state;

use alloc::sync::Arc;

pub use acquire::{AcquirePermit, Permit};
pub use adaptive::{AcquireMeasured, AdaptiveLimit, Feedback, Measured};
pub use adaptive::{AdaptiveGate, Learn, MeasuredPass};
pub use gate::{LeaveLimit, LimitGate};
use state::State;

use crate::sync::Lock;
use crate::sync::panic::catch;

/// Limits how much runs at the same time, for all who share it.
///
/// Clones share one limit. [`parallel(..).limit(&limit)`](crate::Parallel::limit) has the tasks of a run go by it, and
/// [`acquire`](Self::acquire) whatever else.
///
/// ```
/// use abreast::{Limit, parallel};
/// # async fn fetch(page: u32) -> Result<u32, std::io::Error> { Ok(page) }
///
/// # smol::block_on(async {
/// let limit = Limit::new(8);
/// let run = parallel((0..100).map(fetch)).limit(&limit);
///
/// // From elsewhere, at any time.
/// limit.set(2);
/// println!("{} of {} in use", limit.in_use(), limit.get());
/// # assert!(run.await.all_succeeded());
/// # });
/// ```
///
/// # Order
/// First come, first served. A run has one place in the line, however many tasks it has, and goes to its end for each:
/// so runs that share a limit take turns. Nobody overtakes, not even what is lighter.
///
/// # Cancel safety
/// Whoever waits and is dropped leaves the line. A permit that it was granted meanwhile goes on to the next.
///
/// A permit that was granted is kept for the one who waited, as by any semaphore: a stream that nobody polls may hold
/// one that it has no use for. And who waits for a permit while it has one of the same limit may wait for ever, as all
/// others may do the same.
///
/// # Polls and allocations
/// Whoever waits is woken once, when there is a permit. A few instructions under a lock for each permit, and memory for
/// those who wait. No waker is cloned, woken or dropped under the lock.
#[derive(Clone)]
pub struct Limit {
    shared: Arc<Shared>,
}

/// What all clones of a limit share.
#[derive(Debug)]
struct Shared {
    state: Lock<State>,
}

impl Shared {
    /// Changes the state, grants the permits that there are then, and wakes those who get them.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let (output, mut next) = self.state.with(|state| (change(state), state.grant_next()));
        // One at a time, so that each is woken outside of the lock. Nobody overtakes between two of them.
        while let Some(granted) = next {
            if let Some(waker) = granted.waker {
                // One that panics keeps no other from being woken.
                let _ = catch(|| waker.wake());
            }
            next = if granted.more {
                self.state.with(State::grant_next)
            } else {
                None
            };
        }
        output
    }
}

impl Limit {
    /// Creates a limit of `permits` at a time.
    ///
    /// ```
    /// let limit = abreast::Limit::new(8);
    /// assert_eq!((limit.get(), limit.in_use()), (8, 0));
    /// ```
    ///
    /// # Panics
    /// If `permits` is 0: nothing would run until somebody sets it. To begin paused, [`set`](Self::set) it to 0.
    #[track_caller]
    #[must_use]
    pub fn new(permits: usize) -> Self {
        assert!(
            permits > 0,
            "a limit of 0 lets nothing run: pass at least 1, and pause by `set(0)`"
        );
        Self {
            shared: Arc::new(Shared {
                state: Lock::new(State::new(permits)),
            }),
        }
    }

    /// Sets how many permits there are, from now on.
    ///
    /// With more, those who wait get them at once, in their order. With fewer, nothing that runs is stopped, and no
    /// permit is granted until enough have been given back. With 0, none is granted until it is set again: a pause.
    ///
    /// ```
    /// use abreast::Limit;
    ///
    /// let limit = Limit::new(1);
    /// let first = limit.try_acquire().unwrap();
    /// assert!(limit.try_acquire().is_none());
    ///
    /// limit.set(2);
    /// let second = limit.try_acquire().unwrap();
    ///
    /// limit.set(0);
    /// drop(first);
    /// assert!(limit.try_acquire().is_none());
    /// assert_eq!(limit.in_use(), 1);
    /// ```
    pub fn set(&self, permits: usize) {
        self.shared.change(|state| state.set_limit(permits));
    }

    /// Returns how many permits there are, whether in use or not.
    ///
    /// ```
    /// let limit = abreast::Limit::new(8);
    /// let _permit = limit.try_acquire();
    /// assert_eq!(limit.get(), 8);
    /// ```
    #[must_use]
    pub fn get(&self) -> usize {
        self.shared.state.with(|state| state.limit())
    }

    /// Returns how many permits are in use. More than [`get`](Self::get) after that was lowered.
    ///
    /// ```
    /// # use abreast::Limit;
    /// let limit = Limit::new(8);
    /// let _permit = limit.try_acquire();
    /// assert_eq!(limit.in_use(), 1);
    /// ```
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.shared.state.with(|state| state.in_use())
    }

    /// Returns how many wait for a permit: each run with a task that could start counts as one.
    ///
    /// ```
    /// # use abreast::Limit;
    /// # use futures::FutureExt;
    /// let limit = Limit::new(1);
    /// let _permit = limit.try_acquire();
    ///
    /// let mut next = limit.acquire();
    /// assert!((&mut next).now_or_never().is_none());
    /// assert_eq!(limit.waiting(), 1);
    /// ```
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.state.with(|state| state.waiting())
    }

    /// Waits for a permit, which is in use until it is dropped.
    ///
    /// For whatever is not a task of a run: a part of one, a request from a handler. The future owns all that it needs,
    /// so it may be spawned and stored.
    ///
    /// ```
    /// use abreast::{Limit, race};
    /// # async fn ask(mirror: &str) -> Result<String, std::io::Error> { Ok(mirror.to_uppercase()) }
    ///
    /// # smol::block_on(async {
    /// let connections = Limit::new(8);
    /// let ask = async |mirror| {
    ///     let _permit = connections.acquire().await;
    ///     ask(mirror).await
    /// };
    /// let won = race(["a", "b"].map(ask)).await;
    /// # assert!(won.is_ok());
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future gives up its place in the line, and nothing else.
    pub fn acquire(&self) -> AcquirePermit {
        self.acquire_many(1)
    }

    /// Waits for a permit that weighs as much as `weight` others.
    ///
    /// For what is limited by its size: megabytes in memory, rows in a transaction. A permit that is heavier than the
    /// limit does not wait for ever: it is granted when no other is in use, so that it is alone.
    ///
    /// ```
    /// use abreast::Limit;
    ///
    /// # smol::block_on(async {
    /// let megabytes = Limit::new(512);
    /// let small = megabytes.acquire_many(100).await;
    /// assert_eq!(megabytes.in_use(), 100);
    /// drop(small);
    ///
    /// let huge = megabytes.acquire_many(2000).await;
    /// assert!(megabytes.try_acquire().is_none());
    /// # drop(huge);
    /// # });
    /// ```
    ///
    /// # Order
    /// A heavy one that waits is not overtaken by lighter ones behind it.
    pub fn acquire_many(&self, weight: usize) -> AcquirePermit {
        AcquirePermit::new(self.clone(), weight)
    }

    /// Takes a permit if there is one and nobody waits for it.
    ///
    /// ```
    /// # use abreast::Limit;
    /// let limit = Limit::new(1);
    /// let permit = limit.try_acquire();
    /// assert!(permit.is_some() && limit.try_acquire().is_none());
    /// ```
    #[must_use]
    pub fn try_acquire(&self) -> Option<Permit> {
        let taken = self.shared.state.with(|state| state.try_take(1));
        taken.then(|| Permit::new(self.shared.clone(), 1))
    }
}

impl core::fmt::Debug for Limit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Read under the lock, and shown outside of it.
        let (limit, in_use, waiting) = self
            .shared
            .state
            .with(|state| (state.limit(), state.in_use(), state.waiting()));
        f.debug_struct("Limit")
            .field("permits", &limit)
            .field("in_use", &in_use)
            .field("waiting", &waiting)
            .finish()
    }
}
