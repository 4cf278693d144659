//! Room in figures: no text is cut or leaves the sheet, and no failed trial takes the room of the others.

use mlp_report::effects::effects;
use mlp_report::{against_key, best_cells, chart, cost, heat_map, interplay, parallel, report_html};
use mlp_results::{Overview, RunRecord};
use serde_json::json;

use crate::made_up::{self, Story, noise, scored};

/// A text of a figure: where it begins and ends, in pixels, and what it says.
struct Text {
    from: f64,
    to: f64,
    words: String,
}

/// The texts of a figure.
fn texts(svg: &str) -> Vec<Text> {
    let text = |part: &str| {
        let (head, rest) = part.split_once('>')?;
        let attribute = |name: &str| head.split(&format!(" {name}=\"")).nth(1)?.split('"').next();
        let words = rest.split("</text>").next()?.trim().to_owned();
        let number = |name| attribute(name).and_then(|value| value.parse::<f64>().ok());
        // A sheet has four units to the pixel.
        let (x, size) = (number("x")? / 4.0, number("font-size")? / 4.0);
        let width = chart::text_width(&words, size);
        let (from, to) = match attribute("text-anchor")? {
            "start" => (x, x + width),
            "middle" => (x - width / 2.0, x + width / 2.0),
            _ => (x - width, x),
        };
        Some(Text { from, to, words })
    };
    svg.split("<text").skip(1).filter_map(text).collect()
}

/// Rates by batch sizes by optimisers whose parameters vary, so that their names are long.
fn long_names() -> Vec<RunRecord> {
    let optimizers = [
        json!({ "name": "momentum", "momentum": 0.9 }),
        json!({ "name": "momentum", "momentum": 0.95 }),
        json!({ "name": "adam", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7 }),
        json!({ "name": "adam", "beta1": 0.8, "beta2": 0.999, "epsilon": 1e-7 }),
    ];
    let record = |index: usize| {
        let settings = [
            ("learning_rate", json!([0.001, 0.01, 0.1][index % 3])),
            ("batch_size", json!([16, 32, 64, 128][index / 3 % 4])),
            ("optimizer", optimizers[index / 12 % 4].clone()),
        ];
        scored(&settings, (index / 48) as u64, 0.9 + 0.05 * noise(5, index as u64))
    };
    (0..96).map(record).collect()
}

#[test]
fn values_are_never_shown_without_their_settings() {
    let record = |index: usize| {
        let settings = [
            ("learning_rate", json!([0.01287, 0.1][index % 2])),
            ("l2", json!([0.0, 0.001][index / 2 % 2])),
            ("hidden", json!([[54], [32]][index / 4 % 2])),
        ];
        scored(&settings, (index / 8) as u64, 0.9 + 0.05 * noise(5, index as u64))
    };
    let input = made_up::input((0..16).map(record).collect());
    let page = report_html(&input);
    assert!(
        page.contains("hidden 54 · l2 0 · learning_rate 0.01287"),
        "the table of the best, and what figures say on hover"
    );
    // Where there is room for the values alone, the figure names their settings above them.
    let bare = page.matches(">54 · 0 · ").count();
    assert!(bare == 0 || page.contains("hidden units · l2 · learning_rate"), "{bare}");
    let table =
        page.split("<table>").nth(1).and_then(|rest| rest.split("</table>").next()).expect("the table of the best");
    assert!(table.contains(">configuration</th>") && !table.contains("> 54 · "), "{table}");
    let boxed = page.matches("<div class=\"scroll").count();
    assert_eq!(boxed, page.matches("<table").count(), "every table scrolls in a box of its own");
}

