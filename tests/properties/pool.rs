//! Pools: jobs are submitted, fed or sent, some of them are cancelled, and the driver runs until all have ended.

use abreast::channel_pool;
use abreast::{JobError, Pool, PoolError, join_all};
use futures::{FutureExt, StreamExt, stream};

use crate::driver::{RunOutcome, drive, drive_with};
use crate::plan::{End, any, gate, plans};
use crate::programs;
use crate::random::Random;
use crate::world::World;

#[test]
fn a_pool_keeps_its_promises() {
    programs(jobs);
}

pub(crate) fn jobs(random: &mut Random) {
    let errors = [0, 25][random.below(2)];
    let world = World::new(plans(random, errors));
    let workers = 1 + random.below(6);
    let capacity = match random.below(3) {
        0 => 1 + random.below(12),
        _ => usize::MAX,
    };
    let builder = Pool::builder().worker_count(workers);
    let (pool, mut driver) = builder.queue_capacity(capacity).build();

    // Nothing runs yet, so the queue takes as many as it has room for.
    let mut handles = Vec::new();
    for index in 0..world.plans().len() {
        match pool.execute(world.task(index)) {
            Ok(handle) => handles.push(handle),
            Err(error) => {
                assert!(error == PoolError::Full && index >= capacity, "{error}");
            }
        }
    }
    let accepted = world.plans().len().min(capacity);
    assert_eq!(handles.len(), accepted);

    // The destructor of a queued job panics where it is cancelled, which is another test's business.
    let mut cancelled = Vec::new();
    for (index, handle) in handles.iter().enumerate() {
        if random.below(8) == 0 && !world.plans()[index].drop_panics {
            handle.cancel();
            cancelled.push(index);
        }
    }

    let is_dropped = random.below(4) == 0;
    let run = async { driver.run_until(join_all(handles)).await };
    let outcome = drive_with(&world, random, is_dropped, false, run);
    let RunOutcome::Output(results) = outcome else {
        assert!(is_dropped || any(world.plans(), End::Never), "it hangs");
        drop(driver);
        world.assert_over(usize::MAX);
        return;
    };
    for (index, result) in results.into_iter().enumerate() {
        let plan = &world.plans()[index];
        match result {
            Err(JobError::Cancelled) => {
                assert!(cancelled.contains(&index));
                assert!(!world.has_started(index), "a cancelled job was started");
            }
            Err(JobError::Panicked { .. }) => {
                assert!(plan.end == End::Panic || plan.drop_panics);
            }
            Err(JobError::Failed(error)) => assert_eq!(plan.result(index), Some(Err(error))),
            Ok(value) => assert_eq!(plan.result(index), Some(Ok(value))),
            Err(other) => panic!("job {index}: {other}"),
        }
    }
    assert!(world.most_running() <= workers, "more jobs than workers");
    let stats = pool.stats();
    assert_eq!(stats.total_accepted, accepted as u64);
    assert_eq!(stats.total_cancelled, cancelled.len() as u64);
    assert_eq!((pool.queue_length(), pool.active_workers()), (0, 0));
    drop(driver);
    world.assert_over(usize::MAX);
}

#[test]
fn fed_pools_keep_their_promises() {
    programs(fed);
}

pub(crate) fn fed(random: &mut Random) {
    // Two streams, each of which waits before each of its jobs, and some jobs beside them.
    let jobs = plans(random, 25);
    let mut interleaved = Vec::new();
    for job in jobs {
        interleaved.push(gate(random));
        interleaved.push(job);
    }
    let world = World::new(interleaved);
    let len = world.plans().len();
    let workers = 1 + random.below(6);
    let builder = Pool::builder().worker_count(workers);
    let (pool, mut driver) = builder.build();
    let (submitted, shared) = (random.below(3).min(len / 2), random.below(len + 1) & !1);
    for job in 0..submitted {
        let job = world.task(2 * job + 1);
        drop(pool.execute(job).expect("it is open"));
    }
    let stream = |range: std::ops::Range<usize>| {
        let source = world.clone();
        let gates = stream::iter(range.step_by(2));
        gates.then(move |gate| {
            let tasks = source.clone();
            source.task(gate).map(move |_| tasks.task(gate + 1))
        })
    };
    let first = 2 * submitted;
    let middle = shared.max(first);
    let (one, other) = (stream(first..middle), stream(middle..len));
    let feeder = pool.clone();
    let run = async {
        let feeds = async {
            let (one, other) = (feeder.feed(one), feeder.feed(other));
            let fed = futures::join!(one, other);
            feeder.drain().await;
            fed
        };
        driver.run_until(feeds).await
    };
    let is_dropped = random.one_in(4);
    let outcome = drive_with(&world, random, is_dropped, false, run);
    assert!(
        world.most_running() <= workers + 2,
        "more jobs than workers"
    );
    let stats = pool.stats();
    drop((pool, driver));
    let RunOutcome::Output(fed) = outcome else {
        assert!(is_dropped || any(world.plans(), End::Never), "it hangs");
        world.assert_over(usize::MAX);
        return;
    };
    assert_eq!(fed, (Ok(()), Ok(())));
    world.assert_over(usize::MAX);
    // Each job has ended as it was to.
    let jobs = || world.plans().iter().skip(1).step_by(2);
    let panicked = jobs().filter(|plan| plan.end == End::Panic || plan.drop_panics);
    let failed = jobs().filter(|plan| plan.end == End::Error && !plan.drop_panics);
    assert_eq!(stats.total_accepted, jobs().count() as u64, "accepted");
    assert_eq!(stats.total_executed, stats.total_accepted, "ended");
    assert_eq!(stats.total_failed, failed.count() as u64, "failed");
    assert_eq!(stats.total_panicked, panicked.count() as u64, "panicked");
}

#[test]
fn channel_pools_keep_their_promises() {
    programs(sent);
}

pub(crate) fn sent(random: &mut Random) {
    let world = World::new(plans(random, 25));
    let len = world.plans().len();
    let (workers, capacity) = (1 + random.below(6), 1 + random.below(4));
    let source = world.clone();
    let (sender, driver) = channel_pool(workers, capacity, move |index: usize| {
        source.task(index).map(drop)
    });
    let submit = async move {
        for index in 0..len {
            if sender.send(index).await.is_err() {
                break;
            }
        }
    };
    let is_dropped = random.one_in(4);
    let run = futures::future::join(driver, submit).map(drop);
    let outcome = drive(&world, random, is_dropped, run);
    world.assert_over(workers);
    if let RunOutcome::Cancelled = outcome {
        assert!(is_dropped || any(world.plans(), End::Never), "it hangs");
        return;
    }
    let ended = |index: usize| world.is_over(index);
    assert!((0..len).all(ended), "a job was not run");
}
