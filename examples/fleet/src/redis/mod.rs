//! A queue in Redis Streams.
//!
//! | key | type | holds |
//! |---|---|---|
//! | `fleet:jobs` | stream, with the group `workers` | jobs that are neither done nor dead |
//! | `fleet:dead` | stream | dead letters, each with its number of attempts and its last error |
//! | `fleet:submitted` | set | the names of all jobs ever submitted |
//! | `fleet:results` | hash | the result of each job |
//! | `fleet:counters` | hash | what the keys above do not tell: done, failed, redelivered, unfinished |
//!
//! The list of pending entries of the group is the list of leases: an entry's consumer is the worker that holds it, its
//! idle time says for how long the worker has not been heard of, and its delivery count is the number of attempts. Jobs
//! that were given back are pending, too, with a consumer that stands for no worker; their idle time is set such that
//! they are free when their delay is over. What changes a lease is a script, so that it is done as a whole or not at
//! all.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::streams::{
    StreamInfoConsumersReply, StreamRangeReply, StreamReadOptions, StreamReadReply,
};
use redis::{AsyncCommands, AsyncConnectionConfig, Client, RedisResult, Script, ScriptInvocation};

use crate::link::{Link, PATIENCE};
use crate::queue::{Admin, Counts, Delivery, Error, GiveBack, Job, Queue, Results};

const JOBS: &str = "fleet:jobs";
const DEAD: &str = "fleet:dead";
const SUBMITTED: &str = "fleet:submitted";
const RESULTS: &str = "fleet:results";
const COUNTERS: &str = "fleet:counters";

/// The consumer group of all workers.
const GROUP: &str = "workers";

/// The consumer of jobs that were given back.
const NOBODY: &str = "given-back";

/// How long a read waits for new jobs. Between two reads a worker looks for jobs to redeliver, and whether it has to
/// stop.
const BLOCK: Duration = Duration::from_millis(200);

/// A worker's view of the queue, or a coordinator's.
#[derive(Debug)]
pub struct RedisQueue {
    consumer: String,
    lease: Duration,
    commands: Link<MultiplexedConnection>,
    /// A connection of its own for reads that wait: whatever shared it would wait behind them.
    reads: Link<MultiplexedConnection>,
    reclaim: Mutex<Reclaim>,
    scripts: Scripts,
}

/// The way through the list of pending entries in search of ended leases.
#[derive(Debug)]
struct Reclaim {
    /// The entry to go on from.
    cursor: String,
    /// When to look again, after having come to the end of the list.
    due: Instant,
}

/// An entry that was reclaimed, with its delivery count and its fields.
type Reclaimed = (String, u32, HashMap<String, String>);

#[derive(Debug)]
struct Scripts {
    acknowledge: Script,
    bury: Script,
    extend: Script,
    reclaim: Script,
    retry: Script,
    submit: Script,
    unfinished: Script,
}

/// Reads a script that ends or extends a lease.
macro_rules! lease_script {
    ($file:literal) => {
        Script::new(concat!(include_str!("held.lua"), include_str!($file)))
    };
}

impl RedisQueue {
    /// Creates the view of a worker. It connects when it has to, under the runtime that it is polled by.
    ///
    /// The name has to be unique among the workers, and `lease` the same for all of them.
    ///
    /// # Errors
    /// If the URL is malformed.
    pub fn new(url: &str, worker: &str, lease: Duration) -> Result<Self, Error> {
        let client = Client::open(url)?;
        Ok(Self {
            consumer: worker.to_owned(),
            lease,
            commands: link(&client, PATIENCE),
            // The client gives up on an answer after half a second unless told otherwise.
            reads: link(&client, BLOCK + PATIENCE),
            reclaim: Mutex::new(Reclaim {
                cursor: START.to_owned(),
                due: Instant::now(),
            }),
            scripts: Scripts {
                acknowledge: lease_script!("acknowledge.lua"),
                bury: lease_script!("bury.lua"),
                extend: lease_script!("extend.lua"),
                reclaim: Script::new(include_str!("reclaim.lua")),
                retry: lease_script!("retry.lua"),
                submit: Script::new(include_str!("submit.lua")),
                unfinished: lease_script!("unfinished.lua"),
            },
        })
    }

