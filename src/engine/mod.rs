//! The one scheduler of the crate. Every verb is a thin shell over it.
//!
//! A [`TaskSet`] says where tasks come from, how many may run, and what becomes of what they return; a [`Window`] runs
//! them. Tuples and short lists, of which nothing has to be asked, are a [`FixedSet`].

mod budget;
mod few;
mod fixed_set;
mod guard;
mod maybe_done;
mod pairs;
mod ready_set;
mod root_alone;
mod slots;
mod source;
mod sync;
mod task_set;
mod tree;
mod waker;
mod window;

pub(crate) use budget::PollBudget;
pub(crate) use few::Few;
pub(crate) use fixed_set::{FixedSet, FutureSet, Handler};
pub(crate) use maybe_done::MaybeDone;
pub(crate) use root_alone::RootAlone;
pub(crate) use task_set::TaskSet;
pub(crate) use window::Window;
