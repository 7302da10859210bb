//! The one scheduler of the crate. Every verb is a thin shell over it.
//!
//! A [`Verb`] says where tasks come from, how many may run, and what becomes of what they return; a [`Window`] runs
//! them.

mod crew;
mod ready;
mod slots;
mod sync;
mod tree;
mod verb;
mod window;

pub(crate) use crew::{Crew, Members, take_error};
pub(crate) use verb::Verb;
pub(crate) use window::Window;
