//! A progress bar, and what there is to say at the end.

use std::error::Error;

use abreast::{Outcome, ParallelResult, Progress};
use indicatif::{ProgressBar, ProgressStyle};

use super::pages::{self, Fault, PAGES};
use super::server::Load;

/// How all pages were fetched.
#[derive(Debug)]
pub(crate) struct Run<E> {
    /// What became of each page.
    pub(crate) result: ParallelResult<String, E>,
    /// What the server saw of it.
    pub(crate) load: Load,
}

/// Returns a bar as long as there are pages. It shows on terminals only.
pub(crate) fn progress_bar(concurrency: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>10} [{bar:40}] {pos:>3}/{len} {msg}")
        .expect("the template is well-formed")
        .progress_chars("=> ");
    let prefix = match concurrency {
        1 => "one by one".to_owned(),
        _ => format!("{concurrency} abreast"),
    };
    ProgressBar::new(PAGES as u64)
        .with_style(style)
        .with_prefix(prefix)
}

/// Shows how far a run is, how fast it is, and when it will be done.
pub(crate) fn show_progress(bar: &ProgressBar, progress: Progress, failed: usize) {
    let rate = progress.rate().unwrap_or(0.0);
    let left = progress.eta().unwrap_or_default().as_secs_f32();
    bar.set_position(progress.completed as u64);
    bar.set_message(format!("{rate:.0}/s, {left:.1} s left ({failed} failed)"));
}

/// Prints what came out of two runs, and how much faster the second one was.
///
/// # Panics
/// If it is not what should have come out. `status` is to find the status code in an error that has one.
pub(crate) fn report<E: Error>(
    one_by_one: &Run<E>,
    abreast: &Run<E>,
    concurrency: usize,
    status: impl Fn(&E) -> Option<u16>,
) {
    let Run { result, load } = abreast;
    println!("{} pages fetched", result.success_count());
    println!("{} failed:", result.failure_count());
    for (page, error) in result.failures() {
        println!("  page {page:>3}: {}", reasons(error));
    }

    let (slow, fast) = (one_by_one.result.duration(), result.duration());
    let speed_up = slow.as_secs_f64() / fast.as_secs_f64();
    println!("one by one: {slow:.2?} (the same {PAGES} pages, fetched for comparison)");
    println!("{concurrency} abreast: {fast:.2?}, {speed_up:.1} times as fast");
    println!("requests open at once on the server: up to {}", load.peak);

    for run in [one_by_one, abreast] {
        check_outcomes(&run.result, &status);
        assert_eq!(run.load.requests, PAGES, "each page is requested once");
    }
    assert_eq!(one_by_one.load.peak, 1, "one page at a time");
    assert_eq!(load.peak, concurrency, "the window is full, and no more");
}

/// Makes sure that each page has arrived, or has failed as it should.
fn check_outcomes<E: Error>(
    result: &ParallelResult<String, E>,
    status: impl Fn(&E) -> Option<u16>,
) {
    assert_eq!(result.len(), PAGES);
    for (page, outcome) in result.iter().enumerate() {
        let as_expected = match (pages::fault(page), outcome) {
            (None, Outcome::Succeeded(text)) => *text == pages::content(page),
            (Some(Fault::Status), Outcome::Failed(error)) => status(error) == Some(500),
            (Some(Fault::HangUp | Fault::CutShort), Outcome::Failed(error)) => {
                status(error).is_none()
            }
            _ => false,
        };
        assert!(as_expected, "page {page}: {outcome:?}");
    }
}

/// Returns an error, and what it was caused by.
fn reasons(error: &dyn Error) -> String {
    let mut reasons = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        reasons += &format!(": {cause}");
        source = cause.source();
    }
    reasons
}
