//! `batched` and sets that are run all at once, against the joins of others.

use crate::chunked::{Batched, Gather, peers};
use crate::parallel::{Await, WORKLOADS};
use crate::session::{Heading, Session, nanoseconds};
use crate::workload::{Entry, Job, Run, measure};

/// Many batches in a row.
pub(crate) fn measure_all(session: &mut Session) {
    let name = "abreast batched";
    measure_chunks(
        session,
        "batched",
        name,
        measure::<Batched>,
        &[10, 30, 1000, 10_000],
    );
}

/// A set of its own for each chunk.
pub(crate) fn measure_sets(session: &mut Session) {
    let name = "abreast gather";
    measure_chunks(
        session,
        "gather",
        name,
        measure::<Gather>,
        &[3, 30, 1000, 10_000],
    );
}

fn measure_chunks(
    session: &mut Session,
    verb: &str,
    name: &'static str,
    subject: Run,
    columns: &[usize],
) {
    for (title, workload, tasks) in WORKLOADS {
        let tasks = session.scale(tasks / 2);
        let heading = Heading {
            title: &format!("{verb} {title}"),
            measure: "ns per future",
            axis: "N",
            columns,
        };
        let mut contenders = vec![Entry::subject(name, subject)];
        contenders.extend(peers(workload.cap(1000)));
        contenders.push(Entry::floor("bare .await, one by one", measure::<Await>));
        session.time(&heading, &contenders, |run, size| {
            let tasks = tasks.max(size);
            let job = Job {
                workload,
                size,
                tasks,
            };
            run(job, nanoseconds) / tasks as f64
        });
    }
}
