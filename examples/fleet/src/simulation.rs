//! A fleet larger than any machine here, on a virtual clock: the workers run the very code of [`worker`], over a queue that
//! knows as much of leases as the real ones do.
//!
//! Each worker is a machine with one processor. A job waits for somebody else first (a page, a database, a model), and then
//! needs the processor, which serves one job at a time, in order. So a window that is too small leaves the processor idle
//! while jobs wait for others; and one that is too large takes jobs that then wait for this processor while another is idle,
//! and loses more of them when the machine dies.
//!
//! Everything random comes from the seed and the number of the job, so that windows of different sizes get the same jobs.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abreast::join_all;
use abreast::time::VirtualClock;
use futures::channel::oneshot;
use futures::future::{self, Either, select};

use crate::plot::{Line, Plot, Scale};
use crate::queue::{Delivery, Error, GiveBack, Job, Queue};
use crate::worker::{self, Settings};

/// What to simulate.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    pub workers: usize,
    /// The size of each worker's window.
    pub slots: usize,
    pub jobs: u32,
    /// The share of all processors that the jobs need if each is done once.
    pub load: f64,
    /// How many jobs are submitted at once, again and again. A single one comes at a random moment.
    pub burst: u32,
    /// Whether some jobs take much longer than others: waits are log-normal, the need of the processor is Pareto. The means
    /// stay the same.
    pub skewed: bool,
    /// The share of attempts that fail.
    pub failing: f64,
    /// The mean time between two crashes of one worker. It is back after [`RESTART`].
    pub crashes: Option<Duration>,
    pub seed: u64,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            workers: 1000,
            slots: 64,
            jobs: 300_000,
            load: 0.8,
            burst: 20_000,
            skewed: true,
            failing: 0.02,
            crashes: Some(Duration::from_secs(300)),
            seed: 1,
        }
    }
}

/// The mean time that a job waits for somebody else.
pub const WAIT: Duration = Duration::from_secs(2);

/// The mean time for which a job needs the processor.
pub const WORK: Duration = Duration::from_millis(50);

/// How long a job is left to a worker that is not heard of.
pub const LEASE: Duration = Duration::from_secs(10);

/// How long it takes until a worker that crashed is back.
pub const RESTART: Duration = Duration::from_secs(5);

/// The time from a worker to the queue, or back.
const DISTANCE: Duration = Duration::from_micros(500);

/// How often the queue looks for leases that have ended, and delays that are over.
const SWEEP: Duration = Duration::from_millis(50);

/// How long processors are left alone at first, before it counts whether they are busy.
const WARM_UP: Duration = Duration::from_secs(5);

/// What came out of a simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// The share of the time in which processors were busy, while jobs arrived.
    pub utilisation: f64,
    /// The time from the submission of a job to its end: half of them took at most so long, and so on.
    pub median: Duration,
    pub p99: Duration,
    pub p999: Duration,
    pub done: u32,
    pub dead: u32,
    pub redelivered: u32,
    pub crashes: u32,
    /// How long the last jobs took after the last one had been submitted.
    pub drained_after: Duration,
}

impl Model {
    /// Runs the simulation. The same model has the same figures each time.
    #[must_use]
    pub fn run(self) -> Figures {
        let clock = VirtualClock::new();
        let fleet = Simulation {
            model: self,
            clock: clock.clone(),
            state: Mutex::default(),
        };
        let workers = (0..self.workers).map(|number| fleet.machine(number as u64));
        let (drained, end) = oneshot::channel();
        fleet.state().drained = Some(drained);
        clock.run(async {
            let fleet = future::join3(join_all(workers), fleet.submit(), fleet.sweep());
            // Workers and queue go on for ever. They are dropped when the last job has ended.
            select(std::pin::pin!(fleet), end).await;
        });
        fleet.figures()
    }
}

