//! Medians and what lies around them.

/// The value below which `share` of the values lie.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1).expect("something was measured");
    sorted[((last as f64) * share).round() as usize]
}

pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Ratios of pairs that were measured one after the other.
pub fn ratios(ours: &[f64], yardstick: &[f64]) -> Vec<f64> {
    ours.iter().zip(yardstick).map(|(ours, yardstick)| ours / yardstick).collect()
}
