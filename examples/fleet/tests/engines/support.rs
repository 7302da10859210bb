//! A server, its queue and worker processes, for one test.

use std::future::Future;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use fleet::queue::{Admin, Counts, Error, Job, Queue, Results};
use fleet::servers::{self, Engine, Server};
use fleet::work::Work;
use fleet::{PostgresQueue, RedisQueue, Runtime, coordinator};
use rustix::process::Signal;

/// How long anything may take that is bound to happen. It is long because the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(40);

/// An engine as the tests need it.
pub(crate) trait Store: Queue + Results + Admin + Sized {
    const ENGINE: Engine;

    fn connect(runtime: Runtime, url: &str, worker: &str, lease: Duration) -> Result<Self, Error>;
}

impl Store for RedisQueue {
    const ENGINE: Engine = Engine::Redis;

    fn connect(_: Runtime, url: &str, worker: &str, lease: Duration) -> Result<Self, Error> {
        Self::new(url, worker, lease)
    }
}

impl Store for PostgresQueue {
    const ENGINE: Engine = Engine::Postgres;

    fn connect(runtime: Runtime, url: &str, worker: &str, lease: Duration) -> Result<Self, Error> {
        Self::new(runtime, url, worker, lease)
    }
}

/// A fleet without workers at first. All of it is gone when it is dropped.
pub(crate) struct Fleet<S> {
    pub(crate) runtime: Runtime,
    pub(crate) lease: Duration,
    /// The test's own view of the queue.
    pub(crate) queue: S,
    pub(crate) server: Server,
    workers: Vec<(String, Child)>,
}

/// Runs a test with a server of its own. Skips it if the server is not installed, unless `ABREAST_FLEET` is `require`.
pub(crate) fn run<S, Fut>(runtime: Runtime, lease: u64, test: impl FnOnce(Fleet<S>) -> Fut)
where
    S: Store,
    Fut: Future<Output = ()>,
{
    if S::ENGINE.program().is_none() {
        let package = S::ENGINE.package();
        let is_required = std::env::var_os("ABREAST_FLEET").is_some_and(|value| value == "require");
        assert!(!is_required, "{package} is not installed");
        eprintln!("SKIPPED: {package} is not installed");
        return;
    }
    let lease = Duration::from_millis(lease);
    let server = Server::start(S::ENGINE).expect("the server starts");
    let queue = S::connect(runtime, &server.url(), "test", lease).expect("the URL is right");
    runtime.block_on(async {
        let created = coordinator::create(&queue, &runtime.timer()).await;
        created.expect("the queue is made");
        let fleet = Fleet {
            runtime,
            lease,
            queue,
            server,
            workers: Vec::new(),
        };
        test(fleet).await;
    });
}

impl<S: Store> Fleet<S> {
    /// Returns the view of another worker, in this process.
    pub(crate) fn connect(&self, worker: &str) -> S {
        let url = self.server.url();
        S::connect(self.runtime, &url, worker, self.lease).expect("the URL is right")
    }

    /// Starts the program, tied to this test.
    pub(crate) fn start(&self, command: &str, options: &[&str]) -> Child {
        servers::tied(env!("CARGO_BIN_EXE_abreast-fleet").as_ref(), false)
            .args([command, "--queue", &self.server.url()])
            .args(["--runtime", &self.runtime.to_string()])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // Some are to panic, and some to be cut off: what they say about it is no news.
            .stderr(Stdio::null())
            .spawn()
            .expect("the program is there")
    }

    /// Starts a worker of 8 slots in a process of its own.
    pub(crate) fn start_worker(&mut self, name: &str, options: &[&str]) {
        let lease = self.lease.as_millis().to_string();
        let mut all = vec!["--name", name, "--lease", &lease, "--slots", "8"];
        all.extend_from_slice(options);
        let worker = self.start("worker", &all);
        self.workers.push((name.to_owned(), worker));
    }

