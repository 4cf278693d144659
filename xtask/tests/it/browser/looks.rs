//! How the page looks: on a phone, in the dark, and to axe (<https://github.com/dequelabs/axe-core>).

use std::env;
use std::fs;
use std::io::{Write, stderr};

use serde_json::{Value, json};

use super::driver::Browser;
use super::server::Serving;
use crate::sandbox::Sandbox;

/// A folder with a small sweep in it.
fn with_results() -> Sandbox {
    let sandbox = Sandbox::with_digits();
    let spec = "train_size = 100\ntest_size = 50\nepochs = 2\n[sweep]\nhidden = [[16], [16, 8]]\nseed = [0, 1]\n";
    sandbox.write("four.toml", spec);
    let arguments = ["sweep", "four.toml", "--data", "./digits", "--out", "runs/four", "--quiet"];
    sandbox.run(arguments).expect_code(0);
    sandbox
}

const SCREENS: [&str; 3] = ["draw", "playground", "watch"];

/// Opens a screen with something on it.
fn open(browser: &Browser, serving: &Serving, screen: &str) {
    browser.go("about:blank");
    browser.go(&serving.at(screen));
    match screen {
        "draw" => {
            browser.wait_for("the models", "return document.getElementById('model-1').options.length > 0");
            browser.draw("#pad", &[(0.5, 0.2), (0.5, 0.5), (0.5, 0.8)], super::driver::Pointer::Mouse);
            browser.wait_for("an answer", "return document.querySelectorAll('.code li').length > 0");
        }
        "playground" => {
            browser.wait_for("the stories", "return document.getElementById('preset').options.length > 3");
            // Of all stories the one with most settings, so that the command below is long.
            let story =
                "const p = document.getElementById('preset'); p.value = 'relu'; p.dispatchEvent(new Event('change'))";
            browser.run(story, json!([]));
            let few = "const e = document.getElementById('settings').elements; e.train_size.value = 100; e.test_size.value = 50; \
                       e.hidden.value = '16, 8'; e.epochs.value = 2; e.batch_size.value = 20";
            browser.run(few, json!([]));
            browser.click("#epoch");
            browser.wait_for("the maps", "return document.querySelectorAll('.map canvas').length === 3");
        }
        _ => {
            browser.wait_for("the table", "return document.querySelectorAll('#trials tbody tr').length > 0");
            // Two trials side by side.
            let ticks = "document.querySelectorAll('#trials tbody input')[arguments[0]].click()";
            (0..2).for_each(|place| drop(browser.run(ticks, json!([place]))));
        }
    }
}

#[test]
fn on_a_phone_nothing_is_wider_than_the_screen_and_everything_can_be_touched() {
    let Some(browser) = Browser::start(1000, 900) else { return };
    let sandbox = with_results();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    browser.become_phone();
    for screen in SCREENS {
        open(&browser, &serving, screen);
        // A phone's browser makes its window as wide as the page is.
        let widths = browser.run("return [document.documentElement.scrollWidth, innerWidth]", json!([]));
        assert_eq!(widths, json!([390, 390]), "{screen}");
        // As wide and high as fingers need it: 24 pixels (WCAG 2.2, 2.5.8).
        let small = "return Array.from(document.querySelectorAll('button, select, input:not([type=checkbox]):not([hidden])')) \
                     .filter((e) => e.offsetParent).map((e) => [e.id || e.className || e.name, e.getBoundingClientRect().height, \
                     e.getBoundingClientRect().width]).filter(([, h, w]) => h < 24 || w < 24)";
        assert_eq!(browser.run(small, json!([])), json!([]), "{screen}");
    }
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn in_the_dark_the_page_is_dark() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    let sandbox = with_results();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    let luminance = "const rgb = (e) => getComputedStyle(e).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number); \
                     const mean = (c) => (c[0] + c[1] + c[2]) / 3; return [mean(rgb(document.body)), mean(rgb(document.querySelector('.card')))]";
    for screen in SCREENS {
        for is_dark in [true, false] {
            browser.set_dark(is_dark);
            open(&browser, &serving, screen);
            let found = browser.run(luminance, json!([]));
            for part in 0..2 {
                let level = found[part].as_f64().expect("a number");
                assert!(if is_dark { level < 60.0 } else { level > 200.0 }, "{screen}, dark {is_dark}: {found}");
            }
        }
    }
}

/// The program of axe, from the folder that `$AXE_CORE` names; where there is none, that is said.
fn axe() -> Option<String> {
    let found = env::var("AXE_CORE").ok().and_then(|folder| fs::read_to_string(format!("{folder}/axe.min.js")).ok());
    if found.is_none() {
        assert!(env::var("CI").as_deref() != Ok("true"), "axe-core is needed: AXE_CORE names its folder");
        let _ = writeln!(stderr(), "SKIPPED: axe-core is needed: `npm pack axe-core`, and its folder in AXE_CORE");
    }
    found
}

