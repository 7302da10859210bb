//! Telemetry: figures over many operations.

use core::time::Duration;

use super::outcome::{OperationFailure, State};
use crate::outcome::ParallelResult;

/// A finished operation, whose figures can be aggregated.
///
/// ```
/// use abreast::operation::{AggregatedTelemetry, State, Telemetry};
///
/// let mut state = State::default();
/// state.token_count = 7;
/// assert_eq!([&state, &state].into_iter().collect::<AggregatedTelemetry>().total_tokens, 14);
/// assert_eq!(state.state().token_count, 7);
/// ```
pub trait Telemetry {
    /// Returns what the operation has come to.
    fn state(&self) -> &State;
}

impl Telemetry for State {
    fn state(&self) -> &State {
        self
    }
}

impl<E> Telemetry for OperationFailure<E> {
    fn state(&self) -> &State {
        &self.state
    }
}

impl<T: Telemetry, E: Telemetry> Telemetry for Result<T, E> {
    fn state(&self) -> &State {
        match self {
            Ok(value) => value.state(),
            Err(error) => error.state(),
        }
    }
}

impl<T: Telemetry + ?Sized> Telemetry for &T {
    fn state(&self) -> &State {
        (**self).state()
    }
}

/// Figures over many operations: sums over all, and means over those operations that have the figure, each counting the
/// same. Without operations, all are zero.
///
/// It is collected from anything that has [`Telemetry`], and can be extended by more.
///
/// ```
/// use abreast::operation::{AggregatedTelemetry, Operation};
/// use abreast::parallel;
/// use futures::stream;
///
/// # smol::block_on(async {
/// let translate = |text: &'static str| Operation::new(move || stream::iter([Ok::<_, String>(text)]));
/// let result = parallel(["Hola", "Bonjour", "Hallo"].map(translate)).await;
/// assert_eq!(result.telemetry().total_tokens, 3);
///
/// // With those that failed, and another one:
/// let mut all = result.telemetry();
/// all.extend(result.failures().map(|(_, failure)| failure));
/// all.add(&translate("Ciao").run().await);
/// assert_eq!(all.total_tokens, 4);
/// # assert_eq!(result.telemetry(), result.successful_results().collect::<AggregatedTelemetry>());
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AggregatedTelemetry {
    /// The tokens of the last attempts, those that were empty aside.
    pub total_tokens: u64,
    /// The durations of the operations, one after another.
    pub total_duration: Duration,
    /// All retries, after whatever errors.
    pub total_retries: u64,
    /// All errors of the category [`Network`](super::Category::Network).
    pub total_network_errors: u64,
    /// What guardrails found in the last attempts.
    pub total_violations: u64,
    /// The mean of [`State::tokens_per_second`].
    pub avg_tokens_per_second: f64,
    /// The mean of [`State::first_token_at`].
    pub avg_time_to_first_token: Duration,
    /// The operations that `avg_tokens_per_second` is the mean of.
    with_tokens_per_second: u32,
    /// The operations that `avg_time_to_first_token` is the mean of, and the sum of their times.
    with_first_token: u32,
    time_to_first_tokens: Duration,
}

impl AggregatedTelemetry {
    /// Adds an operation.
    pub fn add(&mut self, operation: &impl Telemetry) {
        // Sums over all operations.
        let state = operation.state();
        self.total_tokens += state.token_count as u64;
        self.total_duration = self.total_duration.saturating_add(state.duration);
        self.total_retries +=
            u64::from(state.model_retry_count) + u64::from(state.network_retry_count);
        self.total_network_errors += state.network_errors.len() as u64;
        self.total_violations += state.violations.len() as u64;
        // Means over those that have the figure. That of the rates is kept up to date without their sum, which might
        // not be exact.
        if let Some(rate) = state.tokens_per_second() {
            self.with_tokens_per_second += 1;
            let difference = rate - self.avg_tokens_per_second;
            self.avg_tokens_per_second += difference / f64::from(self.with_tokens_per_second);
        }
        if let Some(time) = state.first_token_at {
            self.with_first_token += 1;
            self.time_to_first_tokens = self.time_to_first_tokens.saturating_add(time);
            self.avg_time_to_first_token = self.time_to_first_tokens / self.with_first_token;
        }
    }
}

impl<T: Telemetry> Extend<T> for AggregatedTelemetry {
    fn extend<I: IntoIterator<Item = T>>(&mut self, operations: I) {
        for operation in operations {
            self.add(&operation);
        }
    }
}

impl<T: Telemetry> FromIterator<T> for AggregatedTelemetry {
    fn from_iter<I: IntoIterator<Item = T>>(operations: I) -> Self {
        let mut telemetry = Self::default();
        telemetry.extend(operations);
        telemetry
    }
}

impl<E> ParallelResult<State, E> {
    /// Aggregates the figures of the operations that succeeded. Needs the feature `operation`.
    ///
    /// For figures over those that failed too, see [`AggregatedTelemetry`].
    #[must_use]
    pub fn telemetry(&self) -> AggregatedTelemetry {
        self.successful_results().collect()
    }
}
