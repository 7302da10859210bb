//! Measures jobs per second: of windows of several sizes, of a loop without one, and of the engine by itself.

mod ceiling;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io::Write as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use std::{env, io};

use futures::FutureExt;

use crate::coordinator;
use crate::plot::{Line, Plot, Scale};
use crate::queue::{Admin, Job, Queue};
use crate::runtime::Runtime;
use crate::servers::{self, Engine, Server};
use crate::work::Work;
use crate::{PostgresQueue, RedisQueue};

type Anything = Box<dyn Error + Send + Sync>;

/// The sizes of windows to measure.
const SIZES: [usize; 4] = [1, 16, 64, 256];

/// The numbers of workers to measure. Each is a process with one thread.
const WORKERS: [usize; 3] = [1, 2, 4];

/// Long enough that no lease ends while something is measured.
const LEASE: Duration = Duration::from_secs(60);

/// Runs jobs one at a time, as one would without a window.
pub async fn one_by_one<Fut, E>(
    queue: &impl Queue,
    stop: impl Future<Output = ()>,
    handler: impl Fn(Job) -> Fut,
) where
    Fut: Future<Output = Result<(), E>>,
    E: fmt::Display,
{
    let mut stop = std::pin::pin!(stop.fuse());
    while stop.as_mut().now_or_never().is_none() {
        match queue.take(1).await {
            Ok(batch) => {
                for delivery in batch {
                    if handler(delivery.job.clone()).await.is_ok() {
                        // A job that could not be acknowledged comes again.
                        _ = queue.acknowledge(&delivery).await;
                    }
                }
            }
            Err(error) => {
                eprintln!("cannot take jobs: {error}");
                return;
            }
        }
    }
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// The time for which each figure is measured.
    pub seconds: f64,
    /// How often each figure is measured. The highest counts: whatever else the machine does makes it lower.
    pub rounds: u32,
}

impl Effort {
    /// Returns the highest of some rounds.
    fn best(self, measure: impl Fn(f64) -> Result<f64, Anything>) -> Result<f64, Anything> {
        (0..self.rounds).try_fold(0.0, |best: f64, _| Ok(best.max(measure(self.seconds)?)))
    }
}

/// Measures everything, prints tables, and returns plots.
///
/// # Errors
/// If a server cannot be started.
pub fn report(effort: Effort) -> Result<Vec<Plot>, Anything> {
    let mut plots = Vec::new();
    for engine in [Engine::Redis, Engine::Postgres] {
        let ceiling = effort.best(|seconds| ceiling::measure(engine, seconds))?;
        println!("{engine:?} by itself: {ceiling:.0} jobs per second");
        // The first shows what the queue costs, the second what a window is for.
        for (millis, title) in [(0, "jobs that do nothing"), (10, "jobs that wait 10 ms")] {
            let work = Work::Wait(Duration::from_millis(millis));
            let mut lines = table(engine, &work, title, effort)?;
            lines.push(level("engine by itself", ceiling));
            plots.push(Plot {
                title: format!("{engine:?}, {title}: jobs per second"),
                across: "slots of each worker",
                ticks: SIZES.map(|slots| slots as f64).into(),
                scale: Scale::Rate,
                lines,
            });
        }
        println!();
    }
    Ok(plots)
}

/// Measures all windows with jobs of one kind, and prints a table of them. Returns a line for each number of workers.
fn table(engine: Engine, work: &Work, title: &str, effort: Effort) -> Result<Vec<Line>, Anything> {
    println!(
        "\n{engine:?}, {title}\n\n| workers | one by one | {} |",
        SIZES.map(|slots| format!("K = {slots}")).join(" | ")
    );
    println!("|---{}|", "|---".repeat(SIZES.len() + 1));
    let mut lines = Vec::new();
    for workers in WORKERS {
        let measure = |slots| effort.best(|seconds| measure(engine, work, workers, slots, seconds));
        let naive = measure(None)?;
        print!("| {workers} | {naive:.0} |");
        let mut line = Line::new(match workers {
            1 => "1 worker".to_owned(),
            _ => format!("{workers} workers"),
        });
        for slots in SIZES {
            let rate = measure(Some(slots))?;
            print!(" {rate:.0} |");
            io::stdout().flush()?;
            line.points.push((slots as f64, rate));
        }
        println!();
        lines.push(line);
        // One loop to compare with is enough for a plot.
        if workers == 4 {
            lines.push(level("4, one by one", naive));
        }
    }
    Ok(lines)
}