#[test]
fn no_text_of_a_figure_is_cut_or_leaves_the_sheet() {
    let input = made_up::input(long_names());
    let page = report_html(&input);
    let mut n_texts = 0;
    for figure in page.split("<svg xmlns").skip(1) {
        let figure = figure.split("</svg>").next().unwrap();
        for text in texts(figure) {
            assert!(
                text.from >= -0.5 && text.to <= chart::WIDTH + 0.5,
                "{:?} to {:?}: {}",
                text.from,
                text.to,
                text.words
            );
            assert!(!text.words.contains('…'), "{}", text.words);
            n_texts += 1;
        }
    }
    assert!(n_texts > 300, "{n_texts}");
    let overview = Overview::new(&input.trials);
    let said = |svg: &str| texts(svg).into_iter().map(|text| text.words).collect::<Vec<_>>().join(" ");
    let best = said(&best_cells::best_cells(&overview));
    assert!(best.starts_with("The best 15 configurations by "), "{best}");
    let place =
        effects(&overview).keys.iter().position(|key| overview.varied[key.factor.key].key == "optimizer").unwrap();
    let rows = said(&against_key::against_key(&overview, &effects(&overview), place));
    for name in ["momentum (momentum 0.95)", "adam (beta1 0.8, beta2 0.999, epsilon 1e-7)"] {
        assert!(rows.contains(name), "{rows}");
    }
}

/// Twenty good trials and one that is dead, by rate and by batch size.
fn with_one_dead_trial() -> Vec<RunRecord> {
    let record = |index: usize| {
        let settings =
            [("learning_rate", json!(10f64.powf(-4.0 + index as f64 / 8.0))), ("batch_size", json!(8 << (index % 3)))];
        let accuracy = if index == 20 { 0.1135 } else { 0.95 + 0.02 * noise(6, index as u64) };
        let mut record = scored(&settings, 0, accuracy);
        record.runtime.seconds_train[0] += index as f64;
        record
    };
    (0..21).map(record).collect()
}

/// The ticks in per cent of a figure.
fn percents(svg: &str) -> Vec<f64> {
    texts(svg).iter().filter_map(|text| text.words.strip_suffix(" %")?.parse().ok()).collect()
}

#[test]
fn one_dead_trial_takes_no_room_and_is_marked_and_counted() {
    let mut records = with_one_dead_trial();
    // Among the configurations of the dot plot, too.
    records.drain(3..10);
    let input = made_up::input(records);
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    let figures = [
        ("best-cells", best_cells::best_cells(&overview), "1 run off the scale"),
        ("cost", cost::cost(&overview).unwrap(), "1 configuration off the scale"),
        ("parallel", parallel::parallel(&overview, &effects), "1 configuration off the scale"),
        ("against", against_key::against_key(&overview, &effects, 0), "1 trial off the scale"),
    ];
    for (name, svg, counted) in figures {
        let said = texts(&svg).iter().map(|text| text.words.clone()).collect::<Vec<_>>().join(" ");
        assert!(said.contains(counted), "{name}: {said}");
        assert!(svg.contains("<polygon"), "{name}: the mark");
        // What is off the scale is written: the dead one, and its mean with four others that share its range.
        let is_tick = |percent: &f64| ![11.35, 79.28].contains(percent);
        let ticks: Vec<f64> = percents(&svg).into_iter().filter(is_tick).collect();
        assert!(ticks.iter().all(|percent| *percent > 80.0), "{name}: {ticks:?}");
    }
    // Without it, nothing is off the scale.
    let input = made_up::input(with_one_dead_trial().into_iter().take(20).collect());
    let overview = Overview::new(&input.trials);
    assert!(!best_cells::best_cells(&overview).contains("off the scale"));
    assert!(!cost::cost(&overview).unwrap().contains("off the scale"));
}

#[test]
fn where_many_trials_failed_they_stay_on_the_scale() {
    let record = |index: usize| {
        let accuracy = if index.is_multiple_of(2) { 0.1135 } else { 0.95 + 0.002 * index as f64 };
        scored(&[("l2", json!(index))], 0, accuracy)
    };
    let input = made_up::input((0..10).map(record).collect());
    let overview = Overview::new(&input.trials);
    assert!(!best_cells::best_cells(&overview).contains("off the scale"));
}

