//! Nets in training, watched and told what to do.

use serde_json::{Value, json};

use super::driver::Browser;
use super::server::Serving;
use crate::sandbox::Sandbox;

/// The parts of the colour in the middle of the first row of a map, at its beginning.
fn colour(browser: &Browser, map: &str) -> [f64; 3] {
    let script = "const c = document.getElementById('map-' + arguments[0]); return Array.from(c.getContext('2d').getImageData(2, 4, 1, 1).data)";
    let found = browser.run(script, json!([map]));
    [0, 1, 2].map(|part| found[part].as_f64().expect("a number"))
}

fn is_red([red, green, blue]: [f64; 3]) -> bool {
    red > green + 80.0 && red > blue + 80.0
}

fn choose(browser: &Browser, story: &str) {
    let script =
        "const p = document.getElementById('preset'); p.value = arguments[0]; p.dispatchEvent(new Event('change'));";
    browser.run(script, json!([story]));
}

/// Opens the playground.
pub(super) fn stories(browser: &Browser, serving: &Serving) {
    browser.go(&serving.at("playground"));
    browser.wait_for("the stories", "return document.getElementById('preset').options.length > 3");
}

/// Sets fields of the form.
pub(super) fn set(browser: &Browser, fields: &[(&str, &str)]) {
    let script = "for (const [name, value] of arguments[0]) { const f = document.getElementById('settings').elements[name]; \
                  f.value = value; f.dispatchEvent(new Event('input', { bubbles: true })); }";
    browser.run(script, json!([fields]));
}

pub(super) fn wait_for_status(browser: &Browser, beginning: &str) -> Value {
    let script = format!("return document.getElementById('status').textContent.startsWith('{beginning}')");
    browser.wait_for(beginning, &script)
}

