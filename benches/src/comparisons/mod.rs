//! What is compared. Each function here measures some tables; which contenders there are is said beside it.

mod counts;
mod operations;
mod pools;
mod sets;
mod streams;
mod windows;

use harness::Workload;

use crate::session::Session;

/// The workloads that windows and pools are measured with.
const W1: (&str, Workload) = ("W1, all ready", Workload::Ready);
const W2: (&str, Workload) = ("W2, each wakes itself once", Workload::Yield);
const W3: (&str, Workload) = ("W3, one random wake at a time", Workload::Wake { burst: 1 });
const W4: (&str, Workload) = (
    "W4, bursts of 32 random wakes",
    Workload::Wake { burst: 32 },
);

/// Measures everything that was asked for.
pub(crate) fn measure_all(session: &mut Session) {
    windows::measure_all(session);
    streams::measure_all(session);
    sets::measure_all(session);
    pools::measure_all(session);
    operations::measure_all(session);
    counts::measure_all(session);
}