    /// Submits jobs that do what `work` says, by number.
    pub(crate) async fn submit(&self, work: impl IntoIterator<Item = Work>) -> u64 {
        let jobs: Vec<_> = (0..)
            .zip(work)
            .map(|(id, work)| Job {
                id,
                work: work.to_string(),
            })
            .collect();
        let submitted = coordinator::submit(&self.queue, &jobs).await;
        submitted.expect("the server is there")
    }

    /// Waits until the queue is in some state. Whenever it looks, each job has to be in exactly one state.
    pub(crate) async fn until(&self, what: &str, reached: impl Fn(&Counts) -> bool) -> Counts {
        let deadline = Instant::now() + DEADLINE;
        loop {
            // The server may just be starting again.
            match self.queue.counts().await {
                Ok(counts) => {
                    assert!(counts.add_up(), "the numbers do not add up: {counts:?}");
                    if reached(&counts) {
                        return counts;
                    }
                    assert!(Instant::now() < deadline, "not {what}: {counts:?}");
                }
                Err(error) => assert!(Instant::now() < deadline, "not {what}: {error}"),
            }
            self.runtime.sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until every job is done or dead.
    pub(crate) async fn until_drained(&self) -> Counts {
        self.until("drained", |counts| counts.outstanding() == 0)
            .await
    }

    /// Waits until a worker holds so many jobs.
    pub(crate) async fn until_held(&self, worker: &str, jobs: u64) -> Counts {
        self.until("held", |counts| held(counts, worker) == jobs)
            .await
    }

    /// Makes sure that exactly these jobs have the result of a wait.
    pub(crate) async fn assert_waited(&self, jobs: u64) {
        let ids: Vec<_> = (0..jobs).collect();
        let results = self.queue.results(&ids).await.expect("the server is there");
        let waited = results
            .iter()
            .flatten()
            .filter(|result| *result == "waited");
        assert_eq!(waited.count() as u64, jobs);
    }

    pub(crate) fn signal(&self, worker: &str, signal: Signal) {
        let (_, process) = self
            .workers
            .iter()
            .find(|(name, _)| name == worker)
            .expect("it runs");
        servers::signal(process, signal).expect("it runs");
    }

    /// Kills a worker without notice.
    pub(crate) fn kill(&mut self, worker: &str) {
        let process = self.process(worker);
        process.kill().expect("it runs");
        process.wait().expect("it is a child");
    }

    /// Returns how a worker has ended, if it has.
    pub(crate) fn status(&mut self, worker: &str) -> Option<ExitStatus> {
        self.process(worker).try_wait().expect("it is a child")
    }

    /// Tells a worker to stop, and waits until it has. It has to end well.
    pub(crate) async fn stop(&mut self, worker: &str) {
        self.signal(worker, Signal::TERM);
        let runtime = self.runtime;
        let status = until_ended(runtime, self.process(worker)).await;
        assert!(status.success(), "{worker}: {status}");
    }

    fn process(&mut self, worker: &str) -> &mut Child {
        let named = self.workers.iter_mut().find(|(name, _)| name == worker);
        &mut named.expect("it was started").1
    }
}

impl<S> Drop for Fleet<S> {
    fn drop(&mut self) {
        for (_, worker) in &mut self.workers {
            // Most have ended by themselves.
            _ = worker.kill();
            _ = worker.wait();
        }
    }
}

/// Returns how many jobs a worker holds.
pub(crate) fn held(counts: &Counts, worker: &str) -> u64 {
    let named = counts.in_flight.iter().find(|(name, _)| name == worker);
    named.map_or(0, |(_, held)| *held)
}

/// Waits until a process ends.
pub(crate) async fn until_ended(runtime: Runtime, process: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(status) = process.try_wait().expect("it is a child") {
            return status;
        }
        assert!(Instant::now() < deadline, "the process goes on");
        runtime.sleep(Duration::from_millis(10)).await;
    }
}

/// Returns jobs that wait.
pub(crate) fn waits(jobs: u64, millis: u64) -> impl Iterator<Item = Work> {
    (0..jobs).map(move |_| Work::Wait(Duration::from_millis(millis)))
}