/// Simulates windows of several sizes under several loads, and each trouble on its own. Prints tables, and returns plots.
#[must_use]
pub fn report(model: Model) -> Vec<Plot> {
    const SIZES: [usize; 6] = [4, 16, 32, 64, 128, 256];
    const LOADS: [f64; 3] = [0.5, 0.8, 0.95];
    println!(
        "| load | slots | utilisation | half of the jobs | 99 % | 99.9 % | redelivered | drained after |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut utilisation = Vec::new();
    let mut tail = Vec::new();
    let mut half = None;
    for load in LOADS {
        let mut busy = Line::new(format!("load {:.0} %", load * 100.0));
        let mut late = busy.clone();
        let mut median = Line::new(format!("load {:.0} %, 50 %", load * 100.0));
        for slots in SIZES {
            let figures = Model {
                slots,
                load,
                ..model
            }
            .run();
            println!("| {:.0} % | {slots} | {figures} |", load * 100.0);
            busy.points.push((slots as f64, figures.utilisation));
            late.points.push((slots as f64, figures.p99.as_secs_f64()));
            median
                .points
                .push((slots as f64, figures.median.as_secs_f64()));
        }
        utilisation.push(busy);
        tail.push(late);
        if load == model.load {
            median.is_dashed = true;
            half = Some(median);
        }
    }
    tail.extend(half);

    println!();
    println!(
        "| trouble | utilisation | half of the jobs | 99 % | 99.9 % | redelivered | drained after |"
    );
    println!("|---|---|---|---|---|---|---|");
    let calm = Model {
        burst: 1,
        skewed: false,
        failing: 0.0,
        crashes: None,
        ..model
    };
    for (trouble, model) in [
        ("none", calm),
        (
            "bursts of jobs",
            Model {
                burst: model.burst,
                ..calm
            },
        ),
        (
            "skewed jobs",
            Model {
                skewed: true,
                ..calm
            },
        ),
        (
            "failing attempts",
            Model {
                failing: model.failing,
                ..calm
            },
        ),
        (
            "crashing workers",
            Model {
                crashes: model.crashes,
                ..calm
            },
        ),
        ("all of it", model),
    ] {
        println!("| {trouble} | {} |", model.run());
    }

    let ticks: Vec<_> = SIZES.map(|slots| slots as f64).into();
    let plot = |title: &str, scale, lines| Plot {
        title: title.to_owned(),
        across: "slots of each worker",
        ticks: ticks.clone(),
        scale,
        lines,
    };
    vec![
        plot("Processors in use", Scale::Percent, utilisation),
        plot(
            "99 %, and 50 %, of the jobs end within",
            Scale::Seconds,
            tail,
        ),
    ]
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |duration: Duration| duration.as_secs_f64();
        write!(
            f,
            "{:.0} % | {:.1} s | {:.1} s | {:.1} s | {} | {:.0} s",
            self.utilisation * 100.0,
            seconds(self.median),
            seconds(self.p99),
            seconds(self.p999),
            self.redelivered,
            seconds(self.drained_after),
        )
    }
}

struct Simulation {
    model: Model,
    clock: VirtualClock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: Vec<Progress>,
    /// Jobs that a worker may take, in the order in which they got there.
    waiting: VecDeque<u32>,
    /// Delays and leases by their end, each with the job and the number of its delivery.
    timers: BTreeSet<(Duration, u32, u32)>,
    /// Workers that wait for jobs, each with its free slots.
    takers: VecDeque<(usize, oneshot::Sender<Vec<Delivery>>)>,
    /// The times from submission to success.
    latencies: Vec<Duration>,
    dead: u32,
    redelivered: u32,
    crashes: u32,
    /// How long processors were busy, all together.
    busy: Duration,
    /// When the last job was submitted.
    submitted: Option<Duration>,
    drained: Option<oneshot::Sender<()>>,
}

/// How far a job has got.
struct Progress {
    submitted: Duration,
    attempt: u32,
    deliveries: u32,
    /// The end of the lease, or of the delay; `None` if the job is waiting or has ended.
    due: Option<Duration>,
    is_leased: bool,
}

