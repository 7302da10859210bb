//! The latest latencies, and their quantiles.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

/// A window over the latest latencies.
///
/// ```text
///   came    5 9 2 7       the oldest leaves when another comes
///   sorted  2 5 7 9       a quantile is at its place
/// ```
///
/// A histogram or a sketch would hold millions in little memory, at the price of an error, and cannot forget what is
/// old without being kept in several copies that take turns. Of a few hundred, both lists take less memory than one
/// such copy, and to put another in moves less than a page of it.
#[derive(Debug)]
pub(super) struct Latencies {
    /// In the order in which they came.
    came: VecDeque<Duration>,
    /// The same ones, by their length.
    sorted: Vec<Duration>,
    window: usize,
}

impl Latencies {
    pub(super) const fn new(window: usize) -> Self {
        Self {
            came: VecDeque::new(),
            sorted: Vec::new(),
            window,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.came.len()
    }

    pub(super) fn record(&mut self, latency: Duration) {
        // The oldest makes room. One of the same length is as good, as they are alike.
        if self.came.len() >= self.window {
            if let Some(oldest) = self.came.pop_front() {
                let at = self.sorted.partition_point(|&other| other < oldest);
                self.sorted.remove(at);
            }
        }
        self.came.push_back(latency);
        let at = self.sorted.partition_point(|&other| other < latency);
        self.sorted.insert(at, latency);
    }

    /// Returns the latency that this share does not exceed, if there are enough to tell: as many as let one exceed it.
    pub(super) fn quantile(&self, quantile: f64) -> Option<Duration> {
        let len = self.len();
        let enough = (1.0 / (1.0 - quantile)).min(self.window as f64);
        if (len as f64) + 1e-9 < enough {
            return None;
        }
        // The one that has this share of the others before it, rounded up, as floats round up by a hair too.
        let before = (quantile * len as f64 - 1e-9) as usize;
        self.sorted.get(before).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(latencies: impl IntoIterator<Item = u64>, window: usize) -> Latencies {
        let mut all = Latencies::new(window);
        for millis in latencies {
            all.record(Duration::from_millis(millis));
        }
        all
    }

    #[test]
    fn a_quantile_has_its_share_before() {
        let quantile = |quantile| of(1..=100, 100).quantile(quantile).unwrap().as_millis();
        assert_eq!([0.5, 0.9, 0.95, 0.99].map(quantile), [50, 90, 95, 99]);
    }

    #[test]
    fn too_few_have_no_quantile() {
        assert_eq!(of(1..=19, 100).quantile(0.95), None);
        assert!(of(1..=20, 100).quantile(0.95).is_some());
        assert!(of(1..=10, 10).quantile(0.999).is_some());
        assert_eq!(of([], 10).quantile(0.5), None);
    }

    #[test]
    fn old_ones_are_forgotten() {
        let latencies = of((1..=50).chain([7; 20]), 20);
        assert_eq!(latencies.len(), 20);
        assert_eq!(latencies.quantile(0.9), Some(Duration::from_millis(7)));
        let sorted = &of([3, 1, 2, 5, 4], 3).sorted;
        assert_eq!(*sorted, [2, 4, 5].map(Duration::from_millis));
    }
}
