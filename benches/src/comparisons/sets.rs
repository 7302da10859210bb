//! Sets that are used once: N futures, all at once. Many sets, one after another.

use harness::{Contender, Workload};

use super::{W1, W2, W3};
use crate::session::{Comparison, Session};
use crate::table::Heading;

const SIZES: &[usize] = &[3, 30, 1000, 10_000];

fn races(workload: Workload) -> Vec<Contender> {
    let mut contenders = vec![peer_abreast::race()];
    contenders.extend(peer_futures::races(workload));
    contenders.extend([
        peer_futures_concurrency::race(workload),
        peer_futures_buffered::race(),
        peer_unicycle::race(),
        peer_tokio::race(),
    ]);
    contenders
}

fn joins(workload: Workload) -> Vec<Contender> {
    let mut contenders = Vec::new();
    contenders.extend(peer_futures::joins());
    contenders.extend(peer_futures_buffered::joins());
    contenders.extend(peer_futures_concurrency::joins(workload));
    contenders.extend([peer_tokio::join(), peer_bare::one_by_one()]);
    contenders
}

fn groups(workload: Workload) -> Vec<Contender> {
    let mut contenders = vec![
        peer_abreast::group(),
        peer_moro::group(),
        peer_tokio::join(),
        peer_async_executor::group(),
    ];
    contenders.extend(peer_futures::groups());
    contenders.push(peer_futures_concurrency::group(workload));
    contenders
}

fn compare(session: &mut Session, title: &str, workload: Workload, contenders: Vec<Contender>) {
    session.compare(&Comparison {
        heading: Heading {
            title,
            measure: "ns per future",
            axis: "N",
            columns: SIZES,
        },
        workload,
        tasks: 12_000,
        tasks_per_size: 1,
        contenders,
    });
}

pub(super) fn measure_all(session: &mut Session) {
    for (title, workload) in [
        ("race ready, the last succeeds", Workload::ReadyLast),
        (
            "race yielding, the first to be polled again wins",
            Workload::Yield,
        ),
        ("race woken, the first wins", Workload::Wake { burst: 1 }),
        (
            "race failing, woken one by one until one is left",
            Workload::WakeLast,
        ),
    ] {
        compare(session, title, workload, races(workload));
    }
    for (title, workload) in [W1, W2, W3] {
        let mut contenders = Vec::from(peer_abreast::gathers());
        contenders.extend(joins(workload));
        compare(session, &format!("gather {title}"), workload, contenders);

        let mut contenders = vec![peer_abreast::batched()];
        contenders.extend(joins(workload));
        compare(session, &format!("batched {title}"), workload, contenders);

        let title = format!("task group {title}");
        compare(session, &title, workload, groups(workload));
    }
}
