//! What sets a pool of sendable jobs apart from one of jobs that stay on their thread: the trait objects that it holds,
//! and nothing else.

use alloc::boxed::Box;
use core::pin::Pin;

use super::event::PoolEvent;
use super::job::Work;
use super::rate::RateWaiter;

/// Jobs that may move between threads: the kind that a [`Pool`](crate::Pool) runs unless told otherwise.
///
/// ```compile_fail
/// let (pool, _driver) = abreast::pool(2);
/// let stays = std::rc::Rc::new(1);
/// let handle = pool.execute(async move { Ok::<_, ()>(*stays) });
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Sendable {}

/// Jobs that stay on one thread: the kind that a [`LocalPool`](crate::LocalPool) runs.
///
/// ```
/// let (pool, _driver) = abreast::local_pool(2);
/// let stays = std::rc::Rc::new(1);
/// let handle = pool.execute(async move { Ok::<_, ()>(*stays) });
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Local {}

/// The kinds of jobs that there are pools for: [`Sendable`] and [`Local`]. Sealed.
///
/// A [`Pool`](crate::Pool) is `Send` because all that it holds is, and a [`LocalPool`](crate::LocalPool) holds what is
/// not. With this parameter, one implementation serves both.
pub trait Kind: Sized + 'static {
    /// Any job of this kind.
    #[doc(hidden)]
    type Work: ?Sized + Work;
    /// Any hook of this kind.
    #[doc(hidden)]
    type Hook: ?Sized + for<'a> Fn(&'a PoolEvent);
    /// The place of a worker in the line of any rate of this kind.
    #[doc(hidden)]
    type RateWaiter: ?Sized + RateWaiter;
    /// Any closure that makes one for each worker.
    #[doc(hidden)]
    type NewRateWaiter: ?Sized + Fn() -> Box<Self::RateWaiter>;
}

/// A job without its types.
pub(super) type Job<K> = Pin<Box<<K as Kind>::Work>>;

impl Kind for Sendable {
    type Work = dyn Work + Send;
    type Hook = dyn Fn(&PoolEvent) + Send + Sync;
    type RateWaiter = dyn RateWaiter + Send;
    type NewRateWaiter = dyn Fn() -> Box<dyn RateWaiter + Send> + Send + Sync;
}

impl Kind for Local {
    type Work = dyn Work;
    type Hook = dyn Fn(&PoolEvent);
    type RateWaiter = dyn RateWaiter;
    type NewRateWaiter = dyn Fn() -> Box<dyn RateWaiter>;
}
