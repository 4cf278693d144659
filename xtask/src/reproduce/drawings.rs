//! The figures of the document, each with the numbers behind it.

use std::fmt::Write as _;

use mlp_report::canvas::{Anchor, Canvas, Paint};
use mlp_report::chart::{self, Axis, Chart, Level, Series};
use mlp_report::diagnosis::{Quantity, diagnosis_map_titled};
use mlp_report::interval::interval;
use mlp_report::palette::{self, Color, SERIES};
use mlp_train::Diagnosis;
use serde_json::{Value, json};

use super::claims::{SEVEN, THREE, number};
use super::evidence::{Row, Selection};
use super::findings::{ConstantAnswer, Findings};
use super::statistics::mean;
use crate::output::{counted, grouped};

/// A drawing, its numbers as CSV, and what to look for.
pub(crate) struct Drawing {
    /// The files' name, without an ending.
    pub(crate) name: String,
    pub(crate) svg: String,
    pub(crate) csv: String,
    pub(crate) caption: String,
}

/// Named points, each with the values of all seeds.
struct Dots {
    label: String,
    color: Color,
    /// Place on the x axis and values.
    points: Vec<(f64, Vec<f64>)>,
}

/// The share of digits as a percentage.
const PERCENT: f64 = 100.0;
/// The largest γ that is drawn.
const LARGEST_DRAWN: f64 = 1e-3;
/// Offset and half-width of weights drawn from [0, 1).
const PAPERS_WEIGHTS: (f64, f64) = (0.5, 0.5);

/// All drawings of one claim for which there are trials.
pub(crate) fn of_claim(number: u8, findings: &Findings) -> Vec<Drawing> {
    let drawings = match number {
        1 => {
            let mut drawings = paper_figures(findings);
            drawings.extend([replica_depth(findings), depth(findings), phases(findings)].into_iter().flatten());
            drawings.extend(diagnoses(findings));
            drawings
        }
        2 => rates(findings),
        4 => [decay(findings), decay_curves(findings)].into_iter().flatten().collect(),
        5 => robustness(findings),
        6 => sizes(findings).into_iter().collect(),
        7 => codes(findings).into_iter().collect(),
        8 => biases(findings).into_iter().collect(),
        _ => Vec::new(),
    };
    drawings.into_iter().filter(|drawing| drawing.csv.lines().count() > 1).collect()
}

