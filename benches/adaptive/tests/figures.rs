//! What is asked of limits that find themselves, for each capacity of the service.

use adaptive::{CAPACITIES, Limiting, best_fixed, simulate};

/// Others than those that the defaults were chosen by.
const SEEDS: [u64; 2] = [100, 101];

#[test]
fn limits_find_themselves() {
    for seed in SEEDS {
        let best = best_fixed(seed);
        for limiting in Limiting::ADAPTIVE {
            let report = simulate(limiting, seed);
            for (phase, best) in best.iter().enumerate() {
                let at = format!("{}, seed {seed}, phase {phase}", limiting.name());
                // As good as the best fixed limit, which is another one in each phase.
                let share = report.answered(phase) as f64 / *best as f64;
                assert!(share >= 0.95, "{at}: {share}");
                let refused = report.refused(phase);
                assert!(refused < 0.02, "{at}: {refused}");
                let calls = report.convergence(phase);
                assert!(calls.is_some_and(|calls| calls <= 200), "{at}: {calls:?}");
            }
        }
    }
}

#[test]
fn every_run_is_the_same() {
    for limiting in Limiting::ADAPTIVE {
        assert_eq!(simulate(limiting, 3), simulate(limiting, 3));
    }
}

/// So that it is no wonder.
#[test]
fn no_fixed_limit_does() {
    let best = best_fixed(1);
    for permits in [10, 15, 20, 40, 80] {
        let report = simulate(Limiting::Fixed(permits), 1);
        let is_good = |phase: usize| {
            let share = report.answered(phase) as f64 / best[phase] as f64;
            share >= 0.95 && report.refused(phase) < 0.02
        };
        assert!(!(0..CAPACITIES.len()).all(is_good), "{permits}");
    }
}
