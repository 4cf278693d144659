//! Pictures in, answers out.

use std::time::{Duration, Instant};

use mnist_io::synthetic_digits;
use serde_json::{Value, json};

use crate::client::{Fixture, Reply};

pub(crate) fn read(server: &Fixture, line: &Value, picture: &[u8]) -> Reply {
    let body = [line.to_string().as_bytes(), b"\n", picture].concat();
    server.request("POST", "do/read", &["Content-Type: application/octet-stream"], &body)
}

/// A digit that the program draws, ten times as large, dark on light, with a margin: as on the pad.
pub(crate) fn drawing(index: usize) -> (Vec<u8>, usize, String) {
    let digits = synthetic_digits(20, 123);
    let width = 280;
    let pixel = |place: usize| 255 - digits.images[(index, place / width / 10, place % width / 10)];
    let label = digits.classes[usize::from(digits.labels[index])].to_string();
    ((0..width * width).map(pixel).collect(), width, label)
}

#[test]
fn where_there_is_no_model_one_is_trained_and_reads_drawings_step_by_step() {
    let server = Fixture::new();
    assert_eq!(server.get("data/models").json()["models"], json!([]));
    let question = json!({ "models": ["here"] });
    read(&server, &json!({ "width": 280, "question": question }), &vec![255; 280 * 280]).expect(404);
    server.post("do/train-quickly", &json!({})).expect(200);
    let started = Instant::now();
    while server.get("data/models").json()["models"].as_array().is_none_or(Vec::is_empty) {
        let quick = server.get("data/models").json()["quick"].clone();
        assert!(quick["state"] != "failed" && started.elapsed() < Duration::from_secs(300), "{quick}");
        std::thread::sleep(Duration::from_millis(200));
    }
    let mut n_right = 0;
    for index in 0..20 {
        let (grey, width, label) = drawing(index);
        let answer = read(&server, &json!({ "width": width, "question": question }), &grey).expect(200).json();
        let character = &answer["readings"][0]["characters"][0];
        n_right += usize::from(character["class"] == label.as_str());
        assert_eq!(character["outputs"].as_array().map(Vec::len), Some(6), "six bits");
        assert_eq!(character["layers"].as_array().map(Vec::len), Some(3), "layers of the default net");
        assert_eq!(character["heat"]["width"], 28);
        assert!(answer["steps"].as_array().is_some_and(|steps| steps.len() > 3), "{answer}");
        assert!(answer["steps"][0]["explanation"].as_str().is_some_and(|text| text.ends_with('.')), "{answer}");
    }
    assert!(n_right >= 15, "{n_right} of 20");

    // One bit of the answer; two nets side by side; an empty page.
    let (grey, width, _) = drawing(0);
    let line = json!({ "width": width, "question": { "models": ["here", "here"], "output": 3 } });
    let answer = read(&server, &line, &grey).expect(200).json();
    assert_eq!(answer["readings"].as_array().map(Vec::len), Some(2));
    assert!(
        answer["readings"][0]["characters"][0]["heat_is_about"].as_str().is_some_and(|text| text.contains("bit 4"))
    );
    let line = json!({ "width": width, "question": { "models": ["here"], "output": 6 } });
    read(&server, &line, &grey).expect(400);
    let blank = read(&server, &json!({ "width": 280, "question": question }), &vec![255; 280 * 280]).expect(200).json();
    assert!(blank["refusal"].is_string() && blank["readings"][0]["characters"] == json!([]), "{blank}");
}
