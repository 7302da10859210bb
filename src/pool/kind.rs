//! What sets a pool of sendable tasks apart from one of tasks that stay: how their types are erased, and nothing else.

use alloc::boxed::Box;
use core::future::Future;
use core::pin::Pin;

use super::PoolEvent;
use super::job::{Task, Work};

/// Tasks that may move between threads, the kind that a [`Pool`](crate::Pool) runs unless told otherwise.
///
/// ```compile_fail
/// let (pool, _driver) = abreast::pool(2);
/// let stays = std::rc::Rc::new(1);
/// pool.execute(async move { Ok::<_, ()>(*stays) });
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Shared {}

/// Tasks that stay on one thread, the kind that a [`LocalPool`](crate::LocalPool) runs.
///
/// ```
/// let (pool, _driver) = abreast::local_pool(2);
/// let stays = std::rc::Rc::new(1);
/// pool.execute(async move { Ok::<_, ()>(*stays) });
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Local {}

/// The kinds of task that there are pools for: [`Shared`] and [`Local`]. Sealed.
pub trait Kind: Sized + 'static {
    /// Any task of this kind.
    #[doc(hidden)]
    type Work: ?Sized + Work;
    /// Any hook of this kind.
    #[doc(hidden)]
    type Hook: ?Sized + for<'a> Fn(&'a PoolEvent);
}

/// An operation without its types.
pub(super) type Job<K> = Pin<Box<<K as Kind>::Work>>;

impl Kind for Shared {
    type Work = dyn Work + Send;
    type Hook = dyn Fn(&PoolEvent) + Send + Sync;
}

impl Kind for Local {
    type Work = dyn Work;
    type Hook = dyn Fn(&PoolEvent);
}

/// Which tasks a pool of this kind runs. Sealed.
///
/// A [`Shared`] pool runs futures that are `Send` and return what is `Send`, a [`Local`] one runs any future. Neither may
/// borrow.
#[diagnostic::on_unimplemented(
    message = "`{Fut}` cannot run in a pool of `{Self}` tasks",
    note = "a `Pool` runs futures of `Result<T, E>` that are `Send + 'static`, and so must `T` and `E` be",
    note = "a `LocalPool` runs futures that are not `Send`"
)]
pub trait Runs<Fut, T, E>: Kind {
    /// Forgets the types.
    #[doc(hidden)]
    fn erase(task: Pin<Box<Task<Fut, T, E>>>) -> Pin<Box<Self::Work>>;
}

impl<Fut, T, E> Runs<Fut, T, E> for Shared
where
    Fut: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    fn erase(task: Pin<Box<Task<Fut, T, E>>>) -> Job<Self> {
        task
    }
}

impl<Fut, T, E> Runs<Fut, T, E> for Local
where
    Fut: Future<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
{
    fn erase(task: Pin<Box<Task<Fut, T, E>>>) -> Job<Self> {
        task
    }
}

/// Which hooks a pool of this kind calls. Sealed.
///
/// Those of a [`Shared`] pool are `Send` and `Sync`, as several workers may call them at once.
pub trait Calls<F>: Kind {
    /// Forgets the type.
    #[doc(hidden)]
    fn erase_hook(hook: F) -> Box<Self::Hook>;
}

impl<F: Fn(&PoolEvent) + Send + Sync + 'static> Calls<F> for Shared {
    fn erase_hook(hook: F) -> Box<Self::Hook> {
        Box::new(hook)
    }
}

impl<F: Fn(&PoolEvent) + 'static> Calls<F> for Local {
    fn erase_hook(hook: F) -> Box<Self::Hook> {
        Box::new(hook)
    }
}
