//! What a race takes: any list of tasks, or a tuple.

use core::array;
use core::future::Future;

use futures::future::Either;

/// Tasks for a [`race()`](crate::race()) or a [`fall_through`](crate::fall_through): an iterator, an array, a `Vec` or
/// anything else that turns into an iterator, or a tuple of up to twelve tasks of different types.
///
/// `Kind` tells the two apart, as a type of another crate might one day be both. The compiler finds it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of tasks, and no tuple of tasks that return the same `Result`",
    label = "not a list or a tuple of tasks",
    note = "a tuple of tasks may have up to twelve; more go into a list, each `boxed()` if their types differ"
)]
pub trait RaceTasks<Kind> {
    /// The type of all tasks: for a tuple, [`Either`] the first or, in another `Either`, one of the others.
    type Task;
    /// What creates the tasks, one after another.
    type IntoIter: Iterator<Item = Self::Task>;

    /// Returns the tasks in input order.
    fn into_tasks(self) -> Self::IntoIter;
}

/// The kind of [`RaceTasks`] that are a list, or create one task after another.
#[derive(Clone, Copy, Debug)]
pub enum Listed {}

/// The kind of [`RaceTasks`] that are a tuple.
#[derive(Clone, Copy, Debug)]
pub enum Mixed {}

impl<I: IntoIterator> RaceTasks<Listed> for I {
    type Task = I::Item;
    type IntoIter = I::IntoIter;

    fn into_tasks(self) -> I::IntoIter {
        self.into_iter()
    }
}

/// Names the type of one of some tasks: `Either<A, Either<B, C>>`.
macro_rules! one_of {
    ($Last:ident) => { $Last };
    ($Fut:ident $($Rest:ident)+) => { Either<$Fut, one_of!($($Rest)+)> };
}

/// Wraps a task for its place, which has as many others before it as there are `r`s.
macro_rules! at {
    ([] $task:expr) => { $task };
    ([r $($r:ident)*] $task:expr) => { Either::Right(at!([$($r)*] $task)) };
}

/// Puts tasks into an array: `[Left(a), Right(Left(b)), Right(Right(c))]`.
macro_rules! array_of {
    (@ [$($r:ident)*] [$($tasks:expr,)*] $last:ident) => { [$($tasks,)* at!([$($r)*] $last)] };
    (@ [$($r:ident)*] [$($tasks:expr,)*] $task:ident $($rest:ident)+) => {
        array_of!(@ [r $($r)*] [$($tasks,)* at!([$($r)*] Either::Left($task)),] $($rest)+)
    };
}

macro_rules! race_of_tuple {
    ($len:literal: $($Fut:ident $task:ident),+) => {
        impl<R, $($Fut: Future<Output = R>),+> RaceTasks<Mixed> for ($($Fut,)+) {
            type Task = one_of!($($Fut)+);
            type IntoIter = array::IntoIter<Self::Task, $len>;

            fn into_tasks(self) -> Self::IntoIter {
                let ($($task,)+) = self;
                array_of!(@ [] [] $($task)+).into_iter()
            }
        }
    };
}

race_of_tuple!(1: A a);
race_of_tuple!(2: A a, B b);
race_of_tuple!(3: A a, B b, C c);
race_of_tuple!(4: A a, B b, C c, D d);
race_of_tuple!(5: A a, B b, C c, D d, F f);
race_of_tuple!(6: A a, B b, C c, D d, F f, G g);
race_of_tuple!(7: A a, B b, C c, D d, F f, G g, H h);
race_of_tuple!(8: A a, B b, C c, D d, F f, G g, H h, I i);
race_of_tuple!(9: A a, B b, C c, D d, F f, G g, H h, I i, J j);
race_of_tuple!(10: A a, B b, C c, D d, F f, G g, H h, I i, J j, K k);
race_of_tuple!(11: A a, B b, C c, D d, F f, G g, H h, I i, J j, K k, L l);
race_of_tuple!(12: A a, B b, C c, D d, F f, G g, H h, I i, J j, K k, L l, M m);
