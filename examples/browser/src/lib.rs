//! A page that lets one see what schedulers of futures do: tasks are bars on a time axis while they run.
//!
//! | file | what is in it |
//! |---|---|
//! | `compare/` | one program under several schedulers, side by side |
//! | `verb/` | one verb of abreast, with all its settings |
//! | `workload.rs` | what each task is going to do |
//! | `timer.rs` | the browser's timers as futures |
//! | `page.rs` | the form, the buttons and the address |
//! | `link.rs` | the form as part of an address |
//! | `axis.rs`, `dom.rs` | what both charts are made of |
#![cfg(target_family = "wasm")]

mod axis;
mod compare;
mod dom;
mod link;
mod page;
mod timer;
mod verb;
mod workload;

use wasm_bindgen::prelude::wasm_bindgen;

/// Starts the page when the module has been loaded.
#[wasm_bindgen(start)]
fn start() {
    page::open();
}
