//! What to run.

use std::time::Duration;

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

/// What a task is going to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fate {
    pub(crate) duration: Duration,
    pub(crate) succeeds: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) verb: Verb,
    pub(crate) tasks: usize,
    pub(crate) limit: usize,
    pub(crate) duration: Duration,
    /// Of a hundred.
    pub(crate) failures: u32,
    pub(crate) delay: Duration,
    pub(crate) fail_fast: bool,
    pub(crate) seed: u32,
}

impl Plan {
    /// The same for the same seed and index, whatever the rest of the plan: so verbs can be compared.
    pub(crate) fn fate(&self, index: usize) -> Fate {
        let mut random = u64::from(self.seed) << 32 | index as u64;
        let mut below = |bound: u64| {
            // splitmix64
            random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (random ^ (random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ (mixed >> 31)) % bound
        };
        let percent = 40 + below(121) as u32;
        Fate {
            duration: self.duration * percent / 100,
            succeeds: below(100) as u32 >= self.failures,
        }
    }

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