impl Simulation {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the random numbers of something, the same each time.
    fn rng(&self, what: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.model.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ what)
    }

    /// Runs a worker again and again, until it crashes and after it is back.
    async fn machine(&self, number: u64) {
        let mut rng = self.rng(u64::MAX - number);
        let settings = Settings {
            slots: self.model.slots,
            lease: LEASE,
            attempts: 5,
            backoff: Duration::from_secs(1),
            grace: Duration::ZERO,
        };
        let timer = self.clock.timer();
        loop {
            let processor = Arc::new(Mutex::new(Duration::ZERO));
            let handler = |job: Job| self.perform(job.id, Arc::clone(&processor));
            let running = worker::run(self, &timer, &settings, future::pending(), handler);
            let crash = async {
                match self.model.crashes {
                    None => future::pending().await,
                    Some(mean) => self.clock.sleep(mean.mul_f64(exponential(&mut rng))).await,
                }
            };
            // A crash drops the worker with all that it does. The queue hears nothing of it.
            let (running, crash) = (std::pin::pin!(running), std::pin::pin!(crash));
            if let Either::Right(_) = select(running, crash).await {
                self.state().crashes += 1;
            }
            self.clock.sleep(RESTART).await;
        }
    }

    /// Does a job on a machine whose processor is taken until the time in `processor`.
    async fn perform(&self, id: u64, processor: Arc<Mutex<Duration>>) -> Result<(), &'static str> {
        let mut rng = self.rng(id);
        let (wait, work) = if self.model.skewed {
            (log_normal(&mut rng), pareto(&mut rng))
        } else {
            (1.0, 1.0)
        };
        self.clock.sleep(WAIT.mul_f64(wait)).await;

        let work = WORK.mul_f64(work);
        let now = self.clock.now();
        let end = {
            let mut taken_until = processor.lock().unwrap_or_else(PoisonError::into_inner);
            *taken_until = now.max(*taken_until) + work;
            *taken_until
        };
        self.clock.sleep(end - now).await;

        let mut state = self.state();
        // The first jobs find all processors idle, and the last ones leave them so.
        if end > WARM_UP && state.submitted.is_none() {
            state.busy += work;
        }
        let attempt = state.jobs[id as usize].attempt;
        drop(state);
        let has_failed = self.rng(id ^ (u64::from(attempt) << 40)).f64() < self.model.failing;
        if has_failed { Err("it failed") } else { Ok(()) }
    }

    /// Submits all jobs, at random moments.
    async fn submit(&self) {
        let mut rng = self.rng(u64::MAX / 2);
        let burst = self.model.burst;
        let gap = WORK.mul_f64(f64::from(burst) / (self.model.load * self.model.workers as f64));
        for first in (0..self.model.jobs).step_by(burst as usize) {
            let share = if burst > 1 {
                1.0
            } else {
                exponential(&mut rng)
            };
            self.clock.sleep(gap.mul_f64(share)).await;
            let mut state = self.state();
            let submitted = self.clock.now();
            for id in first..self.model.jobs.min(first + burst) {
                state.jobs.push(Progress {
                    submitted,
                    attempt: 0,
                    deliveries: 0,
                    due: None,
                    is_leased: false,
                });
                state.waiting.push_back(id);
            }
            state.deliver(submitted);
        }
        self.state().submitted = Some(self.clock.now());
    }

    /// Lets workers take what is due again.
    async fn sweep(&self) {
        loop {
            self.clock.sleep(SWEEP).await;
            self.state().sweep(self.clock.now());
        }
    }

    fn figures(&self) -> Figures {
        let mut state = self.state();
        let now = self.clock.now();
        let submitted = state.submitted.unwrap_or(now);
        state.latencies.sort_unstable();
        let latencies = &state.latencies;
        let at = |share: f64| {
            let index = (latencies.len() as f64 * share) as usize;
            latencies[index.min(latencies.len() - 1)]
        };
        let measured = submitted.saturating_sub(WARM_UP);
        let available = measured.as_secs_f64() * self.model.workers as f64;
        Figures {
            utilisation: state.busy.as_secs_f64() / available,
            median: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            done: latencies.len() as u32,
            dead: state.dead,
            redelivered: state.redelivered,
            crashes: state.crashes,
            drained_after: now - submitted,
        }
    }

    /// Ends a lease, if it still is that of this delivery, and lets `then` say what follows.
    async fn settle(
        &self,
        delivery: &Delivery,
        then: impl FnOnce(&mut State, u32, Duration),
    ) -> Result<bool, Error> {
        self.clock.sleep(DISTANCE).await;
        let is_leased = {
            let mut state = self.state();
            let id = delivery.job.id as u32;
            let job = &mut state.jobs[id as usize];
            let number = job.deliveries;
            let is_leased = job.is_leased && delivery.receipt == number.to_string();
            if is_leased {
                job.is_leased = false;
                let due = job.due.take().expect("a lease has an end");
                state.timers.remove(&(due, id, number));
                then(&mut state, id, self.clock.now());
            }
            is_leased
        };
        self.clock.sleep(DISTANCE).await;
        Ok(is_leased)
    }
}

