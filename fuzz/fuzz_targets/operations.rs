//! Operations on streams that fail, hang and race: those of `tests/properties/operation`, drawn from the input.
#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../tests/properties/operation/mod.rs"]
mod operation;
#[path = "../../tests/properties/plan.rs"]
mod plan;
#[path = "../../tests/properties/random.rs"]
mod random;
#[path = "../../tests/script/mod.rs"]
mod script;
#[path = "../../tests/properties/seeds.rs"]
mod seeds;
#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../../tests/properties/times.rs"]
mod times;
#[path = "../../tests/properties/world.rs"]
mod world;

use libfuzzer_sys::fuzz_target;
use seeds::programs;

fuzz_target!(|input: &[u8]| operation::run_input(input));
