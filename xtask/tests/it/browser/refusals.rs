//! Whoever mistypes loses nothing and can read why; and who goes by keyboard stays where they are.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::driver::Browser;
use super::server::Serving;
use super::training::{set, stories, wait_for_status};
use crate::sandbox::Sandbox;

const SMALL: [(&str, &str); 5] =
    [("train_size", "100"), ("test_size", "50"), ("hidden", "8"), ("batch_size", "20"), ("epochs", "100000")];

#[test]
fn settings_that_are_refused_end_no_training_and_the_reason_stays_to_be_read() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let serving = Serving::start(&sandbox, &["--data", "./digits", "--threads", "1", "--memory", "500M"]);
    stories(&browser, &serving);
    set(&browser, &SMALL);
    browser.click("#train");
    wait_for_status(&browser, "Training: epoch");
    let epoch =
        "return Number(document.getElementById('status').textContent.match(/epoch ([\\d,]+)/)[1].replace(/,/g, ''))";
    for (name, wrong, right, reason) in [
        ("batch_size", "0", "20", "batch_size"),
        ("hidden", "-5", "8", "Hidden layers: expected units"),
        ("hidden", "1000000", "8", "MiB"),
        ("others", "nonsense = 3", "", "nonsense"),
        ("train_size", "-5", "100", "expected a whole number of at least 1"),
    ] {
        let before = browser.run(epoch, json!([])).as_u64();
        set(&browser, &[(name, wrong)]);
        browser.click("#train");
        let told = format!("return document.getElementById('problem').textContent.includes('{reason}')");
        browser.wait_for(reason, &told);
        sleep(Duration::from_millis(900));
        assert!(browser.text("#problem").contains(reason), "{name} = {wrong}: {}", browser.text("#problem"));
        assert!(browser.text("#status").starts_with("Training"), "{name} = {wrong}: {}", browser.text("#status"));
        assert!(browser.run(epoch, json!([])).as_u64() > before, "{name} = {wrong}: the training goes on");
        set(&browser, &[(name, right)]);
    }
    // Nor does a reason vanish once the training has been stopped.
    browser.click("#stop");
    wait_for_status(&browser, "Stopped");
    set(&browser, &[("hidden", "abc")]);
    browser.click("#train");
    sleep(Duration::from_millis(1_500));
    assert!(browser.text("#problem").contains("Hidden layers"), "{}", browser.text("#problem"));
    assert_eq!(browser.text("#epoch"), "Anew: one epoch");
}

#[test]
fn a_training_whose_page_was_closed_is_found_again() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let serving = Serving::start(&sandbox, &["--data", "./digits", "--threads", "1"]);
    stories(&browser, &serving);
    set(&browser, &SMALL);
    browser.click("#train");
    wait_for_status(&browser, "Training: epoch");
    browser.go("about:blank");
    browser.run("return 0", json!([]));
    stories(&browser, &serving);
    browser.wait_for("the notice", "return !document.getElementById('others-at-work').hidden");
    assert!(browser.text("#others-at-work").contains("is there, running or paused"));
    browser.click("#others-at-work button");
    wait_for_status(&browser, "Training: epoch");
    browser.click("#stop");
    wait_for_status(&browser, "Stopped");
}

#[test]
fn a_run_that_diverged_is_told_as_one_and_kept_without_a_model() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let serving = Serving::start(&sandbox, &["--data", "./digits", "--threads", "1"]);
    stories(&browser, &serving);
    set(&browser, &SMALL);
    set(
        &browser,
        &[
            ("activation", "identity"),
            ("loss", "squared"),
            ("optimizer", "sgd"),
            ("learning_rate", "1e30"),
            ("epochs", "9"),
        ],
    );
    set(&browser, &[("others", "output_activation = \"identity\"")]);
    browser.click("#train");
    wait_for_status(&browser, "Diverged");
    assert!(browser.text("#sentence").contains("overflowed"), "{}", browser.text("#sentence"));
    assert!(browser.text("#keep-note").contains("no model"), "{}", browser.text("#keep-note"));
    browser.click("#keep");
    browser.wait_for("kept", "return document.getElementById('keep-note').textContent.startsWith('Kept')");
    assert!(browser.text("#keep-note").contains("It diverged, so there is no model"), "{}", browser.text("#keep-note"));
    assert!(browser.text("#command").contains("epochs=9"), "{}", browser.text("#command"));
}

