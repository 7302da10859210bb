//! What does not depend on the machine: allocations and memory.

use crate::alloc::{allocations, peak_bytes};
use crate::session::{Heading, Session};
use crate::workload::{Job, Workload};
use crate::{parallel, stream};

const TASKS: [usize; 2] = [1000, 1_000_000];

/// Allocations of `parallel` and memory of its streams, for few tasks and many.
pub(crate) fn measure_all(session: &mut Session) {
    for size in [5, 256] {
        let heading = Heading {
            title: &format!("counts parallel W2 allocations K={size}"),
            measure: "allocations, with those for the results",
            axis: "N",
            columns: &TASKS,
        };
        session.count(&heading, &parallel::contenders(usize::MAX), |run, tasks| {
            run(yielding(size, tasks), allocations)
        });
    }
    for (order, contenders) in [
        ("unordered", stream::unordered()),
        ("ordered", stream::ordered()),
    ] {
        let heading = Heading {
            title: &format!("counts stream {order} W2 memory K=256"),
            measure: "bytes at the peak",
            axis: "N",
            columns: &TASKS,
        };
        session.count(&heading, &contenders, |run, tasks| {
            run(yielding(256, tasks), peak_bytes)
        });
    }
}

fn yielding(size: usize, tasks: usize) -> Job {
    Job {
        workload: Workload::Yield,
        size,
        tasks,
    }
}
