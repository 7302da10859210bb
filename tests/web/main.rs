//! What only a page of a browser has: its timers, its promises and its clock.
#![cfg(all(target_family = "wasm", feature = "operation"))]

#[allow(dead_code, unreachable_pub)]
#[path = "../support/browser.rs"]
mod browser;
mod page;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
