//! A queue in a table of PostgreSQL.
//!
//! A row of `fleet_jobs` is a job, from its submission on; `state` and `due` say whether a worker may take it. Each
//! transition is one statement in a file of this folder. What ends or extends a lease names the worker and the number
//! of the delivery, and so changes nothing once the job is another worker's.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use abreast::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

use crate::combined::Combined;
use crate::link::{Link, PATIENCE};
use crate::queue::{Admin, Counts, Delivery, Error, GiveBack, Job, Queue, Results};
use crate::runtime::Runtime;

/// How long a worker waits before it asks again for a job when there was none.
const POLL: Duration = Duration::from_millis(50);

/// A worker's view of the queue, or a coordinator's.
#[derive(Debug)]
pub struct PostgresQueue {
    runtime: Runtime,
    config: Config,
    /// The host and the port of the server.
    address: String,
    worker: String,
    lease: Duration,
    /// Commands on one connection are run one after another. What ends a lease is not to wait for those that take.
    takes: Link<Arc<Session>>,
    commands: Link<Arc<Session>>,
    /// What each job ends with: by itself, each would be a transaction. A job with the number of its delivery, or its
    /// result.
    acknowledgements: Combined<(i64, i32), bool>,
    records: Combined<(i64, String), bool>,
}

/// A connection, and what has been prepared on it.
#[derive(Debug)]
struct Session {
    client: Client,
    acknowledge: Statement,
    bury: Statement,
    extend: Statement,
    record: Statement,
    retry: Statement,
    take: Statement,
    unfinished: Statement,
}

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

impl PostgresQueue {
    /// Creates the view of a worker. It connects when it has to, under `runtime`.
    ///
    /// The name has to be unique among the workers, and `lease` the same for all of them.
    ///
    /// # Errors
    /// If the URL is malformed.
    pub fn new(runtime: Runtime, url: &str, worker: &str, lease: Duration) -> Result<Self, Error> {
        let config: Config = url.parse()?;
        let address = url
            .split_once('@')
            .and_then(|(_, rest)| rest.split('/').next())
            .filter(|address| address.contains(':'))
            .ok_or_else(|| Error::Address(url.to_owned()))?;
        let link = || {
            let (config, address) = (config.clone(), address.to_owned());
            Link::new(move || {
                let opening = Session::open(runtime, config.clone(), address.clone());
                bounded(runtime, opening)
            })
        };
        Ok(Self {
            runtime,
            worker: worker.to_owned(),
            lease,
            takes: link(),
            commands: link(),
            acknowledgements: Combined::new(),
            records: Combined::new(),
            address: address.to_owned(),
            config,
        })
    }

    /// Runs a command on one of the connections.
    async fn with<T, Fut>(
        &self,
        link: &Link<Arc<Session>>,
        command: impl FnOnce(Arc<Session>) -> Fut,
    ) -> Result<T, Error>
    where
        Fut: Future<Output = Result<T, tokio_postgres::Error>>,
    {
        let runtime = self.runtime;
        link.with(|session| {
            let answer = command(session);
            bounded(runtime, async move { Ok(answer.await?) })
        })
        .await
    }

    /// Runs a statement that ends or extends a lease. Resolves to whether there was one.
    async fn settle(
        &self,
        statement: impl Fn(&Session) -> &Statement,
        delivery: &Delivery,
        more: Parameters<'_>,
    ) -> Result<bool, Error> {
        let id = key(delivery.job.id);
        let number = number(delivery);
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&id, &self.worker, &number];
        parameters.extend_from_slice(more);
        let rows = self
            .with(&self.commands, |session| async move {
                let statement = statement(&session);
                session.client.execute(statement, &parameters).await
            })
            .await?;
        Ok(rows == 1)
    }

    /// Runs a statement that returns the ids of the rows that it changed. Resolves to whether it changed each of `ids`.
    async fn change_each(
        &self,
        statement: impl Fn(&Session) -> &Statement,
        ids: &[i64],
        parameters: Parameters<'_>,
    ) -> Result<Vec<bool>, Error> {
        let rows =
            self.commands
                .with(|session| async move {
                    session.client.query(statement(&session), parameters).await
                })
                .await?;
        let mut changed: HashSet<i64> = rows.iter().map(|row| row.get(0)).collect();
        // Only the first of two that are the same has changed it.
        Ok(ids.iter().map(|id| changed.remove(id)).collect())
    }
}

impl Session {
    /// Connects, and prepares all statements at once: they are answered together.
    async fn open(runtime: Runtime, config: Config, address: String) -> Result<Arc<Self>, Error> {
        let client = connect(runtime, &config, &address).await?;
        let prepare = |sql| client.prepare(sql);
        let (take, acknowledge, extend, retry, unfinished, bury, record) = abreast::try_gather((
            prepare(include_str!("take.sql")),
            prepare(include_str!("acknowledge.sql")),
            prepare(include_str!("extend.sql")),
            prepare(include_str!("retry.sql")),
            prepare(include_str!("unfinished.sql")),
            prepare(include_str!("bury.sql")),
            prepare(include_str!("record.sql")),
        ))
        .await?;
        Ok(Arc::new(Self {
            client,
            acknowledge,
            bury,
            extend,
            record,
            retry,
            take,
            unfinished,
        }))
    }
}

/// Gives up on a server that does not answer: the client would wait for ever.
async fn bounded<T>(
    runtime: Runtime,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let answer = timeout(PATIENCE, runtime.timer(), answer).await;
    answer.unwrap_or(Err(Error::Silent))
}

