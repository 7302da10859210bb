//! The demonstration: a server for the queue, a site, workers, and a coordinator that watches them. One worker is
//! killed.

use std::error::Error;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use async_signal::{Signal, Signals};
use futures::future::{Either, FutureExt, select};
use futures::{StreamExt, try_join};
use rustix::process::Signal as Kill;

use crate::coordinator;
use crate::queue::{Admin, Counts, Job, Results};
use crate::runtime::Runtime;
use crate::servers::{self, Engine, Server};
use crate::site::{self, Site};
use crate::view::View;
use crate::work::Work;
use crate::{PostgresQueue, RedisQueue};

type Anything = Box<dyn Error + Send + Sync>;

/// What to demonstrate.
#[derive(Clone, Copy, Debug)]
pub struct Demo {
    pub engine: Engine,
    pub runtime: Runtime,
    pub jobs: u64,
    pub workers: usize,
    pub slots: usize,
    pub lease: Duration,
}

impl Default for Demo {
    fn default() -> Self {
        Self {
            engine: Engine::Redis,
            runtime: Runtime::Smol,
            jobs: 10_000,
            workers: 4,
            slots: 64,
            lease: Duration::from_secs(2),
        }
    }
}

impl Demo {
    /// Runs the demonstration with servers of its own.
    ///
    /// # Errors
    /// If a server is missing, or the numbers do not add up.
    pub fn run(self) -> Result<(), Anything> {
        let server = Server::start(self.engine)?;
        let url = server.url();
        match self.engine {
            Engine::Redis => self.run_on(&RedisQueue::new(&url, "coordinator", self.lease)?, &url),
            Engine::Postgres => {
                let queue = PostgresQueue::new(self.runtime, &url, "coordinator", self.lease)?;
                self.run_on(&queue, &url)
            }
        }
    }

    fn run_on(self, queue: &(impl Admin + Results), url: &str) -> Result<(), Anything> {
        let site = Site::start()?;
        let timer = self.runtime.timer();
        let jobs: Vec<_> = (0..self.jobs)
            .map(|page| Job {
                id: page,
                work: Work::Fetch(page).to_string(),
            })
            .collect();
        self.runtime.block_on(async {
            coordinator::create(queue, &timer).await?;
            let mut fleet = Fleet::start(self, url, &site.address().to_string())?;
            let title = format!(
                "{} workers of {} slots each, over {:?}, on {}",
                self.workers, self.slots, self.engine, self.runtime
            );
            let mut view = View::new(title, self.jobs, self.slots);

            // Workers start while jobs are still being submitted.
            let started = Instant::now();
            let mut lost = None;
            let watching = async {
                coordinator::submit(queue, &jobs).await?;
                coordinator::watch(queue, &timer, |counts| {
                    // Until the first lease ends, it is what was in flight when the worker died.
                    if counts.expired() == 0 {
                        lost = fleet.held_by_killed(counts);
                    }
                    if fleet.killed.is_none() && counts.done > self.jobs / 3 {
                        fleet.kill_one(&mut view);
                    }
                    view.update(counts);
                })
                .await
            };
            let mut signals = Signals::new([Signal::Int, Signal::Term])?;
            let counts = match select(watching.boxed_local(), signals.next()).await {
                Either::Left((counts, _)) => counts?,
                Either::Right(_) => return Err("interrupted".into()),
            };
            let elapsed = started.elapsed();
            view.finish();
            fleet.stop()?;

            let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
            let (results, letters) = try_join!(queue.results(&ids), queue.dead_letters())?;
            self.report(&counts, lost.unwrap_or_default(), elapsed)?;
            check(&results, letters.iter().map(|(job, _)| *job).collect())?;
            println!("every page that the site has was fetched, and its text is right");
            Ok(())
        })
    }