impl State {
    /// Hands waiting jobs to workers that wait for some, first come, first served.
    fn deliver(&mut self, now: Duration) {
        while !self.waiting.is_empty() {
            let Some((limit, taker)) = self.takers.pop_front() else {
                return;
            };
            // A worker that crashed waits for nothing.
            if !taker.is_canceled() {
                let batch = self.lease(limit, now);
                _ = taker.send(batch);
            }
        }
    }

    /// Leases the first jobs that are waiting.
    fn lease(&mut self, limit: usize, now: Duration) -> Vec<Delivery> {
        let count = limit.min(self.waiting.len());
        let mut batch = Vec::with_capacity(count);
        for id in self.waiting.drain(..count) {
            let job = &mut self.jobs[id as usize];
            job.attempt += 1;
            job.deliveries += 1;
            job.is_leased = true;
            job.due = Some(now + LEASE);
            self.redelivered += u32::from(job.deliveries > 1);
            self.timers.insert((now + LEASE, id, job.deliveries));
            batch.push(Delivery {
                job: Job {
                    id: id.into(),
                    work: String::new(),
                },
                attempt: job.attempt,
                receipt: job.deliveries.to_string(),
            });
        }
        batch
    }

    fn sweep(&mut self, now: Duration) {
        while let Some(&(due, id, _)) = self.timers.first()
            && due <= now
        {
            self.timers.pop_first();
            let job = &mut self.jobs[id as usize];
            job.due = None;
            job.is_leased = false;
            self.waiting.push_back(id);
        }
        self.deliver(now);
    }

    /// Notes that a job has ended.
    fn end(&mut self) {
        let has_ended = self.latencies.len() + self.dead as usize == self.jobs.len();
        if has_ended
            && self.submitted.is_some()
            && let Some(drained) = self.drained.take()
        {
            _ = drained.send(());
        }
    }

    fn set_due(&mut self, id: u32, due: Duration, is_leased: bool) {
        let job = &mut self.jobs[id as usize];
        job.due = Some(due);
        job.is_leased = is_leased;
        self.timers.insert((due, id, job.deliveries));
    }
}

impl Queue for Simulation {
    async fn take(&self, limit: usize) -> Result<Vec<Delivery>, Error> {
        self.clock.sleep(DISTANCE).await;
        let (taker, taken) = oneshot::channel();
        {
            let mut state = self.state();
            state.takers.push_back((limit, taker));
            state.deliver(self.clock.now());
        }
        let batch = taken.await.unwrap_or_default();
        self.clock.sleep(DISTANCE).await;
        Ok(batch)
    }

    async fn acknowledge(&self, delivery: &Delivery) -> Result<bool, Error> {
        let done = |state: &mut State, id: u32, now: Duration| {
            let submitted = state.jobs[id as usize].submitted;
            state.latencies.push(now - submitted);
            state.end();
        };
        self.settle(delivery, done).await
    }

    async fn give_back(&self, delivery: &Delivery, reason: &GiveBack) -> Result<bool, Error> {
        let give_back = |state: &mut State, id: u32, now: Duration| match reason {
            GiveBack::Unfinished => {
                state.jobs[id as usize].attempt -= 1;
                state.set_due(id, now, false);
            }
            GiveBack::Retry { after, .. } => state.set_due(id, now + *after, false),
            GiveBack::Dead { .. } => {
                state.dead += 1;
                state.end();
            }
        };
        self.settle(delivery, give_back).await
    }

    async fn extend(&self, delivery: &Delivery) -> Result<bool, Error> {
        let extend = |state: &mut State, id: u32, now: Duration| {
            state.set_due(id, now + LEASE, true);
        };
        self.settle(delivery, extend).await
    }
}

/// Draws from an exponential distribution of mean 1.
fn exponential(rng: &mut fastrand::Rng) -> f64 {
    -(1.0 - rng.f64()).ln()
}

/// Draws from a log-normal distribution of mean 1: one in a hundred is 2.8 times as long, one in a thousand 4 times.
fn log_normal(rng: &mut fastrand::Rng) -> f64 {
    let normal = (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos();
    (0.5 * normal - 0.125).exp()
}

/// Draws from a Pareto distribution of mean 1 and shape 2: one in a hundred is 5 times as long, one in ten thousand 50 times,
/// and none more than 100 times.
fn pareto(rng: &mut fastrand::Rng) -> f64 {
    (0.5 / (1.0 - rng.f64()).sqrt()).min(100.0)
}
