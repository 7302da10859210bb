//! What the jobs of the demonstration are, and how a worker does them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::queue::{Error, Job, Results};
use crate::runtime::Runtime;
use crate::site::{self, FetchError};

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Fetch a page of the site.
    Fetch(u64),
    /// Wait, as if for a page.
    Wait(Duration),
    /// Fail each time.
    Fail,
    /// Panic each time.
    Panic,
    /// Take the whole worker down each time.
    Abort,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(page) => write!(f, "fetch {page}"),
            Self::Wait(duration) => write!(f, "wait {}", duration.as_millis()),
            Self::Fail => f.write_str("fail"),
            Self::Panic => f.write_str("panic"),
            Self::Abort => f.write_str("abort"),
        }
    }
}

impl FromStr for Work {
    type Err = WorkError;

    fn from_str(text: &str) -> Result<Self, WorkError> {
        let unknown = || WorkError::Unknown(text.to_owned());
        let number = |number: &str| number.parse().map_err(|_| unknown());
        match text.split_once(' ').unwrap_or((text, "")) {
            ("fetch", page) => Ok(Self::Fetch(number(page)?)),
            ("wait", millis) => Ok(Self::Wait(Duration::from_millis(number(millis)?))),
            ("fail", "") => Ok(Self::Fail),
            ("panic", "") => Ok(Self::Panic),
            ("abort", "") => Ok(Self::Abort),
            _ => Err(unknown()),
        }
    }
}

/// Why an attempt at a job failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    #[error("no worker knows how to {0:?}")]
    Unknown(String),
    #[error("it always fails")]
    Fails,
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the result could not be kept: {0}")]
    Record(#[from] Error),
}

/// Does a job: does the work first, and then records the result, whatever another attempt may have done.
///
/// # Errors
/// If the work fails, or the result cannot be recorded.
///
/// # Panics
/// If the job says so.
pub async fn perform(
    job: &Job,
    runtime: Runtime,
    site: &str,
    results: &impl Results,
) -> Result<(), WorkError> {
    let result = match job.work.parse()? {
        Work::Fetch(page) => site::fetch(runtime, site, page).await?,
        Work::Wait(duration) => {
            if !duration.is_zero() {
                runtime.sleep(duration).await;
            }
            "waited".to_owned()
        }
        Work::Fail => return Err(WorkError::Fails),
        Work::Panic => panic!("the job says so"),
        Work::Abort => std::process::abort(),
    };
    results.record(job.id, &result).await?;
    Ok(())
}