/// Connects, and has the runtime look after the connection.
async fn connect(runtime: Runtime, config: &Config, address: &str) -> Result<Client, Error> {
    let socket = runtime.connect(address).await?;
    let (client, connection) = config.connect_raw(socket, NoTls).await?;
    // It ends when the client is dropped, or with an error that each command reports as well.
    runtime.spawn(async move { drop(connection.await) });
    Ok(client)
}

/// Returns the key of a job: the engine has no unsigned numbers.
fn key(job: u64) -> i64 {
    job.cast_signed()
}

/// Returns the number of a delivery: of all those of its job, not only of those that were attempts.
fn number(delivery: &Delivery) -> i32 {
    delivery.receipt.parse().unwrap_or_default()
}

fn delivery(row: &Row) -> Delivery {
    let (attempt, deliveries): (i32, i32) = (row.get("attempt"), row.get("deliveries"));
    Delivery {
        job: Job {
            id: row.get::<_, i64>("id").cast_unsigned(),
            work: row.get("work"),
        },
        attempt: attempt.unsigned_abs(),
        receipt: deliveries.to_string(),
    }
}

impl Queue for PostgresQueue {
    async fn take(&self, limit: usize) -> Result<Vec<Delivery>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let lease = self.lease.as_secs_f64();
        let rows = self
            .with(&self.takes, |session| async move {
                let parameters: Parameters<'_> = &[&limit, &self.worker, &lease];
                session.client.query(&session.take, parameters).await
            })
            .await?;
        if rows.is_empty() {
            self.runtime.sleep(POLL).await;
        }
        Ok(rows.iter().map(delivery).collect())
    }

    async fn acknowledge(&self, delivery: &Delivery) -> Result<bool, Error> {
        let batch = |deliveries: Vec<(i64, i32)>| async move {
            let (ids, numbers): (Vec<_>, Vec<_>) = deliveries.into_iter().unzip();
            let parameters: Parameters<'_> = &[&ids, &self.worker, &numbers];
            self.change_each(|session| &session.acknowledge, &ids, parameters)
                .await
        };
        let delivery = (key(delivery.job.id), number(delivery));
        self.acknowledgements.run(delivery, batch).await
    }

    async fn give_back(&self, delivery: &Delivery, reason: &GiveBack) -> Result<bool, Error> {
        match reason {
            GiveBack::Unfinished => {
                self.settle(|session| &session.unfinished, delivery, &[])
                    .await
            }
            GiveBack::Retry { after, error } => {
                let after = after.as_secs_f64();
                self.settle(|session| &session.retry, delivery, &[&after, error])
                    .await
            }
            GiveBack::Dead { error } => {
                self.settle(|session| &session.bury, delivery, &[error])
                    .await
            }
        }
    }

    async fn extend(&self, delivery: &Delivery) -> Result<bool, Error> {
        let lease = self.lease.as_secs_f64();
        self.settle(|session| &session.extend, delivery, &[&lease])
            .await
    }
}

impl Results for PostgresQueue {
    async fn record(&self, job: u64, result: &str) -> Result<bool, Error> {
        let batch = |records: Vec<(i64, String)>| async move {
            let (ids, results): (Vec<_>, Vec<_>) = records.into_iter().unzip();
            let parameters: Parameters<'_> = &[&ids, &results];
            self.change_each(|session| &session.record, &ids, parameters)
                .await
        };
        self.records.run((key(job), result.to_owned()), batch).await
    }

    async fn results(&self, jobs: &[u64]) -> Result<Vec<Option<String>>, Error> {
        let keys: Vec<_> = jobs.iter().copied().map(key).collect();
        let sql = "SELECT result FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (job, place)
                   LEFT JOIN fleet_results USING (job) ORDER BY place";
        let rows = self
            .with(&self.commands, |session| async move {
                session.client.query(sql, &[&keys]).await
            })
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

impl Admin for PostgresQueue {
    async fn create(&self) -> Result<(), Error> {
        let client = connect(self.runtime, &self.config, &self.address).await?;
        Ok(client.batch_execute(include_str!("create.sql")).await?)
    }

    async fn submit(&self, jobs: &[Job]) -> Result<u64, Error> {
        let keys: Vec<_> = jobs.iter().map(|job| key(job.id)).collect();
        let works: Vec<_> = jobs.iter().map(|job| job.work.as_str()).collect();
        let sql = include_str!("submit.sql");
        self.with(&self.commands, |session| async move {
            session.client.execute(sql, &[&keys, &works]).await
        })
        .await
    }

    async fn counts(&self) -> Result<Counts, Error> {
        let sql = include_str!("counts.sql");
        let rows = self
            .with(&self.commands, |session| async move {
                session.client.query(sql, &[]).await
            })
            .await?;
        let mut counts = Counts::default();
        for row in rows {
            let number = |column| row.get::<_, i64>(column).cast_unsigned();
            let jobs = number("jobs");
            counts.submitted += jobs;
            counts.failed += number("failed");
            counts.unfinished += number("unfinished");
            counts.redelivered += number("redelivered");
            match row.get("state") {
                "waiting" => counts.waiting = jobs,
                "given back" => counts.given_back = jobs,
                "leased" => counts.in_flight.push((row.get("holder"), jobs)),
                "done" => counts.done = jobs,
                _ => counts.dead = jobs,
            }
        }
        Ok(counts)
    }

    async fn dead_letters(&self) -> Result<Vec<(u64, String)>, Error> {
        let sql = "SELECT id, error FROM fleet_jobs WHERE state = 'dead' ORDER BY id";
        let rows = self
            .with(&self.commands, |session| async move {
                session.client.query(sql, &[]).await
            })
            .await?;
        let letters = rows
            .iter()
            .map(|row| (row.get::<_, i64>(0).cast_unsigned(), row.get(1)));
        Ok(letters.collect())
    }
}
