//! The form of the playground: numbers as people type them, the Enter key, stories that no longer fit, and what is kept.

use serde_json::{Value, json};

use super::driver::Browser;
use super::server::Serving;
use super::training::{set, stories, wait_for_status};
use crate::sandbox::Sandbox;

const SMALL: [(&str, &str); 5] =
    [("train_size", "100"), ("test_size", "50"), ("hidden", "8"), ("batch_size", "20"), ("epochs", "100000")];

/// What the form gives for a key; nothing where it is refused.
fn given(browser: &Browser, key: &str) -> Value {
    let script = "if (!document.getElementById('problem').hidden) return null; \
                  const net = JSON.parse(new URLSearchParams(location.hash.slice(1)).get('net')); return net.config[arguments[0]] ?? net[arguments[0]]";
    browser.run(script, json!([key]))
}

fn press_enter_in(browser: &Browser, name: &str) {
    browser.run("document.getElementById('settings').elements[arguments[0]].focus()", json!([name]));
    browser.press(&["Enter"]);
}

fn focused(browser: &Browser) -> Value {
    browser.run("return document.activeElement.id || document.activeElement.name", json!([]))
}

#[test]
fn a_story_is_told_of_its_own_settings_alone() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    stories(&browser, &serving);
    let story = browser.text("#story");
    assert!(story.starts_with("All weights are drawn from 0 to 1"), "{story}");
    set(&browser, &[("activation", "relu"), ("epochs", "7")]);
    let changed = browser.text("#story");
    assert!(changed.starts_with("Changed from the story: activation, epochs."), "{changed}");
    // Which data it is told with is open, and what cannot be read is no story.
    set(&browser, &[("activation", "sigmoid"), ("epochs", "3"), ("data", "synthetic")]);
    assert_eq!(browser.text("#story"), story);
    set(&browser, &[("hidden", "many")]);
    assert!(browser.text("#story").starts_with("Changed from the story"), "{}", browser.text("#story"));
    // A link to other settings, and a reload in mid-run, tell it as little.
    set(&browser, &SMALL);
    browser.click("#train");
    wait_for_status(&browser, "Training: epoch");
    browser.reload();
    wait_for_status(&browser, "Training: epoch");
    browser.wait_for("the remark", "return document.getElementById('story').textContent.startsWith('Changed from')");
    browser.click("#stop");
    wait_for_status(&browser, "Stopped");
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn numbers_with_a_comma_are_read_as_they_are_meant_or_refused_in_words() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    stories(&browser, &serving);
    set(&browser, &SMALL);
    for (name, typed, expected) in [
        ("learning_rate", "0,5", json!(0.5)),
        ("learning_rate", "0,001", json!(0.001)),
        ("learning_rate", "1e-3", json!(0.001)),
        ("input_dropout", ",25", json!(0.25)),
        ("dropout", "0,5", json!(0.5)),
        ("dropout", "0,2; 0,4", json!([0.2, 0.4])),
        ("dropout", "0.2,0.4", json!([0.2, 0.4])),
        ("hidden", "512,256", json!([512, 256])),
    ] {
        set(&browser, &[(name, typed)]);
        assert_eq!(given(&browser, name), expected, "{name} {typed}: {}", browser.text("#problem"));
        set(&browser, &[("learning_rate", "0.1"), ("input_dropout", "0"), ("dropout", "0"), ("hidden", "8")]);
    }
    for (name, typed, right, reason) in [
        ("learning_rate", "1,000", "0.1", "Rate: expected a number, found “1,000”; write 1000."),
        ("learning_rate", "fast", "0.1", "Rate: expected a number, found “fast”, such as 0.5."),
        ("batch_size", "2,5", "20", "Batch: expected a whole number, found “2,5”, such as 100."),
        ("train_size", "60,000", "100", "Training images: expected a whole number, found “60,000”; write 60000."),
        ("epochs", "10.000", "9", "Epochs: expected a whole number, found “10.000”; write 10000."),
        ("seed", "1.5", "0", "Seed: expected a whole number, found “1.5”, such as 100."),
        ("input_dropout", "half", "0", "Dropout, of inputs: expected a number, found “half”, such as 0.5."),
    ] {
        set(&browser, &[(name, typed)]);
        assert_eq!(browser.text("#problem"), reason);
        assert_eq!(given(&browser, name), Value::Null);
        set(&browser, &[(name, right)]);
    }
    // The rate of a training under way is read alike.
    set(&browser, &SMALL);
    browser.click("#train");
    wait_for_status(&browser, "Training: epoch");
    browser.run("document.getElementById('rate').value = '0,25'", json!([]));
    browser.click("#set-rate");
    browser.wait_for("the rate", "return document.getElementById('status').textContent.includes('rate 0.25')");
    browser.run("document.getElementById('rate').value = '0,2,5'", json!([]));
    browser.click("#set-rate");
    browser.wait_for(
        "the reason",
        "return document.getElementById('problem').textContent.startsWith('Rate now: expected a number')",
    );
    browser.click("#stop");
    wait_for_status(&browser, "Stopped");
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn enter_starts_and_applies_and_ends_no_training_unasked() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let serving = Serving::start(&sandbox, &["--data", "./digits", "--threads", "1"]);
    stories(&browser, &serving);
    set(&browser, &SMALL);
    press_enter_in(&browser, "epochs");
    wait_for_status(&browser, "Training: epoch");
    assert_eq!(focused(&browser), "epochs");
    browser.click("#go");
    wait_for_status(&browser, "Paused");
    let session = "return new URLSearchParams(location.hash.slice(1)).get('session')";
    let before = browser.run(session, json!([]));

    // One Enter asks, the next one does it.
    set(&browser, &[("hidden", "12")]);
    press_enter_in(&browser, "hidden");
    browser.wait_for("the question", "return !document.getElementById('asked').hidden");
    assert!(browser.text("#asked").contains("Enter once more ends it"), "{}", browser.text("#asked"));
    assert_eq!(focused(&browser), "train");
    assert!(browser.text("#status").starts_with("Paused"), "{}", browser.text("#status"));
    assert_eq!(browser.run(session, json!([])), before);
    browser.press(&["Enter"]);
    browser.wait_for(
        "the other net",
        "return /^Training: epoch [1-9].*-12-/.test(document.getElementById('status').textContent)",
    );
    assert_eq!(browser.run("return document.getElementById('asked').hidden", json!([])), true);

    // Another rate alone is one that the training can go on with.
    let before = browser.run(session, json!([]));
    set(&browser, &[("learning_rate", "0.02")]);
    press_enter_in(&browser, "learning_rate");
    browser.wait_for("the question", "return !document.getElementById('asked').hidden");
    assert_eq!(focused(&browser), "set-rate");
    browser.press(&["Enter"]);
    browser.wait_for("the rate", "return document.getElementById('status').textContent.includes('rate 0.02')");
    assert_eq!(browser.run(session, json!([])), before);
    browser.wait_for("no other net", "return document.getElementById('epoch').textContent === 'One epoch'");

    // What cannot be is refused, and the training goes on.
    set(&browser, &[("hidden", "none")]);
    press_enter_in(&browser, "hidden");
    assert!(browser.text("#problem").starts_with("Hidden layers"), "{}", browser.text("#problem"));
    assert!(browser.text("#status").starts_with("Training"), "{}", browser.text("#status"));
    browser.click("#stop");
    wait_for_status(&browser, "Stopped");
    // A line of its own in the text of many lines.
    set(&browser, &[("hidden", "8")]);
    browser.run("document.querySelector('#settings details').open = true", json!([]));
    press_enter_in(&browser, "others");
    assert!(browser.text("#status").starts_with("Stopped"), "{}", browser.text("#status"));
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn a_net_that_was_kept_is_drawn_with_at_once() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    sandbox.train("runs/one", &["--set", "hidden=[6]", "--set", "epochs=1", "--quiet"]).expect_code(0);
    let keep = || {
        set(&browser, &SMALL);
        set(&browser, &[("epochs", "2")]);
        browser.click("#train");
        wait_for_status(&browser, "Finished");
        browser.click("#keep");
        browser.wait_for("kept", "return !document.getElementById('kept-links').hidden");
    };
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    // Another net was looked at before.
    browser.go(&serving.at("draw"));
    browser.wait_for("the model", "return document.getElementById('model-1').options.length > 0");
    stories(&browser, &serving);
    keep();
    let trial = browser.text("#keep-note").split(' ').nth(3).expect("a trial").to_owned();
    browser.click("#kept-links a[href^=draw]");
    browser.wait_for("the models", "return document.getElementById('model-1').options.length > 0");
    let started = std::time::Instant::now();
    browser.wait_for("the net", &format!("return document.getElementById('model-1').value.endsWith('/{trial}')"));
    assert!(started.elapsed() < std::time::Duration::from_secs(2), "{:?}", started.elapsed());
    browser.draw("#pad", &[(0.5, 0.2), (0.5, 0.8)], super::driver::Pointer::Mouse);
    browser.wait_for("an answer", "return document.querySelectorAll('.code li').length > 0");
    // It is still the one on another visit, though another is the first of the list by now.
    sandbox.train("runs/two", &["--set", "hidden=[6]", "--set", "epochs=1", "--quiet"]).expect_code(0);
    browser.click("nav a[href^=watch]");
    browser.wait_for("the table", "return document.querySelectorAll('#trials tbody tr').length === 1");
    browser.wait_for("the other run", "return document.body.textContent.includes('two')");
    browser.click("nav a[href^=draw]");
    let is_another = format!(
        "const first = document.querySelector('#model-1 option'); return first && !first.value.endsWith('/{trial}')"
    );
    browser.wait_for("another at the head of the list", &is_another);
    browser.wait_for("the net", &format!("return document.getElementById('model-1').value.endsWith('/{trial}')"));

    // Where other folders are shown, that is said instead.
    drop(serving);
    let serving = Serving::start(&sandbox, &["runs/one", "--data", "./digits"]);
    stories(&browser, &serving);
    keep();
    assert!(
        browser.text("#kept-links").contains("not among those that are shown here"),
        "{}",
        browser.text("#kept-links")
    );
    assert_eq!(browser.complaints(), [] as [String; 0]);
}
