//! The program: a demonstration by itself, and the parts of a fleet for those who want to start them one by one.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use async_signal::{Signal, Signals};
use fleet::args::Args;
use fleet::bench::Effort;
use fleet::demo::Demo;
use fleet::plot::{self, Plot};
use fleet::queue::{Admin, Job, Queue, Results};
use fleet::servers::Engine;
use fleet::simulation::{self, Model};
use fleet::view::View;
use fleet::work::{self, Work};
use fleet::worker::{self, Settings};
use fleet::{PostgresQueue, RedisQueue, Runtime, bench, coordinator};
use futures::StreamExt;

const USAGE: &str = "\
abreast-fleet                 shows a fleet at work, with servers of its own
    --engine redis|postgres  --runtime smol|tokio  --jobs 10000  --workers 4  --slots 64

abreast-fleet worker          runs jobs until it gets SIGTERM or SIGINT
    --queue URL  --site HOST:PORT  --name worker-1  --runtime smol|tokio  --slots 64
    --lease 2000  --attempts 4  --backoff 100  --grace 5000  (milliseconds)

abreast-fleet coordinate      submits jobs that fetch pages, and watches until all are done
    --queue URL  --first 0  --jobs 10000  --runtime smol|tokio

abreast-fleet bench           measures jobs per second, with servers of its own
    --seconds 1  --rounds 1  --plot FILE

abreast-fleet simulate        simulates a thousand machines, and prints what the size of their windows does
    --workers 1000  --jobs 300000  --plot FILE

A queue is redis://host:port or postgres://user@host:port/database.";

type Anything = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    let command = args.next_if(|arg| !arg.starts_with('-'));
    let run = match command.as_deref() {
        None => demo,
        Some("worker") => worker,
        Some("coordinate") => coordinate,
        Some("bench") => bench,
        Some("simulate") => simulate,
        Some(_) => usage,
    };
    match Args::parse(args).map_err(Anything::from).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn usage(_: Args) -> Result<(), Anything> {
    Err(USAGE.into())
}

fn demo(mut args: Args) -> Result<(), Anything> {
    let default = Demo::default();
    let demo = Demo {
        engine: args.get("engine", default.engine)?,
        runtime: args.get("runtime", default.runtime)?,
        jobs: args.get("jobs", default.jobs)?,
        workers: args.get("workers", default.workers)?,
        slots: args.get("slots", default.slots)?,
        lease: args.millis("lease", default.lease)?,
    };
    args.finish()?;
    if demo.engine.program().is_none() {
        let package = demo.engine.package();
        return Err(
            format!("{package} is not installed. On Debian: apt-get install {package}").into(),
        );
    }
    demo.run()
}

fn worker(mut args: Args) -> Result<(), Anything> {
    let default = Settings::default();
    let settings = Settings {
        slots: args.get("slots", default.slots)?,
        lease: args.millis("lease", default.lease)?,
        attempts: args.get("attempts", default.attempts)?,
        backoff: args.millis("backoff", default.backoff)?,
        grace: args.millis("grace", default.grace)?,
    };
    let runtime = args.get("runtime", Runtime::Smol)?;
    let site: String = args.get("site", String::new())?;
    let name: String = args.get("name", format!("worker-{}", std::process::id()))?;
    let url: String = args.get("queue", String::new())?;
    // For comparison: without a window.
    let one_by_one = args.get("one-by-one", false)?;
    args.finish()?;
    let lease = settings.lease;
    let settings = (!one_by_one).then_some(&settings);
    match engine(&url)? {
        Engine::Redis => serve(
            &RedisQueue::new(&url, &name, lease)?,
            runtime,
            settings,
            &site,
        ),
        Engine::Postgres => {
            let queue = PostgresQueue::new(runtime, &url, &name, lease)?;
            serve(&queue, runtime, settings, &site)
        }
    }
}

/// Runs jobs until a signal says to stop.
fn serve(
    queue: &(impl Queue + Results),
    runtime: Runtime,
    settings: Option<&Settings>,
    site: &str,
) -> Result<(), Anything> {
    let mut signals = Signals::new([Signal::Term, Signal::Int])?;
    let stop = async move { drop(signals.next().await) };
    let handler = |job: Job| async move { work::perform(&job, runtime, site, queue).await };
    let timer = runtime.timer();
    match settings {
        None => runtime.block_on(bench::one_by_one(queue, stop, handler)),
        Some(settings) => {
            let running = worker::run(queue, &timer, settings, stop, handler);
            println!("{}", runtime.block_on(running));
        }
    }
    Ok(())
}

fn coordinate(mut args: Args) -> Result<(), Anything> {
    let url: String = args.get("queue", String::new())?;
    let runtime = args.get("runtime", Runtime::Smol)?;
    let first: u64 = args.get("first", 0)?;
    let jobs: u64 = args.get("jobs", 10_000)?;
    args.finish()?;
    let pages = first..first + jobs;
    // Coordinators hold no jobs, so that neither their name nor their lease matters.
    match engine(&url)? {
        Engine::Redis => {
            let queue = RedisQueue::new(&url, "coordinator", Duration::ZERO)?;
            submit_and_watch(&queue, runtime, pages)
        }
        Engine::Postgres => {
            let queue = PostgresQueue::new(runtime, &url, "coordinator", Duration::ZERO)?;
            submit_and_watch(&queue, runtime, pages)
        }
    }
}

fn bench(mut args: Args) -> Result<(), Anything> {
    let effort = Effort {
        seconds: args.get("seconds", 1.0)?,
        rounds: args.get("rounds", 1)?,
    };
    let file: Option<String> = args.find("plot")?;
    args.finish()?;
    draw(file, &bench::report(effort)?)
}

fn simulate(mut args: Args) -> Result<(), Anything> {
    let default = Model::default();
    let model = Model {
        workers: args.get("workers", default.workers)?,
        jobs: args.get("jobs", default.jobs)?,
        ..default
    };
    let file: Option<String> = args.find("plot")?;
    args.finish()?;
    draw(file, &simulation::report(model))
}

/// Writes plots to a file, if there is to be one.
fn draw(file: Option<String>, plots: &[Plot]) -> Result<(), Anything> {
    if let Some(file) = file {
        std::fs::write(file, plot::svg(plots))?;
    }
    Ok(())
}

fn submit_and_watch(
    queue: &impl Admin,
    runtime: Runtime,
    pages: std::ops::Range<u64>,
) -> Result<(), Anything> {
    let timer = runtime.timer();
    let jobs: Vec<_> = pages
        .map(|page| Job {
            id: page,
            work: Work::Fetch(page).to_string(),
        })
        .collect();
    runtime.block_on(async {
        coordinator::create(queue, &timer).await?;
        let new = coordinator::submit(queue, &jobs).await?;
        let title = format!("{} jobs submitted, {new} of them new", jobs.len());
        let mut view = View::new(title, jobs.len() as u64, Settings::default().slots);
        let counts = coordinator::watch(queue, &timer, |counts| view.update(counts)).await?;
        view.finish();
        println!("{} done, {} dead", counts.done, counts.dead);
        if counts.add_up() {
            Ok(())
        } else {
            Err(format!("the numbers do not add up: {counts:?}").into())
        }
    })
}

/// Tells the engine of a queue from its URL.
fn engine(url: &str) -> Result<Engine, Anything> {
    match url.split_once("://") {
        Some(("redis", _)) => Ok(Engine::Redis),
        Some(("postgres", _)) => Ok(Engine::Postgres),
        _ => Err(format!("--queue {url:?} is not the URL of a queue\n\n{USAGE}").into()),
    }
}
