//! How much slower everything else becomes while many watch and some behave badly: measured, with clocks, so it is no part of the
//! ordinary tests.
//!
//! `cargo test --release -p mlp-serve burden -- --ignored --nocapture`, on a machine that does nothing else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use mlp_live::mlp_sweep::{RunOptions, Sweep, SweepSpec};
use serde_json::{Value, json};

use crate::answers::{drawing, read};
use crate::client::{Fixture, digits};
use crate::load::{ask, median, memory};

const N_TABS: usize = 50;
const N_REQUESTS: usize = 10_000;
/// Phases without and with all that, in turns.
const N_ROUNDS: usize = 5;
const PHASE: Duration = Duration::from_secs(6);
/// Who draws lifts the pen between strokes.
const BETWEEN_STROKES: Duration = Duration::from_millis(30);

/// What somebody else sees in a phase: how long an answer to a stroke takes, and how much a net is trained in a second.
#[derive(Debug)]
struct Seen {
    stroke: Duration,
    samples_a_second: f64,
}

#[test]
#[ignore = "a minute, with clocks: alone on the machine"]
fn fifty_tabs_ten_thousand_requests_and_two_bad_clients_cost_nobody_a_tenth() {
    let server = Fixture::new();
    let server = &server;
    server.post("do/train-quickly", &json!({})).expect(200);
    while server.get("data/models").json()["models"].as_array().is_none_or(Vec::is_empty) {
        thread::sleep(Duration::from_millis(200));
    }
    let endless =
        json!({ "data": "digits", "config": { "hidden": [64, 32], "epochs": 1_000_000, "schedule": "constant" } });
    let session = server.post("do/start", &endless).expect(200).json()["session"].as_str().expect("a name").to_owned();
    server.post("do/session", &json!({ "session": session, "order": { "do": "run" } })).expect(200);
    look(server, &session, Duration::from_secs(2));

    let n_trials = AtomicUsize::new(0);
    // The clients are in this process, too: once they have all been there, what grows is what somebody keeps.
    under_burden(server, &session, &n_trials);
    let before = memory();
    let (mut calm, mut busy) = (Vec::new(), Vec::new());
    let mut n_answered = 0;
    for _ in 0..N_ROUNDS {
        calm.push(look(server, &session, PHASE));
        let (seen, n) = under_burden(server, &session, &n_trials);
        busy.push(seen);
        n_answered += n;
    }
    let grown = memory().saturating_sub(before);
    assert_eq!(n_answered, N_REQUESTS);
    // Whatever else the machine does only adds: the best of each says most.
    let stroke = |phases: &[Seen]| phases.iter().map(|seen| seen.stroke).min().unwrap_or_default();
    let pace = |phases: &[Seen]| phases.iter().map(|seen| seen.samples_a_second).fold(0.0, f64::max);
    eprintln!(
        "an answer to a stroke: {:.1} ms alone, {:.1} ms with {N_TABS} tabs, {N_REQUESTS} requests, one who never reads and one \
         who sends garbage; a training: {:.0} and {:.0} samples a second; {} MiB more memory\n{calm:?}\n{busy:?}",
        1e3 * stroke(&calm).as_secs_f64(),
        1e3 * stroke(&busy).as_secs_f64(),
        pace(&calm),
        pace(&busy),
        grown >> 20
    );
    assert!(stroke(&busy).as_secs_f64() < 1.1 * stroke(&calm).as_secs_f64());
    assert!(pace(&busy) > 0.9 * pace(&calm));
    assert!(grown < 64 << 20, "{} MiB", grown >> 20);
}

/// Draws for so long, and looks how far the training comes meanwhile.
fn look(server: &Fixture, session: &str, time: Duration) -> Seen {
    let (grey, width, _) = drawing(0);
    let question = json!({ "width": width, "question": { "models": ["here"] } });
    let (started, first) = (Instant::now(), n_trained(server, session));
    let mut times = Vec::new();
    while started.elapsed() < time {
        let asked = Instant::now();
        read(server, &question, &grey).expect(200);
        times.push(asked.elapsed());
        thread::sleep(BETWEEN_STROKES);
    }
    let samples = n_trained(server, session) - first;
    Seen { stroke: median(times), samples_a_second: samples / started.elapsed().as_secs_f64() }
}

