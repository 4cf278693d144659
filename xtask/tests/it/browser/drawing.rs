//! Digits drawn on the pad, and read.

use serde_json::{Value, json};

use super::driver::Browser;
use super::hand::styles;
use super::server::{Serving, mnist};
use crate::sandbox::Sandbox;

/// Waits until what is shown is the answer to what is drawn.
fn settled(browser: &Browser) -> Value {
    browser.wait_for(
        "an answer",
        "return document.body.dataset.asking === 'no' && document.getElementById('said').textContent",
    )
}

/// Trains the model that the page offers where there is none.
fn train_quickly(browser: &Browser) {
    browser.wait_for("the offer of a model", "return !document.getElementById('no-model').hidden");
    browser.click("#train-quickly");
    browser.wait_for("the model", "return document.getElementById('model-1').options.length > 0");
}

#[test]
fn ten_digits_in_three_styles_are_read() {
    let Some(browser) = Browser::start(1200, 1000) else { return };
    let sandbox = Sandbox::new();
    let mnist = mnist().map(|folder| folder.display().to_string());
    let serving = match &mnist {
        Some(folder) => Serving::start(&sandbox, &["--data", folder]),
        None => Serving::start(&sandbox, &[]),
    };
    browser.go(&serving.at("draw"));
    train_quickly(&browser);
    let mut wrong = Vec::new();
    for style in styles() {
        browser.click(style.pen);
        for (label, digit) in style.digits.iter().enumerate() {
            browser.click("#clear");
            for stroke in digit {
                browser.draw("#pad", stroke, style.pointer);
            }
            let said = settled(&browser);
            let said = said.as_str().unwrap_or_default();
            if !said.starts_with(&format!("{label},")) {
                wrong.push(format!("{label} {}: {said}", style.name));
            }
        }
    }
    assert!(wrong.len() <= 2, "{} of 30 are wrong: {wrong:#?}", wrong.len());

    // What is on the screen for the last one: its steps with sentences, strips of every layer, six bits, a heat map.
    let n = |selector: &str| browser.run("return document.querySelectorAll(arguments[0]).length", json!([selector]));
    assert_eq!((n(".code li"), n(".layer canvas"), n(".pair canvas")), (json!(6), json!(3), json!(2)));
    assert!(n("#steps li span").as_u64() > Some(4));
    // A bit that is pressed turns the heat map to it; undo takes the stroke back, and nothing is left to read.
    browser.click(".code li:nth-child(3) button");
    browser.wait_for("the bit's heat map", "return document.querySelector('.pair').textContent.includes('bit 3')");
    browser.click("#clear");
    browser.wait_for("an empty screen", "return document.querySelectorAll('#steps li').length === 0");
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn by_keyboard_alone_a_one_is_drawn_and_read_and_a_picture_is_dropped() {
    let Some(browser) = Browser::start(1200, 1000) else { return };
    let sandbox = Sandbox::new();
    let serving = Serving::start(&sandbox, &["--data", "synthetic"]);
    browser.go(&serving.at("draw"));
    browser.wait_for("the offer of a model", "return !document.getElementById('no-model').hidden");
    let focused = || browser.run("return document.activeElement.id", json!([])).as_str().unwrap_or_default().to_owned();
    let tab_to = |id: &str| {
        let is_there = (0..40).any(|_| {
            browser.press(&["Tab"]);
            focused() == id
        });
        assert!(is_there, "{id} is reached by the Tab key");
    };
    tab_to("train-quickly");
    browser.press(&["Enter"]);
    browser.wait_for("the model", "return document.getElementById('model-1').options.length > 0");
    browser.run("document.activeElement.blur()", json!([]));
    tab_to("pad");
    browser.press(&["Space"]);
    browser.press(&["Down"; 20]);
    browser.press(&["Space"]);
    let said = settled(&browser);
    assert!(said.as_str().is_some_and(|text| text.starts_with("1,")), "{said}");
    browser.press(&["Escape"]);
    browser.wait_for("an empty screen", "return document.querySelectorAll('#steps li').length === 0");

    // A picture that is dropped is read as `predict` reads it: here a seven, light on dark.
    let drop = "const c = document.createElement('canvas'); c.width = 200; c.height = 240; const x = c.getContext('2d'); \
                x.fillStyle = '#123'; x.fillRect(0, 0, 200, 240); x.strokeStyle = '#eee'; x.lineWidth = 16; x.lineCap = 'round'; \
                x.beginPath(); x.moveTo(55, 50); x.lineTo(145, 50); x.lineTo(90, 195); x.stroke(); \
                c.toBlob((blob) => { const d = new DataTransfer(); d.items.add(new File([blob], 'seven.png', { type: 'image/png' })); \
                dispatchEvent(new DragEvent('drop', { dataTransfer: d, bubbles: true, cancelable: true })); arguments[0](true); })";
    browser.run_and_wait(
        &drop.replace("arguments[0](true)", "done(true)").replace("const c =", "const done = arguments[0]; const c ="),
        json!([]),
    );
    browser.wait_for("the picture's steps", "return document.querySelectorAll('#steps li').length > 3");
    let said = settled(&browser);
    assert!(said.as_str().is_some_and(|text| text.starts_with("7,")), "{said}");
    assert!(browser.text("#steps").contains("lighter than the page"), "{}", browser.text("#steps"));
    assert_eq!(browser.complaints(), [] as [String; 0]);
}
