//! What to run.

use std::time::Duration;

use crate::workload::Workload;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Parallel,
    Race,
    Staggered,
    FallThrough,
    Sequential,
    Batched,
    Pool,
}

impl Verb {
    /// The verb by its name in the form.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "parallel" => Self::Parallel,
            "race" => Self::Race,
            "staggered" => Self::Staggered,
            "fall-through" => Self::FallThrough,
            "sequential" => Self::Sequential,
            "batched" => Self::Batched,
            "pool" => Self::Pool,
            _ => return None,
        })
    }

    /// What its limit is called, if it has one.
    pub(crate) fn limit(self) -> Option<&'static str> {
        match self {
            Self::Parallel => Some("Concurrency"),
            Self::Batched => Some("Batch size"),
            Self::Pool => Some("Workers"),
            _ => None,
        }
    }

    /// What its delay is called, if it has one.
    pub(crate) fn delay(self) -> Option<&'static str> {
        match self {
            Self::Staggered => Some("Stagger"),
            Self::Batched => Some("Pause"),
            _ => None,
        }
    }

    /// Whether it can be told to stop, or not to stop, at the first failure.
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
    pub(crate) fail_fast: bool,
}

impl Plan {
    /// The call in Rust.
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
            Verb::Race => "race(tasks).await".into(),
            Verb::Staggered => format!("race(tasks).stagger({delay}).await"),
            Verb::FallThrough => "fall_through(tasks).await".into(),
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
