//! Prints how limits that find themselves compare with the best fixed ones, and draws limits and latencies over time to
//! `docs/adaptive.svg`.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use adaptive::{CAPACITIES, Call, Limiting, PHASE, Report, best_fixed, simulate};
use charts::{Chart, Line, Scale};

/// The run that is drawn.
const SEED: u64 = 7;

/// What is averaged to one point of a line.
const STEP: Duration = Duration::from_millis(200);

fn main() -> Result<(), Box<dyn Error>> {
    let best = best_fixed(SEED);
    let reports = Limiting::ADAPTIVE.map(|limiting| (limiting, simulate(limiting, SEED)));
    println!("| | capacity | answered, of the best fixed | refused | latency | right after |");
    println!("|---|---|---|---|---|---|");
    for (limiting, report) in &reports {
        for (phase, capacity) in CAPACITIES.iter().enumerate() {
            let share = report.answered(phase) as f64 / best[phase] as f64 * 100.0;
            let refused = report.refused(phase) * 100.0;
            let latency = report.latency(phase).as_millis();
            let calls = report.convergence(phase);
            let calls = calls.map_or("never".to_owned(), |calls| format!("{calls} calls"));
            println!(
                "| {} | {capacity} | {share:.1} % | {refused:.1} % | {latency} ms | {calls} |",
                limiting.name()
            );
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/adaptive.svg");
    draw(&path, &reports)
}

/// Draws the limits above the latencies.
fn draw(path: &Path, reports: &[(Limiting, Report)]) -> Result<(), Box<dyn Error>> {
    let end = PHASE.as_secs_f64() * CAPACITIES.len() as f64;
    let lines = |value: fn(&Call) -> f64| {
        let lines = reports.iter().map(move |(limiting, report)| Line {
            name: limiting.name().to_owned(),
            points: averages(report, value),
        });
        lines.collect::<Vec<_>>()
    };
    let mut limits = lines(|call| call.limit as f64);
    limits.push(Line {
        name: "capacity".to_owned(),
        points: capacity(),
    });
    let above = Chart {
        caption: "Limits that find themselves",
        axes: ["s", "limit"],
        ranges: [0.0..end, 0.0..100.0],
        scale: Scale::Linear,
        point_size: 0,
        lines: limits,
    };
    let below = Chart {
        caption: "Latency, of which 50 ms are no queue",
        axes: ["s", "ms"],
        ranges: [0.0..end, 0.0..250.0],
        lines: lines(|call| call.latency.as_secs_f64() * 1000.0),
        ..above.clone()
    };
    charts::draw(path, (720, 300), &[above, below])
}

/// Returns the steps of the capacity.
fn capacity() -> Vec<(f64, f64)> {
    let steps = CAPACITIES
        .iter()
        .enumerate()
        .flat_map(|(phase, &capacity)| {
            let ends = [phase, phase + 1].map(|phase| PHASE.as_secs_f64() * phase as f64);
            ends.map(|at| (at, capacity as f64))
        });
    steps.collect()
}

/// Returns the average of a value of the calls that were answered, for each step in time.
fn averages(report: &Report, value: fn(&Call) -> f64) -> Vec<(f64, f64)> {
    let answered: Vec<_> = report
        .calls
        .iter()
        .filter(|call| !call.is_refused)
        .collect();
    let steps = answered.chunk_by(|a, b| step(a) == step(b));
    let points = steps.map(|calls| {
        let sum: f64 = calls.iter().map(|call| value(call)).sum();
        let at = STEP.as_secs_f64() * step(calls[0]) as f64;
        (at, sum / calls.len() as f64)
    });
    points.collect()
}

fn step(call: &Call) -> u128 {
    call.at.as_nanos() / STEP.as_nanos()
}
