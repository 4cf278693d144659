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
