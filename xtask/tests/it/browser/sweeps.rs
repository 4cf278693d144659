//! Sweeps of other processes, followed; and a server that is killed and started again.

use serde_json::json;

use super::driver::Browser;
use super::server::Serving;
use crate::sandbox::Sandbox;

fn sweep(sandbox: &Sandbox, out: &str, epochs: usize) -> std::process::Child {
    let spec = format!(
        "train_size = 200\nvalidation = 50\ntest_size = 100\nhidden = [16]\nepochs = {epochs}\n[sweep]\nlearning_rate = [0.001, 0.003, 0.01]\nseed = [0, 1]\n"
    );
    sandbox.write("six.toml", spec);
    let arguments =
        ["sweep", "six.toml", "--data", "./digits", "--out", out, "--quiet", "--threads", "1", "--jobs", "1"];
    sandbox.command(arguments).stdout(std::process::Stdio::null()).spawn().expect("the program starts")
}

#[test]
fn a_sweep_in_another_process_is_followed_to_its_end_and_looked_into() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    browser.go(&serving.at("watch"));
    browser.wait_for("an empty list", "return !document.getElementById('no-runs').hidden");
    let mut child = sweep(&sandbox, "runs/six", 60);
    browser.wait_for("the run", "return document.querySelectorAll('.run-card').length === 1");
    browser.wait_for("a trial under way", "return document.querySelectorAll('#running tr').length > 0");
    assert!(child.wait().expect("it ends").success());
    browser.wait_for("the end", "return document.querySelector('.run-card').textContent.includes('6 of 6 trials')");
    browser.wait_for("all rows", "return document.querySelectorAll('#trials tbody tr').length === 6");
    browser.wait_for("nobody at work", "return document.getElementById('under-way').hidden");

    // The best mean stands beside the best trial, with what it is the mean of.
    let tiles = "return Object.fromEntries(Array.from(document.querySelectorAll('#tiles > div')).map((tile) => [tile.querySelector('dt').textContent, \
                 [tile.querySelector('dd').firstChild.textContent, tile.querySelector('small').textContent]]))";
    let tiles = browser.run(tiles, json!([]));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mean = &tiles["The best mean"];
    assert!(text(&mean[0]).contains(" % ± "), "{tiles}");
    assert!(text(&mean[1]).starts_with("over 2 seeds: learning_rate 0.0"), "{tiles}");
    assert!(text(&tiles["The best single trial"][0]).ends_with(" %"), "{tiles}");

    // The first row is that trial: both go by the validation set.
    let first = "const t = document.getElementById('trials'), head = Array.from(t.tHead.rows[0].cells), cells = t.tBodies[0].rows[0].cells; \
                 const at = (name) => head.findIndex((cell) => cell.textContent.trim() === name); \
                 return [head.find((cell) => cell.ariaSort).textContent.trim(), cells[at('validation accuracy')].textContent, cells[at('seed')].textContent, \
                 cells[at('test accuracy')].textContent]";
    let first = browser.run(first, json!([]));
    assert_eq!(
        (text(&first[0]), text(&first[1])),
        ("validation accuracy".to_owned(), text(&tiles["The best single trial"][0]))
    );
    let best = text(&tiles["The best single trial"][1]);
    assert!(best.ends_with(&format!("seed {}, test {}", text(&first[2]), text(&first[3]))), "{best}: {first}");

    // Ticked trials are compared; the table is filtered and sorted; a line is drawn along an axis.
    browser.click("#trials tbody tr:nth-child(1) input");
    browser.click("#trials tbody tr:nth-child(2) input");
    let curves = browser.run("return document.querySelectorAll('#curves-chart path.line').length", json!([]));
    assert!(curves.as_u64() >= Some(4), "{curves}: test and training of two trials, and their keys");
    browser.run(
        "const f = document.getElementById('filter'); f.value = 'learning_rate>0.002'; f.dispatchEvent(new Event('input'))",
        json!([]),
    );
    browser.wait_for("four rows", "return document.querySelectorAll('#trials tbody tr').length === 4");
    // With a decimal comma it is the same.
    for (filter, n_rows) in [
        ("sigmoid", 6),
        ("activation=sigmoid", 6),
        ("relu", 0),
        ("learning_rate>0,005", 2),
        ("learning_rate<1,000", 6),
        ("learning_rate>0.002", 4),
    ] {
        let script = "const f = document.getElementById('filter'); f.value = arguments[0]; f.dispatchEvent(new Event('input')); \
                      return [document.querySelectorAll('#trials tbody tr').length, document.getElementById('filter-error').textContent]";
        assert_eq!(browser.run(script, json!([filter])), json!([n_rows, ""]), "{filter}");
    }
    // The axes of a sweep over one key are that key and what was reached; the rate's is at the left.
    let at = browser
        .run("return 62 / document.getElementById('parallel').clientWidth", json!([]))
        .as_f64()
        .expect("a number");
    browser.draw("#parallel", &[(at, 0.1), (at, 0.2), (at, 0.25)], super::driver::Pointer::Mouse);
    browser.wait_for("the brush", "return document.querySelectorAll('#brushes li').length === 1");
    browser.wait_for("two rows", "return document.querySelectorAll('#trials tbody tr').length === 2");
    // Sorting by keyboard.
    browser.run("document.querySelector('#trials th:nth-child(3) button').focus()", json!([]));
    browser.press(&["Enter"]);
    browser.wait_for(
        "the order",
        "return document.querySelector('#trials th:nth-child(3)').getAttribute('aria-sort') === 'ascending'",
    );

    // The link keeps the view.
    let link = browser.run("return location.href", json!([]));
    browser.go("about:blank");
    browser.go(link.as_str().expect("an address"));
    browser.wait_for("the same two rows", "return document.querySelectorAll('#trials tbody tr').length === 2");
    let kept = browser.run(
        "return [document.getElementById('filter').value, document.querySelectorAll('#trials input:checked').length, \
         document.querySelectorAll('#brushes li').length, \
         document.querySelector('#trials th:nth-child(3)').getAttribute('aria-sort')]",
        json!([]),
    );
    assert_eq!(kept[0], "learning_rate>0.002");
    assert_eq!((&kept[2], &kept[3]), (&json!(1), &json!("ascending")));
    // The whole report opens, and its own script runs.
    let report = browser.run("return document.getElementById('report').href", json!([]));
    browser.go(report.as_str().expect("an address"));
    browser.wait_for("the report's table", "return document.querySelectorAll('#trials-table tbody tr').length > 0");
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn trials_that_halving_stopped_are_rows_with_what_they_had_reached() {
    let Some(browser) = Browser::start(1280, 1000) else { return };
    let sandbox = Sandbox::with_digits();
    let spec = "train_size = 200\ntest_size = 100\nvalidation = 50\nhidden = [12]\nepochs = 3\n[sweep]\nhalving = true\n\
                learning_rate = [0.0001, 0.01, 0.03]\nseed = [0, 1]\n";
    sandbox.write("halving.toml", spec);
    let arguments = ["sweep", "halving.toml", "--data", "./digits", "--out", "runs/halving", "--quiet"];
    sandbox.run(arguments).expect_code(0);
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    browser.go(&serving.at("watch"));
    browser.wait_for("all rows", "return document.querySelectorAll('#trials tbody tr').length === 6");
    let of = |status: &str| {
        let script = "return Array.from(document.querySelectorAll('#trials td.status')).filter((c) => c.textContent === arguments[0]).length";
        browser.run(script, json!([status]))
    };
    assert_eq!((of("stopped"), of("finished")), (json!(4), json!(2)));
    // They are filtered and compared as the others are, and count in nothing.
    let filter =
        "const f = document.getElementById('filter'); f.value = 'stopped'; f.dispatchEvent(new Event('input'))";
    browser.run(filter, json!([]));
    browser.wait_for("the stopped ones", "return document.querySelectorAll('#trials tbody tr').length === 4");
    browser.click("#trials tbody tr:nth-child(1) input");
    let title = browser.text("#curves-title");
    assert!(title.contains("ticked"), "{title}");
    let card = browser.text(".run-card");
    assert!(card.contains("6 of 6 trials") && card.contains("4 stopped early"), "{card}");
    // The best says which settings its values are of.
    assert!(browser.text("#tiles").contains("learning_rate 0.0"), "{}", browser.text("#tiles"));
    let pressed = browser.run("return document.querySelector('.run-card').getAttribute('aria-pressed')", json!([]));
    assert_eq!(pressed, "true");
    assert_eq!(browser.complaints(), [] as [String; 0]);
}

