//! In a page of a browser: chance is not the same in every page, or all that failed together would be tried again
//! together.
//!
//! It was: without a source of entropy, the generator behind jitter has the same seed wherever it starts.
#![cfg(all(target_family = "wasm", feature = "operation"))]

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn the_seed_has_entropy() {
    const WITHOUT: u64 = 0x0ef6_f79e_d30b_a75a;
    assert_ne!(fastrand::get_seed(), WITHOUT);
}
