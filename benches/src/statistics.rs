//! Medians, spreads and means.

/// The middle of several samples, and how far apart they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    /// Half the distance between the quartiles, as a part of the median.
    pub(crate) spread: f64,
}

/// Sums samples up. There is nothing to say about none.
pub(crate) fn summary(samples: impl IntoIterator<Item = f64>) -> Option<Summary> {
    let mut samples: Vec<f64> = samples.into_iter().collect();
    samples.sort_by(f64::total_cmp);
    let last = samples.len().checked_sub(1)?;
    let quantile = |part: f64| samples[(part * last as f64).round() as usize];
    let median = quantile(0.5);
    Some(Summary {
        median,
        spread: (quantile(0.75) - quantile(0.25)) / 2.0 / median,
    })
}

/// Returns the geometric mean, which is the one for ratios. There is none of nothing.
pub(crate) fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    let logarithms: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    (!ratios.is_empty()).then(|| (logarithms / ratios.len() as f64).exp())
}
