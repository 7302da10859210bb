//! What each verb promises.

#[path = "../support/mod.rs"]
mod support;

mod batched;
mod batched_pause;
mod contract;
mod errors;
mod gather;
mod paginate;
mod patterns;
mod race;
mod race_stagger;
mod send;
mod streams;
mod task_group;
mod time;
