//! A page that lets one see what the verbs do: tasks are bars on a time axis while they run.
//!
//! | file | what is in it |
//! |---|---|
//! | `plan.rs` | what to run: a verb, its settings, and what each task is going to do |
//! | `run.rs` | runs it, by any timer: all that there is of abreast |
//! | `timer.rs` | the browser's timers as futures |
//! | `board.rs` | what became of each task so far |
//! | `chart.rs` | shows that |
//! | `page.rs` | the form and the buttons |
#![cfg(target_family = "wasm")]

mod board;
mod chart;
mod dom;
mod page;
mod plan;
mod run;
mod timer;

use wasm_bindgen::prelude::wasm_bindgen;

/// Called when the module has been loaded.
#[wasm_bindgen(start)]
fn start() {
    page::open();
}