    /// Takes jobs that were given back, or whose lease has ended.
    async fn reclaim(&self, limit: usize) -> Result<Vec<Delivery>, Error> {
        let cursor = {
            let reclaim = self.reclaim.lock().expect("nothing panics under this lock");
            if reclaim.due > Instant::now() {
                return Ok(Vec::new());
            }
            reclaim.cursor.clone()
        };
        let mut call = self.scripts.reclaim.prepare_invoke();
        call.key(JOBS).key(COUNTERS);
        call.arg(GROUP).arg(&self.consumer).arg(millis(self.lease));
        call.arg(cursor).arg(limit);
        let (cursor, entries): (String, Vec<Reclaimed>) = self.invoke(&call).await?;

        let mut reclaim = self.reclaim.lock().expect("nothing panics under this lock");
        if cursor == START {
            reclaim.due = Instant::now() + BLOCK;
        }
        reclaim.cursor = cursor;
        Ok(entries
            .into_iter()
            .map(|(entry, attempt, fields)| delivery(entry, attempt, &fields))
            .collect())
    }

    /// Prepares a script that ends or extends a lease.
    fn lease<'a>(&self, script: &'a Script, delivery: &Delivery) -> ScriptInvocation<'a> {
        let mut call = script.prepare_invoke();
        call.key(JOBS).key(COUNTERS).key(DEAD);
        call.arg(GROUP).arg(&self.consumer);
        call.arg(&delivery.receipt).arg(delivery.attempt);
        call
    }

    async fn invoke<T: redis::FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, Error> {
        self.commands
            .with(|mut connection| async move { call.invoke_async(&mut connection).await })
            .await
    }
}

/// Where the search for ended leases starts, and what says that it has come to the end.
const START: &str = "0-0";

