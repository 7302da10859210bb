//! What operations promise.

#[cfg(all(feature = "operation", feature = "test-util"))]
#[path = "../script/mod.rs"]
mod script;
#[path = "../support/mod.rs"]
mod support;

mod chunks;
#[cfg(all(feature = "operation", feature = "test-util"))]
mod cuts;
mod events;
#[cfg(all(feature = "operation", feature = "test-util"))]
mod first_token;
mod guardrail_cases;
mod guardrails;
mod pool;
mod retry;
mod run;
mod send;
mod telemetry;
mod timeout;