#[test]
fn a_server_that_is_killed_is_missed_and_found_again_when_it_is_started_anew() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    let sandbox = Sandbox::with_digits();
    let arguments = ["--data", "./digits", "--token-file", "token"];
    let serving = Serving::start(&sandbox, &arguments);
    let port = serving.port();
    let mut child = sweep(&sandbox, "runs/six", 2);
    assert!(child.wait().expect("it ends").success());
    browser.go(&serving.at("watch"));
    browser.wait_for("all rows", "return document.querySelectorAll('#trials tbody tr').length === 6");
    let url = serving.url.clone();
    serving.kill();
    browser.wait_for("the word that it is gone", "return !document.getElementById('problem').hidden");
    assert!(browser.text("#problem").contains("Start it again"), "{}", browser.text("#problem"));
    // What was there is still to be seen.
    assert_eq!(browser.run("return document.querySelectorAll('#trials tbody tr').length", json!([])), 6);

    let again: Vec<&str> = arguments.iter().copied().chain(["--port", port.as_str()]).collect();
    let serving = Serving::start(&sandbox, &again);
    assert_eq!(serving.url, url, "the same address");
    browser.wait_for("the page to go on", "return document.getElementById('problem').hidden");
    let mut child = sweep(&sandbox, "runs/other", 1);
    browser.wait_for("what is new", "return document.querySelectorAll('.run-card').length === 2");
    assert!(child.wait().expect("it ends").success());

    // A training went with the server; its settings have not.
    browser.go(&serving.at("playground#session=1-0123abcd"));
    browser.wait_for(
        "the word of it",
        "return document.getElementById('problem').textContent.includes('no longer there')",
    );
    assert!(browser.run("return document.getElementById('train').disabled", json!([])) == false);
    #[cfg(unix)]
    assert_eq!(serving.interrupt(), Some(0), "Ctrl-C is how it ends");
}