/// The paper's figures on their axes, with the errors of constant answers.
fn paper_figures(findings: &Findings) -> Vec<Drawing> {
    let of_figure = |figure: &str, sweep: &str, loss: &str| {
        let is_rmse = loss == "rmse";
        let rows = Selection::of(&findings.rows, sweep).with("loss", &json!(loss));
        let n_train = rows.rows.first().map_or(0, |row| row.n_train);
        let mut series = Vec::new();
        let mut csv = String::from("reduction,set,seed,epoch,error\n");
        for (reduction, color) in rows.values("reduction").iter().zip([palette::BLUE, palette::VERMILION]) {
            let of_reduction = rows.with("reduction", reduction);
            let reduction = reduction.as_str().unwrap_or_default();
            let error = |metrics: &mlp_train::EpochMetrics| if is_rmse { metrics.rmse } else { metrics.mae };
            for (set, color) in [("training", palette::CONTEXT), ("test", color)] {
                let curves: Vec<(u64, Vec<f64>)> = of_reduction
                    .by_seed()
                    .into_iter()
                    .map(|(seed, row)| {
                        let of_set =
                            row.curve.iter().map(|(train, test)| error(if set == "test" { test } else { train }));
                        (seed, of_set.collect())
                    })
                    .collect();
                for (seed, curve) in &curves {
                    for (epoch, value) in curve.iter().enumerate() {
                        let _ = writeln!(csv, "{reduction},{set},{seed},{epoch},{value}");
                    }
                }
                let n_epochs = curves.iter().map(|(_, curve)| curve.len()).min().unwrap_or(0);
                let at = |epoch: usize| -> Vec<f64> { curves.iter().map(|(_, curve)| curve[epoch]).collect() };
                let points = (0..n_epochs).map(|epoch| (epoch as f64, mean(&at(epoch)))).collect();
                let name = format!("{set}, {reduction}");
                let mut line = Series::line(if set == "test" { name } else { String::new() }, color, points);
                line.band = (0..n_epochs)
                    .filter_map(|epoch| chart::range(at(epoch)).map(|(low, high)| (epoch as f64, low, high)))
                    .collect();
                series.push(line);
            }
        }
        // Of the images that the nets were measured on.
        let n_test = rows.rows.first().map_or(0, |row| row.n_test);
        let levels: Vec<Level> = findings
            .constant_of_fewer
            .get(&n_test)
            .unwrap_or(&findings.constant)
            .iter()
            .map(|answer| Level { name: answer.name.clone(), value: if is_rmse { answer.rmse } else { answer.mae } })
            .collect();
        let last = series.iter().flat_map(|series| &series.points).map(|point| point.0).fold(1.0, f64::max);
        let measure = if is_rmse { "root-mean-square error of a bit" } else { "mean absolute error of a bit" };
        Drawing {
            name: format!("figure-{}", figure.replace('.', "-")),
            svg: chart::draw(&Chart {
                title: format!("Fig. {figure}, replica"),
                subtitle: format!("{measure}; {n_train} training images"),
                description: format!("{measure} against the epoch, with the levels of constant answers."),
                x_name: "epoch".to_owned(),
                x: Axis::counts(0.0, last),
                y: Axis::linear(0.0, 0.7, 7),
                levels,
                series,
                dots: Vec::new(),
                height: 320.0,
            }),
            csv,
            caption: format!(
                "Fig. {figure} of the paper, run again ({}; bands from the lowest to the highest; grey, \
                 mostly covered: training images; \"mean\" and \"sum\": the loss of an image over its bits). Dashed: what a net reaches that gives the same \
                 answer to every image.",
                counted(rows.by_seed().len(), "seed")
            ),
        }
    };
    vec![
        of_figure("1.1", "figures-17000", "rmse"),
        of_figure("1.2", "figures-17000", "absolute"),
        of_figure("1.3", "figures-40000", "absolute"),
    ]
}

