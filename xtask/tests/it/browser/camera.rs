//! Pictures from the camera, and strokes that are taken back.

use serde_json::{Value, json};

use super::driver::{Browser, Pointer};
use super::server::Serving;
use crate::sandbox::Sandbox;

/// A server with a small model, whatever it may say.
pub(super) fn with_a_model() -> Sandbox {
    let sandbox = Sandbox::with_digits();
    let arguments = ["--set", "hidden=[16]", "--set", "epochs=2", "--set", "train_size=150", "--quiet"];
    sandbox.train("runs/one", &arguments).expect_code(0);
    sandbox
}

pub(super) fn open(browser: &Browser, serving: &Serving) {
    browser.go(&serving.at("draw"));
    browser.wait_for("the model", "return document.getElementById('model-1').options.length > 0");
}

const N_STEPS: &str = "return document.querySelectorAll('#steps li').length";

#[test]
fn the_camera_s_picture_goes_the_way_of_every_picture() {
    let fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
    let Some(browser) = Browser::start_with(1200, 1000, &fake) else { return };
    let sandbox = with_a_model();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    open(&browser, &serving);
    browser.click("#camera");
    browser.wait_for(
        "what the camera sees",
        "const v = document.getElementById('video'); return !v.hidden && v.videoWidth > 0",
    );
    assert_eq!(browser.text("#camera"), "Take it");
    // Turned off, it is off; and it can be turned on again.
    browser.click("#camera-stop");
    browser.wait_for("no camera", "return document.getElementById('video').hidden");
    assert_eq!(browser.run(N_STEPS, json!([])), 0);
    browser.click("#camera");
    browser.wait_for("what the camera sees", "return document.getElementById('camera').textContent === 'Take it'");
    browser.click("#camera");
    browser.wait_for("the picture's steps", "return document.querySelectorAll('#steps li').length > 1");
    let is_off = browser.run(
        "const v = document.getElementById('video'); return v.hidden && v.srcObject.getTracks().every((t) => t.readyState === 'ended')",
        json!([]),
    );
    assert_eq!(is_off, true, "a camera that nobody looks through is off");
    assert!(browser.text("#steps").contains("pixels"), "{}", browser.text("#steps"));
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn without_a_camera_or_leave_to_use_it_a_sentence_says_so_and_drawing_goes_on() {
    let refused = ["--use-fake-device-for-media-stream", "--deny-permission-prompts"];
    for (arguments, expected) in [(&refused[..], "lets this page use no camera"), (&[], "No camera was found")] {
        let Some(browser) = Browser::start_with(1200, 1000, arguments) else { return };
        let sandbox = with_a_model();
        let serving = Serving::start(&sandbox, &["--data", "./digits"]);
        open(&browser, &serving);
        browser.click("#camera");
        browser.wait_for("a sentence", "return !document.getElementById('problem').hidden");
        let said = browser.text("#problem");
        assert!(said.contains(expected) && said.ends_with("choose a picture."), "{said}");
        assert_eq!(browser.run("return document.getElementById('video').hidden", json!([])), true);
        browser.draw("#pad", &[(0.5, 0.2), (0.5, 0.8)], Pointer::Mouse);
        browser.wait_for("an answer", "return document.querySelectorAll('.code li').length > 0");
    }
}

#[test]
fn undo_takes_back_one_stroke_after_the_other() {
    let Some(browser) = Browser::start(1200, 1000) else { return };
    let sandbox = with_a_model();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    open(&browser, &serving);
    let ink = "const c = document.getElementById('pad'); const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; \
               let n = 0; for (let i = 0; i < d.length; i += 4) n += d[i] < 128; return n";
    let n_ink = || browser.run(ink, json!([])).as_u64().unwrap_or(0);
    let mut before = vec![n_ink()];
    for x in [0.3, 0.5, 0.7] {
        browser.draw("#pad", &[(x, 0.2), (x, 0.5), (x, 0.8)], Pointer::Mouse);
        before.push(n_ink());
    }
    assert!(before.is_sorted_by(|less, more| less < more), "{before:?}");
    for expected in before.iter().rev().skip(1) {
        browser.click("#undo");
        assert_eq!(n_ink(), *expected, "of {before:?}");
    }
    browser.wait_for("nothing to read", &format!("{N_STEPS} === 0"));
    // Nothing is left to take back, which is no mishap; by keyboard it is the same.
    browser.click("#undo");
    browser.draw("#pad", &[(0.5, 0.2), (0.5, 0.8)], Pointer::Pen);
    browser.wait_for("steps", &format!("{N_STEPS} > 0"));
    browser.press(&["\u{e003}"]);
    browser.wait_for("nothing to read", &format!("{N_STEPS} === 0"));
    assert_eq!(browser.run("return document.getElementById('problem').hidden", json!([])), Value::Bool(true));
    assert_eq!(browser.complaints(), [] as [String; 0]);
}
