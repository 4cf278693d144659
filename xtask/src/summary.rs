//! What a person reads at the end: numbers with their meaning, and where to go next.

use std::path::Path;

use mlp_core::Objective;
use mlp_results::text::{counted, duration, percent, thousands};
use mlp_results::{RunRecord, Status};
use mlp_train::{Decoding, EpochMetrics, EpochRecord, Schedule, TargetEncoding, TrainConfig, ValidationMetric};
use serde_json::Value;

use crate::output::Output;
use crate::table::wrapped;

/// Epochs that a curve shows at most; the line fits into 80 columns.
const CURVE_WIDTH: usize = 24;

/// The table of epochs: loss and accuracy of what is learned from, and what the other samples measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EpochTable {
    pub(crate) encoding: TargetEncoding,
    pub(crate) decoding: Decoding,
    pub(crate) has_validation: bool,
    /// What early stopping or the schedule goes by, where the other columns do not show it.
    pub(crate) followed: Option<ValidationMetric>,
}

/// A column of the table of epochs: its head and width, and what of an epoch it shows.
type Column = (&'static str, usize, fn(&EpochRecord) -> String);

impl EpochTable {
    pub(crate) fn new(config: &TrainConfig) -> EpochTable {
        let stopping = config.early_stopping.map(|rule| rule.metric);
        let schedule = match config.schedule {
            Schedule::Plateau { metric, .. } => Some(metric),
            _ => None,
        };
        EpochTable {
            encoding: config.encoding,
            decoding: config.answers_by(),
            has_validation: config.validation > 0,
            followed: stopping.or(schedule).filter(|metric| *metric != ValidationMetric::Accuracy),
        }
    }

    /// With everything, 79 columns.
    fn columns(self) -> Vec<Column> {
        fn test(epoch: &EpochRecord, metric: fn(&EpochMetrics) -> Option<f64>) -> String {
            percent(epoch.test.as_ref().and_then(metric))
        }
        let mut columns: Vec<Column> = vec![
            ("epoch", 5, |epoch| epoch.epoch.to_string()),
            ("train loss", 12, |epoch| loss_text(epoch.train.loss)),
            ("train right", 13, |epoch| percent(epoch.train.accuracy)),
        ];
        if self.has_validation {
            columns.push(validated(ValidationMetric::Accuracy));
        }
        columns.push(("test right", 12, |epoch| test(epoch, |metrics| metrics.accuracy)));
        // The bits of one output a class say little: nine in ten are 0. And what decides when training stops says more.
        if let Some(metric) = self.followed {
            columns.push(validated(metric));
        } else if self.encoding == TargetEncoding::OneHot {
            let loss = |epoch: &EpochRecord| {
                epoch.test.as_ref().map_or_else(|| "-".to_owned(), |metrics| loss_text(metrics.loss))
            };
            columns.push(("test loss", 11, loss));
        } else {
            columns.push(("test bits", 11, |epoch| test(epoch, |metrics| metrics.bit_accuracy)));
        }
        columns.push(match self.decoding {
            Decoding::Exact => ("invalid", 10, |epoch| test(epoch, |metrics| metrics.invalid_rate)),
            Decoding::Nearest => ("exact", 10, |epoch| test(epoch, |metrics| metrics.exact_accuracy)),
        });
        columns
    }

    pub(crate) fn head(self) -> String {
        self.columns().into_iter().map(|(head, width, _)| format!("{head:>width$}")).collect()
    }

    pub(crate) fn line(self, epoch: &EpochRecord) -> String {
        self.columns().into_iter().map(|(_, width, value)| format!("{:>width$}", value(epoch))).collect()
    }
}

/// Four decimals, and what would be wider than a column by its size.
fn loss_text(loss: f64) -> String {
    if loss.abs() < 1e5 { format!("{loss:.4}") } else { format!("{loss:.3e}") }
}

/// The column of a metric of the validation samples.
fn validated(metric: ValidationMetric) -> Column {
    fn value(epoch: &EpochRecord, metric: ValidationMetric) -> Option<f64> {
        epoch.validation.as_ref().and_then(|metrics| metric.of(metrics))
    }
    fn number(value: Option<f64>) -> String {
        value.map_or_else(|| "-".to_owned(), loss_text)
    }
    match metric {
        ValidationMetric::Accuracy => ("valid. right", 14, |epoch| percent(value(epoch, ValidationMetric::Accuracy))),
        ValidationMetric::Loss => ("valid. loss", 13, |epoch| number(value(epoch, ValidationMetric::Loss))),
        ValidationMetric::Mae => ("valid. MAE", 13, |epoch| number(value(epoch, ValidationMetric::Mae))),
        ValidationMetric::Rmse => ("valid. RMSE", 13, |epoch| number(value(epoch, ValidationMetric::Rmse))),
        ValidationMetric::BitAccuracy => {
            ("valid. bits", 13, |epoch| percent(value(epoch, ValidationMetric::BitAccuracy)))
        }
        ValidationMetric::ExactAccuracy => {
            ("valid. exact", 14, |epoch| percent(value(epoch, ValidationMetric::ExactAccuracy)))
        }
        ValidationMetric::NearestAccuracy => {
            ("valid. near", 13, |epoch| percent(value(epoch, ValidationMetric::NearestAccuracy)))
        }
    }
}

/// How a trial went, each number with its meaning.
pub(crate) fn explain(record: &RunRecord, output: &mut Output) {
    match record.status {
        Status::Failed => {
            let reason = record.error.as_deref().unwrap_or("no reason is recorded");
            output.line(format_args!("failed: {reason}"));
            return;
        }
        Status::Diverged => output.line(diverged(record)),
        Status::Finished => explain_early_stopping(record, output),
    }
    if let Some(test) = record.final_test() {
        let reading = Reading::of_record(record);
        explain_metrics(test, record.data.test, reading, output);
    }
    let curve: Vec<f64> = record.epochs.iter().filter_map(|epoch| epoch.test.as_ref()?.accuracy).collect();
    if curve.len() > 1 {
        output.line(format_args!(
            "curve            {}  test images right, {} to {}",
            sparkline(&curve, CURVE_WIDTH),
            percent(curve.first().copied()),
            percent(curve.last().copied()),
        ));
    }
    if let Some(note) = record.dropout_note() {
        output.line(wrapped("dropout", &note, 17));
    }
    // A sum of nothing is −0.
    let seconds_train = 0.0 + record.runtime.seconds_train.iter().sum::<f64>();
    let seconds_evaluate: f64 = record.runtime.seconds_evaluate.iter().sum();
    // Validation samples are among the training samples of the data and are not learned from.
    let n_validation = record.config.get("validation").and_then(Value::as_u64).unwrap_or(0);
    let n_train = (record.data.train as u64).saturating_sub(n_validation);
    let n_trained = n_train.saturating_mul(record.epochs.len().saturating_sub(1) as u64);
    let pace = match n_trained {
        0 => String::new(),
        _ => format!(" ({} samples/s)", thousands((n_trained as f64 / seconds_train.max(1e-9)) as u64)),
    };
    output.line(format_args!(
        "time             {} of training{pace}, {} of measuring",
        duration(seconds_train),
        duration(seconds_evaluate),
    ));
}

/// Which epoch the weights are from, where that need not be the last: the numbers that follow are that epoch's.
fn explain_early_stopping(record: &RunRecord, output: &mut Output) {
    let Some(rule) = record.config.get("early_stopping").filter(|rule| rule.is_object()) else { return };
    let metric = rule.get("metric").and_then(Value::as_str).unwrap_or_default();
    let patience = rule.get("patience").and_then(Value::as_u64).unwrap_or(0);
    let (kept, last) = (record.best_epoch, record.epochs.last().map_or(0, |epoch| epoch.epoch));
    let n_epochs = record.config.get("epochs").and_then(Value::as_u64).unwrap_or(0);
    let end = if (last as u64) < n_epochs {
        format!("stopped after epoch {last} of {n_epochs}, {} without progress", counted(patience as usize, "epoch"))
    } else {
        format!("not stopped in {}", counted(last, "epoch"))
    };
    output.line(format_args!("early stopping   {end}"));
    output.line(format_args!("weights          of epoch {kept}, the best {metric}; they are measured below"));
}

/// How the outputs of a network are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) encoding: TargetEncoding,
    pub(crate) decoding: Decoding,
    pub(crate) n_outputs: usize,
    /// What it was trained to lessen; none where networks differ in it.
    pub(crate) objective: Option<Objective>,
}

