//! A job server. Lines of work arrive on a connection, a pool executes them, and answers go back as they finish, each
//! with the id of its job. It serves two connections in two ways, from the same pool:
//!
//! - *by handles*: each job is submitted, and its handle awaited, so the server knows what becomes of each;
//! - *fed*: the connection is a stream of jobs, pulled when a worker is free. Each job sends its own answer.
//!
//! In both, a client that is too fast finds the connection full. The clients check every answer: a pool for that one
//! kind of job, with a channel as its queue.
//!
//! Run with `cargo run --example pool`.

use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use abreast::{JobError, Pool, channel_pool, parallel_stream};
use futures::{Stream, StreamExt, TryStreamExt, try_join};
use indicatif::{ProgressBar, ProgressStyle};
use smol::Timer;
use smol::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use smol::net::{SocketAddr, TcpListener, TcpStream};

type Failure = Box<dyn Error + Send + Sync>;

/// The number of jobs of each client.
const JOBS: u64 = 5_000;

/// What may be asked for.
#[derive(Clone, Copy)]
enum Job {
    /// The steps from `n` down to 1 by Collatz' rule.
    Collatz(u64),
    /// What is left of `n` divided by another.
    Remainder(u64, u64),
    /// Answers after so many microseconds, as a database would.
    Look(u64),
}

impl Job {
    fn parse(line: &str) -> Result<(u64, Self), Failure> {
        let words: Vec<_> = line.split(' ').collect();
        let job = match words[..] {
            [_, "collatz", n] => Self::Collatz(n.parse()?),
            [_, "remainder", n, by] => Self::Remainder(n.parse()?, by.parse()?),
            [_, "look", micros] => Self::Look(micros.parse()?),
            _ => return Err(format!("no job: {line}").into()),
        };
        Ok((words[0].parse()?, job))
    }

    async fn execute(self) -> Result<u64, &'static str> {
        match self {
            Self::Collatz(0) => Err("0 never comes to 1"),
            Self::Collatz(mut n) => {
                let mut steps = 0;
                while n != 1 {
                    n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
                    steps += 1;
                }
                Ok(steps)
            }
            Self::Remainder(n, by) => n.checked_rem(by).ok_or("nothing is divided by 0"),
            Self::Look(micros) => {
                Timer::after(Duration::from_micros(micros)).await;
                Ok(micros)
            }
        }
    }
}

/// Returns the jobs of a connection, up to the line `close`.
fn jobs(connection: TcpStream) -> impl Stream<Item = Result<(u64, Job), Failure>> + Unpin {
    let lines = BufReader::new(connection).lines().map_err(Failure::from);
    let jobs = lines.try_take_while(|line| std::future::ready(Ok(line != "close")));
    jobs.map(|line| Job::parse(&line?)).boxed()
}

/// Serves a connection, and knows what becomes of each job.
async fn serve_by_handles(pool: &Pool, connection: TcpStream) -> Result<(), Failure> {
    let (started, handles) = async_channel::unbounded();
    let mut jobs = jobs(connection.clone());
    let read = async move {
        while let Some((id, job)) = jobs.try_next().await? {
            // Waits while the queue is full, so a client that is too fast finds the connection full in turn.
            let handle = pool.execute_when_room(job.execute()).await?;
            started.send((id, handle)).await?;
        }
        Ok::<_, Failure>(())
    };

    let answers =
        handles.map(|(id, handle)| async move { Ok::<_, Infallible>((id, handle.await)) });
    let answers = parallel_stream(answers).concurrency(usize::MAX);
    let lines = answers.into_stream().map(|(_, answer)| match answer {
        Ok((id, Ok(value))) => format!("{id} is {value}\n"),
        Ok((id, Err(JobError::Failed(error)))) => format!("{id} failed: {error}\n"),
        Ok((id, Err(error))) => format!("{id} has no answer: {error}\n"),
    });
    try_join!(read, write(connection, lines))?;
    Ok(())
}

/// Serves a connection by feeding its jobs to the pool.
async fn serve_fed(pool: &Pool, connection: TcpStream) -> Result<(), Failure> {
    let (answers, lines) = async_channel::bounded(64);
    // A line that is no job ends the connection, once what came before is answered.
    let mut failure = None;
    let jobs = jobs(connection.clone()).scan((), |(), job| {
        std::future::ready(job.map_err(|error| failure = Some(error)).ok())
    });
    let tasks = jobs.map(move |(id, job)| {
        let answers = answers.clone();
        async move {
            let result = job.execute().await;
            let line = match &result {
                Ok(value) => format!("{id} is {value}\n"),
                Err(error) => format!("{id} failed: {error}\n"),
            };
            // Without a connection, nobody wants the answer.
            let _ = answers.send(line).await;
            result
        }
    });
    let feed = async { pool.feed(tasks).await.map_err(Failure::from) };
    try_join!(feed, write(connection, lines))?;
    failure.map_or(Ok(()), Err)
}