    /// Prints the summary.
    fn report(self, counts: &Counts, lost: u64, elapsed: Duration) -> Result<(), Anything> {
        let Counts {
            submitted,
            done,
            dead,
            failed,
            redelivered,
            unfinished,
            ..
        } = *counts;
        let (expired, retried) = (counts.expired(), failed - dead);
        let rate = done as f64 / elapsed.as_secs_f64();
        println!("{submitted} jobs = {done} done + {dead} dead letters");
        println!(
            "{} deliveries = {submitted} first ones + {redelivered} more",
            submitted + redelivered
        );
        println!(
            "{redelivered} more = {retried} after a failure + {unfinished} unfinished + {expired} whose lease ended"
        );
        println!("{lost} of those leases were held by the worker that was killed");
        println!("{elapsed:.1?}, {rate:.0} jobs per second");
        if !counts.add_up() || submitted != self.jobs || expired < lost {
            return Err(format!("the numbers do not add up: {counts:?}").into());
        }
        Ok(())
    }
}

/// Makes sure that each job has the result that it should have, or is dead because its page is broken.
fn check(results: &[Option<String>], dead: Vec<u64>) -> Result<(), Anything> {
    for (page, result) in (0..).zip(results) {
        let is_right = match result {
            Some(text) => *text == site::content(page) && !dead.contains(&page),
            None => site::failures(page) == u32::MAX && dead.contains(&page),
        };
        if !is_right {
            return Err(format!("page {page} came out wrong: {result:?}").into());
        }
    }
    Ok(())
}

/// The processes of the workers.
struct Fleet {
    workers: Vec<(String, Child)>,
    /// The name of the worker that was killed.
    killed: Option<String>,
}

impl Fleet {
    fn start(demo: Demo, url: &str, site: &str) -> io::Result<Self> {
        let program = env::current_exe()?;
        let workers = (1..=demo.workers).map(|number| {
            let name = format!("worker-{number}");
            let child = start_worker(&program, demo, url, site, &name)?;
            Ok((name, child))
        });
        Ok(Self {
            workers: workers.collect::<io::Result<_>>()?,
            killed: None,
        })
    }

    /// Kills one of the workers without notice, unless it is the only one.
    fn kill_one(&mut self, view: &mut View) {
        if self.workers.len() < 2 {
            return;
        }
        let (name, mut worker) = self.workers.remove(1);
        if worker.kill().and_then(|()| worker.wait()).is_ok() {
            view.mark(&name, "killed");
        }
        self.killed = Some(name);
    }

    /// Returns what the engine says the killed worker held.
    fn held_by_killed(&self, counts: &Counts) -> Option<u64> {
        let killed = self.killed.as_ref()?;
        let of_killed = |(name, _): &&(String, u64)| name == killed;
        counts
            .in_flight
            .iter()
            .find(of_killed)
            .map(|(_, held)| *held)
    }

    /// Tells the workers to stop, and waits for them.
    fn stop(&mut self) -> Result<(), Anything> {
        for (_, worker) in &self.workers {
            servers::signal(worker, Kill::TERM)?;
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        for (name, worker) in &mut self.workers {
            let status = loop {
                match worker.try_wait()? {
                    Some(status) => break status,
                    None if Instant::now() > deadline => {
                        return Err(format!("{name} goes on").into());
                    }
                    None => thread::sleep(Duration::from_millis(10)),
                }
            };
            if !status.success() {
                return Err(format!("{name} failed: {status}").into());
            }
        }
        Ok(())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for (_, worker) in &mut self.workers {
            // Most have ended by themselves.
            _ = worker.kill();
            _ = worker.wait();
        }
    }
}

fn start_worker(
    program: &Path,
    demo: Demo,
    url: &str,
    site: &str,
    name: &str,
) -> io::Result<Child> {
    servers::tied(program, false)
        .args(["worker", "--queue", url, "--site", site, "--name", name])
        .args(["--runtime", &demo.runtime.to_string()])
        .args(["--slots", &demo.slots.to_string()])
        .args(["--lease", &demo.lease.as_millis().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
}
