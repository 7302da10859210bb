//! Prints what hedging does to the slowest answers and to the load, and draws it to `docs/hedging.svg`.

use std::error::Error;
use std::path::Path;

use charts::{Chart, Line, Scale};
use hedging::{Hedging, Report, simulate};

/// Enough for one in a thousand to be fifty.
const REQUESTS: usize = 50_000;

/// The quantiles that are drawn.
const QUANTILES: [f64; 10] = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995];

fn main() -> Result<(), Box<dyn Error>> {
    let reports = Hedging::ALL.map(|hedging| (hedging, simulate(hedging, REQUESTS, false)));
    println!("| {REQUESTS} requests | p50 | p99 | p99.9 | extra load | in an outage |");
    println!("|---|---|---|---|---|---|");
    for (hedging, report) in &reports {
        let [median, p99, p999] = [0.5, 0.99, 0.999].map(|quantile| millis(report, quantile));
        let extra = report.extra_load() * 100.0;
        // A third of these requests meets the outage.
        let outage = simulate(*hedging, REQUESTS, true).extra_load() * 100.0;
        println!(
            "| {} | {median:.1} ms | {p99:.1} ms | {p999:.1} ms | {extra:.1} % | {outage:.1} % |",
            hedging.name()
        );
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hedging.svg");
    draw(&path, &reports)
}

fn millis(report: &Report, quantile: f64) -> f64 {
    report.quantile(quantile).as_secs_f64() * 1000.0
}

/// Draws latency against the share of requests that take longer. Both axes are logarithmic.
fn draw(path: &Path, reports: &[(Hedging, Report)]) -> Result<(), Box<dyn Error>> {
    let lines = reports.iter().map(|(hedging, report)| {
        let points = QUANTILES.map(|quantile| (1.0 / (1.0 - quantile), millis(report, quantile)));
        let extra = report.extra_load() * 100.0;
        Line {
            name: format!("{}: {extra:.1} % more calls", hedging.name()),
            points: points.to_vec(),
        }
    });
    let chart = Chart {
        caption: "Latency of the slowest requests",
        axes: ["one request in so many takes longer", "ms"],
        ranges: [2.0..2000.0, 3.0..3000.0],
        scale: Scale::Logarithmic,
        point_size: 2,
        lines: lines.collect(),
    };
    charts::draw(path, (640, 400), &[chart])
}
