//! What operations promise.

#[cfg(all(feature = "operation", feature = "test-util"))]
#[path = "../script/mod.rs"]
mod script;
#[path = "../support/mod.rs"]
mod support;

mod chunks;
mod events;
#[cfg(all(feature = "operation", feature = "test-util"))]
mod guardrail_cases;
mod guardrails;
mod pool;
mod retry;
mod run;
mod send;
mod telemetry;
mod timeout;
mod tracing;
