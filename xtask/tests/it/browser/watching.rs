//! What Watch says of trials that came to no good end, or to none yet, and of records that are not what they say.

use std::fs;

use serde_json::{Value, json};

use super::driver::Browser;
use super::server::Serving;
use crate::sandbox::Sandbox;

/// Nine trials: three rates with three seeds each, of which the last rate makes every number overflow.
fn nine_trials() -> Sandbox {
    let sandbox = Sandbox::with_digits();
    let spec = "train_size = 150\ntest_size = 100\nhidden = [12]\nepochs = 4\noptimizer = \"sgd\"\nactivation = \"relu\"\nloss = \"squared\"\n\
                output_activation = \"identity\"\nschedule = \"constant\"\n[sweep]\nlearning_rate = [0.01, 0.03, 1e25]\nseed = [0, 1, 2]\n";
    sandbox.write("nine.toml", spec);
    let arguments = ["sweep", "nine.toml", "--data", "./digits", "--out", "runs/nine", "--quiet", "--jobs", "1"];
    sandbox.run(arguments).expect_code(0);
    sandbox
}

fn records(sandbox: &Sandbox, is_wanted: impl Fn(&Value) -> bool) -> Vec<std::path::PathBuf> {
    let read = |path: &std::path::PathBuf| -> Value {
        serde_json::from_slice(&fs::read(path).expect("a record")).expect("JSON")
    };
    sandbox.files("runs/nine/trials").into_iter().filter(|path| is_wanted(&read(path))).collect()
}

const N_ROWS: &str = "return document.querySelectorAll('#trials tbody tr').length";

/// The configurations: settings, mean, seeds finished, what became of the others.
fn configurations(browser: &Browser) -> Vec<Vec<String>> {
    let script = "return Array.from(document.querySelectorAll('#configurations-rows tr')).map((row) => Array.from(row.cells).slice(1).map((cell) => cell.textContent))";
    serde_json::from_value(browser.run(script, json!([]))).expect("rows of texts")
}

