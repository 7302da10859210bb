//! A job server. Lines of work arrive on a connection, a pool executes them, and answers go back as they finish, each with
//! the id of its job. The line `close` drains the pool and shuts it down. A client sends 10,000 jobs and checks every answer.
//!
//! Run with `cargo run --example pool`.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::time::{Duration, Instant};

use abreast::{JobError, Pool, parallel_stream};
use futures::{StreamExt, try_join};
use smol::Timer;
use smol::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use smol::net::{TcpListener, TcpStream};

type Failure = Box<dyn Error + Send + Sync>;

const JOBS: u64 = 10_000;

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

/// Serves one connection until it says `close`, or is closed.
async fn serve(pool: &Pool, connection: TcpStream) -> Result<(), Failure> {
    let mut lines = BufReader::new(connection.clone()).lines();
    let (started, handles) = async_channel::unbounded();
    let read = async move {
        while let Some(line) = lines.next().await.transpose()? {
            if line == "close" {
                break;
            }
            let (id, job) = Job::parse(&line)?;
            // Waits while the queue is full, so a client that is too fast finds the connection full in turn.
            let handle = pool.execute_when_room(job.execute()).await?;
            started.send((id, handle)).await?;
        }
        Ok::<_, Failure>(())
    };

    let mut connection = connection;
    let write = async move {
        let answers =
            handles.map(|(id, handle)| async move { Ok::<_, Infallible>((id, handle.await)) });
        let answers = parallel_stream(answers).concurrency(usize::MAX);
        let mut answers = pin!(answers.into_stream());
        while let Some((_, Ok((id, result)))) = answers.next().await {
            let line = match result {
                Ok(value) => format!("{id} is {value}\n"),
                Err(JobError::Failed(error)) => format!("{id} failed: {error}\n"),
                Err(error) => format!("{id} has no answer: {error}\n"),
            };
            connection.write_all(line.as_bytes()).await?;
        }
        connection.close().await?;
        Ok(())
    };
    try_join!(read, write)?;
    Ok(())
}

/// What the client asks for, and what it is to be told.
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

/// Sends all jobs, and checks that each is answered once and right. Gives the number of answers that overtook another.
async fn ask(connection: TcpStream) -> Result<usize, Failure> {
    let mut sender = connection.clone();
    let send = async {
        for id in 0..JOBS {
            sender
                .write_all(format!("{}\n", question(id).0).as_bytes())
                .await?;
        }
        sender.write_all(b"close\n").await?;
        Ok::<_, Failure>(())
    };
    let receive = async {
        let mut expected: HashMap<u64, String> = (0..JOBS).map(|id| (id, question(id).1)).collect();
        let mut lines = BufReader::new(connection.clone()).lines();
        let (mut last, mut overtaken) = (0, 0);
        while let Some(line) = lines.next().await.transpose()? {
            let id: u64 = line.split(' ').next().unwrap_or_default().parse()?;
            let answer = expected
                .remove(&id)
                .ok_or_else(|| format!("{id} was answered twice"))?;
            if answer != line {
                return Err(format!("{line}, but {answer}").into());
            }
            overtaken += usize::from(id < last);
            last = id;
        }
        match expected.len() {
            0 => Ok(overtaken),
            missing => Err(format!("{missing} jobs were not answered").into()),
        }
    };
    Ok(try_join!(send, receive)?.1)
}

/// Prints the figures of the pool as long as it is open.
async fn watch(pool: Pool) {
    let begin = Instant::now();
    while !pool.is_closed() {
        let stats = pool.stats();
        println!(
            "{:>6.2?}: {:>5} executed ({} failed), {:>3} queued, {:>2} of {} workers active",
            begin.elapsed(),
            stats.total_executed,
            stats.total_failed,
            stats.queue_length,
            stats.active_workers,
            stats.worker_count,
        );
        Timer::after(Duration::from_millis(20)).await;
    }
}

fn main() -> Result<(), Failure> {
    smol::block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        println!("serving on {address}");

        let (pool, driver) = Pool::builder().worker_count(32).queue_capacity(256).build();
        let driver = smol::spawn(driver);
        let watcher = smol::spawn(watch(pool.clone()));
        let client = smol::spawn(async move { ask(TcpStream::connect(address).await?).await });

        let (connection, _) = listener.accept().await?;
        serve(&pool, connection).await?;
        pool.drain().await;
        pool.shutdown().await;
        driver.await;
        watcher.await;

        let overtaken = client.await?;
        let stats = pool.stats();
        println!(
            "{JOBS} answers are right, {overtaken} of them after a later one; {:.2?} of work in all",
            stats.total_duration
        );
        assert_eq!((stats.total_executed, stats.total_failed), (JOBS, JOBS / 4));
        Ok(())
    })
}
