//! How a limit follows from what is reported, behind the lock of an [`AdaptiveLimit`](super::AdaptiveLimit).
//!
//! Changes of the limit are counted, and each task keeps the count from when it started:
//!
//! ```text
//!   changes:   0          1             2 (lower)            3
//!              |          |             |                    |
//!   task a     +----------+-------------+---> overload: older than the last decrease, so it asks for none
//!   task b                |             +----+-----> overload: decreases the limit
//!   task c                |             |    |  +--> fine: its duration counts, as all of it was under this limit
//! ```
//!
//! So an overload lowers the limit once, however many tasks it makes fail, and durations are those under the limit that
//! they change.
//!
//! Vegas and the gradient add the durations up in windows, and compare the mean of each with the `baseline`, the lowest
//! mean so far. Once in [`PROBE`] windows, the limit is halved for one of them, so that no queue is left, and the
//! baseline is measured anew.

use core::time::Duration;

use super::feedback::Feedback;

/// The windows after which the baseline is measured anew.
const PROBE: usize = 50;

/// What is reported of a task that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    /// The changes of the limit before the task started.
    pub(super) started: u64,
    /// `None` without a clock.
    pub(super) duration: Option<Duration>,
    /// The permits that were in use when it ended, its own included.
    pub(super) in_use: usize,
    pub(super) feedback: Feedback,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) kind: Kind,
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) initial: usize,
    /// What is left of the limit after an overload.
    pub(super) backoff: f64,
    /// The duration that is no sign of a queue yet, as a multiple of the baseline.
    pub(super) tolerance: f64,
    /// The least number of durations in a window.
    pub(super) window: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Aimd,
    Vegas,
    Gradient,
}

#[derive(Debug)]
pub(super) struct Algorithm {
    settings: Settings,
    /// Between the least and the most. Its whole part is the limit.
    limit: f64,
    changes: u64,
    /// The number of the last change that lowered the limit.
    last_decrease: u64,
    growth: Growth,
    delays: Delays,
}

/// What AIMD keeps.
#[derive(Debug)]
struct Growth {
    /// What is added to the limit over as many tasks as it allows. Doubled each time, above the ceiling.
    step: f64,
    /// The limit at the last overload.
    ceiling: f64,
    /// The tasks that have ended well since the step was set.
    fine: usize,
}

/// What Vegas and the gradient keep: seconds, and the window that is being filled.
#[derive(Debug, Default)]
struct Delays {
    baseline: Option<f64>,
    sum: f64,
    count: usize,
    most_in_use: usize,
    /// The windows since the baseline was measured.
    windows: usize,
    /// The limit to return to, while it is halved.
    probed_from: Option<f64>,
}

impl Delays {
    fn clear_window(&mut self) {
        (self.sum, self.count, self.most_in_use) = (0.0, 0, 0);
    }
}

