//! The patterns, each next to the same operations one after another.

use std::future::Future;
use std::io;
use std::time::{Duration, Instant};

use abreast::{
    ParallelResult, RaceError, RaceResult, TaskGroupError, batched, fall_through, gather, paginate,
    parallel, parallel_stream, race, task_group, timeout,
};
use futures::StreamExt;

use crate::client::{Client, Error, Resource, Runtime};
use crate::server::{AGENT_CLASSES, DEFINITIONS, Server, dead_address};

/// Starts the control plane, and has `run` run the demonstration.
pub(crate) fn show(title: &str, run: impl FnOnce(Demonstration)) -> io::Result<()> {
    println!("A dashboard, by {title}");
    let demonstration = Demonstration {
        server: Server::start(Duration::ZERO)?,
        slow_replica: Server::start(Duration::from_millis(200))?,
    };
    run(demonstration);
    Ok(())
}

/// All data needed for the dashboard. What could not be fetched is left out, and reported.
#[derive(Debug, Default)]
struct Dashboard {
    health_status: Option<String>,
    agent_class_count: usize,
    definition_count: usize,
    provider_count: usize,
    deployment_count: usize,
    recent_classes: Vec<Resource>,
    recent_deployments: Vec<Resource>,
    errors: Vec<String>,
}

impl Dashboard {
    fn print(&self) {
        let health = self.health_status.as_deref();
        println!("  Health: {}", health.unwrap_or("unknown"));
        println!("  Classes: {}", self.agent_class_count);
        println!("  Definitions: {}", self.definition_count);
        println!("  Providers: {}", self.provider_count);
        println!("  Deployments: {}", self.deployment_count);
        let recent: Vec<_> = self
            .recent_classes
            .iter()
            .chain(&self.recent_deployments)
            .collect();
        if let (Some(first), Some(last)) = (recent.first(), recent.last()) {
            println!(
                "  Recent: {} from {} to {}",
                recent.len(),
                first.name,
                last.name
            );
        }
        println!("  Errors: {:?}", self.errors);
    }
}

/// The servers, and what is done to them.
#[derive(Debug)]
pub(crate) struct Demonstration {
    server: Server,
    slow_replica: Server,
}

impl Demonstration {
    pub(crate) async fn run<R: Runtime>(self, runtime: R) {
        let client = Client::new(runtime.clone(), self.server.address);

        heading("Pattern 1: gather");
        show_gather(&client).await;
        heading("Pattern 2: task group");
        show_task_group(&client).await;
        heading("Pattern 3: fan out from pages");
        show_fan_out(&client).await;
        heading("Pattern 4: chunks");
        show_chunks(&client).await;
        heading("Pattern 5: first completed");
        self.show_first_completed(&runtime).await;
        heading("Pattern 6: a timeout for each operation");
        show_timeouts(&client).await;
    }

    /// A dead replica, a slow one and a quick one, asked from the cheapest way to the fastest.
    async fn show_first_completed<R: Runtime>(&self, runtime: &R) {
        let dead = dead_address().expect("there are ports");
        let addresses = [dead, self.slow_replica.address, self.server.address];
        let clients = addresses.map(|address| Client::new(runtime.clone(), address));
        let requests = || self.slow_replica.requests() + self.server.requests();
        let asked = || clients.iter().map(Client::health);
        let timer = clients[0].timer();
        let delay = Duration::from_millis(50);

        let mut before = requests();
        let mut report = |name: &str, (winner, took): (Result<RaceResult<_>, RaceError<_>>, _)| {
            let winner = winner.expect("two of three replicas live");
            let sent = requests() - before;
            before = requests();
            let (index, health) = (winner.winner_index, winner.value);
            println!("  {name:<13} replica {index} is {health}: {took:>7.1?}, {sent} requests");
            assert_ne!(index, 0, "nobody listens there");
        };
        report(
            "fall_through",
            timed(async { fall_through(asked()).await }).await,
        );
        let staggered = async { race(asked()).stagger(delay, timer).await };
        report("staggered", timed(staggered).await);
        report("race", timed(async { race(asked()).await }).await);
    }
}

async fn show_gather<R: Runtime>(client: &Client<R>) {
    let (data, took) = timed(dashboard_by_gather(client)).await;
    let ((), one_by_one) = timed(dashboard_one_by_one(client)).await;
    data.print();
    compare(took, one_by_one);
    assert_eq!(data.health_status.as_deref(), Some("healthy"));
    assert_eq!((data.agent_class_count, data.definition_count), (100, 100));
    assert_eq!(data.errors.len(), 2, "{:?}", data.errors);
}

