//! What does not depend on the machine: allocations, memory and polls.

use harness::{Job, Workload, allocations, peak_bytes, polls};

use super::windows;
use crate::session::Session;
use crate::table::Heading;

pub(super) fn measure_all(session: &mut Session) {
    let yielding = |size, tasks| Job {
        workload: Workload::Yield,
        size,
        tasks,
    };
    for size in [5, 256] {
        let heading = Heading {
            title: &format!("counts parallel W2 allocations K={size}"),
            measure: "allocations, with those for the results",
            axis: "N",
            columns: &[1000, 100_000],
        };
        let contenders = windows::contenders(Workload::Yield);
        session.count(&heading, &contenders, |run, tasks| {
            run(yielding(size, tasks), allocations)
        });
    }

    let heading = Heading {
        title: "counts stream W2 memory K=256",
        measure: "bytes at the peak",
        axis: "N",
        columns: &[1000, 100_000],
    };
    let contenders = [
        peer_abreast::stream(),
        peer_futures::stream(),
        peer_futures_buffered::stream(),
    ];
    session.count(&heading, &contenders, |run, tasks| {
        run(yielding(256, tasks), peak_bytes)
    });

    let heading = Heading {
        title: "counts race failing",
        measure: "polls of racers in one race",
        axis: "N",
        columns: &[3, 30, 1000],
    };
    let contenders = [
        peer_abreast::race(),
        peer_futures_concurrency::race(Workload::WakeLast),
        peer_futures_buffered::race(),
    ]
    .into_iter()
    .chain(peer_futures::races(Workload::WakeLast));
    session.count(&heading, &contenders.collect::<Vec<_>>(), |run, racers| {
        let job = Job {
            workload: Workload::WakeLast,
            size: racers,
            tasks: racers,
        };
        run(job, polls)
    });
}
