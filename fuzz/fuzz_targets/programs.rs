//! Random programs of hostile tasks: those of `tests/properties`, drawn from the input.
#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../tests/properties/driver.rs"]
mod driver;
#[path = "../../tests/properties/group.rs"]
mod group;
#[path = "../../tests/properties/hooks.rs"]
mod hooks;
#[path = "../../tests/properties/kinds.rs"]
mod kinds;
#[path = "../../tests/properties/plan.rs"]
mod plan;
#[path = "../../tests/properties/pool.rs"]
mod pool;
#[path = "../../tests/properties/random.rs"]
mod random;
#[path = "../../tests/properties/seeds.rs"]
mod seeds;
#[path = "../../tests/properties/sets.rs"]
mod sets;
#[path = "../../tests/properties/shared.rs"]
mod shared;
#[path = "../../tests/properties/stops.rs"]
mod stops;
#[path = "../../tests/properties/streams.rs"]
mod streams;
#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../../tests/properties/times.rs"]
mod times;
#[path = "../../tests/properties/verbs.rs"]
mod verbs;
#[path = "../../tests/properties/waits.rs"]
mod waits;
#[path = "../../tests/properties/watched.rs"]
mod watched;
#[path = "../../tests/properties/world.rs"]
mod world;

use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use seeds::programs;

static PANICS_PASS: Once = Once::new();

fuzz_target!(|input: &[u8]| {
    // Panics of programs are caught by them. One that is not still ends the fuzzer, by passing through here.
    PANICS_PASS.call_once(|| std::panic::set_hook(Box::new(|info| eprintln!("{info}"))));
    kinds::run_input(input);
});
