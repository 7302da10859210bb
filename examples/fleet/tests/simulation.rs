//! The simulation is worth its name: it repeats itself, loses nothing, and shows what it is to show.

use fleet::simulation::{Figures, Model};

/// Simulates few machines, so that it is quick without optimisation.
fn run(slots: usize) -> Figures {
    Model {
        workers: 20,
        slots,
        jobs: 8000,
        burst: 400,
        crashes: Some(std::time::Duration::from_secs(20)),
        ..Model::default()
    }
    .run()
}

#[test]
fn the_same_model_repeats_itself() {
    assert_eq!(run(16), run(16));
}

#[test]
fn every_job_ends_once() {
    let figures = run(16);
    assert_eq!(figures.done + figures.dead, 8000);
    assert!(
        figures.crashes > 0 && figures.redelivered > 0,
        "{figures:?}"
    );
}

#[test]
fn small_windows_leave_processors_idle() {
    let (small, large) = (run(4), run(64));
    assert!(small.utilisation < 0.2, "{small:?}");
    assert!(large.utilisation > 0.6, "{large:?}");
    assert!(small.p99 > large.p99, "{small:?} {large:?}");
}