#[test]
fn where_a_trial_diverged_how_many_seeds_there_are_to_be_and_what_is_no_record_is_said() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = nine_trials();
    let rate = |rate: f64| move |record: &Value| record["config"]["learning_rate"] == json!(rate);
    // Two seeds of a rate are still to be run.
    for path in records(&sandbox, rate(0.01)).iter().skip(1) {
        fs::remove_file(path).expect("a record that goes");
    }
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    browser.go(&serving.at("watch"));
    browser.wait_for("seven rows", &format!("{N_ROWS} === 7"));

    // Seeds are counted as they are planned, and the best says what luck it had.
    let shown = configurations(&browser);
    let of = |rate: &str| shown.iter().find(|row| row[0].contains(rate)).unwrap_or_else(|| panic!("{shown:?}"));
    assert_eq!(of("0.01")[2], "1 of 3", "{shown:?}");
    assert_eq!((&*of("0.03")[2], &*of("0.03")[3]), ("3 of 3", ""), "{shown:?}");
    assert_eq!((&*of("1e+25")[1], &*of("1e+25")[2], &*of("1e+25")[3]), ("–", "0 of 3", "3 diverged"), "{shown:?}");
    let card = browser.text(".run-card");
    assert!(card.contains("7 of 9 trials, 3 diverged, nobody is at work; the same command goes on"), "{card}");
    assert!(browser.text("#go-on-command").starts_with("cargo xtask sweep "), "{}", browser.text("#go-on-command"));

    // The whole report counts them alike.
    let report = browser.run_and_wait(
        "const done = arguments[0]; fetch(document.getElementById('report').href).then((r) => r.text()).then(done)",
        json!([]),
    );
    assert!(report.as_str().is_some_and(|page| page.contains("<td>1 of 3</td>")), "{report}");

    // Where numbers overflowed is beside the status, in a tooltip, and below the curves of what is ticked.
    let filter =
        "const f = document.getElementById('filter'); f.value = arguments[0]; f.dispatchEvent(new Event('input'))";
    browser.run(filter, json!(["diverged"]));
    browser.wait_for("three rows", &format!("{N_ROWS} === 3"));
    let cell = "const c = document.querySelector('#trials td.status'); return [c.textContent, c.title]";
    let cell = browser.run(cell, json!([]));
    let [status, title] = [0, 1].map(|place| cell[place].as_str().unwrap_or_default().to_owned());
    assert!(status.starts_with("diverged in epoch "), "{cell}");
    assert!(title.contains("overflowed in epoch ") && title.contains("Last measured, "), "{cell}");
    browser.click("#trials tbody tr:nth-child(1) input");
    browser.wait_for("what became of it", "return document.querySelectorAll('#endings li').length === 1");
    assert!(browser.text("#endings").contains(&title), "{}", browser.text("#endings"));
    assert!(browser.text("#curves-chart .legend").contains("diverged in epoch "), "{}", browser.text("#curves-chart"));
    browser.click("#untick");
    browser.run(filter, json!([""]));

    // What cannot be read is named, and so is what was changed by hand.
    let others = records(&sandbox, rate(0.03));
    let text = fs::read_to_string(&others[0]).expect("a record");
    fs::write(&others[0], text.replace("\"learning_rate\": 0.03", "\"learning_rate\": 0.02")).expect("a record");
    fs::write(&others[1], "{ \"schema\": 1, ").expect("a record");
    browser.wait_for("two warnings", "return document.querySelectorAll('#warnings p').length === 2");
    let warnings = browser.text("#warnings");
    let name = |path: &std::path::Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(warnings.contains("Changed by hand. ") && warnings.contains(&name(&others[0])), "{warnings}");
    assert!(warnings.contains("Skipped a record. ") && warnings.contains(&name(&others[1])), "{warnings}");
    assert!(browser.text(".run-card").contains("2 files to look at"), "{}", browser.text(".run-card"));
    // `sweep status` says the same.
    let said = sandbox.run(["sweep", "status", "runs/nine"]).expect_code(0);
    for part in warnings.split_inclusive(". ").filter(|part| part.contains("expected")) {
        let part = part.split_once("runs/nine").map_or(part, |(_, behind)| behind).trim().trim_end_matches('.');
        assert!(said.stderr.contains(part), "{part}\n{}", said.stderr);
    }
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
#[cfg(unix)]
fn a_sweep_that_was_killed_is_told_from_one_at_work_and_the_command_that_is_shown_goes_on() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let spec =
        "train_size = 200\ntest_size = 100\nhidden = [16]\nepochs = 700\n[sweep]\nlearning_rate = [0.001, 0.003]\n";
    sandbox.write("two.toml", spec);
    let arguments = ["sweep", "two.toml", "--data", "./digits", "--out", "runs/two", "--quiet", "--threads", "1"];
    let more = ["--jobs", "1", "--checkpoint-epochs", "1"];
    let mut command = sandbox.command(arguments.iter().chain(&more));
    let mut sweep = command.stdout(std::process::Stdio::null()).spawn().expect("the program starts");
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    browser.go(&serving.at("watch"));
    browser.wait_for(
        "a trial under way",
        "const row = document.querySelector('#running tr'); return row && parseInt(row.cells[2].textContent) > 3",
    );
    assert_eq!(browser.run("return document.getElementById('interrupted').hidden", json!([])), true);
    sweep.kill().expect("it runs");
    sweep.wait().expect("it ends");

    browser.wait_for("the word of it", "return !document.getElementById('interrupted').hidden");
    assert_eq!(browser.run("return document.getElementById('under-way').hidden", json!([])), true);
    let card = browser.text(".run-card");
    assert!(card.contains("stopped in epoch ") && card.contains(" of 700; the same command goes on"), "{card}");
    let row = browser.text("#interrupted-rows");
    assert!(row.contains("learning_rate = 0.00") && row.contains(" of 700") && row.contains("test accuracy"), "{row}");
    assert!(browser.run("return document.querySelector('.run-card.lively')", json!([])).is_null());

    let shown = browser.text("#go-on-command");
    let command = shown.replace("cargo xtask", "\"$@\"") + " --quiet";
    let outcome = sandbox.outcome(sandbox.shell(&command).arg(crate::sandbox::PROGRAM).output().expect("a shell"));
    outcome.expect_code(0);
    browser.wait_for("the end", "return document.querySelector('.run-card').textContent.includes('2 of 2 trials')");
    browser.wait_for("no more of it", "return document.getElementById('interrupted').hidden");
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn the_trial_and_the_names_of_the_columns_stay_in_sight_however_the_table_is_scrolled() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let spec = "train_size = 50\ntest_size = 50\nvalidation = 10\nhidden = [4]\nepochs = 1\n[sweep]\nlearning_rate = [0.001, 0.003, 0.01, 0.03]\n\
                l2 = [0.0, 0.001]\nseed = [0, 1, 2]\n";
    sandbox.write("many.toml", spec);
    sandbox.run(["sweep", "many.toml", "--data", "./digits", "--out", "runs/many", "--quiet"]).expect_code(0);
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    for is_phone in [false, true] {
        if is_phone {
            browser.become_phone();
        } else {
            browser.set_size(900, 640);
        }
        browser.go("about:blank");
        browser.go(&serving.at("watch"));
        browser.wait_for("all rows", &format!("{N_ROWS} === 24"));
        // By keyboard: the table is a stop of its own, and the arrows move it.
        browser.run("document.getElementById('trials').parentElement.focus()", json!([]));
        browser.press(&["Right"; 12]);
        browser.press(&["Down"; 6]);
        browser.wait_for(
            "another part of it",
            "const s = document.getElementById('trials').parentElement; return s.scrollLeft > 60 && s.scrollTop > 40",
        );
        // Wherever it stands then, trial and head are at the edges.
        let edges = "const s = document.getElementById('trials').parentElement; s.scrollTo({ left: 9999, top: 300, behavior: 'instant' }); \
                     const b = s.getBoundingClientRect(), [t, h, c] = ['tbody tr:nth-child(20) .trial', 'thead th:last-child', 'thead .trial'].map((q) => document.querySelector('#trials ' + q).getBoundingClientRect()); \
                     const at = (r) => document.elementFromPoint(r.left + r.width / 2, Math.min(innerHeight - 2, r.top + r.height / 2)); \
                     s.scrollIntoView({ block: 'start', behavior: 'instant' }); \
                     return [t.left - b.left, t.right - b.left, h.top - b.top, h.right - b.right, c.top - b.top, c.left - b.left, s.clientWidth]";
        let edges: Vec<f64> = serde_json::from_value(browser.run(edges, json!([]))).expect("numbers");
        assert!(edges[0] >= 0.0 && edges[0] < 60.0, "the trial's left edge: {edges:?}");
        assert!(edges[1] < 0.6 * edges[6], "there is room for the others beside it: {edges:?}");
        assert!(edges[2].abs() < 3.0 && edges[4].abs() < 3.0, "the head's upper edge: {edges:?}");
        assert!(edges[3] <= 2.0 && (edges[5] - edges[0]).abs() < 1.0, "{edges:?}");
        // What gets the focus is not hidden below them.
        let hidden = "const s = document.getElementById('trials').parentElement; s.scrollTo({ left: 9999, behavior: 'instant' }); \
                      const button = document.querySelector('#trials thead th:nth-child(5) button'); button.focus(); \
                      return button.getBoundingClientRect().left - document.querySelector('#trials thead .trial').getBoundingClientRect().right";
        let beside = browser.run(hidden, json!([])).as_f64().expect("a number");
        assert!(beside > -1.0, "{beside}");
    }
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn the_name_of_a_level_keeps_away_from_the_curves() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    let script = "const [kind, width, done] = arguments; (async () => { const { drawChart } = await import('./chart.js'); \
                  document.body.replaceChildren(Object.assign(document.createElement('div'), { className: 'chart' })); \
                  const place = document.body.firstChild; place.style.width = width + 'px'; \
                  const flat = Array.from({ length: 50 }, (_, i) => [i, 0.1 + 0.003 * Math.sin(i)]), \
                    late = Array.from({ length: 50 }, (_, i) => [i, i < 25 ? 0.1 : 0.1 + 0.8 * (i - 25) / 25]), early = Array.from({ length: 50 }, (_, i) => [i, 1 - Math.exp(-i)]); \
                  const points = { flat, late, early }[kind], name = 'always the same answer: 11.2 %'; \
                  drawChart(place, { title: 'x', series: [{ name: 'test', color: 0, points }], levels: [{ name, value: 0.112 }], isShare: true, isWhole: true }); \
                  const box = place.querySelector('.level-name').getBBox(), path = place.querySelector('path.line'); let n = 0; \
                  for (let at = 0; at < path.getTotalLength(); at += 1) { const p = path.getPointAtLength(at); if (p.x > box.x && p.x < box.x + box.width && p.y > box.y && p.y < box.y + box.height) n++; } \
                  done([n, box.x, box.x + box.width, place.querySelector('svg').viewBox.baseVal.width]); })()";
    browser.go(&serving.at("playground"));
    for width in [320, 600] {
        for kind in ["flat", "late", "early"] {
            let found: Vec<f64> =
                serde_json::from_value(browser.run_and_wait(script, json!([kind, width]))).expect("numbers");
            // On a phone the name is nearly as wide as the figure: a curve that rises late crosses it somewhere.
            let n_crossing = if (width, kind) == (320, "late") { 25.0 } else { 0.0 };
            assert!(found[0] <= n_crossing && found[1] > 0.0 && found[2] <= found[3], "{kind}, {width}: {found:?}");
        }
    }
}
