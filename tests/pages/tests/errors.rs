//! Errors of runs in functions that return `eyre::Result`.

use std::error::Error;
use std::io;

use abreast::operation::Operation;
use abreast::{BoxErrors, batched, parallel, pool, race, sequential, task_group};
use eyre::{Result, WrapErr, eyre};
use futures::stream;

async fn read(page: u32) -> io::Result<u32> {
    Err(io::Error::other(format!("no page {page}")))
}

async fn fetch(page: u32) -> Result<u32> {
    read(page).await.wrap_err("unreachable")
}

#[test]
fn question_marks_take_all_errors() {
    async fn run(case: u32) -> Result<()> {
        match case {
            0 => drop(parallel([read(1)]).await.into_result()?),
            1 => drop(sequential([read(1)]).await?),
            2 => drop(batched([1], read).await?),
            3 => _ = race([read(1)]).await?.value,
            4 => task_group(async |group| Ok(_ = group.spawn(read(1)))).await?,
            5 => {
                let (pool, mut driver) = pool(1);
                let job = pool.execute(read(1))?;
                _ = driver.run_until(job).await?;
            }
            _ => drop(
                Operation::new(|| stream::iter([Ok("a"), Err(io::Error::other("no page 1"))]))
                    .run()
                    .await?,
            ),
        }
        Ok(())
    }

    for case in 0..=6 {
        // The alternate form of eyre is the chain.
        let chain = format!("{:#}", smol::block_on(run(case)).unwrap_err());
        assert!(chain.ends_with("no page 1"), "{case}: {chain}");
        assert_eq!(chain.matches("no page 1").count(), 1, "{case}: {chain}");
    }
}

#[test]
fn reports_go_through_boxes() {
    async fn run(case: u32) -> Result<()> {
        match case {
            0 => drop(parallel([fetch(1)]).await.into_result().boxed()?),
            1 => drop(sequential([fetch(1)]).await.boxed()?),
            2 => drop(batched([1], fetch).await.boxed()?),
            3 => _ = race([fetch(1)]).await.boxed()?.value,
            4 => task_group(async |group| Ok(_ = group.spawn(fetch(1))))
                .await
                .boxed()?,
            5 => {
                let (pool, mut driver) = pool(1);
                let job = pool.execute(fetch(1))?;
                _ = driver.run_until(job).await.boxed()?;
            }
            6 => drop(
                Operation::new(|| stream::iter([Ok("a"), Err("no page 1")]))
                    .run()
                    .await
                    .boxed()?,
            ),
            _ => drop(parallel([fetch(1)]).await.into_values()?),
        }
        Ok(())
    }

    for case in 0..=7 {
        let report = smol::block_on(run(case)).unwrap_err();
        let chain = format!("{report:#}");
        assert_eq!(chain.matches("no page 1").count(), 1, "{case}: {chain}");
        // What a task had wrapped is found in the chain.
        let is_found = report.chain().any(<dyn Error>::is::<io::Error>);
        assert_eq!(is_found, case != 6, "{case}: {chain}");
    }
}

#[test]
fn causes_of_reports_are_kept() {
    let task = async { Err::<(), _>(eyre!("inner").wrap_err("outer")) };
    let error = smol::block_on(sequential([task])).boxed().unwrap_err();
    assert_eq!(
        format!("{:#}", eyre::Report::from(error)),
        "task 0 failed: outer: inner"
    );
}
