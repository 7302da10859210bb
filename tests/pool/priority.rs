//! Priorities: what is urgent goes first, jobs of one priority keep their order, and nothing starves.

use std::sync::mpsc::{self, Receiver};

use crate::support::{Board, Driver as Loop, Random};
use abreast::{Driver, JobHandle, LocalPool, Pool, PoolOptions};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Creates a pool of one worker, which is busy until the first task of the board ends, and the ids of what it starts.
fn busy(options: PoolOptions) -> (Pool, Loop<Driver>, Board, Receiver<u64>) {
    let (ids, started) = mpsc::channel();
    let (pool, driver) = Pool::builder()
        .options(options.worker_count(1))
        .on_event(move |event| {
            if let abreast::PoolEvent::Started { id, .. } = event {
                ids.send(*id).unwrap();
            }
        })
        .build();
    let board = Board::new(1);
    drop(pool.execute(board.task(0)).unwrap());
    let mut driver = Loop::new(driver);
    assert!(driver.run().is_pending());
    assert_eq!(started.try_iter().collect::<Vec<_>>(), [0]);
    (pool, driver, board, started)
}

/// Submits a job that ends at once.
fn submit(pool: &Pool, priority: i32) -> JobHandle<(), ()> {
    let pool = pool.with_priority(priority);
    pool.execute(async { Ok(()) }).unwrap()
}

#[test]
fn the_urgent_go_first() {
    let (pool, mut driver, board, started) = busy(PoolOptions::new());
    for priority in [0, -1, 3, 0, 7, 3, -1] {
        drop(submit(&pool, priority));
    }
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    let started: Vec<_> = started.try_iter().collect();
    assert_eq!(started, [5, 3, 6, 1, 4, 2, 7]);
}

#[test]
fn clones_keep_the_priority() {
    let (pool, mut driver, board, started) = busy(PoolOptions::new());
    let urgent = pool.with_priority(5).clone();
    assert_eq!((pool.priority(), urgent.priority()), (0, 5));
    assert_eq!(urgent.with_priority(0).priority(), 0);
    drop(submit(&pool, 0));
    drop(urgent.execute(async { Ok::<_, ()>(()) }).unwrap());
    let mut waiting = Loop::new(urgent.execute_when_room(async { Ok::<_, ()>(()) }));
    assert!(waiting.poll().is_ready());
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert_eq!(started.try_iter().collect::<Vec<_>>(), [2, 3, 1]);
}

#[test]
fn what_waits_too_long_goes_first() {
    let (pool, mut driver, board, started) = busy(PoolOptions::new().aging(2));
    let _patient = submit(&pool, 0);
    // One urgent job after another, each of which is submitted while the one before runs.
    let urgent = Board::new(10);
    let pool = pool.with_priority(3);
    drop(pool.execute(urgent.task(0)).unwrap());
    board.end(0, Ok(0));
    for next in 1..10 {
        assert!(driver.run().is_pending());
        drop(pool.execute(urgent.task(next)).unwrap());
        urgent.end(next - 1, Ok(0));
    }
    assert!(driver.run().is_pending());
    let started: Vec<_> = started.try_iter().collect();
    // Three levels of two jobs each.
    assert_eq!(started[..8], [2, 3, 4, 5, 6, 7, 1, 8]);
}

#[test]
fn a_queued_job_becomes_urgent() {
    let (pool, mut driver, board, started) = busy(PoolOptions::new());
    let handles: Vec<_> = (0..4).map(|_| submit(&pool, 0)).collect();
    assert!(handles[2].set_priority(1));
    assert!(handles[0].set_priority(-1));
    // It keeps its age, and so its place among equals.
    assert!(handles[3].set_priority(9));
    assert!(handles[3].set_priority(0));
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert_eq!(started.try_iter().collect::<Vec<_>>(), [3, 2, 4, 1]);
    assert!(!handles[2].set_priority(1));
}

#[test]
fn only_queued_jobs_change_priority() {
    let (pool, mut driver, _board, _started) = busy(PoolOptions::new());
    let cancelled = submit(&pool, 0);
    let waiting = submit(&pool, 0);
    cancelled.cancel();
    assert!(!cancelled.set_priority(5));
    assert!(waiting.set_priority(0) && waiting.set_priority(5));
    waiting.cancel();
    assert!(!waiting.set_priority(6));
    assert!(driver.run().is_pending());
    assert_eq!((pool.queue_length(), pool.stats().total_cancelled), (0, 2));
}

#[test]
fn local_pools_have_priorities() {
    let (pool, driver): (LocalPool, _) = abreast::local_pool(1);
    let order = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    for priority in [0, 5] {
        let order = order.clone();
        let task = async move {
            order.borrow_mut().push(priority);
            Ok::<_, ()>(())
        };
        drop(pool.with_priority(priority).execute(task).unwrap());
    }
    assert!(Loop::new(driver).run().is_pending());
    assert_eq!(*order.borrow(), [5, 0]);
}

#[test]
fn extreme_priorities_do_not_overflow() {
    let (pool, mut driver, board, started) = busy(PoolOptions::new().aging(u32::MAX));
    for priority in [i32::MIN, 0, i32::MAX, i32::MIN, i32::MAX] {
        drop(submit(&pool, priority));
    }
    board.end(0, Ok(0));
    assert!(driver.run().is_pending());
    assert_eq!(started.try_iter().collect::<Vec<_>>(), [3, 5, 2, 1, 4]);
}