/// The nets whose last width is exchanged.
fn exchanged() -> [(Vec<usize>, &'static str); 2] {
    [(THREE.iter().copied().chain([8]).collect(), "3+8"), (SEVEN[..6].iter().copied().chain([128]).collect(), "7:128")]
}

fn replica_depth(findings: &Findings) -> Option<Drawing> {
    let rows = Selection::of(&findings.rows, "replica-depth");
    let (names, dots) = by_depth(&rows, palette::BLUE, "", Row::error);
    let answers = |answer: &&ConstantAnswer| answer.name != "mean of bits";
    let levels =
        findings.constant.iter().filter(answers).map(|answer| Level { name: answer.name.clone(), value: answer.mae });
    drawn(
        "replica-depth",
        "Depth in the paper's setup",
        "mean absolute error of a bit, test images",
        ("hidden layers", Axis::names(names.clone()), &names),
        Axis::linear(0.0, 0.5, 5),
        levels.collect(),
        vec![dots],
        "The error after training, by the number of hidden layers (the paper's, cut short). \"3+8\": three layers and one \
         of 8 units; \"7:128\": seven of which the last has 128. Dots are means over the seeds, bars 95 % intervals where \
         seeds differ.",
    )
}

fn depth(findings: &Findings) -> Option<Drawing> {
    let all = Selection::of(&findings.rows, "depth");
    let best = Selection {
        rows: all
            .values("hidden")
            .iter()
            .filter_map(|hidden| all.with("hidden", hidden).best("learning_rate"))
            .flat_map(|(_, rows)| rows.rows)
            .collect(),
    };
    let (names, dots) = by_depth(&best, palette::BLUE, "", |row| PERCENT * row.accuracy());
    let dots = vec![dots];
    drawn(
        "depth",
        "Depth with weights that can learn",
        "share of test digits with every bit right",
        ("hidden layers", Axis::names(names.clone()), &names),
        percent_around(&dots),
        Vec::new(),
        dots,
        "Test accuracy by the number of hidden layers, each with the learning rate that is best on validation images: \
         means with 95 % intervals over the seeds, pale dots single seeds. \"3+8\": three layers and one of 8 units; \"7:128\": seven \
         of which the last has 128.",
    )
}

fn by_depth(rows: &Selection<'_>, color: Color, label: &str, of: impl Fn(&Row) -> f64) -> (Vec<String>, Dots) {
    let prefixes = (1..=SEVEN.len()).map(|depth| (SEVEN[..depth].to_vec(), depth.to_string()));
    let exchanged = exchanged().map(|(hidden, name)| (hidden, name.to_owned()));
    let (mut names, mut points) = (Vec::new(), Vec::new());
    for (hidden, name) in prefixes.chain(exchanged) {
        let values = rows.with("hidden", &json!(hidden)).numbers(&of);
        if !values.is_empty() {
            points.push((names.len() as f64, values));
            names.push(name);
        }
    }
    (names, Dots { label: label.to_owned(), color, points })
}

/// Accuracy over offset and half-width of the first weights.
fn phases(findings: &Findings) -> Option<Drawing> {
    let rows = Selection::of(&findings.rows, "phases");
    let ends = |row: &Row| {
        let of = |key: &str| row.config.get("initializer")?.get(key)?.as_f64();
        Some((of("low")?, of("high")?))
    };
    let round = |value: f64| (value * 1e6).round() / 1e6;
    let mut cells: Vec<(f64, f64, f64)> = Vec::new();
    for initializer in rows.values("initializer") {
        let of_cell = rows.with("initializer", &initializer);
        let (low, high) = of_cell.rows.first().and_then(|row| ends(row))?;
        cells.push((round((low + high) / 2.0), round((high - low) / 2.0), of_cell.mean(Row::accuracy)));
    }
    let axis = |of: fn(&(f64, f64, f64)) -> f64| {
        let mut values: Vec<f64> = cells.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    };
    let (offsets, widths) = (axis(|cell| cell.0), axis(|cell| cell.1));
    if cells.is_empty() {
        return None;
    }
    let mut csv = String::from("offset,half_width,accuracy\n");
    cells.iter().for_each(|(offset, width, accuracy)| {
        let _ = writeln!(csv, "{offset},{width},{accuracy}");
    });
    let (left, top, row_height) = (64.0, 96.0, 34.0);
    let column = (chart::WIDTH - left - 12.0) / widths.len() as f64;
    let mut canvas = Canvas::new(chart::WIDTH, top + row_height * offsets.len() as f64 + 46.0);
    chart::draw_heading(
        &mut canvas,
        "Where the weights begin",
        "% of test digits; weights uniform in offset ± half-width",
    );
    for (place, width) in widths.iter().enumerate() {
        let middle = (left + (place as f64 + 0.5) * column, top - 14.0);
        canvas.text(&format!("± {width}"), middle, Anchor::Middle, 11.5, palette::MUTED, false);
    }
    for (place, offset) in offsets.iter().enumerate() {
        let y = top + place as f64 * row_height;
        canvas.text(&offset.to_string(), (left - 10.0, y + row_height / 2.0), Anchor::End, 12.0, palette::MUTED, false);
        for (across, width) in widths.iter().enumerate() {
            let Some(cell) = cells.iter().find(|cell| cell.0 == *offset && cell.1 == *width) else { continue };
            let x = left + across as f64 * column;
            let (from, to) = ((x + 1.0, y + 1.0), (x + column - 1.0, y + row_height - 1.0));
            canvas.rectangle(from, to, Paint::area(palette::BLUE, 0.04 + 0.54 * cell.2));
            let center = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
            let is_papers = (cell.0, cell.1) == PAPERS_WEIGHTS;
            if is_papers {
                let corners = [from, (to.0, from.1), to, (from.0, to.1), from];
                canvas.line(&corners, Paint::line(palette::VERMILION, 2.0));
            }
            canvas.text(&format!("{:.0}", PERCENT * cell.2), center, Anchor::Middle, 12.0, palette::INK, is_papers);
        }
    }
    let bottom = top + row_height * offsets.len() as f64;
    canvas.text("offset down, half-width across", (left, bottom + 18.0), Anchor::Start, 12.0, palette::MUTED, false);
    let right = chart::WIDTH - 12.0;
    canvas.text("framed: the paper's", (right, bottom + 18.0), Anchor::End, 12.0, palette::VERMILION, false);
    Some(Drawing {
        name: "phases".to_owned(),
        svg: canvas.finish("Where the weights begin", "Accuracy over offset and half-width of the first weights."),
        csv,
        caption: format!(
            "Three hidden layers with biases, {} training images, cross-entropy, batches of 32, {} epochs, weights drawn evenly \
             from offset ± half-width, mean of {}. Framed: the paper's weights, offset 0.5 and half-width 0.5.",
            grouped(rows.rows.first().map_or(0, |row| row.n_train)),
            rows.rows.first().map_or(0.0, |row| number(row, "epochs")),
            counted(rows.by_seed().len(), "seed")
        ),
    })
}

/// Maps of layer and epoch: saturation and gradient of each net that was examined.
fn diagnoses(findings: &Findings) -> Vec<Drawing> {
    let of_net = |(place, (name, diagnosis)): (usize, &(String, Diagnosis))| {
        [
            (Quantity::Saturated, "saturated", "saturated units: derivative below 1 % of its largest, in %"),
            (Quantity::Gradient, "gradient", "gradient of the weights: norm of the mean loss's derivative"),
        ]
        .map(|(quantity, word, subtitle)| {
            let mut csv = format!("layer,epoch,{word}\n");
            for epoch in &diagnosis.epochs {
                for (layer, measured) in epoch.layers.iter().enumerate() {
                    let _ = writeln!(csv, "{},{},{}", layer + 1, epoch.epoch, quantity.value(measured));
                }
            }
            Drawing {
                name: format!("doctor-{}-{word}", place + 1),
                svg: diagnosis_map_titled(diagnosis, quantity, name, subtitle),
                csv,
                caption: format!("{name}. {}", diagnosis.sentence()),
            }
        })
    };
    findings.diagnoses.iter().enumerate().flat_map(of_net).collect()
}

fn rates(findings: &Findings) -> Vec<Drawing> {
    let is_of_rates = |row: &&Row| row.sweep == "rates" || row.sweep == "rates-summed";
    let all = Selection { rows: findings.rows.iter().filter(is_of_rates).collect() };
    let of_reduction = |reduction: &Value| {
        let rows = all.with("reduction", reduction);
        let rates: Vec<f64> = rows.values("learning_rate").iter().filter_map(Value::as_f64).collect();
        let losses = rows.values("loss");
        let dots = losses.iter().zip(SERIES).map(|(loss, color)| {
            let of_loss = rows.with("loss", loss);
            let points = rates.iter().map(|rate| {
                (*rate, of_loss.with("learning_rate", &json!(rate)).numbers(|row| PERCENT * row.accuracy()))
            });
            Dots { label: loss.as_str().unwrap_or_default().to_owned(), color, points: points.collect() }
        });
        let reduction = reduction.as_str().unwrap_or_default();
        let names: Vec<String> = rates.iter().map(f64::to_string).collect();
        drawn(
            &format!("rates-{reduction}"),
            "Learning rate and loss",
            &format!("test digits right; loss is the {reduction} over the bits"),
            ("learning rate η", Axis::ratios(&rates, names.clone()), &names),
            Axis::percent(0.0, PERCENT),
            vec![Level { name: "answer '1'".to_owned(), value: PERCENT * findings.majority() }],
            dots.collect(),
            "Test accuracy against the learning rate for each loss. Lines join the means over the seeds, bars are 95 % \
             intervals.",
        )
    };
    all.values("reduction").iter().filter_map(of_reduction).collect()
}

/// γ* against N.
fn decay(findings: &Findings) -> Option<Drawing> {
    let mut csv = String::from("comparison,n_train,best_l2,low,high,is_bound\n");
    let mut series = Vec::new();
    let (mut sizes, mut lowest, mut highest) = (Vec::new(), f64::INFINITY, 0_f64);
    for ((name, slope), color) in findings.slopes.iter().zip(SERIES) {
        let mut line = Series::line(name.clone(), color, Vec::new());
        line.has_dots = true;
        for ((n_train, best, low, high), is_bound) in slope.best.iter().zip(&slope.is_bound) {
            let _ = writeln!(csv, "{name},{n_train},{best},{low},{high},{is_bound}");
            if *is_bound {
                // Nothing joins it to the others: the slope does without it.
                line.points.push((*n_train as f64, f64::NAN));
            }
            line.points.push((*n_train as f64, *best));
            if *is_bound {
                line.points.push((*n_train as f64, f64::NAN));
            } else {
                line.bars.push((*n_train as f64, *low, *high));
            }
            sizes.push(*n_train as f64);
            lowest = lowest.min(*low);
            highest = highest.max(*high);
        }
        series.push(line);
    }
    if sizes.is_empty() {
        return None;
    }
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let names = sizes.iter().map(f64::to_string).collect();
    let exponents: Vec<i32> = (lowest.log10().floor() as i32..=highest.log10().ceil() as i32).collect();
    let y = Axis::ratios(
        &exponents.iter().map(|exponent| 10_f64.powi(*exponent)).collect::<Vec<_>>(),
        exponents.iter().map(|exponent| format!("1e{exponent}")).collect(),
    );
    Some(Drawing {
        name: "l2-slope".to_owned(),
        svg: chart::draw(&Chart {
            title: "The best γ against the training set".to_owned(),
            subtitle: "γ with the least validation loss".to_owned(),
            description: "The best γ against the number of training images, on logarithmic axes.".to_owned(),
            x_name: "training images N".to_owned(),
            x: Axis::ratios(&sizes, names),
            y,
            levels: Vec::new(),
            series,
            dots: Vec::new(),
            height: 320.0,
        }),
        csv,
        caption: "The γ above 0 with the least validation loss, for each number of training images; bars hold 95 % of the \
                  draws of the bootstrap over seeds. A point that no line joins is the first or last γ that was tried: γ* lies there or beyond. A \
                  straight line that falls by one decade for each decade of N would be γ* ~ 1/N."
            .to_owned(),
    })
}

fn validation_loss(row: &Row) -> f64 {
    row.validation.as_ref().map_or(f64::NAN, |validation| validation.loss)
}

/// What γ does to the validation loss for every size of the training set, with equal epochs.
fn decay_curves(findings: &Findings) -> Option<Drawing> {
    let rows = Selection::of(&findings.rows, "l2-epochs");
    let mut sizes: Vec<usize> = rows.rows.iter().map(|row| row.n_train).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let decays: Vec<f64> = rows.values("l2").iter().filter_map(Value::as_f64).collect();
    // Larger ones would flatten all the rest.
    let decays: Vec<f64> =
        decays.into_iter().filter(|decay| (f64::MIN_POSITIVE..=LARGEST_DRAWN).contains(decay)).collect();
    let dots = sizes.iter().zip(SERIES).map(|(size, color)| {
        let of_size = rows.filter(|row| row.n_train == *size);
        let without = of_size.with("l2", &json!(0.0)).by_seed();
        let gains = |decay: &f64| -> Vec<f64> {
            let with = of_size.with("l2", &json!(decay)).by_seed();
            with.iter()
                .filter_map(|(seed, row)| Some(validation_loss(row) - validation_loss(without.get(seed)?)))
                .collect()
        };
        let points = decays.iter().map(|decay| (*decay, gains(decay)));
        Dots { label: format!("N = {size}"), color, points: points.collect() }
    });
    let names: Vec<String> = decays.iter().map(|decay| format!("{decay:e}")).collect();
    let dots: Vec<Dots> = dots.collect();
    let means = dots.iter().flat_map(|dots| &dots.points).map(|(_, values)| mean(values));
    let (low, high) = chart::range(means.filter(|loss| loss.is_finite())).unwrap_or((0.0, 0.0));
    let (low, high) = ((low.min(0.0) * 10.0).floor() / 10.0, ((high.max(0.0) * 10.0).ceil() / 10.0).max(0.1));
    (!decays.is_empty()).then(|| {
        drawn(
            "l2-loss",
            "L2 with equal epochs",
            "loss on validation images, less that with γ = 0",
            ("γ", Axis::ratios(&decays, names.clone()), &names),
            Axis::linear(low, high, (((high - low) * 10.0).round() as usize).clamp(1, 8)),
            vec![Level { name: "no penalty".to_owned(), value: 0.0 }],
            dots,
            "What the penalty does to the loss on validation images, against γ, one line for each number of training images; bars are \
             95 % intervals over the seeds. γ* is where a line is lowest.",
        )
    })?
}

/// Accuracy and retention against the blur.
fn robustness(findings: &Findings) -> Vec<Drawing> {
    let chance = findings.majority();
    let of_kind = |is_fixed: bool, is_retention: bool| {
        let mut csv = String::from("hidden,seed,sigma,value\n");
        let mut names: Vec<&str> = findings.robustness.iter().map(|curve| curve.hidden.as_str()).collect();
        names.dedup();
        let mut series = Vec::new();
        for (hidden, color) in names.iter().zip(SERIES.iter().chain([&palette::INK])) {
            let curves: Vec<_> = findings
                .robustness
                .iter()
                .filter(|curve| curve.hidden == **hidden && curve.is_fixed == is_fixed)
                .collect();
            let n_points = curves.iter().map(|curve| curve.points.len()).min().unwrap_or(0);
            let depth = hidden.split('-').count();
            let mut line = Series::line(counted(depth, "layer"), *color, Vec::new());
            for place in 0..n_points {
                let sigma = curves[0].points[place].0;
                let value = |curve: &&super::findings::Robustness| {
                    let (clean, now) = (curve.points[0].1, curve.points[place].1);
                    if is_retention { (now - chance) / (clean - chance) } else { PERCENT * now }
                };
                let values: Vec<f64> = curves.iter().map(value).collect();
                for (curve, value) in curves.iter().zip(&values) {
                    let _ = writeln!(csv, "{hidden},{},{sigma},{}", curve.seed, rounded(*value));
                }
                line.points.push((sigma, mean(&values)));
                line.band.extend(chart::range(values).map(|(low, high)| (sigma, low, high)));
            }
            // All seven would hide each other; the table has them.
            if depth % 2 == 1 {
                series.push(line);
            }
        }
        let kernel = if is_fixed { "kernel of 5 × 5" } else { "kernel as wide as the blur" };
        let (title, subtitle, y, levels, what) = if is_retention {
            (
                "What is kept under blur",
                "(accuracy − chance) / (clean − chance)",
                Axis::linear(0.0, 1.0, 5),
                Vec::new(),
                "retention",
            )
        } else {
            let level = Level { name: "answer '1'".to_owned(), value: PERCENT * chance };
            ("Accuracy under blur", "test digits right", Axis::percent(0.0, PERCENT), vec![level], "accuracy")
        };
        Drawing {
            name: format!("blur-{what}{}", if is_fixed { "-fixed-kernel" } else { "" }),
            svg: chart::draw(&Chart {
                title: title.to_owned(),
                subtitle: if is_retention { subtitle.to_owned() } else { format!("{subtitle}; {kernel}") },
                description: format!("{what} against the standard deviation of the blur, by depth."),
                x_name: "standard deviation of the blur, in pixels (0: clean)".to_owned(),
                x: Axis::linear(0.0, 6.0, 6),
                y,
                levels,
                series,
                dots: Vec::new(),
                height: 320.0,
            }),
            csv,
            caption: format!(
                "{} of nets with one, three, five and seven hidden layers that get over 90 % of the clean digits right; \
                 bands from the lowest seed to the highest; {kernel}. The numbers have all seven depths.",
                if is_retention { "Retention" } else { "Test accuracy" }
            ),
        }
    };
    vec![of_kind(false, false), of_kind(false, true), of_kind(true, false)]
}

fn sizes(findings: &Findings) -> Option<Drawing> {
    let rows = Selection::of(&findings.rows, "sizes");
    let mut sizes: Vec<usize> = rows.rows.iter().map(|row| row.n_train).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let names: Vec<String> = sizes.iter().map(usize::to_string).collect();
    let dots = rows.values("epochs").into_iter().zip(SERIES).map(|(epochs, color)| {
        let of_epochs = rows.with("epochs", &epochs);
        let points = sizes.iter().enumerate().map(|(place, size)| {
            let of_size = of_epochs.filter(|row| row.n_train == *size);
            (place as f64, of_size.numbers(|row| PERCENT * row.accuracy()))
        });
        Dots { label: format!("{epochs} epochs"), color, points: points.collect() }
    });
    let dots: Vec<Dots> = dots.collect();
    drawn(
        "sizes",
        "Training images and epochs",
        "test digits right, seven hidden layers",
        ("training images", Axis::names(names.clone()), &names),
        percent_around(&dots),
        Vec::new(),
        dots,
        "Test accuracy for both numbers of images and both numbers of epochs; dots are means, bars 95 % intervals over the \
         seeds, pale dots single seeds.",
    )
}

fn codes(findings: &Findings) -> Option<Drawing> {
    let all = Selection::of(&findings.rows, "codes");
    let softmax = Selection::of(&findings.rows, "codes-softmax");
    let random = |bits: u32| json!({ "name": "random", "bits": bits });
    let nets = [
        ("ASCII", all.with("encoding", &json!("ascii"))),
        ("4-bit", all.with("encoding", &json!("binary"))),
        ("rnd16", all.with("encoding", &random(16))),
        ("rnd32", all.with("encoding", &random(32))),
        ("1-hot", all.with("encoding", &json!("one-hot"))),
        ("soft", softmax),
    ];
    let names: Vec<String> = nets.iter().map(|(name, _)| (*name).to_owned()).collect();
    let best: Vec<Option<Selection<'_>>> =
        nets.iter().map(|(_, rows)| rows.best("learning_rate").map(|(_, rows)| rows)).collect();
    let of = |label: &str, color, value: fn(&Row) -> f64| {
        let points = best.iter().enumerate().map(|(place, rows)| {
            let values = rows.as_ref().map_or(Vec::new(), |rows| rows.numbers(|row| PERCENT * value(row)));
            (place as f64, values)
        });
        Dots { label: label.to_owned(), color, points: points.collect() }
    };
    let dots =
        vec![of("nearest", palette::BLUE, Row::nearest_accuracy), of("threshold", palette::VERMILION, Row::accuracy)];
    drawn(
        "codes",
        "Target codes",
        "test digits right, three hidden layers",
        ("code", Axis::names(names.clone()), &names),
        percent_around(&dots),
        Vec::new(),
        dots,
        "Test accuracy of each code, each with the learning rate that is best on validation images: ASCII, four bits, random \
         words of 16 and 32 bits, one-hot with sigmoids, one-hot with softmax. Read by the nearest code, or bit by bit with a \
         threshold of ½; bars are 95 % intervals over the seeds.",
    )
}

fn biases(findings: &Findings) -> Option<Drawing> {
    let all = Selection::of(&findings.rows, "bias");
    let names = ["3 layers", "7 layers"].map(str::to_owned).to_vec();
    let dots: Vec<Dots> = [(true, "with biases", palette::BLUE), (false, "without", palette::VERMILION)]
        .into_iter()
        .map(|(bias, label, color)| {
            let points = [&THREE[..], &SEVEN].into_iter().enumerate().map(|(place, hidden)| {
                let rows = all.with("hidden", &json!(hidden)).with("bias", &json!(bias)).best("learning_rate");
                (place as f64, rows.map_or(Vec::new(), |(_, rows)| rows.numbers(|row| PERCENT * row.accuracy())))
            });
            Dots { label: label.to_owned(), color, points: points.collect() }
        })
        .collect();
    drawn(
        "bias",
        "With biases and without",
        "test digits right",
        ("hidden layers", Axis::names(names.clone()), &names),
        percent_around(&dots),
        Vec::new(),
        dots,
        "Test accuracy with biases and without, each with the learning rate that is best on validation images; bars are 95 % \
         intervals over the seeds, pale dots single seeds.",
    )
}

/// From a whole percentage below the lowest value to one above the highest.
fn percent_around(dots: &[Dots]) -> Axis {
    let values = dots.iter().flat_map(|dots| &dots.points).flat_map(|(_, values)| values.iter().copied());
    let (low, high) = chart::range(values).unwrap_or((0.0, PERCENT));
    Axis::percent((low - 0.2).floor(), (high + 0.2).ceil().min(PERCENT))
}

/// Without the digits that only say how the number is stored.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A chart of dots with intervals over the seeds.
#[expect(clippy::too_many_arguments, reason = "what a chart says, part by part")]
fn drawn(
    name: &str,
    title: &str,
    subtitle: &str,
    (x_name, x, x_names): (&str, Axis, &[String]),
    y: Axis,
    levels: Vec<Level>,
    groups: Vec<Dots>,
    caption: &str,
) -> Option<Drawing> {
    let mut csv = String::from("series,x,seed_number,value\n");
    let (mut series, mut loose) = (Vec::new(), Vec::new());
    let is_line = x.logarithmic;
    let n_groups = groups.len();
    for (number, group) in groups.into_iter().enumerate() {
        let mut line = Series::line(group.label.clone(), group.color, Vec::new());
        line.has_dots = true;
        // Several dots of one name stand side by side.
        let aside = if is_line { 0.0 } else { 0.16 * (number as f64 - (n_groups - 1) as f64 / 2.0) };
        for ((place, values), x_name) in group.points.iter().zip(x_names) {
            let place = &(place + aside);
            for (number, value) in values.iter().enumerate() {
                let _ = writeln!(csv, "{},{x_name},{number},{}", group.label, rounded(*value));
            }
            if values.is_empty() {
                line.points.push((*place, f64::NAN));
                continue;
            }
            line.points.push((*place, mean(values)));
            if !is_line {
                // Names have no order in which a line could join them.
                line.points.push((*place, f64::NAN));
            }
            if let Some(interval) = interval(values) {
                let (low, high) = (interval.mean - interval.half_width, interval.mean + interval.half_width);
                line.bars.push((*place, low, high));
            }
            if !is_line {
                loose.extend(values.iter().map(|value| (*place, *value, group.color)));
            }
        }
        series.push(line);
    }
    if csv.lines().count() < 2 {
        return None;
    }
    Some(Drawing {
        name: name.to_owned(),
        svg: chart::draw(&Chart {
            title: title.to_owned(),
            subtitle: subtitle.to_owned(),
            description: format!("{subtitle}, against {x_name}."),
            x_name: x_name.to_owned(),
            x,
            y,
            levels,
            series,
            dots: loose,
            height: 320.0,
        }),
        csv,
        caption: caption.to_owned(),
    })
}
