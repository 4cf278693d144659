//! What is drawn stays: when a picture is refused, on another screen, after a reload.

use serde_json::{Value, json};

use super::camera::{open, with_a_model};
use super::driver::{Browser, Pointer};
use super::server::Serving;

/// Every pixel of the pad as one number, and all that is said of it.
const SEEN: &str = "if (document.body.dataset.asking !== 'no' || !document.querySelector('.code li')) return null; \
                    const c = document.getElementById('pad'); let sum = 0; \
                    for (const byte of c.getContext('2d').getImageData(0, 0, c.width, c.height).data) sum = (31 * sum + byte) % 4294967291; \
                    return [sum, document.getElementById('readings').textContent, Array.from(document.querySelectorAll('.code button')).map((b) => b.title + b.getAttribute('aria-pressed'))]";

fn seen(browser: &Browser) -> Value {
    browser.wait_for("an answer", SEEN)
}

fn draw_a_seven(browser: &Browser) {
    for stroke in [&[(0.3, 0.2), (0.7, 0.21), (0.53, 0.5), (0.47, 0.83)][..], &[(0.4, 0.5), (0.66, 0.48)]] {
        browser.draw("#pad", stroke, Pointer::Pen);
    }
}

#[test]
fn a_picture_that_is_refused_leaves_the_drawing_and_one_that_is_taken_can_be_taken_back() {
    let Some(browser) = Browser::start(1200, 1000) else { return };
    let sandbox = with_a_model();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    open(&browser, &serving);
    draw_a_seven(&browser);
    let before = seen(&browser);
    let letter =
        "const d = new DataTransfer(); d.items.add(new File(['Dear net,'], 'letter.png', { type: 'image/png' }));";
    let words = "const d = new DataTransfer(); d.setData('text/plain', 'seven');";
    let dropped = "dispatchEvent(new DragEvent('drop', { dataTransfer: d, bubbles: true, cancelable: true }));";
    let pasted = "dispatchEvent(new ClipboardEvent('paste', { clipboardData: d, bubbles: true }));";
    let chosen = "const f = document.getElementById('file'); f.files = d.files; f.dispatchEvent(new Event('change'));";
    for (what, how) in [(letter, dropped), (letter, pasted), (letter, chosen), (words, dropped), (words, pasted)] {
        browser.run("document.getElementById('problem').textContent = ''", json!([]));
        browser.run(&format!("{what}{how}"), json!([]));
        let told = "const p = document.getElementById('problem'); return !p.hidden && p.textContent";
        let told = browser.wait_for("the reason", told);
        assert!(told.as_str().is_some_and(|text| text.ends_with(". What is on the pad stays.")), "{how}: {told}");
        assert_eq!(seen(&browser), before, "{how}");
        // It is said beside the pad.
        let is_beside = browser.run("return Boolean(document.querySelector('.pad-card #problem'))", json!([]));
        assert_eq!(is_beside, true);
    }

    let picture = "const c = document.createElement('canvas'); c.width = c.height = 90; const x = c.getContext('2d'); x.fillStyle = '#fff'; \
                   x.fillRect(0, 0, 90, 90); x.lineWidth = 9; x.beginPath(); x.moveTo(45, 15); x.lineTo(45, 75); x.stroke(); \
                   c.toBlob((blob) => { const d = new DataTransfer(); d.items.add(new File([blob], 'one.png', { type: 'image/png' })); ";
    let one = format!("{picture}{dropped} }})");
    browser.run(&one, json!([]));
    browser.wait_for("the picture's steps", "return document.getElementById('steps').textContent.includes('90 × 90')");
    assert_eq!(browser.run("return document.getElementById('problem').hidden", json!([])), true);
    assert_ne!(seen(&browser)[0], before[0]);
    // The picture and what is drawn on it are there after a reload; then the picture, read from its file as before.
    let picture = seen(&browser);
    browser.draw("#pad", &[(0.2, 0.2), (0.3, 0.8)], Pointer::Mouse);
    let both = seen(&browser);
    assert_ne!(both[0], picture[0]);
    browser.reload();
    assert_eq!(seen(&browser), both);
    browser.click("#undo");
    browser.wait_for("the file", "return document.getElementById('steps').textContent.includes('90 × 90')");
    assert_eq!(seen(&browser), picture);
    browser.reload();
    assert_eq!(seen(&browser), picture);
    assert!(browser.text("#steps").contains("90 × 90"), "{}", browser.text("#steps"));

    // Another one takes its place, and is taken back.
    browser.click("#clear");
    draw_a_seven(&browser);
    assert_eq!(seen(&browser), before);
    browser.run(&one, json!([]));
    browser.wait_for("the picture's steps", "return document.getElementById('steps').textContent.includes('90 × 90')");
    browser.click("#undo");
    browser.wait_for("the drawing", "return document.getElementById('steps').textContent.includes('280 × 280')");
    assert_eq!(seen(&browser), before);
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn a_drawing_comes_back_to_the_pixel_with_the_bit_that_was_chosen_and_the_pen() {
    let Some(browser) = Browser::start(1200, 1000) else { return };
    let sandbox = with_a_model();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    open(&browser, &serving);
    browser.click("#single");
    browser.click("#thin");
    draw_a_seven(&browser);
    // Whatever is shown is shown anew with every answer.
    seen(&browser);
    browser.click(".code li:nth-child(3) button");
    browser.wait_for("the bit's heat map", "return document.querySelector('.pair').textContent.includes('bit 3')");
    let before = seen(&browser);
    assert!(before[2][2].as_str().is_some_and(|bit| bit.ends_with("true")), "{before}");
    let tools = "return [document.getElementById('single').checked, document.getElementById('thin').getAttribute('aria-pressed')]";
    for way in ["a reload", "another screen"] {
        if way == "a reload" {
            browser.reload();
        } else {
            browser.click("nav a[href^=watch]");
            browser.wait_for("the table", "return document.querySelectorAll('#trials tbody tr').length === 1");
            browser.click("nav a[href^=draw]");
        }
        browser.wait_for(
            "the bit's heat map",
            "const p = document.querySelector('.pair'); return p && p.textContent.includes('bit 3')",
        );
        assert_eq!(seen(&browser), before, "{way}");
        assert_eq!(browser.run(tools, json!([])), json!([true, "true"]), "{way}");
    }
    // Nor does a stroke that is taken back leave anything behind.
    browser.draw("#pad", &[(0.2, 0.2), (0.4, 0.6), (0.9, 0.7)], Pointer::Mouse);
    assert_ne!(seen(&browser)[0], before[0]);
    browser.click("#undo");
    browser.wait_for("no more", "return document.body.dataset.asking === 'no'");
    assert_eq!(seen(&browser)[0], before[0]);
    assert_eq!(browser.complaints(), [] as [String; 0]);
}
