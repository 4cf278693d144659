//! Claim 3: the root-mean-square error beats the absolute error.

use crate::claim::Claim;
use crate::comparison::{Comparison, ComparisonSetup, Side};
use crate::findings::Findings;
use crate::row::Row;
use crate::selection::Selection;
use crate::studies;
use crate::study::Study;

pub(super) struct Loss;

impl Claim for Loss {
    fn number(&self) -> u8 {
        3
    }

    fn title(&self) -> &'static str {
        "The root-mean-square error beats the absolute error"
    }

    fn paper_says(&self) -> &'static str {
        "Training with the root-mean-square error gave better results than with the absolute error."
    }

    fn studies(&self) -> Vec<&'static Study> {
        vec![&studies::FIGURES_17000, &studies::RATES]
    }

    fn comparisons<'a>(&self, rows: &'a [Row]) -> Vec<Comparison<'a>> {
        let replica = Selection::of(rows, "figures-17000").with("reduction", "mean");
        let [rmse, absolute] = ["rmse", "absolute"].map(|loss| Side::networks(loss, replica.with("loss", loss)));
        let (averaged, summed) =
            (Selection::of(rows, "rates").with("reduction", "mean"), Selection::of(rows, "rates-summed"));
        let best = |loss: &str| Side::best_rate(loss, &averaged.with("loss", loss));
        let best_summed = |loss: &str| Side::best_rate(loss, &summed.with("loss", loss));
        let against = |loss: &str| {
            let text = format!("root-mean-square loss gets more digits right than {loss} loss, each at its best rate");
            Comparison::new(ComparisonSetup::Repaired, text, best("rmse"), best(loss))
        };
        vec![
            Comparison::new(
                ComparisonSetup::Replica,
                "root-mean-square loss gets more digits right than absolute loss",
                rmse.clone(),
                absolute.clone(),
            )
            .deciding(),
            Comparison::new(
                ComparisonSetup::Replica,
                "root-mean-square loss ends with a lower mean absolute error than absolute loss",
                rmse,
                absolute,
            )
            .by_error(),
            Comparison::new(
                ComparisonSetup::Repaired,
                "both summed: root-mean-square loss gets more digits right than absolute loss, each at its best rate",
                best_summed("rmse"),
                best_summed("absolute"),
            ),
            against("absolute").deciding(),
            against("squared"),
            against("cross-entropy"),
        ]
    }

    fn setup(&self, _: &Findings) -> String {
        "The trials of claim 2 (repaired, each loss at the learning rate that is best on validation images) and of Fig. 1.1 and 1.2 \
         (paper's setup). Losses are compared by the digits that are right: each flatters itself in its own units."
            .to_owned()
    }

    fn why(&self, _: &Findings) -> String {
        "*Why.* The absolute error pulls with the same force whether a bit is nearly right or quite wrong, and its best constant \
         answer is the median: where one value of a bit is commoner, it is content to answer it always. Both errors squared pull \
         towards the mean, and the root only changes the length of the step: the direction for one image is the squared error's, \
         divided by the error's size. Cross-entropy has no factor a(1 − a) in its gradient, so a bit that is wrong and sure of \
         itself is still corrected."
            .to_owned()
    }
}