async fn show_task_group<R: Runtime>(client: &Client<R>) {
    let mut data = Dashboard::default();
    let (result, took) = timed(dashboard_by_task_group(client, &mut data)).await;
    for (_, error) in result.expect_err("two endpoints fail") {
        data.errors.push(error.to_string());
    }
    data.print();
    println!("  {took:.1?}: all or nothing, so the first failure drops the rest");
    assert_eq!(data.errors, ["status 503"]);

    let mut data = Dashboard::default();
    let (result, took) = timed(group_without_the_dead(client, &mut data)).await;
    let (_, one_by_one) = timed(living_one_by_one(client)).await;
    println!("  Without the dead endpoint, now that the failing one has recovered:");
    data.print();
    compare(took, one_by_one);
    result.expect("all endpoints are there");
    assert_eq!((data.agent_class_count, data.deployment_count), (100, 5));
}

async fn show_fan_out<R: Runtime>(client: &Client<R>) {
    let (result, took) = timed(analyze_definitions(client, 20)).await;
    let (same, one_by_one) = timed(analyze_definitions(client, 1)).await;
    println!(
        "  Processed {} definitions, 20 at a time",
        result.success_count()
    );
    for (index, error) in result.failures() {
        println!("  definition {index} failed: {error}");
    }
    compare(took, one_by_one);
    assert_eq!(result.len(), DEFINITIONS);
    assert_eq!((result.failure_count(), same.failure_count()), (4, 4));
}

async fn show_chunks<R: Runtime>(client: &Client<R>) {
    let ids: Vec<_> = [17, 4, 233, AGENT_CLASSES]
        .into_iter()
        .chain(30..61)
        .collect();
    let (result, took) = timed(in_chunks(client, &ids)).await;
    let classes = ids.iter().map(|id| client.get_agent_class(*id));
    let classes = async { parallel(classes).concurrency(1).await };
    let (_, one_by_one) = timed(classes).await;
    println!(
        "  {} of {} classes, 10 at a time",
        result.success_count(),
        ids.len()
    );
    for (index, error) in result.failures() {
        println!("  class {} failed: {error}", ids[index]);
    }
    println!(
        "  {took:.1?}, of which 300ms are pauses; {one_by_one:.1?} one after another without any"
    );
    assert!(result.failures().map(|(index, _)| index).eq([3]));
}

async fn show_timeouts<R: Runtime>(client: &Client<R>) {
    let (data, took) = timed(dashboard_with_timeouts(client)).await;
    data.print();
    println!("  {took:.1?}: no operation takes longer than it may");
    assert!(data.health_status.is_some(), "there is a default");
}

/// Pattern 1: a fixed set of different tasks, of which some may fail.
async fn dashboard_by_gather<R: Runtime>(client: &Client<R>) -> Dashboard {
    let (health, classes, definitions, providers, deployments) = gather((
        client.health(),
        client.list_agent_classes(100, 0),
        client.list_agent_definitions(100, 0),
        client.list_model_providers(100, 0),
        client.list_deployments(5, 0),
    ))
    .await;

    let mut data = Dashboard::default();
    match health {
        Ok(status) => data.health_status = Some(status),
        Err(error) => data.errors.push(format!("Health check failed: {error}")),
    }
    match classes {
        Ok(classes) => {
            data.agent_class_count = classes.len();
            data.recent_classes = classes.into_iter().take(5).collect();
        }
        Err(error) => data
            .errors
            .push(format!("Failed to fetch classes: {error}")),
    }
    match definitions {
        Ok(definitions) => data.definition_count = definitions.len(),
        Err(error) => data
            .errors
            .push(format!("Failed to fetch definitions: {error}")),
    }
    match providers {
        Ok(providers) => data.provider_count = providers.len(),
        Err(error) => data
            .errors
            .push(format!("Failed to fetch providers: {error}")),
    }
    match deployments {
        Ok(deployments) => {
            data.deployment_count = deployments.len();
            data.recent_deployments = deployments;
        }
        Err(error) => data
            .errors
            .push(format!("Failed to fetch deployments: {error}")),
    }
    data
}

async fn dashboard_one_by_one<R: Runtime>(client: &Client<R>) {
    _ = client.health().await;
    _ = client.list_agent_classes(100, 0).await;
    _ = client.list_agent_definitions(100, 0).await;
    _ = client.list_model_providers(100, 0).await;
    _ = client.list_deployments(5, 0).await;
}

