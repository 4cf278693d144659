//! What goes wrong in an hour: odd files, rates that cannot be, folders and models that vanish.

use serde_json::json;

use super::camera::{open, with_a_model};
use super::driver::{Browser, Pointer};
use super::server::Serving;
use super::training::{set, stories, wait_for_status};
use crate::sandbox::Sandbox;

/// Drops a file of so many bytes onto the page.
fn drop_file(browser: &Browser, name: &str, content: &str, n_bytes: usize) {
    let script = "const [name, text, n] = arguments; const d = new DataTransfer(); \
                  const part = n > text.length ? new Uint8Array(n) : text; \
                  d.items.add(new File([part], name, { type: 'image/png' })); \
                  dispatchEvent(new DragEvent('drop', { dataTransfer: d, bubbles: true, cancelable: true }))";
    browser.run(script, json!([name, content, n_bytes]));
}

fn problem(browser: &Browser) -> String {
    let shown = "const p = document.getElementById('problem'); return !p.hidden && p.textContent";
    browser.wait_for("a sentence", shown).as_str().unwrap_or_default().to_owned()
}

#[test]
fn odd_files_are_refused_in_words_and_the_pad_goes_on() {
    let Some(browser) = Browser::start(1200, 1000) else { return };
    let sandbox = with_a_model();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    open(&browser, &serving);
    let stroke = || {
        browser.click("#clear");
        browser.draw("#pad", &[(0.5, 0.2), (0.5, 0.8)], Pointer::Mouse);
        browser.wait_for("an answer", "return document.querySelectorAll('.code li').length > 0");
        browser.wait_for("no complaint", "return document.getElementById('problem').hidden");
    };
    stroke();
    for (name, content, n_bytes, expected) in [
        ("letter.txt", "Dear net,", 0, "picture"),
        ("empty.png", "", 0, "picture"),
        ("huge.png", "", 33 << 20, "32 MiB at most"),
        ("page.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1e9\" height=\"1e9\"/>", 0, "picture"),
    ] {
        drop_file(&browser, name, content, n_bytes);
        let said = problem(&browser);
        assert!(said.contains(expected) && !said.contains("Start it again"), "{name}: {said}");
        stroke();
    }
    // Words, dragged from another window.
    let words = "const d = new DataTransfer(); d.setData('text/plain', 'seven'); \
                 dispatchEvent(new DragEvent('drop', { dataTransfer: d, bubbles: true, cancelable: true }))";
    browser.run(words, json!([]));
    assert!(problem(&browser).contains("That was no file"), "{}", problem(&browser));
    stroke();
}

