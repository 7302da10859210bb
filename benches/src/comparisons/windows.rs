//! Rolling windows: at most K tasks at once, all results kept.

use harness::{Contender, Workload};

use super::{W1, W2, W3, W4};
use crate::session::{Comparison, Session};
use crate::table::Heading;

/// Returns those that are futures in themselves, whoever polls them.
fn runtime_free(workload: Workload) -> Vec<Contender> {
    let mut contenders = vec![peer_abreast::window(), peer_futures::window()];
    contenders.extend(peer_futures_buffered::windows());
    contenders.push(peer_unicycle::window());
    contenders.extend(peer_futures_concurrency::windows(workload));
    contenders
}

/// Returns all of them, and what does less: the bare loop, and bare polls of K tasks.
pub(super) fn contenders(workload: Workload) -> Vec<Contender> {
    let mut contenders = runtime_free(workload);
    contenders.push(peer_tokio::window());
    contenders.push(peer_async_executor::window());
    contenders.push(peer_bare::one_by_one());
    contenders.extend(peer_bare::side_by_side(workload));
    contenders
}

/// Returns those whose cost of a wake might not grow, with K or with N.
fn scalable() -> Vec<Contender> {
    let [_, buffered] = peer_futures_buffered::windows();
    vec![
        peer_abreast::window(),
        peer_futures::window(),
        buffered,
        peer_unicycle::window(),
    ]
}

pub(super) fn measure_all(session: &mut Session) {
    for (title, workload) in [W1, W2, W3, W4] {
        session.compare(&Comparison {
            heading: Heading {
                title: &format!("parallel {title}"),
                measure: "ns per future",
                axis: "K",
                columns: &[1, 5, 16, 64, 256, 4096],
            },
            workload,
            tasks: 20_000,
            // Enough for the making of the slots not to be most of it.
            tasks_per_size: 8,
            contenders: contenders(workload),
        });
    }
    let workload = Workload::YieldLarge;
    session.compare(&Comparison {
        heading: Heading {
            title: "parallel W2 with tasks of 1 KiB",
            measure: "ns per future",
            axis: "K",
            columns: &[5, 64, 256],
        },
        workload,
        tasks: 20_000,
        tasks_per_size: 8,
        contenders: contenders(workload),
    });
    let workload = Workload::Lock;
    session.compare(&Comparison {
        heading: Heading {
            title: "parallel chain, all take turns at one lock",
            measure: "ns per future",
            axis: "K",
            columns: &[5, 64, 256, 4096],
        },
        workload,
        tasks: 10_000,
        tasks_per_size: 1,
        contenders: contenders(workload),
    });
    from_threads(session);
    if session.is_long() {
        against_tasks(session);
        huge_windows(session);
    }
}

/// Wakers of some libraries share one reference count, those of others have their own: it matters between cores.
fn from_threads(session: &mut Session) {
    for (size, columns) in [(5, &[1, 2, 4]), (256, &[1, 2, 4])] {
        let heading = Heading {
            title: &format!("parallel woken from threads, K={size}"),
            measure: "ns per future",
            axis: "threads",
            columns,
        };
        let contenders = runtime_free(Workload::Threads { threads: 1 });
        let tasks = session.scale(20_000);
        session.time(&heading, &contenders, |run, threads| {
            let job = harness::Job {
                workload: Workload::Threads { threads },
                size,
                tasks,
            };
            run(job, harness::nanoseconds) / tasks as f64
        });
    }
}

/// Compares what a task costs by how many there are.
fn against_tasks(session: &mut Session) {
    let mut contenders = scalable();
    contenders.extend([peer_tokio::window(), peer_bare::one_by_one()]);
    for (title, workload) in [W2, W3, W4] {
        let heading = Heading {
            title: &format!("parallel against N {title}, K=64"),
            measure: "ns per future",
            axis: "N",
            columns: &[100, 1000, 10_000, 100_000, 1_000_000],
        };
        session.time(&heading, &contenders, |run, tasks| {
            // As many runs as make up for few tasks.
            let runs = (20_000 / tasks).max(1);
            let job = harness::Job {
                workload,
                size: 64,
                tasks,
            };
            let taken: f64 = (0..runs).map(|_| run(job, harness::nanoseconds)).sum();
            taken / (runs * tasks) as f64
        });
    }
}

fn huge_windows(session: &mut Session) {
    let (title, workload) = W3;
    session.compare(&Comparison {
        heading: Heading {
            title: &format!("parallel huge {title}"),
            measure: "ns per future",
            axis: "K",
            columns: &[1000, 10_000, 100_000, 1_000_000],
        },
        workload,
        tasks: 20_000,
        tasks_per_size: 2,
        contenders: scalable(),
    });
}
