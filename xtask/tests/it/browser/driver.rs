//! A browser, by the protocol of WebDriver (<https://www.w3.org/TR/webdriver2/>).

use std::env;
use std::io::{BufRead, BufReader, Read, Write, stderr};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than anything takes on a machine that is busy with other tests.
pub(super) const PATIENCE: Duration = Duration::from_secs(240);

/// A browser takes more than one processor.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A browser of its own, which ends with this value.
pub(super) struct Browser {
    driver: Child,
    address: String,
    agent: ureq::Agent,
    /// Kept open, so that it can go on saying things.
    _said: BufReader<ChildStdout>,
    _profile: TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// What a pointer is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pointer {
    Mouse,
    Pen,
    Touch,
}

impl Browser {
    /// A browser with a window of this size; none on a machine without Chromium, which is said.
    pub(super) fn start(width: u32, height: u32) -> Option<Self> {
        Browser::start_with(width, height, &[])
    }

    /// The same with further arguments of the browser's.
    pub(super) fn start_with(width: u32, height: u32, more: &[&str]) -> Option<Self> {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = match command.spawn() {
            Ok(driver) => driver,
            Err(error) if env::var("CI").as_deref() == Ok("true") => panic!("chromedriver is needed: {error}"),
            Err(error) => {
                // Straight to the terminal: the test harness would swallow what `eprintln!` writes.
                let _ = writeln!(stderr(), "SKIPPED: chromedriver is needed: {error}");
                return None;
            }
        };
        let mut said = BufReader::new(driver.stdout.take().expect("a pipe"));
        let lines = said.by_ref().lines().map_while(Result::ok);
        let mut ports = lines
            .filter_map(|line| line.split("successfully on port ").nth(1)?.trim_end_matches('.').parse::<u16>().ok());
        let port = ports.next().expect("chromedriver says its port");
        let profile = tempfile::tempdir().expect("a folder");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .build()
            .new_agent();
        let address = format!("http://127.0.0.1:{port}");
        let mut browser = Browser { driver, address, agent, _said: said, _profile: profile, _turn: turn };
        let data = format!("--user-data-dir={}", browser._profile.path().display());
        let window = format!("--window-size={width},{height}");
        let mut arguments = vec![
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            data.as_str(),
            window.as_str(),
        ];
        arguments.extend(more);
        let wanted = json!({ "goog:chromeOptions": { "args": arguments }, "goog:loggingPrefs": { "browser": "ALL" } });
        let session = browser.call("POST", "/session", &json!({ "capabilities": { "alwaysMatch": wanted } }));
        let id = session["sessionId"].as_str().expect("a session").to_owned();
        browser.address = format!("{}/session/{id}", browser.address);
        Some(browser)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.address);
        let sent = match method {
            "GET" => self.agent.get(&url).call(),
            "DELETE" => self.agent.delete(&url).call(),
            _ => self.agent.post(&url).header("Content-Type", "application/json").send(body.to_string()),
        };
        let mut reply = sent.unwrap_or_else(|error| panic!("{path}: {error}"));
        let text = reply.body_mut().with_config().limit(64 << 20).read_to_string().expect("a text");
        let mut value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"));
        assert!(value["value"]["error"].is_null(), "{method} {path}: {}", value["value"]);
        value["value"].take()
    }

    pub(super) fn go(&self, url: &str) {
        self.call("POST", "/url", &json!({ "url": url }));
    }

    pub(super) fn reload(&self) {
        self.call("POST", "/refresh", &json!({}));
    }

    /// What a script returns; `arguments` are its `arguments`.
    pub(super) fn run(&self, script: &str, arguments: Value) -> Value {
        self.call("POST", "/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// The same of a script that answers by calling its last argument.
    pub(super) fn run_and_wait(&self, script: &str, arguments: Value) -> Value {
        self.call("POST", "/execute/async", &json!({ "script": script, "args": arguments }))
    }

    /// The text of an element.
    pub(super) fn text(&self, selector: &str) -> String {
        let text = self
            .run("const e = document.querySelector(arguments[0]); return e ? e.textContent : null", json!([selector]));
        text.as_str().unwrap_or_else(|| panic!("no element {selector}")).to_owned()
    }

    /// Waits until the script returns something true, and returns that.
    #[track_caller]
    pub(super) fn wait_for(&self, what: &str, script: &str) -> Value {
        let started = Instant::now();
        loop {
            let found = self.run(script, json!([]));
            // A text that is empty is not there yet.
            if !matches!(found, Value::Null | Value::Bool(false)) && found != "" {
                return found;
            }
            if started.elapsed() > PATIENCE {
                panic!("waited in vain for {what}; the page says {:?}", self.text("main"));
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Opens a further tab and turns to it; what it is called.
    pub(super) fn open_tab(&self, url: &str) -> String {
        let tab =
            self.call("POST", "/window/new", &json!({ "type": "tab" }))["handle"].as_str().expect("a name").to_owned();
        self.turn_to(&tab);
        self.go(url);
        tab
    }

    /// Turns to a tab.
    pub(super) fn turn_to(&self, tab: &str) {
        self.call("POST", "/window", &json!({ "handle": tab }));
    }

    fn element(&self, selector: &str) -> String {
        let found = self.call("POST", "/element", &json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|entries| entries.values().next()).and_then(Value::as_str);
        id.unwrap_or_else(|| panic!("no element {selector}")).to_owned()
    }

    pub(super) fn click(&self, selector: &str) {
        self.call("POST", &format!("/element/{}/click", self.element(selector)), &json!({}));
    }

    /// Types keys wherever the focus is: characters, or `Tab`, `Enter`, `Space`, `Left`, `Right`, `Up`, `Down`, `Escape`.
    pub(super) fn press(&self, keys: &[&str]) {
        let code = |key: &str| match key {
            "Tab" => "\u{e004}".to_owned(),
            "Enter" => "\u{e007}".to_owned(),
            "Space" => " ".to_owned(),
            "Left" => "\u{e012}".to_owned(),
            "Up" => "\u{e013}".to_owned(),
            "Right" => "\u{e014}".to_owned(),
            "Down" => "\u{e015}".to_owned(),
            "Escape" => "\u{e00c}".to_owned(),
            other => other.to_owned(),
        };
        let strokes = keys.iter().flat_map(|key| {
            let key = code(key);
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        });
        let actions = strokes.collect::<Vec<_>>();
        self.call("POST", "/actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }));
    }

    /// Draws a line through points of an element, each a share of its width and height.
    pub(super) fn draw(&self, selector: &str, points: &[(f64, f64)], pointer: Pointer) {
        let script = "const e = document.querySelector(arguments[0]); e.scrollIntoView({ block: 'center', behavior: 'instant' }); \
                      const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]";
        let bounds = self.run(script, json!([selector]));
        let bound = |index: usize| bounds[index].as_f64().expect("a number");
        let place = |&(x, y): &(f64, f64)| ((bound(0) + x * bound(2)) as i64, (bound(1) + y * bound(3)) as i64);
        let kind = match pointer {
            Pointer::Mouse => "mouse",
            Pointer::Pen => "pen",
            Pointer::Touch => "touch",
        };
        let (x, y) = place(&points[0]);
        let mut actions = vec![
            json!({ "type": "pointerMove", "duration": 0, "x": x, "y": y }),
            json!({ "type": "pointerDown", "button": 0 }),
        ];
        for point in &points[1..] {
            let (x, y) = place(point);
            actions.push(json!({ "type": "pointerMove", "duration": 6, "x": x, "y": y }));
        }
        actions.push(json!({ "type": "pointerUp", "button": 0 }));
        let input = json!({ "type": "pointer", "id": kind, "parameters": { "pointerType": kind }, "actions": actions });
        self.call("POST", "/actions", &json!({ "actions": [input] }));
    }

    fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.call("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// What the system of a person who likes it dark, or light, says.
    pub(super) fn set_dark(&self, is_dark: bool) {
        let value = if is_dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// A window of another size, whatever the display.
    pub(super) fn set_size(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// What is seen, as a PNG.
    pub(super) fn image(&self) -> Vec<u8> {
        let text = self.call("GET", "/screenshot", &json!({}));
        BASE64_STANDARD.decode(text.as_str().expect("an image")).expect("base64")
    }

    /// The screen of a phone.
    pub(super) fn become_phone(&self) {
        let metrics = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
        self.devtools("Emulation.setTouchEmulationEnabled", json!({ "enabled": true }));
    }

    /// What the browser complained of, but for requests that were refused on purpose.
    pub(super) fn complaints(&self) -> Vec<String> {
        let log = self.call("POST", "/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().into_iter().flatten();
        let severe = entries.filter(|entry| entry["level"] == "SEVERE" && entry["source"] != "network");
        severe.map(|entry| entry["message"].to_string()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let address = self.address.clone();
        let _ = self.agent.delete(&address).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