#[test]
fn a_model_that_vanishes_and_a_folder_that_vanishes_are_missed_in_words() {
    let Some(browser) = Browser::start(1200, 1000) else { return };
    let sandbox = with_a_model();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    browser.go(&serving.at("watch"));
    browser.wait_for("the table", "return document.querySelectorAll('#trials tbody tr').length === 1");
    open(&browser, &serving);
    // A run that has just begun, and a folder with nothing in it, show no empty figures.
    std::fs::create_dir_all(sandbox.path("runs/empty/trials")).expect("a folder");
    browser.go(&serving.at("watch#run=runs%2Fempty"));
    browser.wait_for("the empty run", "return document.getElementById('run-title').textContent === 'runs/empty'");
    let shown = "return ['table-title', 'parallel-title', 'best-chart', 'curves-chart'].filter((id) => document.getElementById(id).offsetParent)";
    assert_eq!(browser.run(shown, json!([])), json!([]));
    assert!(browser.text("#tiles").contains("nothing has been run yet"), "{}", browser.text("#tiles"));
    open(&browser, &serving);
    let models = sandbox.path("runs/one/models");
    std::fs::remove_dir_all(&models).expect("models that go");
    browser.draw("#pad", &[(0.5, 0.2), (0.5, 0.8)], Pointer::Mouse);
    // It has been read, or it is missed; either way somebody is told something.
    browser.wait_for(
        "an answer or a sentence",
        "return document.querySelectorAll('.code li').length > 0 || !document.getElementById('problem').hidden",
    );
    browser.go(&serving.at("watch#run=runs%2Fone"));
    browser.wait_for("the table", "return document.querySelectorAll('#trials tbody tr').length === 1");
    std::fs::remove_dir_all(sandbox.path("runs/one")).expect("a folder that goes");
    browser.wait_for("the sentence", "return !document.getElementById('no-run').hidden");
    assert!(browser.text("#no-run").contains("“runs/one” is not there"), "{}", browser.text("#no-run"));
    assert_eq!(browser.run("return document.getElementById('run').hidden", json!([])), true);
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn settings_that_cannot_be_are_refused_in_words_that_stay_while_another_net_trains() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    stories(&browser, &serving);
    let long =
        [("train_size", "200"), ("test_size", "100"), ("epochs", "100000"), ("hidden", "16"), ("batch_size", "20")];
    set(&browser, &long);
    browser.click("#train");
    wait_for_status(&browser, "Training: epoch");
    for rate in ["0", "-1", ""] {
        browser.run("document.getElementById('rate').value = arguments[0]", json!([rate]));
        browser.click("#set-rate");
        let said = problem(&browser);
        assert!(said.contains("above 0"), "{rate}: {said}");
        // It is still there when many states have come.
        std::thread::sleep(std::time::Duration::from_millis(500));
        assert_eq!(problem(&browser), said);
    }
    for (key, value, expected) in [
        ("batch_size", "0", "batch_size"),
        ("batch_size", "100000", "batch_size"),
        ("learning_rate", "-3", "learning_rate"),
        ("dropout", "1.5", "below 1"),
        ("dropout", "0.5, 0.5, 0.5", "dropout"),
        ("hidden", "sixteen", "Hidden layers"),
        ("hidden", "900000, 900000", "at most"),
        ("others", "learnig_rate = 1", "learning_rate"),
    ] {
        set(&browser, &long);
        set(&browser, &[("learning_rate", "0.003"), ("dropout", "0"), ("others", "")]);
        set(&browser, &[(key, value)]);
        browser.click("#train");
        let said = problem(&browser);
        assert!(said.contains(expected), "{key} {value}: {said}");
    }
    // A rate that is far too large: the numbers overflow, and the page says where.
    set(&browser, &long);
    set(
        &browser,
        &[("learning_rate", "1e30"), ("others", ""), ("activation", "relu"), ("optimizer", "sgd"), ("epochs", "3")],
    );
    browser.click("#train");
    browser.wait_for("an end", "return /^(Diverged|Finished)/.test(document.getElementById('status').textContent)");
    assert_eq!(browser.run("return document.getElementById('problem').hidden", json!([])), true);
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn dropout_and_deformed_images_have_controls_and_the_command_says_them() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    stories(&browser, &serving);
    set(
        &browser,
        &[("train_size", "100"), ("test_size", "50"), ("epochs", "1"), ("hidden", "12, 8"), ("batch_size", "20")],
    );
    set(&browser, &[("dropout", "0.2, 0.4"), ("input_dropout", "0.1"), ("augment", "gentle")]);
    browser.click("#train");
    wait_for_status(&browser, "Finished: epoch 1");
    let command = browser.text("#command");
    for said in ["dropout=[0.2, 0.4]", "input_dropout=0.1", "augment=\"gentle\""] {
        assert!(command.contains(said), "{command}");
    }
    // After a reload the form has what is trained.
    browser.reload();
    wait_for_status(&browser, "Finished: epoch 1");
    let shown = "const e = document.getElementById('settings').elements; return [e.dropout.value, e.input_dropout.value, e.augment.value]";
    assert_eq!(browser.run(shown, json!([])), json!(["0.2, 0.4", "0.1", "gentle"]));
    // Left alone they are no part of the trial.
    set(&browser, &[("dropout", "0"), ("input_dropout", ""), ("augment", "no")]);
    browser.click("#train");
    browser.wait_for(
        "the other net",
        "const t = document.getElementById('command').textContent; return t && !t.includes('dropout') && !t.includes('augment')",
    );
    assert_eq!(browser.complaints(), [] as [String; 0]);
}