#[test]
fn by_keyboard_the_focus_stays_in_the_table_and_on_the_bits_and_the_link_past_the_screens_leads_to_the_pad() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    sandbox.write(
        "four.toml",
        "train_size = 100\ntest_size = 50\nepochs = 1\n[sweep]\nhidden = [[8], [16]]\nseed = [0, 1]\n",
    );
    sandbox.run(["sweep", "four.toml", "--data", "./digits", "--out", "runs/four", "--quiet"]).expect_code(0);
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    browser.go(&serving.at("watch"));
    browser.wait_for("the table", "return document.querySelectorAll('#trials tbody tr').length === 4");
    let focus = |selector: &str, place: usize| {
        let script = "const all = document.querySelectorAll(arguments[0]); all[arguments[1]].focus(); return all[arguments[1]].dataset.place";
        browser.run(script, json!([selector, place]))
    };
    let focused = || browser.run("return document.activeElement.dataset.place || ''", json!([]));
    for (selector, place, key) in [("#trials tbody input", 2, " "), ("#trials thead button", 1, "Enter")] {
        let name = focus(selector, place);
        browser.press(&[key]);
        sleep(Duration::from_millis(200));
        assert_eq!(focused(), name, "{selector}");
    }
    browser.go(&serving.at("draw"));
    browser.wait_for("the models", "return document.getElementById('model-1').options.length > 0");
    browser.run("document.querySelector('a.skip').focus()", json!([]));
    browser.press(&["Enter"]);
    assert_eq!(browser.run("return document.activeElement.id", json!([])), "pad");
    browser.draw("#pad", &[(0.5, 0.2), (0.5, 0.5), (0.5, 0.8)], super::driver::Pointer::Mouse);
    browser.wait_for("an answer", "return document.querySelectorAll('.code li').length > 0");
    browser.run("document.querySelectorAll('.code button')[3].focus()", json!([]));
    browser.press(&["Enter"]);
    let pressed = "const b = document.querySelectorAll('.code button')[3]; return b && b.getAttribute('aria-pressed') === 'true' && b === document.activeElement";
    browser.wait_for("the bit", pressed);
    // Another screen and back: the drawing is still there.
    browser.click("nav a[href^=watch]");
    browser.wait_for("the table", "return document.querySelectorAll('#trials tbody tr').length === 4");
    browser.click("nav a[href^=draw]");
    browser.wait_for("the answer again", "return document.querySelectorAll('.code li').length > 0");
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn names_of_models_as_long_as_sweeps_make_them_widen_no_page() {
    let Some(browser) = Browser::start(1000, 900) else { return };
    let sandbox = Sandbox::with_digits();
    let spec = "train_size = 100\ntest_size = 50\nepochs = 1\ninitializer = { name = \"glorot-uniform\", gain = 2.0 }\n[sweep]\n\
                hidden = [[16, 8, 8, 8, 8, 8], [8]]\noptimizer = [{ name = \"adam\", beta1 = 0.8 }, \"sgd\"]\n";
    sandbox.write("long.toml", spec);
    let out = "runs/a-rather-long-name-of-a-folder-of-results-as-people-choose-them";
    sandbox.run(["sweep", "long.toml", "--data", "./digits", "--out", out, "--quiet"]).expect_code(0);
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    let widths = || browser.run("return [document.documentElement.scrollWidth - innerWidth]", json!([]));
    for width in [390, 640, 768] {
        if width == 390 {
            browser.become_phone();
        } else {
            browser.set_size(width, 900);
        }
        browser.go("about:blank");
        browser.go(&serving.at("draw"));
        browser.wait_for("the models", "return document.getElementById('model-1').options.length > 0");
        assert!(widths()[0].as_f64().is_some_and(|more| more <= 0.0), "{width}: {}", widths());
    }
}
