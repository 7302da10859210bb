//! Pools, against tasks that are spawned and held back. All handles are kept, and awaited when all is submitted.

use harness::Contender;

use super::{W1, W2};
use crate::session::{Comparison, Session};
use crate::table::Heading;

fn on_one_thread() -> Vec<Contender> {
    let mut contenders = Vec::from(peer_abreast::pools());
    contenders.extend([
        peer_tokio::pool(),
        peer_async_executor::pool(),
        peer_futures::pool(),
    ]);
    contenders
}

fn on_two_threads() -> Vec<Contender> {
    let mut contenders = Vec::from(peer_abreast::pools_on_threads());
    contenders.extend([
        peer_tokio::pool_on_threads(),
        peer_async_executor::pool_on_threads(),
    ]);
    contenders
}

pub(super) fn measure_all(session: &mut Session) {
    for (title, workload) in [W1, W2] {
        for (threads, contenders) in [
            ("one thread", on_one_thread()),
            ("two threads", on_two_threads()),
        ] {
            session.compare(&Comparison {
                heading: Heading {
                    title: &format!("pool {title}, on {threads}"),
                    measure: "ns per job",
                    axis: "workers",
                    columns: &[5, 64, 1024],
                },
                workload,
                tasks: 20_000,
                tasks_per_size: 1,
                contenders,
            });
        }
    }
}
