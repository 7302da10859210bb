//! A fleet larger than any machine here, on a virtual clock: the workers run the very code of
//! [`worker`](crate::worker), over a queue that knows as much of leases as the real ones do.
//!
//! Each worker is a machine with one processor. A job waits for somebody else first (a page, a database, a model), and
//! then needs the processor, which serves one job at a time, in order. So a window that is too small leaves the
//! processor idle while jobs wait for others; and one that is too large takes jobs that then wait for this processor
//! while another is idle, and loses more of them when the machine dies.
//!
//! Everything random comes from the seed and the number of the job, so that windows of different sizes get the same
//! jobs.
//!
//! | file | holds |
//! |---|---|
//! | `load` | what jobs there are, and when they come |
//! | `machine` | a worker with its processor, and its crashes |
//! | `queue` | the queue, as the workers see it |
//! | `leases` | the state of the queue |
//! | `figures`, `report` | what came out of one simulation, and of many |

mod figures;
mod leases;
mod load;
mod machine;
mod queue;
mod report;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abreast::join_all;
use abreast::time::VirtualClock;
use futures::channel::oneshot;
use futures::future::{self, select};

pub use self::figures::Figures;
use self::leases::State;
pub use self::report::report;

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
    /// Whether some jobs take much longer than others: waits are log-normal, the need of the processor is Pareto. The
    /// means stay the same.
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

/// What runs on the virtual clock: the queue and its workers.
struct Simulation {
    model: Model,
    clock: VirtualClock,
    state: Mutex<State>,
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

impl Simulation {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
