//! What a person reads at the end: numbers with their meaning, and where to go next.

use std::fmt::Write as _;
use std::path::Path;

use mlp_results::text::{counted, duration, percent, thousands};
use mlp_results::{Metric, Repetitions, RunRecord, Status};
use mlp_train::{EpochMetrics, EpochRecord};
use serde_json::Value;

use crate::output::Output;

/// Epochs that a curve shows at most; the line fits into 80 columns.
const CURVE_WIDTH: usize = 24;

/// The head of the table of epochs.
pub(crate) const EPOCH_HEAD: &str = "epoch      loss      train right    test right   test bits   invalid";

/// One line of the table of epochs.
pub(crate) fn epoch_line(epoch: &EpochRecord) -> String {
    let test = epoch.test.as_ref();
    let of_test = |metric: fn(&EpochMetrics) -> Option<f64>| percent(test.and_then(metric));
    format!(
        "{:>5} {:>9.4} {:>16} {:>13} {:>11} {:>9}",
        epoch.epoch,
        epoch.train.loss,
        percent(epoch.train.digit_accuracy),
        of_test(|test| test.digit_accuracy),
        of_test(|test| test.bit_accuracy),
        of_test(|test| test.invalid_rate),
    )
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
        explain_metrics(test, record.data.test, record.layers.last().copied().unwrap_or(0), output);
    }
    let curve: Vec<f64> = record.epochs.iter().filter_map(|epoch| epoch.test.as_ref()?.digit_accuracy).collect();
    if curve.len() > 1 {
        output.line(format_args!(
            "curve            {}  test images right, {} to {}",
            sparkline(&curve, CURVE_WIDTH),
            percent(curve.first().copied()),
            percent(curve.last().copied()),
        ));
    }
    let seconds_train: f64 = record.runtime.seconds_train.iter().sum();
    let seconds_evaluate: f64 = record.runtime.seconds_evaluate.iter().sum();
    // Validation samples are among the training samples of the data and are not learned from.
    let n_validation = record.config.get("validation").and_then(Value::as_u64).unwrap_or(0);
    let n_train = (record.data.train as u64).saturating_sub(n_validation);
    let n_trained = n_train.saturating_mul(record.epochs.len().saturating_sub(1) as u64);
    output.line(format_args!(
        "time             {} of training ({} samples/s), {} of measuring",
        duration(seconds_train),
        thousands((n_trained as f64 / seconds_train.max(1e-9)) as u64),
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

/// The metrics of `n_samples` test images, one on each line with what it says.
pub(crate) fn explain_metrics(test: &EpochMetrics, n_samples: usize, n_bits: usize, output: &mut Output) {
    let all_right = |fraction: f64| thousands((fraction * n_samples as f64).round() as u64);
    if let Some(digits) = test.digit_accuracy {
        output.line(format_args!(
            "accuracy         {:<9} all {n_bits} bits right: {} of {} images",
            percent(Some(digits)),
            all_right(digits),
            thousands(n_samples as u64),
        ));
    }
    if let Some(nearest) = test.nearest_accuracy {
        output.line(format_args!(
            "nearest code     {:<9} right if the answer is the class of the nearest code",
            percent(Some(nearest)),
        ));
    }
    if let Some(bits) = test.bit_accuracy {
        output.line(format_args!(
            "bit accuracy     {:<9} single bits right; high even for a constant answer",
            percent(Some(bits)),
        ));
    }
    if let Some(invalid) = test.invalid_rate {
        output.line(format_args!(
            "invalid          {:<9} answers whose bits are the code of no class",
            percent(Some(invalid)),
        ));
    }
    output.line(format_args!(
        "errors           MAE {:.4}, RMSE {:.4}: of the outputs against the target bits",
        test.mae, test.rmse
    ));
}

/// Where the results are and what one can do with them.
pub(crate) fn what_next(report: &Path, model: Option<&Path>, output: &mut Output) {
    output.line(format_args!("\nreport   {}", report.display()));
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

/// The keys that vary, without the seed, with their values.
pub(crate) type Settings = Vec<(String, String)>;

/// The table of a sweep, best first: a line for each combination of all keys but the seed, a column for each key.
pub(crate) fn sweep_table(rows: Vec<(Settings, &RunRecord)>, output: &mut Output) {
    let configurations = Repetitions::ranked(rows, Metric::DigitAccuracy);
    let Some(first) = configurations.first() else { return };
    let keys: Vec<String> = first.settings.iter().map(|(key, _)| key.clone()).collect();
    let widths: Vec<usize> = (0..keys.len())
        .map(|column| column_width(&keys[column], configurations.iter().map(|row| row.settings[column].1.as_str())))
        .collect();
    let n_seeds = |row: &Repetitions<'_, Settings>| row.scores(Metric::DigitAccuracy).len();
    let most_seeds = configurations.iter().map(n_seeds).max().unwrap_or(0);
    let has_seeds = most_seeds > 1;
    let (width, head) = if has_seeds { (17, "test right ± sd") } else { (12, "test right") };
    let names = columns(keys.iter().map(String::as_str), &widths);
    output.line(format_args!("{names}{head:>width$}  {:>9}  {:>8}", "test bits", "invalid"));
    for row in &configurations {
        let values = columns(row.settings.iter().map(|(_, value)| value.as_str()), &widths);
        output.line(format_args!(
            "{values}{:>width$}  {:>9}  {:>8}{}",
            spread(row),
            percent(row.mean(Metric::BitAccuracy)),
            percent(row.mean(Metric::InvalidRate)),
            trouble(row),
        ));
    }
    if has_seeds {
        output.line(format_args!(
            "\nsd: standard deviation over {}; two lines differ for certain only if they lie several of it apart",
            counted(most_seeds, "seed")
        ));
    }
}

/// Wider values are cut.
const MAX_COLUMN: usize = 40;

/// The width of a column with this head and these values.
pub(crate) fn column_width<'a>(head: &'a str, values: impl Iterator<Item = &'a str>) -> usize {
    values.chain([head]).map(|text| text.chars().count()).max().unwrap_or(0).min(MAX_COLUMN)
}

/// Values in columns of these widths; longer ones are cut.
pub(crate) fn columns<'a>(values: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let mut line = String::new();
    for (value, width) in values.zip(widths) {
        let is_long = value.chars().count() > *width;
        let cut: String =
            if is_long { value.chars().take(width - 1).chain(['…']).collect() } else { value.to_owned() };
        let _ = write!(line, "{cut:width$}  ");
    }
    line
}

fn spread(row: &Repetitions<'_, Settings>) -> String {
    match (row.mean(Metric::DigitAccuracy), row.deviation(Metric::DigitAccuracy)) {
        (Some(mean), Some(deviation)) => format!("{:.2} ± {:.2} %", 100.0 * mean, 100.0 * deviation),
        (mean, _) => percent(mean),
    }
}

fn trouble(row: &Repetitions<'_, Settings>) -> String {
    let named = [(row.n_diverged(), "diverged"), (row.n_failed(), "failed")];
    named.into_iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("  {count} {name}")).collect()
}

fn diverged(record: &RunRecord) -> String {
    let place = record.diverged.map_or(String::new(), |place| {
        let n_layers = record.layers.len().saturating_sub(1);
        format!(" in epoch {}, batch {}, layer {} of {n_layers}", place.epoch, place.batch, place.layer + 1)
    });
    format!(
        "diverged{place}: the numbers left the range of {}. That is a result, not an error; \
         a smaller learning_rate keeps them in. Before it:",
        record.config.get("precision").and_then(|value| value.as_str()).unwrap_or("the type")
    )
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
