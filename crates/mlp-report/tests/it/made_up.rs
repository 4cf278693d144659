//! The made-up records of `mlp-results` as what a report is made from.

use std::collections::BTreeMap;

use mlp_report::ReportInput;
use ndarray::Array2;

#[path = "../../../mlp-results/tests/it/made_up.rs"]
mod records;

pub(crate) use records::*;

pub(crate) fn input(records: Vec<mlp_results::RunRecord>) -> ReportInput {
    ReportInput { trials: trials(records), ..ReportInput::default() }
}

/// Images for the mistakes of `record`: rings and strokes.
pub(crate) fn images(record: &mlp_results::RunRecord) -> BTreeMap<(String, usize), Array2<u8>> {
    let picture = |index: usize| {
        Array2::from_shape_fn((28, 28), |(y, x)| {
            let (dx, dy) = (x as f64 - 14.0, y as f64 - 14.0);
            let angle = noise(index as u64, 5) * std::f64::consts::PI;
            let stroke = (dx * angle.cos() + dy * angle.sin()).abs();
            let ring = (dx.hypot(dy * 0.8) - 4.0 - 4.0 * noise(index as u64, 6)).abs();
            let ink = (2.4 - if dx.hypot(dy) < 10.0 { stroke.min(ring) } else { ring }).clamp(0.0, 1.0);
            (ink * 255.0) as u8
        })
    };
    record.mistakes.iter().map(|mistake| ((record.trial.clone(), mistake.index), picture(mistake.index))).collect()
}
