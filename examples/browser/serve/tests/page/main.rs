//! Drives the page in headless Chromium, by WebDriver: as somebody would who sees it and clicks.
//!
//! Needs `chromedriver` (or its path in `CHROMEDRIVER`) and the compiler for WebAssembly, so it is not run by default:
//! `cargo test -p abreast-browser-serve -- --ignored`. Pictures are left in the folder that `ABREAST_SCREENSHOTS`
//! names.

mod compare;
mod harness;
mod phone;
mod verb;
