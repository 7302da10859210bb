//! The live view of a fleet: on a terminal it is drawn in place, elsewhere it is a line every second.

use std::collections::{BTreeMap, VecDeque};
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::queue::Counts;

/// The time over which the rate is an average.
const RATE_OVER: Duration = Duration::from_secs(1);

/// Draws the state of a queue and of its workers.
#[derive(Debug)]
pub struct View {
    slots: u64,
    started: Instant,
    is_terminal: bool,
    bars: MultiProgress,
    title: ProgressBar,
    jobs: ProgressBar,
    numbers: ProgressBar,
    workers: BTreeMap<String, ProgressBar>,
    /// The number of jobs done at some moments of the last second.
    history: VecDeque<(Instant, u64)>,
    /// When the last line was printed.
    printed: Instant,
}

impl View {
    /// Creates the view of a fleet whose workers have so many slots each.
    #[must_use]
    pub fn new(title: String, jobs: u64, slots: usize) -> Self {
        let bars = MultiProgress::new();
        let line = |template| bars.add(ProgressBar::new(jobs).with_style(style(template)));
        let title = line("{msg:.bold}").with_message(title);
        let jobs = line("{prefix:>10} {bar:64.green} {msg}").with_prefix("jobs");
        let numbers = line("           {msg}");
        Self {
            slots: slots as u64,
            started: Instant::now(),
            is_terminal: stderr().is_terminal(),
            bars,
            title,
            jobs,
            numbers,
            workers: BTreeMap::new(),
            history: VecDeque::new(),
            printed: Instant::now(),
        }
    }

    /// Shows the state of the queue.
    pub fn update(&mut self, counts: &Counts) {
        let rate = self.rate(counts.done);
        let Counts {
            waiting,
            given_back,
            done,
            dead,
            failed,
            redelivered,
            ..
        } = counts;
        let held = counts.held();
        let seconds = self.started.elapsed().as_secs_f64();
        let progress = format!("{done} done, {rate:.0} per second, {seconds:.1} s");
        let numbers = format!(
            "waiting {waiting}, in flight {held}, given back {given_back}, failed {failed}, redelivered {redelivered}, dead {dead}"
        );
        if !self.is_terminal {
            if self.printed.elapsed() >= Duration::from_secs(1) {
                self.printed = Instant::now();
                eprintln!("{progress}; {numbers}");
            }
            return;
        }

        self.title.tick();
        self.jobs.set_position(done + dead);
        self.jobs.set_message(progress);
        self.numbers.set_message(numbers);
        for (name, held) in &counts.in_flight {
            let bar = self.worker(name);
            bar.set_position(*held);
            bar.tick();
        }
    }

    /// Shows that something has happened to a worker.
    pub fn mark(&mut self, worker: &str, what: &'static str) {
        self.worker(worker).set_message(what);
    }

    /// Leaves the view as it is, for other text to follow.
    pub fn finish(&self) {
        for bar in self
            .workers
            .values()
            .chain([&self.title, &self.jobs, &self.numbers])
        {
            bar.abandon();
        }
        _ = self.bars.println("");
    }

    fn worker(&mut self, name: &str) -> &ProgressBar {
        self.workers.entry(name.to_owned()).or_insert_with(|| {
            let bar = ProgressBar::new(self.slots)
                .with_style(style(
                    "{prefix:>10} {bar:64.cyan} {pos:>3} of {len} {msg:.red}",
                ))
                .with_prefix(name.to_owned());
            self.bars.add(bar)
        })
    }

    /// Returns how many jobs were done per second of late.
    fn rate(&mut self, done: u64) -> f64 {
        let now = Instant::now();
        self.history.push_back((now, done));
        while self.history.len() > 2 && now - self.history[0].0 > RATE_OVER {
            self.history.pop_front();
        }
        let (since, before) = self.history[0];
        let seconds = (now - since).as_secs_f64().max(0.001);
        done.saturating_sub(before) as f64 / seconds
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the template is well-formed")
        .progress_chars("█▌ ")
}