/// Pattern 2: all or nothing. Each task writes what it has fetched to its own part of the data.
async fn dashboard_by_task_group<R: Runtime>(
    client: &Client<R>,
    data: &mut Dashboard,
) -> Result<(), TaskGroupError<Error>> {
    task_group(async |group| {
        group.spawn(async {
            data.health_status = Some(client.health().await?);
            Ok::<_, Error>(())
        });
        group.spawn(async {
            let classes = client.list_agent_classes(100, 0).await?;
            data.agent_class_count = classes.len();
            data.recent_classes = classes.into_iter().take(5).collect();
            Ok::<_, Error>(())
        });
        group.spawn(async {
            data.definition_count = client.list_agent_definitions(100, 0).await?.len();
            Ok::<_, Error>(())
        });
        group.spawn(async {
            data.provider_count = client.list_model_providers(100, 0).await?.len();
            Ok::<_, Error>(())
        });
        group.spawn(async {
            data.recent_deployments = client.list_deployments(5, 0).await?;
            data.deployment_count = data.recent_deployments.len();
            Ok::<_, Error>(())
        });
        Ok(())
    })
    .await
}

/// Pattern 2 once more, with the values by handles.
async fn group_without_the_dead<R: Runtime>(
    client: &Client<R>,
    data: &mut Dashboard,
) -> Result<(), TaskGroupError<Error>> {
    task_group(async |group| {
        let health = group.spawn(client.health());
        let classes = group.spawn(client.list_agent_classes(100, 0));
        let definitions = group.spawn(client.list_agent_definitions(100, 0));
        let deployments = group.spawn(client.list_deployments(5, 0));
        data.health_status = Some(health.await);
        data.agent_class_count = classes.await.len();
        data.definition_count = definitions.await.len();
        data.recent_deployments = deployments.await;
        data.deployment_count = data.recent_deployments.len();
        Ok(())
    })
    .await
}

async fn living_one_by_one<R: Runtime>(client: &Client<R>) -> Result<(), Error> {
    client.health().await?;
    client.list_agent_classes(100, 0).await?;
    client.list_agent_definitions(100, 0).await?;
    _ = client.list_deployments(5, 0).await;
    Ok(())
}

/// Pattern 3: page through all items, and process each. A page that fails is a task that fails.
async fn analyze_definitions<R: Runtime>(
    client: &Client<R>,
    concurrency: usize,
) -> ParallelResult<String, Error> {
    let definitions = paginate(|limit, offset| client.list_agent_definitions(limit, offset));
    let tasks = definitions.map(|definition| async move { client.analyze(definition?).await });
    parallel_stream(tasks).concurrency(concurrency).await
}

/// Pattern 4: a chunk at a time, with a pause between chunks, for services that limit the rate of requests.
async fn in_chunks<R: Runtime>(
    client: &Client<R>,
    ids: &[usize],
) -> ParallelResult<Resource, Error> {
    batched(ids, |id| client.get_agent_class(*id))
        .batch_size(10)
        .pause(Duration::from_millis(100), client.timer())
        .settle()
        .await
}

/// Pattern 6: a timeout and a default for each task.
async fn dashboard_with_timeouts<R: Runtime>(client: &Client<R>) -> Dashboard {
    let timer = client.timer();
    let limit = Duration::from_millis(100);
    let unknown = Ok("unknown".to_owned());
    let (health, classes, providers) = gather((
        timeout(limit, timer, client.health()).or(unknown),
        timeout(limit, timer, client.list_agent_classes(100, 0)).or(Ok(vec![])),
        timeout(limit, timer, client.list_model_providers(100, 0)).or(Ok(vec![])),
    ))
    .await;

    let mut data = Dashboard::default();
    for error in [
        health.as_ref().err(),
        classes.as_ref().err(),
        providers.as_ref().err(),
    ] {
        data.errors.extend(error.map(ToString::to_string));
    }
    data.health_status = health.ok();
    data.agent_class_count = classes.map_or(0, |classes| classes.len());
    data.provider_count = providers.map_or(0, |providers| providers.len());
    data
}

fn heading(title: &str) {
    println!("\n=== {title} ===");
}

async fn timed<F: Future>(future: F) -> (F::Output, Duration) {
    let start = Instant::now();
    (future.await, start.elapsed())
}

fn compare(took: Duration, one_by_one: Duration) {
    let times = one_by_one.as_secs_f64() / took.as_secs_f64();
    println!("  {took:.1?}; {one_by_one:.1?} one after another, {times:.1} times as long");
}
