//! What each verb promises.

#[path = "../support/mod.rs"]
mod support;

mod adaptive;
mod batched;
mod batched_pause;
mod contract;
mod errors;
mod for_each;
mod gather;
mod hedge;
mod limit;
mod map;
mod map_keys;
mod paginate;
mod patterns;
mod quorum;
mod race;
mod race_stagger;
mod rate;
mod retry;
mod send;
mod stop;
mod streams;
mod task_group;
mod time;