impl Reading {
    fn of_record(record: &RunRecord) -> Reading {
        let mut config = TrainConfig::default();
        for key in ["encoding", "loss", "reduction"] {
            let _ = record.config.get(key).map(|value| config.set(key, value));
        }
        Reading {
            encoding: config.encoding,
            decoding: record.answers_by(),
            n_outputs: record.layers.last().copied().unwrap_or(0),
            objective: Some(config.objective()),
        }
    }

    /// What makes an answer right.
    fn rule(self) -> String {
        match (self.decoding, self.encoding) {
            (Decoding::Nearest, TargetEncoding::OneHot) => "largest output right".to_owned(),
            (Decoding::Nearest, _) => "nearest code right".to_owned(),
            (Decoding::Exact, _) => format!("all {} bits right", self.n_outputs),
        }
    }
}

/// The metrics of `n_samples` test images, one on each line with what it says.
pub(crate) fn explain_metrics(test: &EpochMetrics, n_samples: usize, reading: Reading, output: &mut Output) {
    let all_right = |fraction: f64| thousands((fraction * n_samples as f64).round() as u64);
    let mut line = |name: &str, value: f64, meaning: &str| {
        output.line(format_args!("{name:<17}{:<9} {meaning}", percent(Some(value))));
    };
    if let Some(accuracy) = test.accuracy {
        let (n_right, n_samples) = (all_right(accuracy), thousands(n_samples as u64));
        line("accuracy", accuracy, &format!("{}: {n_right} of {n_samples} images", reading.rule()));
    }
    match reading.decoding {
        Decoding::Exact => {
            if let Some(nearest) = test.nearest_accuracy {
                line("nearest code", nearest, "right if the answer is the class of the nearest code");
            }
        }
        Decoding::Nearest => {
            if let Some(exact) = test.exact_accuracy {
                line("exact code", exact, "every output on its side of a half");
            }
        }
    }
    if let Some(bits) = test.bit_accuracy {
        line("bit accuracy", bits, "single bits right; high even for a constant answer");
    }
    // Where the nearest code is the answer, none is invalid.
    if let Some(invalid) = test.invalid_rate.filter(|_| reading.decoding == Decoding::Exact) {
        line("invalid", invalid, "answers whose bits are the code of no class");
    }
    if let Some(Objective { loss, reduction }) = reading.objective {
        let value = loss_text(test.loss);
        output.line(format_args!("loss             {value:<9} {loss}, {reduction} over the outputs"));
    }
    output.line(format_args!(
        "errors           MAE {:.4}, RMSE {:.4}: of the outputs against the target bits",
        test.mae, test.rmse
    ));
}

