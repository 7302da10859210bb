//! What the engine does by itself, by the benchmark that comes with it.

use std::process::{Command, Output};
use std::time::Duration;
use std::{env, process};

use super::{Anything, LEASE, backlog, fill};
use crate::runtime::Runtime;
use crate::servers::{self, Engine, Server};
use crate::work::Work;
use crate::{PostgresQueue, RedisQueue};

/// How many jobs the engine's own benchmark takes at a time, as a busy worker does.
const BATCH: u64 = 16;

/// Measures the engine by its own benchmark: jobs are taken, have their results recorded, and are done, by the commands
/// of a worker, with no worker in between.
pub(super) fn measure(engine: Engine, seconds: f64) -> Result<f64, Anything> {
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
    let take = include_str!("../postgres/take.sql")
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
