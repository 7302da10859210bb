//! Pages to read on: how it compares, recipes, topics, and why it is as it is. There is nothing in here but these
//! pages.
//!
//! They are in `docs/` of the repository, too, as is [a way from `parallel` to a fleet of machines][fleet].
//!
//! [fleet]: https://github.com/abreast-rs/abreast/blob/main/docs/FLEET.md

// The first definition of a link wins: those here are for readers of this documentation, those in the files for readers
// of the repository.

#[doc = "Compares abreast with ten other crates, and gives reasons not to use it."]
#[doc = ""]
#[doc = "[peers]: https://github.com/abreast-rs/abreast/blob/main/tests/pages/tests/peers.rs"]
#[doc = "[manifest]: https://github.com/abreast-rs/abreast/blob/main/tests/pages/Cargo.toml"]
#[doc = "[figures]: https://github.com/abreast-rs/abreast#how-fast-it-is"]
#[doc = "[benches]: https://github.com/abreast-rs/abreast/tree/main/benches"]
#[doc = "[fleet]: https://github.com/abreast-rs/abreast/blob/main/docs/FLEET.md"]
#[doc = "[cookbook]: crate::_pages::cookbook"]
#[doc = "[hedging]: https://github.com/abreast-rs/abreast/blob/main/benches/hedging/src/lib.rs"]
#[doc = "[plot]: https://github.com/abreast-rs/abreast/blob/main/docs/hedging.svg"]
#[doc = include_str!("../docs/COMPARE.md")]
pub mod compare {}

#[doc = "Tells what is left of each verb when it is dropped, and when."]
#[doc = ""]
#[doc = include_str!("../docs/CANCEL.md")]
pub mod cancel {}

#[doc = "Shows ten small programs, each for one thing that services do."]
#[doc = ""]
#[doc = "[fleet]: https://github.com/abreast-rs/abreast/blob/main/docs/FLEET.md"]
#[doc = "[servers]: https://github.com/abreast-rs/abreast/tree/main/examples/cookbook/src"]
#[doc = "[browser]: https://github.com/abreast-rs/abreast/tree/main/examples/browser"]
#[doc = "[`crawler.rs`]: https://github.com/abreast-rs/abreast/blob/main/examples/cookbook/src/bin/crawler.rs"]
#[doc = "[`rate_limit.rs`]: https://github.com/abreast-rs/abreast/blob/main/examples/cookbook/src/bin/rate_limit.rs"]
#[doc = "[`bulk_import.rs`]: https://github.com/abreast-rs/abreast/blob/main/examples/cookbook/src/bin/bulk_import.rs"]
#[doc = "[`axum_pool.rs`]: https://github.com/abreast-rs/abreast/blob/main/examples/cookbook/src/bin/axum_pool.rs"]
#[doc = "[`shutdown.rs`]: https://github.com/abreast-rs/abreast/blob/main/examples/cookbook/src/bin/shutdown.rs"]
#[doc = "[`metrics.rs`]: https://github.com/abreast-rs/abreast/blob/main/examples/cookbook/src/bin/metrics.rs"]
#[doc = "[`llm_tools.rs`]: https://github.com/abreast-rs/abreast/blob/main/examples/cookbook/src/bin/llm_tools.rs"]
#[doc = "[`virtual_clock.rs`]: https://github.com/abreast-rs/abreast/blob/main/examples/cookbook/src/bin/virtual_clock.rs"]
#[doc = "[`previews`]: https://github.com/abreast-rs/abreast/blob/main/examples/cookbook/web/src/lib.rs"]
#[doc = include_str!("../docs/COOKBOOK.md")]
pub mod cookbook {}

#[doc = "Shows the patterns of two kinds of Python programs, each with its twin."]
#[doc = ""]
#[doc = include_str!("../docs/PYTHON.md")]
pub mod python {}

#[doc = "Covers cancellation, shutting down, testing, threads and tracing, on any runtime."]
#[doc = ""]
#[doc = "[cancel]: crate::_pages::cancel"]
#[doc = include_str!("../docs/TOPICS.md")]
pub mod topics {}

#[doc = "Answers questions about the design."]
#[doc = ""]
#[doc = "[architecture]: https://github.com/abreast-rs/abreast/blob/main/ARCHITECTURE.md"]
#[doc = include_str!("../docs/WHY.md")]
pub mod why {}
