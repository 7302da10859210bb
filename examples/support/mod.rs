//! What the examples have in common, and what has nothing to do with this crate: a server to fetch pages from, a
//! progress bar, and a report.

pub(crate) mod pages;
pub(crate) mod report;
pub(crate) mod server;