/// Writes lines to a connection, and closes it.
async fn write(
    mut connection: TcpStream,
    lines: impl Stream<Item = String>,
) -> Result<(), Failure> {
    let mut lines = pin!(lines);
    while let Some(line) = lines.next().await {
        connection.write_all(line.as_bytes()).await?;
    }
    Ok(connection.close().await?)
}

/// Returns what a client asks for, and what it should get.
fn question(id: u64) -> (String, String) {
    match id % 4 {
        0 => (
            format!("{id} remainder {id} 7"),
            format!("{id} is {}", id % 7),
        ),
        1 => (
            format!("{id} look {}", id % 500),
            format!("{id} is {}", id % 500),
        ),
        2 => (
            format!("{id} remainder {id} 0"),
            format!("{id} failed: nothing is divided by 0"),
        ),
        _ => (format!("{id} collatz 27"), format!("{id} is 111")),
    }
}

/// Sends all jobs, and checks that each is answered once and right.
async fn ask(address: SocketAddr, bar: ProgressBar) -> Result<(), Failure> {
    let connection = TcpStream::connect(address).await?;
    let mut sender = connection.clone();
    let send = async move {
        for id in 0..JOBS {
            let line = format!("{}\n", question(id).0);
            sender.write_all(line.as_bytes()).await?;
        }
        sender.write_all(b"close\n").await?;
        Ok::<_, Failure>(())
    };

    // At most 8 answers are checked at a time, and as many wait: beyond that, they stay in the connection.
    let wrong = Mutex::new(Vec::new());
    let missing = Mutex::new((0..JOBS).collect::<std::collections::HashSet<_>>());
    let (answers, checks) = channel_pool(8, 8, |line: String| {
        let (wrong, missing, bar) = (&wrong, &missing, &bar);
        async move {
            let id = line.split(' ').next().and_then(|id| id.parse().ok());
            let is_first = id.is_some_and(|id| missing.lock().unwrap().remove(&id));
            if !is_first || id.is_some_and(|id| question(id).1 != line) {
                wrong.lock().unwrap().push(line);
            }
            bar.inc(1);
        }
    });
    let receive = async move {
        let mut lines = BufReader::new(connection).lines();
        while let Some(line) = lines.try_next().await? {
            answers.send(line).await?;
        }
        Ok(())
    };
    let check = async {
        checks.await;
        Ok(())
    };
    try_join!(send, receive, check)?;
    bar.finish();

    match (wrong.into_inner()?.as_slice(), missing.into_inner()?.len()) {
        ([], 0) => Ok(()),
        ([], missing) => Err(format!("{missing} jobs were not answered").into()),
        ([first, ..], _) => Err(format!("a wrong answer: {first}").into()),
    }
}

/// Returns a bar as long as there are jobs. It shows on terminals only.
fn progress_bar(prefix: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>10} [{bar:40}] {pos:>4}/{len} {per_sec}")
        .expect("the template is well-formed")
        .progress_chars("=> ");
    ProgressBar::new(JOBS).with_style(style).with_prefix(prefix)
}

fn main() -> Result<(), Failure> {
    smol::block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        println!("serving on {address}");

        let builder = Pool::builder().worker_count(32).queue_capacity(256);
        let (pool, driver) = builder.measure_queue_time(true).build();
        let driver = smol::spawn(driver);
        for name in ["by handles", "fed"] {
            let begin = Instant::now();
            let client = smol::spawn(ask(address, progress_bar(name)));
            let (connection, _) = listener.accept().await?;
            match name {
                "fed" => serve_fed(&pool, connection).await?,
                _ => serve_by_handles(&pool, connection).await?,
            }
            client.await?;
            println!(
                "{name}: {JOBS} answers are right, after {:.2?}",
                begin.elapsed()
            );
        }
        pool.shutdown().await;
        driver.await;

        let stats = pool.stats();
        println!(
            "{} jobs, {} of them failed; {:.2?} of work in all, and at most {:.2?} in the queue",
            stats.total_executed, stats.total_failed, stats.total_duration, stats.max_queue_time
        );
        assert_eq!(
            (stats.total_executed, stats.total_failed),
            (2 * JOBS, JOBS / 2)
        );
        Ok(())
    })
}
