//! Compiles and runs the code on the pages of abreast: each block is a documentation test of this crate, with warnings denied.
//!
//! The pages are part of the documentation of abreast, too. Their code is tested here, next to the crates that they compare
//! it with, so that the crate itself need not build those for its tests.

#![doc(test(attr(deny(warnings), allow(dead_code))))]

/// The page that a stranger meets first.
#[doc = include_str!("../../../README.md")]
pub mod readme {}