#[test]
fn the_map_turns_red_for_weights_from_0_to_1_and_not_for_glorots() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let digits = sandbox.path("digits").display().to_string();
    let serving = Serving::start(&sandbox, &["--data", &digits, "--threads", "1"]);
    browser.go(&serving.at("playground"));
    browser.wait_for("the stories", "return document.getElementById('preset').options.length > 3");
    // Few images are there; the stories ask for more.
    let few = "for (const [name, value] of [['train_size', 200], ['test_size', 100], ['epochs', 1]]) { \
               const f = document.getElementById('settings').elements[name]; f.value = value; \
               f.dispatchEvent(new Event('input', { bubbles: true })); }";
    for (story, expected) in [("never-moves", true), ("glorot", false)] {
        choose(&browser, story);
        browser.run(few, json!([]));
        browser.click("#epoch");
        wait_for_status(&browser, "Finished: epoch 1");
        let colour = colour(&browser, "saturated");
        assert_eq!(is_red(colour), expected, "{story}: {colour:?}");
        let sentence = browser.text("#sentence");
        assert_eq!(sentence.contains("100 % of its units are saturated"), expected, "{story}: {sentence}");
        let label =
            browser.run("return document.getElementById('map-saturated').getAttribute('aria-label')", json!([]));
        assert_eq!(label.as_str().is_some_and(|text| text.contains("layer 1 100.0 %")), expected, "{label}");
        browser.click("#train");
        wait_for_status(&browser, "Finished: epoch 1");
        browser.click("#stop");
    }
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn a_training_is_started_paused_resumed_and_stopped_and_a_reload_loses_nothing() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let digits = sandbox.path("digits").display().to_string();
    let serving = Serving::start(&sandbox, &["--data", &digits]);
    browser.go(&serving.at("playground"));
    browser.wait_for("the stories", "return document.getElementById('preset').options.length > 3");
    choose(&browser, "glorot");
    let long = "for (const [name, value] of [['train_size', 200], ['test_size', 100], ['epochs', 100000], ['hidden', '32, 16']]) { \
                const f = document.getElementById('settings').elements[name]; f.value = value; \
                f.dispatchEvent(new Event('input', { bubbles: true })); }";
    browser.run(long, json!([]));
    browser.click("#train");
    wait_for_status(&browser, "Training: epoch");
    let epoch =
        "const m = document.getElementById('status').textContent.match(/epoch (\\d+)/); return m ? Number(m[1]) : null";
    browser.wait_for("a few epochs", &epoch.replace("return m ?", "return m && Number(m[1]) > 5 ?"));

    // Paused, it stays where it is.
    browser.click("#go");
    wait_for_status(&browser, "Paused");
    let before = browser.run(epoch, json!([]));
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert_eq!(browser.run(epoch, json!([])), before);
    // A step leads to the end of an epoch, of the one under way or else of the next: the curve has a point more.
    let points = "return document.querySelector('#accuracy path.line').getAttribute('d').split('L').length";
    let n_points = browser.run(points, json!([])).as_u64().expect("a number");
    browser.click("#epoch");
    browser.wait_for("one epoch more", &format!("{points} === {}", n_points + 1));
    wait_for_status(&browser, "Paused");
    let next = browser.run(epoch, json!([])).as_u64().expect("a number");
    assert!(
        Some(next) >= before.as_u64() && Some(next) <= before.as_u64().map(|before| before + 1),
        "{before}, {next}"
    );

    // Resumed, and loaded anew in the middle: the curves, the settings and the training are still there.
    browser.click("#go");
    wait_for_status(&browser, "Training");
    browser.reload();
    wait_for_status(&browser, "Training");
    let after = browser.run(epoch, json!([]));
    assert!(after.as_u64() >= Some(next), "{after}");
    let hidden = browser.run("return document.getElementById('settings').elements.hidden.value", json!([]));
    assert_eq!(hidden, "32, 16");
    let points = browser.run(points, json!([]));
    assert!(points.as_u64() > Some(5), "the curve since the beginning, not since the reload: {points}");
    let digits = browser.run("return document.querySelectorAll('#digits li').length", json!([]));
    assert_eq!(digits, 10);

    // Another rate while it runs; then the run cannot be kept, and says why.
    browser.run("document.getElementById('rate').value = 0.0005", json!([]));
    browser.click("#set-rate");
    browser.wait_for("the other rate", "return document.getElementById('status').textContent.includes('rate 5.0e-4')");
    browser
        .wait_for("the reason", "return document.getElementById('keep-note').textContent.includes('changed by hand')");
    let is_disabled = browser.run("return document.getElementById('keep').disabled", json!([]));
    assert_eq!(is_disabled, true);
    browser.click("#stop");
    wait_for_status(&browser, "Stopped");
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn a_run_is_kept_and_the_command_that_is_shown_gives_the_same_bits() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    browser.go(&serving.at("playground"));
    browser.wait_for("the stories", "return document.getElementById('preset').options.length > 3");
    choose(&browser, "relu");
    let few = "for (const [name, value] of [['train_size', 150], ['test_size', 80], ['hidden', '12']]) { \
               const f = document.getElementById('settings').elements[name]; f.value = value; \
               f.dispatchEvent(new Event('input', { bubbles: true })); }";
    browser.run(few, json!([]));
    // By keyboard alone: the button has the focus when it was pressed.
    browser.run("document.getElementById('epoch').focus()", json!([]));
    browser.press(&["Enter"]);
    wait_for_status(&browser, "Paused: epoch 1");
    browser.run("document.getElementById('keep').focus()", json!([]));
    browser.press(&["Space"]);
    let kept = browser.wait_for(
        "the trial",
        "const t = document.getElementById('keep-note').textContent; return t.startsWith('Kept as trial') && t",
    );
    let trial = kept.as_str().and_then(|text| text.split(' ').nth(3)).expect("a name").to_owned();

    let record = |path: &std::path::Path| -> Value {
        serde_json::from_slice(&std::fs::read(path).expect("a record")).expect("JSON")
    };
    let runs = sandbox.files("runs");
    let ours = record(&runs[0].join(format!("trials/{trial}.json")));
    let shown = browser.text("#command");
    let command = shown.replace("\\\n", " ").replace("cargo xtask", "\"$@\"") + " --out again --quiet";
    let outcome = sandbox.outcome(sandbox.shell(&command).arg(crate::sandbox::PROGRAM).output().expect("a shell"));
    outcome.expect_code(0);
    let theirs = record(&sandbox.path(&format!("again/trials/{trial}.json")));
    assert_eq!(ours["weights_sha256"], theirs["weights_sha256"], "{shown}");
    for key in ["epochs", "confusion", "mistakes", "config", "data", "layers"] {
        assert_eq!(without_name(&ours[key]), without_name(&theirs[key]), "{key}");
    }
}

fn without_name(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(map) = value.as_object_mut() {
        map.remove("name");
    }
    value
}