/// The milliseconds until the table is there, of a first paint, and of what one does.
struct Times {
    paint: f64,
    table: f64,
    /// Until the next frame is there, the best of three: filter, sort, tick, show more, brush.
    interactions: [f64; 5],
}

/// Two thousand trials, looked at.
fn two_thousand_trials() -> Option<Times> {
    let browser = Browser::start(1280, 1000)?;
    let sandbox = Sandbox::with_digits();
    let mut child = sweep(&sandbox, "runs/six", 12);
    assert!(child.wait().expect("it ends").success());
    let records = sandbox.files("runs/six/trials");
    for number in 0..2_000_usize {
        let text = std::fs::read_to_string(&records[number % records.len()]).expect("a record");
        let mut record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let name = format!("{number:012x}");
        record["trial"] = json!(name);
        record["config"]["seed"] = json!(number);
        record["config"]["l2"] = json!(f64::from(number as u32 % 40) * 1e-4);
        let path = sandbox.path(&format!("runs/six/trials/{name}.json"));
        std::fs::write(path, record.to_string()).expect("a record");
    }
    let serving = Serving::start(&sandbox, &["--data", "./digits"]);
    browser.go(&serving.at("watch"));
    browser.wait_for("the table", "return document.getElementById('row-count').textContent.includes('of 2,006')");
    // From a server that has read the folder.
    browser.reload();
    browser.wait_for("the table", "return document.getElementById('row-count').textContent.includes('of 2,006')");
    let times = "return [performance.getEntriesByName('first-contentful-paint')[0].startTime, performance.getEntriesByName('table')[0].startTime]";
    let shown = browser.run(times, json!([]));
    let time = "const done = arguments[0], times = []; \
                const frame = () => new Promise((r) => requestAnimationFrame(() => setTimeout(r))); \
                const timed = async (place, act) => { await frame(); const t = performance.now(); act(); await frame(); times[place] = Math.min(times[place] ?? 1e9, performance.now() - t); }; \
                const f = document.getElementById('filter'), c = document.getElementById('parallel'), b = c.getBoundingClientRect(); \
                const pen = (type, y) => c.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX: b.left + 62, clientY: b.top + y, bubbles: true })); \
                c.setPointerCapture = () => {}; \
                (async () => { for (const bound of [0.002, 0.001, 0.0015]) { \
                  await timed(0, () => { f.value = 'l2>' + bound; f.dispatchEvent(new Event('input')); }); \
                  await timed(1, () => document.querySelector('#trials th:nth-child(5) button').click()); \
                  await timed(2, () => document.querySelector('#trials tbody input').click()); \
                  await timed(3, () => document.getElementById('more-rows').click()); \
                  pen('pointerdown', 80); await timed(4, () => pen('pointermove', 280)); await timed(4, () => pen('pointerup', 280)); \
                  } done(times); })()";
    let found = browser.run_and_wait(time, json!([]));
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    let times = Times {
        paint: number(&shown[0]),
        table: number(&shown[1]),
        interactions: [0, 1, 2, 3, 4].map(|place| number(&found[place])),
    };
    eprintln!(
        "2,000 trials: first paint after {:.0} ms, the table after {:.0} ms; filter, sort, tick, more rows, brush: {:.0?} ms",
        times.paint, times.table, times.interactions
    );
    let shown = browser.text("#row-count");
    assert!(shown.contains("50 of "), "only as many rows as are looked at: {shown}");
    assert_eq!(browser.complaints(), [] as [String; 0]);
    Some(times)
}

#[test]
fn two_thousand_trials_stay_quick() {
    let Some(times) = two_thousand_trials() else { return };
    // Figures are in docs/page.md; a machine that is busy with other tests proves only that nothing grows out of hand.
    assert!(times.paint < 3000.0, "{}", times.paint);
    assert!(times.interactions.iter().all(|time| *time < 500.0), "{:?}", times.interactions);
}

/// What is promised, on a machine that does nothing else: `cargo test --release -p xtask two_thousand -- --ignored --nocapture`.
#[test]
#[ignore = "with clocks: in a release build, alone on the machine"]
fn two_thousand_trials_are_there_within_a_second_and_answer_within_a_tenth() {
    let Some(times) = two_thousand_trials() else { return };
    assert!(times.paint < 1000.0 && times.table < 1000.0, "{} {}", times.paint, times.table);
    assert!(times.interactions.iter().all(|time| *time < 100.0), "{:?}", times.interactions);
}
