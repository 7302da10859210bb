//! What to run.

use std::time::Duration;

use abreast::Budget;

use crate::workload::{Fate, Workload};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Parallel,
    Limited,
    Adaptive,
    Rated,
    ForEach,
    StopOn,
    Deadline,
    PerKey,
    Race,
    Staggered,
    Hedged,
    Quorum,
    FallThrough,
    Retried,
    Sequential,
    Batched,
    Pool,
}

impl Verb {
    /// Returns the verb by its name in the form.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "parallel" => Self::Parallel,
            "limited" => Self::Limited,
            "adaptive" => Self::Adaptive,
            "rated" => Self::Rated,
            "for-each" => Self::ForEach,
            "stop-on" => Self::StopOn,
            "deadline" => Self::Deadline,
            "per-key" => Self::PerKey,
            "race" => Self::Race,
            "staggered" => Self::Staggered,
            "hedged" => Self::Hedged,
            "quorum" => Self::Quorum,
            "fall-through" => Self::FallThrough,
            "retried" => Self::Retried,
            "sequential" => Self::Sequential,
            "batched" => Self::Batched,
            "pool" => Self::Pool,
            _ => return None,
        })
    }

    /// Returns what its limit is called, if it has one.
    pub(crate) fn limit(self) -> Option<&'static str> {
        match self {
            Self::Parallel
            | Self::ForEach
            | Self::StopOn
            | Self::Deadline
            | Self::PerKey
            | Self::Hedged
            | Self::Retried => Some("Concurrency"),
            Self::Limited => Some("Limit"),
            Self::Adaptive => Some("Capacity"),
            Self::Rated => Some("Burst"),
            Self::Batched => Some("Batch size"),
            Self::Pool => Some("Workers"),
            _ => None,
        }
    }

    /// Returns what its delay is called, if it has one.
    pub(crate) fn delay(self) -> Option<&'static str> {
        match self {
            Self::Rated => Some("Interval"),
            Self::ForEach => Some("Consumer"),
            Self::Staggered => Some("Stagger"),
            Self::Hedged => Some("First delay"),
            Self::Retried => Some("Retry delay"),
            Self::Batched => Some("Pause"),
            _ => None,
        }
    }

    /// Returns whether each of its calls has two tasks: the first try, and the second.
    pub(crate) fn has_pairs(self) -> bool {
        matches!(self, Self::Hedged | Self::Retried)
    }

    /// Returns whether it can be told to stop, or not to stop, at the first failure.
    pub(crate) fn may_fail_fast(self) -> bool {
        matches!(self, Self::Parallel | Self::Batched)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) verb: Verb,
    pub(crate) workload: Workload,
    pub(crate) limit: usize,
    pub(crate) delay: Duration,
    pub(crate) deadline: Duration,
    pub(crate) fail_fast: bool,
}

/// The concurrency of what is held back by something else: more than there are tasks.
pub(crate) const MANY: usize = 60;

/// The tasks of one host that may run at a time.
pub(crate) const PER_HOST: usize = 2;

/// The hosts of the tasks, in turn. The first is slow.
const HOSTS: [char; 3] = ['a', 'b', 'c'];

/// How much longer the slow host takes.
const SLOW: u32 = 5;

/// The successes that a quorum takes.
pub(crate) const QUORUM: usize = 2;

/// Returns the host of a task.
pub(crate) fn host(index: usize) -> char {
    HOSTS[index % HOSTS.len()]
}

impl Plan {
    /// Returns what a task is called.
    pub(crate) fn name(&self, index: usize) -> String {
        match self.verb {
            Verb::PerKey => format!("{} {index}", host(index)),
            verb if verb.has_pairs() => format!("{}.{}", index / 2, index % 2 + 1),
            _ => index.to_string(),
        }
    }

    /// Returns what a task is going to do.
    pub(crate) fn fate(&self, index: usize) -> Fate {
        let mut fate = self.workload.fate(index);
        if self.verb == Verb::PerKey && host(index) == HOSTS[0] {
            fate.duration *= SLOW;
        }
        fate
    }

    /// Returns the budget of retries, full.
    pub(crate) fn budget() -> Budget {
        Budget::percent(10).burst(2)
    }

    /// Returns the interval of the rate, which cannot be 0.
    pub(crate) fn interval(&self) -> Duration {
        self.delay.max(Duration::from_millis(1))
    }

    /// Returns the call in Rust.
    pub(crate) fn code(&self) -> String {
        let Self {
            limit, fail_fast, ..
        } = self;
        let delay = format!("Duration::from_millis({}), sleep", self.delay.as_millis());
        match self.verb {
            Verb::Parallel if *fail_fast => {
                format!("parallel(tasks).concurrency({limit}).fail_fast(true).await")
            }
            Verb::Parallel => format!("parallel(tasks).concurrency({limit}).await"),
            Verb::Limited => format!(
                "let limit = Limit::new({limit});  ..  parallel(tasks).concurrency({MANY}).limit(&limit).await"
            ),
            Verb::Adaptive => format!(
                "let limit = Limit::aimd().initial(1);  ..  parallel(tasks).concurrency({MANY}).adaptive(&limit, sleep, classify).await"
            ),
            Verb::Rated => {
                let interval = self.interval().as_millis();
                format!(
                    "let rate = Rate::per(1, Duration::from_millis({interval})).burst({limit});  ..  parallel(tasks).concurrency({MANY}).rate(&rate, sleep).await"
                )
            }
            Verb::ForEach => format!(
                "parallel(tasks).concurrency({limit}).for_each(async |_, result| save(result).await).await"
            ),
            Verb::StopOn => {
                format!("parallel(tasks).concurrency({limit}).stop_on(button.clicked()).await")
            }
            Verb::Deadline => {
                let deadline = self.deadline.as_millis();
                format!(
                    "parallel(tasks).concurrency({limit}).deadline(Duration::from_millis({deadline}), sleep).await"
                )
            }
            Verb::PerKey => format!(
                "parallel_map(items, handler).concurrency({limit}).per_key({PER_HOST}, |item| item.host).await"
            ),
            Verb::Race => "race(tasks).await".into(),
            Verb::Staggered => format!("race(tasks).stagger({delay}).await"),
            Verb::Hedged => {
                let delay = self.delay.as_millis();
                format!(
                    "let hedge = Hedge::quantile(0.75).initial(Duration::from_millis({delay}));  ..  race(replicas).stagger(&hedge, sleep).await"
                )
            }
            Verb::Quorum => format!("race(tasks).quorum({QUORUM}).await"),
            Verb::FallThrough => "fall_through(tasks).await".into(),
            Verb::Retried => {
                "let policy = policy.budget(Budget::percent(10).burst(2));  ..  retry(policy.clone(), sleep, call).await".into()
            }
            Verb::Sequential => "sequential(tasks).await".into(),
            Verb::Batched => {
                let settle = if *fail_fast { "" } else { ".settle()" };
                format!("batched(items, handler).batch_size({limit}).pause({delay}){settle}.await")
            }
            Verb::Pool => format!(
                "let (pool, mut driver) = local_pool({limit});  ..  pool.execute(task)?;  ..  driver.run_until(pool.drain()).await"
            ),
        }
    }
}
