//! The handles by which tasks are spawned.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;

use super::handle::{Spawned, TaskHandle};
use super::queue::Queue;

/// A task of a [`Group`].
pub type BoxTask<'env, E> = Pin<Box<dyn Future<Output = Result<(), E>> + Send + 'env>>;

/// A task of a [`LocalGroup`].
pub type LocalBoxTask<'env, E> = Pin<Box<dyn Future<Output = Result<(), E>> + 'env>>;

/// Spawns tasks into a [`task_group`](crate::task_group()).
///
/// Clones spawn into the same group. Tasks may borrow what lives for `'env`, which is longer than the group.
pub struct Group<'env, E> {
    queue: Arc<Queue<BoxTask<'env, E>>>,
}

/// Spawns tasks into a [`local_task_group`](crate::local_task_group).
///
/// Clones spawn into the same group. Tasks may borrow what lives for `'env`, which is longer than the group.
pub struct LocalGroup<'env, E> {
    queue: Arc<Queue<LocalBoxTask<'env, E>>>,
}

impl<'env, E> Group<'env, E> {
    pub(super) const fn new(queue: Arc<Queue<BoxTask<'env, E>>>) -> Self {
        Self { queue }
    }

    /// Spawns `task` into the group.
    ///
    /// The task starts when the group is polled next. If the group has ended, the task is dropped, and its handle
    /// panics when it is polled.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let name = String::from("abreast");
    /// let len = abreast::task_group(async |group| {
    ///     let len = group.spawn(async { Ok(name.len()) });
    ///     Ok::<_, ()>(len.await)
    /// });
    /// assert_eq!(len.await, Ok(7));
    /// # });
    /// ```
    pub fn spawn<Fut, T>(&self, task: Fut) -> TaskHandle<T>
    where
        Fut: Future<Output = Result<T, E>> + Send + 'env,
        T: Send + 'env,
    {
        let (task, handle) = Spawned::new(task, self.queue.end());
        self.queue.push(Box::pin(task));
        handle
    }
}

impl<'env, E> LocalGroup<'env, E> {
    pub(super) const fn new(queue: Arc<Queue<LocalBoxTask<'env, E>>>) -> Self {
        Self { queue }
    }

    /// Spawns `task` into the group.
    ///
    /// The task starts when the group is polled next. If the group has ended, the task is dropped, and its handle
    /// panics when it is polled.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let name = std::rc::Rc::new("abreast");
    /// let len = abreast::local_task_group(async |group| {
    ///     let len = group.spawn(async { Ok(name.len()) });
    ///     Ok::<_, ()>(len.await)
    /// });
    /// assert_eq!(len.await, Ok(7));
    /// # });
    /// ```
    pub fn spawn<Fut, T>(&self, task: Fut) -> TaskHandle<T>
    where
        Fut: Future<Output = Result<T, E>> + 'env,
        T: 'env,
    {
        let (task, handle) = Spawned::new(task, self.queue.end());
        self.queue.push(Box::pin(task));
        handle
    }
}

macro_rules! handle_of_group {
    ($($Group:ident),+) => {$(
        impl<E> Clone for $Group<'_, E> {
            fn clone(&self) -> Self {
                Self {
                    queue: self.queue.clone(),
                }
            }
        }

        impl_debug! { $Group<'env, E> { queue } }
    )+};
}

handle_of_group!(Group, LocalGroup);
