//! Many tabs of one browser, which has but six connections to one server.

use serde_json::json;

use super::camera::with_a_model;
use super::driver::Browser;
use super::server::Serving;
use super::training::{set, stories, wait_for_status};
use crate::sandbox::Sandbox;

#[test]
fn fifty_tabs_that_watch_one_run_all_show_it_and_the_last_one_is_as_quick_as_the_first() {
    let Some(browser) = Browser::start(1000, 800) else { return };
    let sandbox = with_a_model();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    browser.go(&serving.at("watch"));
    let has_rows = "return document.querySelectorAll('#trials tbody tr').length === 1";
    browser.wait_for("the table", has_rows);
    let tabs: Vec<String> = (0..49)
        .map(|_| {
            let tab = browser.open_tab(&serving.at("watch"));
            browser.wait_for("the table", has_rows);
            tab
        })
        .collect();
    // A run more is seen by whichever tab is looked at, and the other screens still answer.
    let arguments = ["--set", "hidden=[8]", "--set", "epochs=1", "--set", "train_size=100", "--quiet"];
    sandbox.train("runs/two", &arguments).expect_code(0);
    for tab in [&tabs[48], &tabs[20], &tabs[0]] {
        browser.turn_to(tab);
        browser.wait_for("the new run", "return document.querySelectorAll('.run-card').length === 2");
    }
    browser.open_tab(&serving.at("draw"));
    browser.wait_for("the models", "return document.getElementById('model-1').options.length > 0");
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn two_tabs_with_one_training_see_the_same_and_a_third_trains_its_own() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    stories(&browser, &serving);
    let long =
        [("train_size", "200"), ("test_size", "100"), ("epochs", "100000"), ("hidden", "16"), ("batch_size", "20")];
    set(&browser, &long);
    browser.click("#train");
    wait_for_status(&browser, "Training: epoch");
    let link = browser.run("return location.href", json!([]));
    let link = link.as_str().expect("an address");
    let second = browser.open_tab(link);
    wait_for_status(&browser, "Training: epoch");
    browser.click("#go");
    wait_for_status(&browser, "Paused");
    let third = browser.open_tab(&serving.at("playground"));
    browser.wait_for("the stories", "return document.getElementById('preset').options.length > 3");
    set(&browser, &long);
    set(&browser, &[("hidden", "8")]);
    browser.click("#train");
    wait_for_status(&browser, "Training: epoch");
    browser.turn_to(&second);
    wait_for_status(&browser, "Paused");
    assert!(browser.text("#status").contains("-16-"), "{}", browser.text("#status"));
    browser.click("#stop");
    wait_for_status(&browser, "Stopped");
    browser.turn_to(&third);
    assert!(browser.text("#status").contains("-8-"), "{}", browser.text("#status"));
    browser.click("#stop");
    wait_for_status(&browser, "Stopped");
    assert_eq!(browser.complaints(), [] as [String; 0]);
}
