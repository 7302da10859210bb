//! What a coordinator does: submits jobs, and watches until they are done.

use std::time::Duration;

use abreast::{Timer, fall_through, parallel};
use futures::StreamExt;

use crate::queue::{Admin, Counts, Error, Job};

/// How many jobs are submitted at a time.
const BATCH: usize = 500;

/// How often a coordinator looks at the queue.
const REFRESH: Duration = Duration::from_millis(100);

/// Makes the queue, and waits for a server that is only just starting.
///
/// # Errors
/// If that takes longer than ten seconds.
pub async fn create<M: Timer>(admin: &impl Admin, timer: &M) -> Result<(), Error> {
    persist(timer, || admin.create()).await
}

/// Submits jobs, some batches at a time. Resolves to the number of those that were new.
///
/// # Errors
/// If the queue cannot be reached. Then some jobs have been submitted, and it is safe to submit all of them again.
pub async fn submit(admin: &impl Admin, jobs: &[Job]) -> Result<u64, Error> {
    let batches = jobs.chunks(BATCH).map(|batch| admin.submit(batch));
    let mut submitted = parallel(batches).concurrency(4).into_stream();
    let mut new = 0;
    while let Some((_, batch)) = submitted.next().await {
        new += batch?;
    }
    Ok(new)
}

/// Looks at the queue again and again, until every job in it is done or dead.
///
/// # Errors
/// If the queue cannot be reached for ten seconds.
pub async fn watch<M: Timer>(
    admin: &impl Admin,
    timer: &M,
    mut look: impl FnMut(&Counts),
) -> Result<Counts, Error> {
    loop {
        let counts = persist(timer, || admin.counts()).await?;
        look(&counts);
        if counts.outstanding() == 0 {
            return Ok(counts);
        }
        timer.sleep(REFRESH).await;
    }
}

/// Repeats what failed, until ten seconds are over.
async fn persist<M, T, Fut>(timer: &M, attempt: impl Fn() -> Fut) -> Result<T, Error>
where
    M: Timer,
    Fut: Future<Output = Result<T, Error>>,
{
    let attempts = (0..100).map(|number| {
        let attempt = &attempt;
        async move {
            if number > 0 {
                timer.sleep(REFRESH).await;
            }
            attempt().await
        }
    });
    match fall_through(attempts).await {
        Ok(first) => Ok(first.value),
        Err(failed) => Err(failed.into_last().expect("there were attempts")),
    }
}