fn n_trained(server: &Fixture, session: &str) -> f64 {
    let state = server.get(&format!("data/session?id={session}")).json();
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    (number(&state["epoch"]) - 1.0).max(0.0) * number(&state["samples"][1]) + number(&state["samples"][0])
}

/// The same while everybody else is there; and how many requests were answered.
fn under_burden(server: &Fixture, session: &str, n_trials: &AtomicUsize) -> (Seen, usize) {
    const N: usize = N_REQUESTS / N_ROUNDS;
    let (is_over, n_answered) = (&AtomicBool::new(false), &AtomicUsize::new(0));
    let seen = thread::scope(|scope| {
        let tabs: Vec<TcpStream> = (0..N_TABS).map(|_| server.connect()).collect();
        for tab in &tabs {
            let tab = tab.try_clone().expect("a second hold of the connection");
            scope.spawn(move || watch(server, tab, is_over));
        }
        scope.spawn(move || be_watched(server, is_over, n_trials));
        scope.spawn(move || never_read(server, is_over));
        scope.spawn(move || send_garbage(server, is_over));
        // The requests are spread over the time, as those of people are.
        scope.spawn(move || {
            let mut stream = server.connect();
            let started = Instant::now();
            for number in 0..N {
                ask(&mut stream, server, ["screen.js", "page.css", "data/models", "watch"][number % 4]);
                n_answered.fetch_add(1, SeqCst);
                let due = PHASE.mul_f64(0.95 * number as f64 / N as f64);
                thread::sleep(due.saturating_sub(started.elapsed()));
            }
        });
        let seen = look(server, session, PHASE);
        is_over.store(true, SeqCst);
        tabs.iter().for_each(|tab| drop(tab.shutdown(std::net::Shutdown::Both)));
        seen
    });
    (seen, n_answered.load(SeqCst))
}

/// A tab: listens, and asks for the table when it has changed.
fn watch(server: &Fixture, mut stream: TcpStream, is_over: &AtomicBool) {
    let head = format!("GET /{}/events/watch HTTP/1.1\r\nHost: localhost\r\n\r\n", server.token);
    stream.write_all(head.as_bytes()).expect("a request");
    let mut other = server.connect();
    let mut known = 0;
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    for state in lines.filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok()) {
        if is_over.load(SeqCst) {
            break;
        }
        let Some(table) = state["runs"][0]["table"].as_u64().filter(|table| *table != known) else { continue };
        ask(&mut other, server, &format!("data/table?run=runs%2Fwatched&since={known}"));
        known = table;
    }
}

/// The run that all look at: a trial ends now and then.
fn be_watched(server: &Fixture, is_over: &AtomicBool, n_trials: &AtomicUsize) {
    let data = (*digits().get().expect("digits")).clone();
    let mut options = RunOptions::default();
    options.n_threads = 1;
    while !is_over.load(SeqCst) {
        let seeds: Vec<usize> = (0..=n_trials.fetch_add(1, SeqCst)).collect();
        let spec = format!("hidden = [8]\nepochs = 1\n[sweep]\nseed = {seeds:?}\n");
        let spec = SweepSpec::from_toml(&spec).expect("a sweep");
        let sweep = Sweep::new(spec, data.clone(), server.runs().join("watched")).expect("a sweep");
        sweep.run(&options, &()).expect("an outcome");
        thread::sleep(Duration::from_millis(1_500));
    }
}

/// Asks for more and more and takes nothing.
fn never_read(server: &Fixture, is_over: &AtomicBool) {
    let mut stream = server.connect();
    let _ = stream.set_write_timeout(Some(Duration::from_millis(200)));
    let head = format!("GET /{}/report.css HTTP/1.1\r\nHost: localhost\r\n\r\n", server.token);
    while !is_over.load(SeqCst) {
        if stream.write_all(head.as_bytes()).is_err() {
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn send_garbage(server: &Fixture, is_over: &AtomicBool) {
    while !is_over.load(SeqCst) {
        let mut stream = server.connect();
        let _ = stream.write_all(b"\xff\xfe\xfd GET / nonsense\r\n\r\n\r\n");
        let _ = stream.read(&mut [0; 256]);
        thread::sleep(Duration::from_millis(10));
    }
}
