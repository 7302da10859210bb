//! Pools: all jobs are submitted at once, some are cancelled, and the driver runs until all handles have resolved.

use abreast::{JobError, Pool, PoolError, join_all};

use crate::driver::{Ending, drive_with};
use crate::programs;
use crate::world::{End, World, plans};

#[test]
fn a_pool_keeps_its_promises() {
    programs(|random| {
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
        let ending = drive_with(&world, random, is_dropped, false, run);
        let Ending::Output(results) = ending else {
            let never = world.plans().iter().any(|plan| plan.end == End::Never);
            assert!(is_dropped || never, "it hangs");
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
    });
}
