//! The stories of the playground: what they promise is what is seen.

use std::time::Instant;

use serde_json::{Value, json};

use super::driver::Browser;
use super::server::{Serving, mnist};
use super::training::{set, stories, wait_for_status};
use crate::sandbox::Sandbox;

/// What is seen of a net.
struct Seen {
    /// What it says of the ten test images; `?` is no code.
    answers: Vec<String>,
    accuracy: f64,
    /// What the best constant answer reaches.
    constant: f64,
    sentence: String,
    /// Of each layer: the share of saturated units, and the variety, as they are written.
    layers: Vec<(String, String)>,
}

fn look(browser: &Browser) -> Seen {
    let script = "const per = (text) => Number(((text || '').match(/([0-9.]+) %/) || [])[1]) / 100; \
                  return [Array.from(document.querySelectorAll('#digits b')).map((e) => e.textContent), \
                  per(document.querySelector('#accuracy .legend b').textContent), \
                  per(document.querySelector('#accuracy .level-name').textContent), \
                  document.getElementById('sentence').textContent, \
                  Array.from(document.querySelectorAll('#layers-now tbody tr')).map((r) => [r.cells[2].textContent, r.cells[4].textContent])]";
    let seen = browser.run(script, json!([]));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    Seen {
        answers: list(&seen[0]).iter().map(text).collect(),
        accuracy: seen[1].as_f64().unwrap_or(f64::NAN),
        constant: seen[2].as_f64().unwrap_or(f64::NAN),
        sentence: text(&seen[3]),
        layers: list(&seen[4]).iter().map(|layer| (text(&layer[0]), text(&layer[1]))).collect(),
    }
}

/// Plays a story to its end; the seconds that it took.
fn play(browser: &Browser, story: &str) -> f64 {
    let choose =
        "const p = document.getElementById('preset'); p.value = arguments[0]; p.dispatchEvent(new Event('change'))";
    browser.run(choose, json!([story]));
    let started = Instant::now();
    browser.click("#play");
    // What is shown may still be the story before.
    browser
        .wait_for("a beginning", "return !/^(Finished|Stopped)/.test(document.getElementById('status').textContent)");
    wait_for_status(browser, "Finished");
    started.elapsed().as_secs_f64()
}

#[test]
fn the_net_of_seven_layers_gives_one_answer_to_every_image() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::new();
    let serving = Serving::start(&sandbox, &["--data", "synthetic"]);
    stories(&browser, &serving);
    let choose =
        "const p = document.getElementById('preset'); p.value = 'only-ones'; p.dispatchEvent(new Event('change'))";
    browser.run(choose, json!([]));
    set(&browser, &[("train_size", "700"), ("test_size", "300"), ("epochs", "2")]);
    browser.click("#train");
    wait_for_status(&browser, "Finished: epoch 2");
    assert_one_answer(&look(&browser));
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

fn assert_one_answer(seen: &Seen) {
    assert_eq!(seen.answers.len(), 10);
    assert!(
        seen.answers[0] != "?" && seen.answers.iter().all(|answer| *answer == seen.answers[0]),
        "{:?}",
        seen.answers
    );
    assert!(seen.accuracy > 0.05 && seen.accuracy <= seen.constant + 0.001, "{} {}", seen.accuracy, seen.constant);
    assert!(seen.sentence.contains("saturated"), "{}", seen.sentence);
}

/// Every story as it is told, on MNIST where it is, in a browser: `cargo test --release -p xtask stories -- --ignored --nocapture`.
#[test]
#[ignore = "minutes: every story to its end"]
fn every_story_shows_what_it_tells_within_its_minute() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::new();
    let data = mnist().map_or_else(|| "synthetic".to_owned(), |folder| folder.display().to_string());
    let serving = Serving::start(&sandbox, &["--data", &data]);
    stories(&browser, &serving);
    for (story, check) in [
        ("never-moves", never_moves as fn(&Seen)),
        ("only-ones", assert_one_answer),
        ("glorot", |seen| assert!(seen.accuracy > 0.7 && !seen.sentence.contains("100 %"), "{}", seen.accuracy)),
        ("deep-glorot", too_faint),
        ("gain-of-two", |seen| assert!(seen.accuracy > 3.0 * seen.constant, "{}", seen.accuracy)),
        ("relu", |seen| assert!(seen.accuracy > 0.8, "{}", seen.accuracy)),
    ] {
        let seconds = play(&browser, story);
        let seen = look(&browser);
        eprintln!(
            "{story}: {seconds:.0} s, {:.1} % right, constant {:.1} %, {}",
            100.0 * seen.accuracy,
            100.0 * seen.constant,
            seen.answers.concat()
        );
        check(&seen);
        assert!(seconds < 60.0, "{story}: {seconds:.0} s");
    }
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

fn never_moves(seen: &Seen) {
    assert!(seen.answers.iter().all(|answer| *answer == seen.answers[0]), "{:?}", seen.answers);
    assert!(seen.layers.iter().all(|(saturated, _)| saturated.starts_with("100")), "{:?}", seen.layers);
    assert!(seen.accuracy <= seen.constant + 0.001, "{}", seen.accuracy);
}

fn too_faint(seen: &Seen) {
    assert!(seen.accuracy <= seen.constant + 0.001, "{}", seen.accuracy);
    assert!(seen.sentence.contains("nearly the same answer"), "{}", seen.sentence);
    let variety = |layer: usize| seen.layers[layer].1.parse::<f64>().unwrap_or(f64::NAN);
    assert!(variety(0) > 1e3 * variety(3), "{:?}", seen.layers);
}