#[test]
fn axe_finds_nothing_serious() {
    let Some(axe) = axe() else { return };
    let Some(browser) = Browser::start(1280, 900) else { return };
    let sandbox = with_results();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    for is_dark in [false, true] {
        browser.set_dark(is_dark);
        for screen in SCREENS {
            open(&browser, &serving, screen);
            browser.run(&axe, json!([]));
            let script = "const done = arguments[0]; axe.run().then((r) => done(r.violations.map((v) => \
                          [v.id, v.impact, v.nodes.slice(0, 4).map((n) => n.html.slice(0, 160) + ' ' + (n.any[0] ? n.any[0].message : ''))])), (e) => done(String(e)))";
            let found = browser.run_and_wait(script, json!([]));
            let serious = found.as_array().expect("a list").iter();
            let serious: Vec<&Value> = serious.filter(|one| one[1] == "serious" || one[1] == "critical").collect();
            assert!(
                serious.is_empty(),
                "{screen}, dark {is_dark}: {}",
                serde_json::to_string_pretty(&serious).unwrap_or_default()
            );
        }
    }
}

#[test]
fn choices_and_labels_are_seen_whole_at_every_width_and_a_finger_is_told_what_it_can_do() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    let sandbox = with_results();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    // The longest choice of each against the room that there is; and labels of curves against their drawings.
    let cut = "return Array.from(document.querySelectorAll('#settings select')).map((select) => { const copy = select.cloneNode(true); \
               const look = getComputedStyle(select); copy.style.cssText = 'position:absolute;visibility:hidden;width:auto;min-width:0'; \
               copy.style.font = look.font; copy.style.padding = look.padding; copy.style.border = look.border; document.body.append(copy); \
               const needed = copy.getBoundingClientRect().width; copy.remove(); return [select.name, needed, select.getBoundingClientRect().width]; \
               }).filter(([, needed, there]) => needed > there + 0.5)";
    let outside = "const done = arguments[0]; import(location.pathname.replace('playground', 'chart.js')).then(({ drawChart }) => { \
                   const points = [[0, 0], [100000, 123456]]; drawChart(document.getElementById('loss'), { title: 'Loss', end: 100000, series: [{ name: 'test', color: 0, points }] }); \
                   const texts = Array.from(document.querySelectorAll('#loss > svg text')).map((text) => text.getBoundingClientRect()); \
                   const frame = document.querySelector('#loss > svg').getBoundingClientRect(); \
                   const ticks = texts.filter((box, index) => index && Math.abs(box.top - texts[texts.length - 2].top) < 1); \
                   const isOver = ticks.some((box, index) => index && box.left < ticks[index - 1].right); \
                   done([texts.length > 6, isOver, texts.filter((box) => box.left < frame.left - 0.5 || box.right > frame.right + 0.5).length]); })";
    for width in [390, 768, 1280] {
        browser.set_size(width, 900);
        open(&browser, &serving, "playground");
        assert_eq!(browser.run(cut, json!([])), json!([]), "{width}");
        assert_eq!(browser.run_and_wait(outside, json!([])), json!([true, false, 0]), "{width}");
        // A field and its button stand side by side.
        let lines = "const [field, button] = [document.getElementById('rate'), document.getElementById('set-rate')].map((e) => e.getBoundingClientRect()); \
                     return Math.abs(field.top + field.bottom - button.top - button.bottom) < 8";
        assert_eq!(browser.run(lines, json!([])), true, "{width}");
        open(&browser, &serving, "watch");
        let hints = "return ['by-mouse', 'by-touch'].map((name) => Boolean(document.querySelector('.' + name).getClientRects().length))";
        assert_eq!(browser.run(hints, json!([])), json!([width > 520, width <= 520]), "{width}");
    }
    // A chart is as legible in a window that was made narrower.
    open(&browser, &serving, "watch");
    browser.set_size(390, 900);
    let size = "const s = document.querySelector('#curves-chart > svg'); return Math.abs(s.getBoundingClientRect().width / s.viewBox.baseVal.width - 1) < 0.05";
    browser.wait_for("letters of their size", size);
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn colours_and_jumps_are_explained_where_they_are_seen() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    let sandbox = with_results();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    open(&browser, &serving, "draw");
    let said = "return [document.querySelectorAll('.code .unsure').length > 0, document.getElementById('readings').textContent.includes('Orange: a bit that is less than 80 % sure.')]";
    let said = browser.run(said, json!([]));
    assert_eq!(said[0], said[1], "{said}");
    assert_eq!(said[0], true, "after two epochs of a hundred images some bit is unsure");
    open(&browser, &serving, "playground");
    let figure = browser.run("return document.getElementById('loss').closest('figure').textContent", json!([]));
    assert!(
        figure.as_str().is_some_and(|text| text.contains("Batches: the mean over the batches of an epoch so far")),
        "{figure}"
    );
    let digits = browser.run("return document.getElementById('digits').closest('section').textContent", json!([]));
    assert!(digits.as_str().is_some_and(|text| text.contains("Green is right, orange is wrong")), "{digits}");
}