/// Returns a line that is the same for all windows.
fn level(label: &str, rate: f64) -> Line {
    let mut line = Line::new(label.to_owned());
    line.points = SIZES.map(|slots| (slots as f64, rate)).into();
    line.is_dashed = true;
    line
}

/// Returns a number of jobs that is not done before the time is over.
fn backlog(engine: Engine, seconds: f64) -> u64 {
    let per_second = match engine {
        Engine::Redis => 80_000.0,
        Engine::Postgres => 60_000.0,
    };
    (per_second * (seconds + 1.0)) as u64
}

/// Measures workers that have nothing but jobs of one kind.
fn measure(
    engine: Engine,
    work: &Work,
    workers: usize,
    slots: Option<usize>,
    seconds: f64,
) -> Result<f64, Anything> {
    let server = Server::start(engine)?;
    let url = server.url();
    let jobs = backlog(engine, seconds);
    match engine {
        Engine::Redis => {
            let queue = RedisQueue::new(&url, "bench", LEASE)?;
            measure_on(&queue, &url, jobs, work, workers, slots, seconds)
        }
        Engine::Postgres => {
            let queue = PostgresQueue::new(Runtime::Smol, &url, "bench", LEASE)?;
            measure_on(&queue, &url, jobs, work, workers, slots, seconds)
        }
    }
}

fn measure_on(
    queue: &impl Admin,
    url: &str,
    jobs: u64,
    work: &Work,
    workers: usize,
    slots: Option<usize>,
    seconds: f64,
) -> Result<f64, Anything> {
    let runtime = Runtime::Smol;
    runtime.block_on(async {
        fill(queue, jobs, work).await?;
        let _workers = (0..workers)
            .map(|number| start_worker(url, number, slots))
            .collect::<io::Result<Vec<_>>>()?;

        // They start one after another. It counts from when all of them must be at work.
        while queue.counts().await?.done < 100 {
            runtime.sleep(Duration::from_millis(20)).await;
        }
        runtime.sleep(Duration::from_millis(500)).await;
        let (before, started) = (queue.counts().await?, Instant::now());
        runtime.sleep(Duration::from_secs_f64(seconds)).await;
        let (after, elapsed) = (queue.counts().await?, started.elapsed());
        if after.waiting == 0 {
            return Err("all jobs were done before the time was over".into());
        }
        Ok((after.done - before.done) as f64 / elapsed.as_secs_f64())
    })
}

async fn fill(queue: &impl Admin, jobs: u64, work: &Work) -> Result<(), Anything> {
    coordinator::create(queue, &Runtime::Smol.timer()).await?;
    let jobs: Vec<_> = (0..jobs)
        .map(|id| Job {
            id,
            work: work.to_string(),
        })
        .collect();
    coordinator::submit(queue, &jobs).await?;
    Ok(())
}

/// A worker that is killed when it is dropped.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn start_worker(url: &str, number: usize, slots: Option<usize>) -> io::Result<Worker> {
    let lease = LEASE.as_millis().to_string();
    let mut command = servers::tied(&env::current_exe()?, false);
    command.args(["worker", "--queue", url, "--lease", &lease]);
    command.args(["--name", &format!("worker-{number}")]);
    match slots {
        Some(slots) => command.args(["--slots", &slots.to_string()]),
        None => command.args(["--one-by-one", "true"]),
    };
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(Worker(command.spawn()?))
}