fn link(client: &Client, patience: Duration) -> Link<MultiplexedConnection> {
    let client = client.clone();
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(patience));
    Link::new(move || {
        let (client, config) = (client.clone(), config.clone());
        async move {
            let connecting = client.get_multiplexed_async_connection_with_config(&config);
            Ok(connecting.await?)
        }
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn delivery(receipt: String, attempt: u32, fields: &HashMap<String, String>) -> Delivery {
    let field = |name| fields.get(name).cloned().unwrap_or_default();
    Delivery {
        job: Job {
            id: field("id").parse().unwrap_or_default(),
            work: field("work"),
        },
        attempt,
        receipt,
    }
}

impl Queue for RedisQueue {
    async fn take(&self, limit: usize) -> Result<Vec<Delivery>, Error> {
        let reclaimed = self.reclaim(limit).await?;
        if !reclaimed.is_empty() {
            return Ok(reclaimed);
        }
        let block = usize::try_from(millis(BLOCK)).expect("it is short");
        let options = StreamReadOptions::default()
            .group(GROUP, &self.consumer)
            .count(limit)
            .block(block);
        let reply: Option<StreamReadReply> = self
            .reads
            .with(|mut connection| async move {
                connection.xread_options(&[JOBS], &[">"], &options).await
            })
            .await?;
        let entries = reply.into_iter().flat_map(|reply| reply.keys);
        Ok(entries
            .flat_map(|key| key.ids)
            .map(|entry| {
                let fields = entry.map.iter().map(|(name, value)| {
                    (
                        name.clone(),
                        redis::from_redis_value_ref(value).unwrap_or_default(),
                    )
                });
                delivery(entry.id, 1, &fields.collect())
            })
            .collect())
    }

    async fn acknowledge(&self, delivery: &Delivery) -> Result<bool, Error> {
        self.invoke(&self.lease(&self.scripts.acknowledge, delivery))
            .await
    }

    async fn give_back(&self, delivery: &Delivery, reason: &GiveBack) -> Result<bool, Error> {
        let mut call;
        match reason {
            GiveBack::Unfinished => {
                call = self.lease(&self.scripts.unfinished, delivery);
                call.arg(NOBODY).arg(millis(self.lease));
            }
            GiveBack::Retry { after, .. } => {
                call = self.lease(&self.scripts.retry, delivery);
                // An entry cannot be idle for less than no time, so that a delay cannot be longer than a lease.
                call.arg(NOBODY)
                    .arg(millis(self.lease.saturating_sub(*after)));
            }
            GiveBack::Dead { error } => {
                call = self.lease(&self.scripts.bury, delivery);
                call.arg(error);
            }
        }
        self.invoke(&call).await
    }

    async fn extend(&self, delivery: &Delivery) -> Result<bool, Error> {
        self.invoke(&self.lease(&self.scripts.extend, delivery))
            .await
    }
}

impl Results for RedisQueue {
    async fn record(&self, job: u64, result: &str) -> Result<bool, Error> {
        self.commands
            .with(|mut connection| async move { connection.hset_nx(RESULTS, job, result).await })
            .await
    }

    async fn results(&self, jobs: &[u64]) -> Result<Vec<Option<String>>, Error> {
        self.commands
            .with(|mut connection| async move { connection.hmget(RESULTS, jobs).await })
            .await
    }
}

impl Admin for RedisQueue {
    async fn create(&self) -> Result<(), Error> {
        self.commands
            .with(|mut connection| async move {
                let made: RedisResult<()> =
                    connection.xgroup_create_mkstream(JOBS, GROUP, "0").await;
                match made {
                    Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
                    made => made,
                }
            })
            .await
    }

    async fn submit(&self, jobs: &[Job]) -> Result<u64, Error> {
        let mut call = self.scripts.submit.prepare_invoke();
        call.key(JOBS).key(SUBMITTED);
        for job in jobs {
            call.arg(job.id).arg(&job.work);
        }
        self.invoke(&call).await
    }

    async fn counts(&self) -> Result<Counts, Error> {
        type Reply = (
            u64,
            u64,
            StreamInfoConsumersReply,
            u64,
            HashMap<String, u64>,
        );
        let (submitted, unsettled, consumers, dead, counters): Reply = self
            .commands
            .with(|mut connection| async move {
                redis::pipe()
                    .atomic()
                    .scard(SUBMITTED)
                    .xlen(JOBS)
                    .xinfo_consumers(JOBS, GROUP)
                    .xlen(DEAD)
                    .hgetall(COUNTERS)
                    .query_async(&mut connection)
                    .await
            })
            .await?;
        let pending = consumers
            .consumers
            .into_iter()
            .map(|consumer| (consumer.name, consumer.pending as u64));
        let (nobody, mut in_flight): (Vec<_>, Vec<_>) =
            pending.partition(|(name, _)| name == NOBODY);
        in_flight.sort();
        let given_back = nobody.into_iter().map(|(_, pending)| pending).sum();
        let held: u64 = in_flight.iter().map(|(_, held)| held).sum();
        let counter = |name| counters.get(name).copied().unwrap_or_default();
        Ok(Counts {
            submitted,
            waiting: unsettled - given_back - held,
            given_back,
            in_flight,
            done: counter("done"),
            dead,
            failed: counter("failed"),
            unfinished: counter("unfinished"),
            redelivered: counter("redelivered"),
        })
    }

    async fn dead_letters(&self) -> Result<Vec<(u64, String)>, Error> {
        let letters: StreamRangeReply = self
            .commands
            .with(|mut connection| async move { connection.xrange_all(DEAD).await })
            .await?;
        let letters = letters.ids.into_iter().map(|entry| {
            let id = entry.get("id").unwrap_or_default();
            (id, entry.get("error").unwrap_or_default())
        });
        Ok(letters.collect())
    }
}