impl Algorithm {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            limit: settings.initial.clamp(settings.min, settings.max) as f64,
            changes: 0,
            last_decrease: 0,
            growth: Growth {
                step: 1.0,
                ceiling: 0.0,
                fine: 0,
            },
            delays: Delays::default(),
        }
    }

    pub(super) const fn settings(&self) -> Settings {
        self.settings
    }

    /// Returns the limit as it is now.
    pub(super) fn limit(&self) -> usize {
        (self.limit as usize).clamp(self.settings.min, self.settings.max)
    }

    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    /// Learns from a task that has ended.
    pub(super) fn report(&mut self, report: Report) {
        match report.feedback {
            Feedback::Overload if report.started >= self.last_decrease => self.back_off(),
            Feedback::Fine => match self.settings.kind {
                Kind::Aimd => self.grow(report.in_use),
                Kind::Vegas | Kind::Gradient => self.measure(report),
            },
            Feedback::Overload | Feedback::Ignored => {}
        }
    }

    /// Returns whether the limit is what holds tasks back, as it is when half of it is in use. Otherwise more would be
    /// no use.
    fn is_used(&self, in_use: usize) -> bool {
        in_use.saturating_mul(2) >= self.limit()
    }

    fn move_to(&mut self, limit: f64) {
        let before = self.limit();
        let Settings { min, max, .. } = self.settings;
        self.limit = limit.clamp(min as f64, max as f64);
        let after = self.limit();
        if after != before {
            self.changes += 1;
            self.delays.clear_window();
        }
        if after < before {
            self.last_decrease = self.changes;
        }
    }

    /// Lowers the limit after an overload.
    fn back_off(&mut self) {
        self.growth = Growth {
            step: 1.0,
            ceiling: self.limit,
            fine: 0,
        };
        // What is measured under overload is no baseline.
        self.delays.clear_window();
        self.delays.probed_from = None;
        let less = self.limit * self.settings.backoff;
        self.move_to(less.min(self.limit - 1.0));
    }

    /// Raises the limit by a share of the step: the additive increase of AIMD.
    fn grow(&mut self, in_use: usize) {
        if !self.is_used(in_use) {
            return;
        }
        self.growth.fine += 1;
        // The limit was all right for as many tasks as it allows, and more than was too much last time: so there is
        // more room.
        if self.growth.fine >= self.limit() {
            self.growth.fine = 0;
            if self.limit > self.growth.ceiling + 1.0 {
                self.growth.step = (self.growth.step * 2.0).min(self.limit);
            }
        }
        self.move_to(self.limit + self.growth.step / self.limit);
    }

    /// Adds a duration to the window, and moves the limit if that is full.
    fn measure(&mut self, report: Report) {
        let Some(duration) = report.duration else {
            return;
        };
        // In part, it was measured under another limit.
        if report.started != self.changes {
            return;
        }
        let delays = &mut self.delays;
        delays.sum += duration.as_secs_f64();
        delays.count += 1;
        delays.most_in_use = delays.most_in_use.max(report.in_use);
        if self.delays.count >= self.settings.window.max(self.limit() / 4) {
            self.end_window();
        }
    }

    fn end_window(&mut self) {
        let mean = self.delays.sum / self.delays.count as f64;
        let is_used = self.is_used(self.delays.most_in_use);
        self.delays.clear_window();

        // The limit was halved for this window, so the mean is that without a queue.
        if let Some(limit) = self.delays.probed_from.take() {
            self.delays.baseline = Some(mean);
            self.delays.windows = 0;
            self.move_to(limit);
            return;
        }

        let baseline = self.delays.baseline.map_or(mean, |least| least.min(mean));
        self.delays.baseline = Some(baseline);
        let next = self.next(baseline, mean);
        let next = if is_used { next } else { next.min(self.limit) };

        self.delays.windows += 1;
        if self.delays.windows < PROBE {
            self.move_to(next);
        } else {
            self.delays.probed_from = Some(next);
            self.move_to(next / 2.0);
        }
    }

    /// Returns the limit that follows from the mean duration of a window.
    fn next(&self, baseline: f64, mean: f64) -> f64 {
        let limit = self.limit;
        // The share of a task's time in which it was worked on. What is within the tolerance is not waiting.
        let longest = baseline * self.settings.tolerance;
        let worked = if mean > longest { longest / mean } else { 1.0 };
        if self.settings.kind == Kind::Gradient {
            return limit * worked.max(0.5) + self.limit().isqrt() as f64;
        }

        // Vegas: with alpha and beta of 3 and 6 times the decimal logarithm of the limit, which is near to once and
        // twice the binary one.
        let alpha = f64::from(self.limit().max(2).ilog2());
        let beta = alpha * 2.0;
        let queued = limit * (1.0 - worked);
        if queued <= alpha / 3.0 {
            limit + beta
        } else if queued < alpha {
            limit + (alpha / 3.0).max(1.0)
        } else if queued > beta {
            limit - (queued - beta).max(1.0)
        } else {
            limit
        }
    }
}
