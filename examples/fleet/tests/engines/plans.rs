//! What PostgreSQL makes of the statements.

use fleet::{PostgresQueue, Runtime};
use tokio_postgres::{Config, NoTls};

use crate::support::{self, Fleet};

/// A take that reads the whole table is forty times as slow with 40,000 jobs, and slower with more.
#[test]
fn a_take_reads_no_whole_table() {
    support::run(
        Runtime::Tokio,
        1000,
        |fleet: Fleet<PostgresQueue>| async move {
            let config: Config = fleet.server.url().parse().expect("the URL is right");
            let address = format!("127.0.0.1:{}", fleet.server.port());
            let socket = fleet.runtime.connect(&address).await.expect("it listens");
            let (client, connection) = config.connect_raw(socket, NoTls).await.expect("it runs");
            fleet.runtime.spawn(async move { drop(connection.await) });

            // The one plan for all limits, of a table that the planner has never looked at, and of one that it has.
            let take = include_str!("../../src/postgres/take.sql");
            let prepare = format!(
            "INSERT INTO fleet_jobs (id, work) SELECT id, 'wait 0' FROM generate_series(1, 40000) AS id;
             SET plan_cache_mode = force_generic_plan;
             PREPARE take (bigint, text, float8) AS {take};"
        );
            client.batch_execute(&prepare).await.expect("it is SQL");
            for look in ["", "ANALYZE"] {
                client.batch_execute(look).await.expect("it is SQL");
                let explain = "EXPLAIN EXECUTE take (64, 'test', 1)";
                let lines = client.query(explain, &[]).await.expect("it is SQL");
                let plan: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
                let is_whole = plan.iter().any(|line| line.contains("Seq Scan"));
                assert!(!is_whole, "{plan:#?}");
            }
        },
    );
}
