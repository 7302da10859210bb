//! The marks of a time axis.

use std::fmt;
use std::time::Duration;

use web_sys::Element;

use crate::dom::{append, is_narrow, set_style};

/// Returns the milliseconds between two marks, if there is room for `most` of them up to `end`.
pub(crate) fn step(end: f64, most: f64) -> f64 {
    let steps = [
        10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0,
    ];
    let step = steps.into_iter().find(|step| end / step <= most);
    step.unwrap_or(20_000.0)
}

/// Puts labels into `axis`, which begins at zero and ends at `end`.
pub(crate) fn label(axis: &Element, end: f64, step: f64) {
    axis.set_inner_html("");
    let mut at = 0.0;
    // A label at the very end would stick out.
    let last = if is_narrow() { 0.88 } else { 0.94 };
    while at < end * last {
        let mark = append(axis, "i", "");
        set_style(&mark, "left", &percent(at, end));
        let text = if step < 100.0 {
            format!("{at:.0} ms")
        } else {
            format!("{:.1} s", at / 1000.0)
        };
        mark.set_text_content(Some(&text));
        at += step;
    }
}

/// Returns where a moment is on an axis that ends at `end`.
pub(crate) fn percent(millis: f64, end: f64) -> String {
    format!("{:.3}%", millis / end * 100.0)
}

/// A duration as the page shows it.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s", self.0.as_secs_f64())
    }
}
