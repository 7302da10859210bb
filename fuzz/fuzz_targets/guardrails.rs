//! Guardrails over any text, however it is cut into tokens.
#![no_main]
#![allow(dead_code)]

#[path = "../../tests/operation/cuts.rs"]
mod cuts;
#[path = "../../tests/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| cuts::check(input));
