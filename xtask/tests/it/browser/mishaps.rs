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
        ("letter.txt", "Dear net,", 0, "That is a text, and no picture (PNG, JPEG, WebP, BMP or GIF)"),
        ("empty.png", "", 0, "That is an empty file"),
        (
            "cut.png",
            "\u{1}\u{2}\u{3}\u{4}",
            0,
            "That is no picture that can be read here: expected PNG, JPEG, WebP, BMP or GIF",
        ),
        ("record.json", "{ \"schema\": 1 }", 0, "That is a file of JSON"),
        ("huge.png", "", 33 << 20, "32 MiB at most"),
        (
            "page.svg",
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1e9\" height=\"1e9\"/>",
            0,
            "That is an SVG drawing",
        ),
    ] {
        drop_file(&browser, name, content, n_bytes);
        let said = problem(&browser);
        assert!(
            said.contains(expected) && !said.contains("Start it again") && !said.contains("byte"),
            "{name}: {said}"
        );
        stroke();
    }
    // A model of this program.
    let model = "const done = arguments[arguments.length - 1], header = new TextEncoder().encode(' '.repeat(8) + '{\"__metadata__\":{}}'); \
                 header.set([20, 0, 0, 0, 0, 0, 0, 0]); const d = new DataTransfer(); d.items.add(new File([header], 'net.safetensors')); \
                 dispatchEvent(new DragEvent('drop', { dataTransfer: d, bubbles: true, cancelable: true })); done(0)";
    browser.run_and_wait(model, json!([]));
    assert!(problem(&browser).starts_with("That is a saved net, and no picture"), "{}", problem(&browser));
    stroke();
    // Words and links, dragged from another window or pasted.
    for (event, data, expected) in [
        ("drop", "text/plain", "That was a text, not a picture"),
        ("paste", "text/plain", "That was a text, not a picture"),
        ("drop", "text/uri-list", "That was a link, not a file"),
        ("paste", "text/html", "That was a text, not a picture"),
    ] {
        let words = "const [event, kind] = arguments, d = new DataTransfer(); d.setData(kind, 'http://seven'); \
                     const made = event === 'drop' ? new DragEvent('drop', { dataTransfer: d, bubbles: true, cancelable: true }) \
                     : new ClipboardEvent('paste', { clipboardData: d, bubbles: true, cancelable: true }); dispatchEvent(made)";
        browser.run(words, json!([event, data]));
        assert!(problem(&browser).contains(expected), "{event} {data}: {}", problem(&browser));
        stroke();
    }
    // A file that has changed since it was chosen, as a folder does, cannot be read; and of several the first is taken.
    let several = "const c = document.createElement('canvas'); c.width = c.height = 40; const x = c.getContext('2d'); x.fillStyle = '#fff'; x.fillRect(0, 0, 40, 40); \
                   x.fillStyle = '#000'; x.fillRect(18, 6, 4, 28); const done = arguments[arguments.length - 1]; \
                   c.toBlob((b) => { const d = new DataTransfer(); for (const n of ['a.png', 'b.png']) d.items.add(new File([b], n, { type: 'image/png' })); \
                   dispatchEvent(new DragEvent('drop', { dataTransfer: d, bubbles: true, cancelable: true })); done(0); }, 'image/png')";
    browser.run_and_wait(several, json!([]));
    assert!(problem(&browser).contains("the first of 2 is on the pad"), "{}", problem(&browser));
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
fn a_model_that_was_chosen_and_is_deleted_is_missed_in_words_until_another_is_chosen() {
    let Some(browser) = Browser::start(1200, 1000) else { return };
    let sandbox = with_a_model();
    sandbox.train("runs/other", &["--set", "hidden=[6]", "--quiet"]).expect_code(0);
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    browser.go(&serving.at("draw"));
    browser.wait_for("the models", "return document.getElementById('model-1').options.length === 2");
    let choose = "const s = document.getElementById('model-1'), o = Array.from(s.options).find((o) => o.value.startsWith(arguments[0])); \
                  s.value = o.value; s.dispatchEvent(new Event('change', { bubbles: true })); return o.value";
    let chosen = browser.run(choose, json!(["runs/one/"]));
    let trial = chosen.as_str().and_then(|id| id.rsplit('/').next()).expect("a trial").to_owned();
    browser.draw("#pad", &[(0.5, 0.2), (0.5, 0.8)], Pointer::Mouse);
    browser.wait_for("an answer", "return document.querySelectorAll('.code li').length > 0");
    assert_eq!(browser.run("return document.getElementById('model-gone').hidden", json!([])), true);
    // The file alone goes; its record stays.
    std::fs::remove_file(sandbox.path(&format!("runs/one/models/{trial}.safetensors"))).expect("a model that goes");
    browser.draw("#pad", &[(0.3, 0.2), (0.3, 0.8)], Pointer::Mouse);
    browser.wait_for("the sentence", "return !document.getElementById('model-gone').hidden");
    let said = browser.text("#model-gone");
    assert!(
        said.contains("runs/one") && said.contains("is there no longer") && said.contains("choose another"),
        "{said}"
    );
    // The other one reads meanwhile, and nothing else is complained of.
    browser.wait_for(
        "the other one's answer",
        "return document.querySelector('.reading h3').textContent.startsWith('runs/other')",
    );
    browser.wait_for("no complaint", "return document.getElementById('problem').hidden");
    assert_eq!(browser.run("return document.getElementById('model-gone').hidden", json!([])), false);
    browser.run(choose, json!(["runs/other/"]));
    assert_eq!(browser.run("return document.getElementById('model-gone').hidden", json!([])), true);
    // With its folder the last one goes.
    std::fs::remove_dir_all(sandbox.path("runs/other")).expect("a folder that goes");
    browser.wait_for(
        "the sentence",
        "return document.getElementById('model-gone').textContent.includes('No other is left')",
    );
    browser.wait_for("the offer", "return !document.getElementById('no-model').hidden");
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