#[test]
fn the_driver_takes_ranked_jobs_along() {
    let (pool, driver, _board, _started) = busy(PoolOptions::new());
    let handles = [0, 5, -5].map(|priority| submit(&pool, priority));
    drop(driver);
    for handle in handles {
        assert!(handle.is_finished());
    }
    assert_eq!(pool.stats().total_abandoned, 4);
}

#[test]
#[should_panic = "with an aging of 0 jobs, all priorities would be the same: pass at least 1"]
fn an_aging_of_zero_panics() {
    let _ = Pool::builder().aging(0);
}

/// A job in the queue of the model.
struct Waiting {
    id: u64,
    priority: i64,
    /// The number of jobs that had been started when it began to age.
    since: i64,
    /// The lowest priority that it has had.
    lowest: i64,
}

/// The queue as its documentation says, and no more: each start looks at all that wait.
struct Model {
    waiting: Vec<Waiting>,
    started: i64,
    aging: i64,
    /// The highest priority that any job has had, and what was started when the queue was last empty, or without
    /// priorities.
    highest: i64,
    /// Whether there has been a priority since the queue was empty.
    ages: bool,
}

impl Model {
    fn queue(&mut self, id: u64, priority: i64) {
        self.waiting.push(Waiting {
            id,
            priority,
            since: self.started,
            lowest: priority,
        });
        self.notice(priority);
    }

    /// Notes a priority: the first one makes all that wait begin to age.
    fn notice(&mut self, priority: i64) {
        self.highest = self.highest.max(priority);
        if priority != 0 && !self.ages {
            self.ages = true;
            let started = self.started;
            self.waiting.iter_mut().for_each(|job| job.since = started);
        }
    }

    fn set_priority(&mut self, id: u64, priority: i64) -> bool {
        let Some(job) = self.waiting.iter_mut().find(|job| job.id == id) else {
            return false;
        };
        job.priority = priority;
        job.lowest = job.lowest.min(priority);
        self.notice(priority);
        true
    }

    fn remove(&mut self, id: u64) -> Option<Waiting> {
        let place = self.waiting.iter().position(|job| job.id == id)?;
        let job = self.waiting.remove(place);
        self.ages &= !self.waiting.is_empty();
        Some(job)
    }

    /// Starts a job, after a look at all that wait.
    fn start(&mut self) -> Option<u64> {
        // In units of one job's age, so that nothing is rounded.
        let urgency = |job: &Waiting| job.priority * self.aging + self.started - job.since;
        let most = self.waiting.iter().map(urgency).max()?;
        let next = self.waiting.iter().find(|job| urgency(job) == most);
        let id = next.expect("the most urgent is one of them").id;

        // The bound: what waits so long is not overtaken by anything that came later.
        let job = self.remove(id).expect("it waits");
        for other in self.waiting.iter().filter(|other| other.id < id) {
            let bound = (self.highest - other.lowest) * self.aging;
            assert!(!self.ages || job.since - other.since < bound.max(1));
        }
        self.started += 1;
        Some(id)
    }
}

/// Jobs are submitted, cancelled, started and given other priorities in random order.
#[test]
fn priorities_follow_the_model() {
    for seed in 1..=500_u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let aging = 1 + random.below(6);
        // Few priorities make many equals; some programs have none for a while.
        let levels = 1 + random.below(4);
        let (pool, mut driver, board, started) = busy(PoolOptions::new().aging(aging as u32));
        let mut model = Model {
            waiting: Vec::new(),
            started: 0,
            aging: aging as i64,
            highest: 0,
            ages: false,
        };
        let tasks = Board::new(300);
        let mut handles = Vec::new();
        let mut running: Option<u64> = None;
        let end = |id: Option<u64>| match id {
            Some(id) => tasks.end(id as usize - 1, Ok(0)),
            None => board.end(0, Ok(0)),
        };

        for _ in 0..600 {
            let priority = match random.below(3) {
                0 => random.below(2 * levels) as i32 - levels as i32,
                _ => 0,
            };
            let any = |random: &mut Random| {
                handles
                    .len()
                    .checked_sub(1)
                    .map(|last| random.below(last + 1))
            };
            match random.below(8) {
                0..=2 if handles.len() < 300 => {
                    let task = tasks.task(handles.len());
                    let handle = pool.with_priority(priority).execute(task).unwrap();
                    model.queue(handle.id(), i64::from(priority));
                    handles.push(handle);
                }
                3 => {
                    let Some(any) = any(&mut random) else {
                        continue;
                    };
                    let id = handles[any].id();
                    let is_queued = model.set_priority(id, i64::from(priority));
                    assert_eq!(handles[any].set_priority(priority), is_queued);
                }
                4 => {
                    let Some(any) = any(&mut random) else {
                        continue;
                    };
                    // What runs is left alone: its end is what starts the next.
                    if model.remove(handles[any].id()).is_some() {
                        handles[any].cancel();
                    }
                }
                _ => {
                    // The next job is started when the one that runs has ended.
                    if !model.waiting.is_empty() {
                        end(running);
                        assert!(driver.run().is_pending());
                        running = model.start();
                        assert_eq!(started.try_iter().collect::<Vec<_>>(), running.as_slice());
                    }
                }
            }
            assert_eq!(pool.queue_length(), model.waiting.len());
        }
    }
}
