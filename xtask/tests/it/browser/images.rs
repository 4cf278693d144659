//! The images of docs/page.md and of the README, as the page draws them now.
//!
//! `PAGE_IMAGES=docs/images cargo test --release -p xtask images_of_the_page -- --ignored` writes them there; without `PAGE_IMAGES`
//! they are made and thrown away.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::driver::{Browser, Pointer};
use super::server::{Serving, mnist};
use super::training::{stories, wait_for_status};
use crate::sandbox::Sandbox;

/// What would tell the machine: its folders, its name, its processes.
const NAMELESS: &str = "document.documentElement.style.scrollbarWidth = 'none'; const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); \
                        const [root, data] = arguments; while (walk.nextNode()) { const n = walk.currentNode; \
                        n.textContent = n.textContent.replaceAll(root + '/', '').replaceAll(data, 'mnist').replace(/process \\d+ on \\S+/g, 'process 4711 on lab'); }";

#[test]
#[ignore = "it writes images for documents"]
fn images_of_the_page() {
    let Some(browser) = Browser::start(1180, 1000) else { return };
    let sandbox = Sandbox::new();
    let data = mnist().map_or_else(|| "synthetic".to_owned(), |folder| folder.display().to_string());
    let serving = Serving::start(&sandbox, &["--data", &data]);
    let out = std::env::var_os("PAGE_IMAGES").map(PathBuf::from);
    let keep = |name: &str, height: u32| {
        browser.set_size(1180, height);
        browser.run(NAMELESS, json!([sandbox.path("").display().to_string().trim_end_matches('/'), data]));
        let image = browser.image();
        assert!(image.starts_with(b"\x89PNG") && image.len() > 20_000, "{name}: {} bytes", image.len());
        if let Some(folder) = &out {
            // Tests run in the folder of their package.
            let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
            std::fs::write(root.join(folder).join(name), image).expect("an image");
        }
    };

    browser.go(&serving.at("draw"));
    browser.wait_for("the offer of a model", "return !document.getElementById('no-model').hidden");
    browser.click("#train-quickly");
    browser.wait_for("the model", "return document.getElementById('model-1').options.length > 0");
    browser.set_size(1180, 1180);
    for stroke in [
        &[(0.27, 0.2), (0.5, 0.18), (0.73, 0.2), (0.6, 0.45), (0.5, 0.66), (0.46, 0.82)][..],
        &[(0.4, 0.5), (0.68, 0.48)],
    ] {
        browser.draw("#pad", stroke, Pointer::Pen);
    }
    browser.wait_for(
        "seven",
        "return document.getElementById('said').textContent.startsWith('7,') && document.body.dataset.asking === 'no'",
    );
    browser.run("document.activeElement.blur(); scrollTo(0, 0)", json!([]));
    keep("page-draw.png", 1180);

    stories(&browser, &serving);
    browser.click("#play");
    browser.wait_for("a part of it", "return /epoch 2 of 3/.test(document.getElementById('status').textContent)");
    browser.click("#go");
    wait_for_status(&browser, "Paused");
    browser.run("document.activeElement.blur(); scrollTo(0, 0)", json!([]));
    keep("page-playground.png", 1500);
    browser.click("#stop");

    let spec = "train_size = 2000\ntest_size = 1000\nhidden = [64]\nepochs = 12\n[sweep]\nlearning_rate = [0.0003, 0.001, 0.003, 0.01, 0.03]\n\
                l2 = [0.0, 0.0001, 0.001]\nactivation = [\"sigmoid\", \"tanh\", \"relu\"]\nseed = [0, 1]\n";
    sandbox.write("rates.toml", spec);
    let arguments = ["sweep", "rates.toml", "--data", &data, "--out", "runs/rates", "--quiet", "--jobs", "2"];
    let mut sweep = sandbox.command(arguments).stdout(std::process::Stdio::null()).spawn().expect("the program starts");
    browser.go(&serving.at("watch"));
    browser
        .wait_for("half of it", "return /(4[5-9]|[5-8][0-9]) of 90/.test(document.getElementById('runs').textContent)");
    browser.wait_for("two under way", "return document.querySelectorAll('#running tr').length === 2");
    std::thread::sleep(Duration::from_millis(300));
    keep("page-watch.png", 1500);
    sweep.kill().expect("it runs");
    sweep.wait().expect("it ends");
    assert_eq!(browser.complaints(), [] as [String; 0]);
}
