//! A sweep that is followed to its end, from its folder alone.

use std::io::{BufRead, BufReader, Write};

use mlp_live::mlp_sweep::{RunOptions, Sweep, SweepSpec};
use serde_json::{Value, json};

use crate::client::{Fixture, digits};

#[test]
fn a_sweep_is_followed_to_its_end_and_only_what_changed_is_sent() {
    let server = Fixture::new();
    let mut stream = server.connect();
    let head = format!("GET /{}/events/watch HTTP/1.1\r\nHost: localhost\r\n\r\n", server.token);
    stream.write_all(head.as_bytes()).expect("a request");
    // What never comes is a failure, not a wait: signs of life come all the time.
    let began = std::time::Instant::now();
    let lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|_| began.elapsed().as_secs() < 60);
    let mut states = lines.filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    let spec = "hidden = [24]\nepochs = 100\n[sweep]\nlearning_rate = [0.001, 0.003]\nseed = [0, 1, 2]\n";
    let spec = SweepSpec::from_toml(spec).expect("a sweep");
    let data = (*digits().get().expect("digits")).clone();
    let sweep = Sweep::new(spec, data, server.runs().join("six")).expect("a sweep");
    let mut options = RunOptions::default();
    options.n_threads = 1;
    let (mut n_seen, mut has_run, mut n_epochs) = (Vec::new(), false, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| sweep.run(&options, &()).expect("an outcome"));
        for state in states.by_ref() {
            let Some(run) = state["runs"].as_array().and_then(|runs| runs.first()) else { continue };
            assert_eq!(run["name"], "runs/six");
            n_seen.push(run["n_finished"].as_u64().unwrap_or(0));
            for running in run["running"].as_array().into_iter().flatten() {
                has_run = true;
                n_epochs = n_epochs.max(running["curve"].as_array().map_or(0, Vec::len));
            }
            if run["n_finished"] == 6 && run["holder"].is_null() {
                assert_eq!((&run["n_trials"], &run["n_left"]), (&json!(6), &json!(0)));
                assert!(run["best"]["value"].as_str().is_some_and(|text| text.ends_with('%')), "{run:#}");
                break;
            }
        }
    });
    assert!(n_seen.is_sorted() && has_run, "{n_seen:?}");
    assert!(n_epochs > 1, "the curve of a trial under way grows");

    let table = server.get("data/table?run=runs%2Fsix&since=0").expect(200).json();
    assert_eq!(table["rows"].as_array().map(Vec::len), Some(6));
    assert!(table["head"]["columns"].as_array().is_some_and(|columns| columns.len() > 5));
    let since = table["revision"].as_u64().expect("a number");
    let again = server.get(&format!("data/table?run=runs%2Fsix&since={since}")).json();
    assert_eq!((&again["rows"], &again["head"]), (&json!([]), &Value::Null), "nothing has changed");
    let other = server.get("data/table?run=runs%2Fsix&since=999999").json();
    assert_eq!(other["rows"].as_array().map(Vec::len), Some(6), "a revision of another server means nothing");

    // What is written into a record, in its place, leaves the times of folders as they were.
    let records = std::fs::read_dir(server.runs().join("six/trials")).expect("a folder").flatten();
    let record = records.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "json"));
    let record = record.expect("a record");
    let whole = std::fs::read(&record).expect("a record");
    // As long as something may have been added in the same moment, all is looked at anyway.
    std::thread::sleep(std::time::Duration::from_millis(2500));
    std::fs::write(&record, &whole[..whole.len() / 2]).expect("the half of it");
    let seen = |n_warnings: u64| {
        states.by_ref().find(|state| state["runs"][0]["n_warnings"] == n_warnings).expect("a state")["runs"][0].clone()
    };
    let (mut seen, name) = (seen, record.file_name().expect("a name").to_string_lossy().into_owned());
    let run = seen(1);
    assert!(run["n_finished"] == 5 && run["warnings"][0].as_str().is_some_and(|text| text.contains(&name)), "{run:#}");
    std::fs::write(&record, &whole).expect("the whole of it");
    assert_eq!(seen(0)["n_finished"], 6);

    let models = server.get("data/models").json()["models"].clone();
    assert_eq!(models.as_array().map(Vec::len), Some(6));
    assert!(models[0]["is_best"] == true && models[0]["run"] == "runs/six", "{models}");
    let report = server.get("data/report?run=runs%2Fsix").expect(200);
    assert!(report.body.contains("<h1>") && report.head.contains("sandbox"), "{}", report.head);
}