/// Where the results are and what one can do with them.
pub(crate) fn what_next(report: &Path, model: Option<&Path>, output: &mut Output) {
    output.line(format_args!("\nreport   {}", quoted(report)));
    if let Some(path) = model {
        let model = quoted(path);
        if !path.is_file() {
            output.line(format_args!(
                "model    {model} is gone; once its record in trials/ is gone too, it is trained again"
            ));
            return;
        }
        output.line(format_args!("model    {model}"));
        output.line(format_args!("\nnext     cargo xtask predict {model} photo.png"));
        output.line(format_args!("         cargo xtask evaluate {model} --disturb gaussian-blur=0.5,1,2"));
    }
}

/// A path as one can paste it into a shell.
pub(crate) fn quoted(path: &Path) -> String {
    let path = crate::places::shown(path);
    let is_plain = |character: char| character.is_alphanumeric() || "-_./+:=,@%".contains(character);
    if path.chars().all(is_plain) && !path.starts_with('-') {
        path
    } else if path.starts_with('-') {
        format!("'./{}'", path.replace('\'', r"'\''"))
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

/// Values as a line of blocks, at most `width` wide.
pub(crate) fn sparkline(values: &[f64], width: usize) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
    let n_shown = values.len().min(width);
    let mut line = String::new();
    for column in 0..n_shown {
        // The first and the last value are always among those shown.
        let index = if n_shown == 1 { 0 } else { column * (values.len() - 1) / (n_shown - 1) };
        let height = if high > low { (values[index] - low) / (high - low) } else { 0.0 };
        let block = BLOCKS[((height * 7.0).round() as usize).min(7)];
        line.push(block);
    }
    line
}

fn diverged(record: &RunRecord) -> String {
    let place = record.diverged.map_or(String::new(), |place| {
        let n_layers = record.layers.len().saturating_sub(1);
        format!(" in epoch {}, batch {}, layer {} of {n_layers}", place.epoch, place.batch, place.layer + 1)
    });
    let text = format!(
        "diverged{place}: the numbers left the range of {}. That is a result, not an error; \
         a smaller learning_rate keeps them in. Before it:",
        record.config.get("precision").and_then(|value| value.as_str()).unwrap_or("the type")
    );
    wrapped("", &text, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_shows_the_first_and_the_last_value_and_keeps_its_width() {
        assert_eq!(sparkline(&[0.0, 0.5, 1.0], 60), "▁▅█");
        assert_eq!(sparkline(&[1.0, 1.0], 60), "▁▁");
        let long: Vec<f64> = (0..1000).map(f64::from).collect();
        let line = sparkline(&long, 60);
        assert_eq!(line.chars().count(), 60);
        assert!(line.starts_with('▁') && line.ends_with('█'));
    }

    #[test]
    fn paths_are_quoted_for_a_shell_only_where_they_must_be() {
        assert_eq!(quoted(Path::new("runs/a-b/models/1.safetensors")), "runs/a-b/models/1.safetensors");
        assert_eq!(quoted(Path::new("my runs/$(x)")), "'my runs/$(x)'");
        assert_eq!(quoted(Path::new("it's")), r"'it'\''s'");
        assert_eq!(quoted(Path::new("-x")), "'./-x'");
    }
}
