//! The pages that the server has, agreed on by number: so the examples know what must come out.

use std::time::Duration;

/// How many pages there are.
pub(crate) const PAGES: usize = 200;

/// What the server does with a page that it cannot deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Answers with status 500.
    Status,
    /// Closes the connection without an answer.
    HangUp,
    /// Closes the connection in the middle of the answer.
    CutShort,
}

/// Returns the fault of a page, if it has one.
pub(crate) const fn fault(page: usize) -> Option<Fault> {
    match page {
        _ if page % 25 == 7 => Some(Fault::Status),
        _ if page % 50 == 13 => Some(Fault::HangUp),
        _ if page % 100 == 99 => Some(Fault::CutShort),
        _ => None,
    }
}

/// Returns the time it takes to come up with a page. One in ten is slow.
pub(crate) const fn latency(page: usize) -> Duration {
    Duration::from_millis(if page % 10 == 0 { 75 } else { 15 })
}

/// Returns the text of a page. No two are the same, nor of the same length.
pub(crate) fn content(page: usize) -> String {
    format!("This is page {page}.\n").repeat(page + 1)
}

/// Returns where a page is found on the server.
pub(crate) fn path(page: usize) -> String {
    format!("/pages/{page}")
}

/// Returns the page that is found at `path`.
pub(crate) fn at_path(path: &str) -> Option<usize> {
    let page = path.strip_prefix("/pages/")?.parse().ok()?;
    (page < PAGES).then_some(page)
}
