//! Tables and plots of what the size of a window does.

use super::{Figures, Model};
use crate::plot::{Line, Plot, Scale};

/// The sizes of windows to simulate.
const SIZES: [usize; 6] = [4, 16, 32, 64, 128, 256];

/// The loads to simulate them under.
const LOADS: [f64; 3] = [0.5, 0.8, 0.95];

/// The head of the columns that a simulation fills.
const COLUMNS: &str =
    "utilisation | half of the jobs | 99 % | 99.9 % | redelivered | drained after";

/// Simulates windows of several sizes under several loads, and each trouble on its own. Prints tables, and returns
/// plots.
#[must_use]
pub fn report(model: Model) -> Vec<Plot> {
    let plots = sizes(model);
    println!();
    troubles(model);
    plots
}

/// Simulates each size under each load.
fn sizes(model: Model) -> Vec<Plot> {
    println!("| load | slots | {COLUMNS} |\n|{}", "---|".repeat(8));
    let mut utilisation = Vec::new();
    let mut tail = Vec::new();
    let mut half = None;
    for load in LOADS {
        let percent = format!("load {:.0} %", load * 100.0);
        let figures = SIZES.map(|slots| {
            let figures = Model {
                slots,
                load,
                ..model
            }
            .run();
            println!("| {:.0} % | {slots} | {figures} |", load * 100.0);
            figures
        });
        utilisation.push(line(&percent, &figures, |figures| figures.utilisation));
        tail.push(line(&percent, &figures, |figures| {
            figures.p99.as_secs_f64()
        }));
        // The median of every load would make the plot too full to read.
        if load == model.load {
            let label = format!("{percent}, 50 %");
            let mut median = line(&label, &figures, |figures| figures.median.as_secs_f64());
            median.is_dashed = true;
            half = Some(median);
        }
    }
    tail.extend(half);

    let plot = |title: &str, scale, lines| Plot {
        title: title.to_owned(),
        across: "slots of each worker",
        ticks: SIZES.map(|slots| slots as f64).into(),
        scale,
        lines,
    };
    vec![
        plot("Processors in use", Scale::Percent, utilisation),
        plot(
            "99 %, and 50 %, of the jobs end within",
            Scale::Seconds,
            tail,
        ),
    ]
}

/// Returns the line of one figure over all sizes.
fn line(label: &str, figures: &[Figures], figure: impl Fn(&Figures) -> f64) -> Line {
    let mut line = Line::new(label.to_owned());
    let points = SIZES.iter().zip(figures);
    line.points = points
        .map(|(slots, figures)| (*slots as f64, figure(figures)))
        .collect();
    line
}

/// Simulates each trouble on its own, and all of them together.
fn troubles(model: Model) {
    let calm = Model {
        burst: 1,
        skewed: false,
        failing: 0.0,
        crashes: None,
        ..model
    };
    let mut bursts = calm;
    bursts.burst = model.burst;
    let mut skewed = calm;
    skewed.skewed = true;
    let mut failing = calm;
    failing.failing = model.failing;
    let mut crashing = calm;
    crashing.crashes = model.crashes;

    println!("| trouble | {COLUMNS} |\n|{}", "---|".repeat(7));
    for (trouble, model) in [
        ("none", calm),
        ("bursts of jobs", bursts),
        ("skewed jobs", skewed),
        ("failing attempts", failing),
        ("crashing workers", crashing),
        ("all of it", model),
    ] {
        println!("| {trouble} | {} |", model.run());
    }
}
