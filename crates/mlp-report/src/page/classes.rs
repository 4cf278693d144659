//! How well each class is recognised.

use askama::Template;
use mlp_results::{RunRecord, text};

use crate::confusion::{ClassScore, class_scores};
use crate::markup::shown;

/// How many classes are listed.
const N_LISTED: usize = 100;

/// Precision, recall and the commonest confusion of each class.
#[derive(Template)]
#[template(path = "classes.html")]
pub(super) struct Classes {
    rows: Vec<Row>,
}

struct Row {
    class: String,
    n_samples: f64,
    precision: String,
    recall: String,
    confused_with: String,
}

impl Classes {
    /// Of a record; nothing where it has no confusion matrix.
    pub(super) fn new(record: &RunRecord) -> Option<Classes> {
        let rows: Vec<Row> = class_scores(record).iter().take(N_LISTED).map(Row::new).collect();
        (!rows.is_empty()).then_some(Classes { rows })
    }
}

impl Row {
    fn new(class: &ClassScore) -> Row {
        Row {
            class: shown(&class.class),
            n_samples: class.n_samples,
            precision: percent(class.precision),
            recall: percent(class.recall),
            confused_with: match &class.confused_with {
                Some((other, count)) => format!("{} ({count}×)", shown(other)),
                None => "–".to_owned(),
            },
        }
    }
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| text::share(value, 1))
}
