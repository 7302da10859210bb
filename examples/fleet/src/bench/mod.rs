//! Measures jobs per second: of windows of several sizes, of a loop without one, and of the engine by itself.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{env, io, process};

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

/// Measures everything, prints tables, and returns plots.
///
/// # Errors
/// If a server cannot be started.
pub fn report(seconds: f64) -> Result<Vec<Plot>, Anything> {
    let mut plots = Vec::new();
    for engine in [Engine::Redis, Engine::Postgres] {
        let ceiling = ceiling(engine, seconds)?;
        println!("{engine:?} by itself: {ceiling:.0} jobs per second");
        for (work, title) in [
            (Work::Wait(Duration::ZERO), "jobs that do nothing"),
            (
                Work::Wait(Duration::from_millis(10)),
                "jobs that wait 10 ms",
            ),
        ] {
            println!(
                "\n{engine:?}, {title}\n\n| workers | one by one | {} |",
                SIZES.map(|slots| format!("K = {slots}")).join(" | ")
            );
            println!("|---{}|", "|---".repeat(SIZES.len() + 1));
            let mut lines = Vec::new();
            for workers in WORKERS {
                let naive = measure(engine, &work, workers, None, seconds)?;
                print!("| {workers} | {naive:.0} |");
                let mut line = Line::new(match workers {
                    1 => "1 worker".to_owned(),
                    _ => format!("{workers} workers"),
                });
                for slots in SIZES {
                    let rate = measure(engine, &work, workers, Some(slots), seconds)?;
                    print!(" {rate:.0} |");
                    io::stdout().flush()?;
                    line.points.push((slots as f64, rate));
                }
                println!();
                lines.push(line);
                if workers == 4 {
                    lines.push(level("4, one by one", naive));
                }
            }
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
        Engine::Redis => 60_000.0,
        Engine::Postgres => 20_000.0,
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
    match engine {
        Engine::Redis => {
            let queue = RedisQueue::new(&url, "bench", LEASE)?;
            measure_on(
                &queue,
                &url,
                backlog(engine, seconds),
                work,
                workers,
                slots,
                seconds,
            )
        }
        Engine::Postgres => {
            let queue = PostgresQueue::new(Runtime::Smol, &url, "bench", LEASE)?;
            measure_on(
                &queue,
                &url,
                backlog(engine, seconds),
                work,
                workers,
                slots,
                seconds,
            )
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

/// How many jobs the engine's own benchmark takes at a time, as a busy worker does.
const BATCH: u64 = 16;

/// Measures the engine by its own benchmark: jobs are taken, have their results recorded, and are done, by the commands of a
/// worker, with no worker in between.
fn ceiling(engine: Engine, seconds: f64) -> Result<f64, Anything> {
    let server = Server::start(engine)?;
    let jobs = backlog(engine, seconds);
    let url = server.url();
    let work = Work::Wait(Duration::ZERO);
    match engine {
        Engine::Redis => {
            let queue = RedisQueue::new(&url, "bench", LEASE)?;
            smol::block_on(fill(&queue, jobs, &work))?;
            redis_benchmark(server.port(), jobs)
        }
        Engine::Postgres => {
            let queue = PostgresQueue::new(Runtime::Smol, &url, "bench", LEASE)?;
            smol::block_on(fill(&queue, jobs, &work))?;
            pgbench(server.port(), seconds)
        }
    }
}

/// The commands of a batch of jobs in one script, so that the server does nothing else.
const BATCH_OF_REDIS: &str = "\
local entries = redis.call('XREADGROUP', 'GROUP', 'workers', 'bench', 'COUNT', ARGV[1], 'STREAMS', KEYS[1], '>')[1][2]
for _, entry in ipairs(entries) do
    redis.call('HSETNX', KEYS[2], entry[2][2], 'waited')
    redis.call('XACK', KEYS[1], 'workers', entry[1])
    redis.call('XDEL', KEYS[1], entry[1])
    redis.call('HINCRBY', KEYS[3], 'done', 1)
end
return #entries";

fn redis_benchmark(port: u16, jobs: u64) -> Result<f64, Anything> {
    // Half of the jobs, so that it never runs out of them.
    let (port, calls) = (port.to_string(), (jobs / 2 / BATCH).to_string());
    let keys = ["3", "fleet:jobs", "fleet:results", "fleet:counters"];
    let output = Command::new(program("redis-benchmark")?)
        .args(["-p", &port, "-n", &calls, "-c", "8", "--csv"])
        .args(["EVAL", BATCH_OF_REDIS])
        .args(keys)
        .arg(BATCH.to_string())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    // Seven figures follow the script, which has quotes and commas of its own.
    let calls: Option<f64> = text
        .lines()
        .last()
        .and_then(|line| line.rsplit(',').nth(6)?.trim_matches('"').parse().ok());
    let per_second = calls.map(|calls| calls * BATCH as f64);
    per_second.ok_or_else(|| failed("redis-benchmark", &output))
}

fn pgbench(port: u16, seconds: f64) -> Result<f64, Anything> {
    // The statement of the workers, with its parameters filled in.
    let take = include_str!("postgres/take.sql")
        .replace("$1", &BATCH.to_string())
        .replace("$2", "'bench'")
        .replace("$3", "60");
    let script = format!(
        "WITH taken AS ({take}),
         recorded AS (INSERT INTO fleet_results SELECT id, 'waited' FROM taken ON CONFLICT DO NOTHING RETURNING job)
         SELECT array_agg(job)::text AS jobs FROM recorded \\gset
         UPDATE fleet_jobs SET state = 'done' WHERE id = ANY(:jobs::text::bigint[]) AND state = 'leased';\n"
    );
    let file = env::temp_dir().join(format!("abreast-fleet-{}.sql", process::id()));
    std::fs::write(&file, script)?;
    let (port, seconds) = (port.to_string(), seconds.ceil().to_string());
    let output = Command::new(program("pgbench")?)
        .args([
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            "fleet",
            "-n",
            "-M",
            "prepared",
        ])
        .args(["-c", "4", "-j", "1", "-T", &seconds, "-f"])
        .arg(&file)
        .arg("postgres")
        .output();
    std::fs::remove_file(&file)?;
    let output = output?;
    let text = String::from_utf8_lossy(&output.stdout);
    let calls: Option<f64> = text
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    let per_second = calls.map(|calls| calls * BATCH as f64);
    per_second.ok_or_else(|| failed("pgbench", &output))
}

fn failed(program: &str, output: &Output) -> Anything {
    let (out, err) = (&output.stdout, &output.stderr);
    let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
    format!("{program}: {out}{err}").into()
}

fn program(name: &str) -> Result<std::path::PathBuf, Anything> {
    servers::find(name).ok_or_else(|| format!("{name} is not installed").into())
}
