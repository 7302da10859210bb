//! Time, as far as the crate knows it: it measures, and never waits by itself.

mod clock;

pub(crate) use clock::Stopwatch;
