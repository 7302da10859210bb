//! What abreast has.

use abreast::{fall_through, local_pool, parallel, race};
use futures::StreamExt;

use super::{Outcome, Program};

pub(super) const NAME: &str = "abreast";
pub(super) const SOURCE: &str = include_str!("ours.rs");

pub(super) async fn parallel_run(Program { tasks, n, save, .. }: Program) -> Outcome {
    let saved = tasks.map(async |task| {
        let value = task.await?;
        save(value).await
    });
    let run = parallel(saved).concurrency(n);
    run.fail_fast(true).await.into_result()?;
    Ok(())
}

pub(super) async fn into_stream(Program { tasks, n, save, .. }: Program) -> Outcome {
    let window = parallel(tasks).concurrency(n);
    let mut run = window.into_stream();
    while let Some((_, result)) = run.next().await {
        save(result?).await?;
    }
    Ok(())
}

pub(super) async fn into_ordered_stream(Program { tasks, n, save, .. }: Program) -> Outcome {
    let window = parallel(tasks).concurrency(n);
    let mut run = window.into_ordered_stream();
    while let Some((_, result)) = run.next().await {
        save(result?).await?;
    }
    Ok(())
}

pub(super) async fn pool(Program { tasks, n, save, .. }: Program) -> Outcome {
    let (pool, mut driver) = local_pool(n);
    let jobs = tasks.map(|task| pool.execute(task));
    let jobs: Vec<_> = jobs.collect();
    let save_all = async {
        for job in jobs {
            save(job?.await?).await?;
        }
        Ok(())
    };
    driver.run_until(save_all).await
}

pub(super) async fn race_all(Program { tasks, save, .. }: Program) -> Outcome {
    let winner = race(tasks).await?;
    save(winner.value).await?;
    Ok(())
}

pub(super) async fn staggered_race(
    Program {
        tasks,
        save,
        delay,
        sleep,
        ..
    }: Program,
) -> Outcome {
    let race = race(tasks).stagger(delay, sleep);
    let winner = race.await?;
    save(winner.value).await?;
    Ok(())
}

pub(super) async fn fall_through_all(Program { tasks, save, .. }: Program) -> Outcome {
    let winner = fall_through(tasks).await?;
    save(winner.value).await?;
    Ok(())
}