/// The x of the ticks with these names, in units of the sheet.
fn places(svg: &str, names: &[&str]) -> Vec<f64> {
    let texts = texts(svg);
    let place = |name: &&str| {
        let text = texts.iter().rev().find(|text| text.words == **name).unwrap_or_else(|| panic!("no tick {name}"));
        (text.from + text.to) / 2.0
    };
    names.iter().map(place).collect()
}

#[test]
fn powers_of_two_and_what_spans_decades_are_spaced_by_their_ratio_and_what_does_not_is_not() {
    let against = |key: &str, values: Vec<serde_json::Value>, ticks: &[&str]| {
        let records =
            values.into_iter().enumerate().map(|(index, value)| scored(&[(key, value)], 0, 0.9 + index as f64 / 100.0));
        let input = made_up::input(records.collect());
        let overview = Overview::new(&input.trials);
        let places = places(&against_key::against_key(&overview, &effects(&overview), 0), ticks);
        let steps: Vec<f64> = places.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.iter().all(|step| (step - steps[0]).abs() < 1.0)
    };
    assert!(against("batch_size", vec![json!(16), json!(32), json!(64), json!(128)], &["16", "32", "64", "128"]));
    assert!(against("learning_rate", vec![json!(0.001), json!(0.01), json!(0.1)], &["0.001", "0.01", "0.1"]));
    assert!(against("l2", vec![json!(0), json!(1e-5), json!(1e-4), json!(1e-3)], &["1e-5", "0.0001", "0.001"]));
    assert!(against("epochs", vec![json!(1), json!(2), json!(3)], &["1", "2", "3"]));
    assert!(!against("epochs", vec![json!(1), json!(2), json!(30)], &["1", "2", "30"]));
}

#[test]
fn a_batch_size_drawn_on_a_logarithmic_scale_is_plotted_on_one() {
    let records = (0..40u64).map(|i| {
        let random = |part| noise(11 + i, part);
        let batch = (8.0 * 16f64.powf(random(1))) as usize;
        scored(&[("batch_size", json!(batch)), ("momentum", json!(random(2)))], 0, 0.9 + 0.01 * random(3))
    });
    let input = made_up::input(records.collect());
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    let place = effects.keys.iter().position(|key| overview.varied[key.factor.key].key == "batch_size").unwrap();
    let svg = against_key::against_key(&overview, &effects, place);
    let places = places(&svg, &["10", "20", "50", "100"]);
    let (first, second) = (places[1] - places[0], places[3] - places[2]);
    assert!((first - second).abs() < 1.5, "{places:?}");
}

#[test]
fn hovering_tells_the_values_of_every_kind_of_figure() {
    let input = made_up::input(made_up::grid(200));
    let overview = Overview::new(&input.trials);
    let effects = effects(&overview);
    let record = made_up::record(&[], Story { accuracy: 0.9, pace: 2.0, n_epochs: 4, seed: 0 });
    for (name, svg, hint) in [
        ("best-cells", best_cells::best_cells(&overview), "<title>no. 1, "),
        ("parallel", parallel::parallel(&overview, &effects), "<title>no. 1, "),
        ("against", against_key::against_key(&overview, &effects, 0), " %</title>"),
        ("interplay", interplay::interplay(&overview, &effects, interplay::pairs(&effects)[0]), " %</title>"),
        ("cost", cost::cost(&overview).unwrap(), " s</title>"),
        ("heat map", heat_map::heat_map(&overview, 0, 1), "batch_size "),
        ("curve", mlp_report::curves::curve(&record, overview.metric), "<title>test, epoch 4: "),
        ("confusion", mlp_report::confusion::confusion_matrix(&record).unwrap(), "<title>0 answered 0: "),
        ("comparison", mlp_report::comparison::by_epoch(&overview, overview.metric), ", epoch 15: "),
    ] {
        assert!(svg.contains(hint), "{name}");
    }
}
