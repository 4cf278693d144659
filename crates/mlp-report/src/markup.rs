//! Text that came from outside, made safe to show: in HTML, in JSON inside a page.
//!
//! Names of data sets, configuration values and error texts are whatever somebody wrote. Three things can go wrong with
//! them: they end the element they stand in, they change how their neighbours read (controls, right-to-left overrides),
//! or they are a megabyte long. [`clean`](mlp_results::text::clean) deals with the last two, the escapes with the first.

use mlp_results::text::{MAX_CHARACTERS, clean};

/// `text`, cleaned and escaped, for the body of an element or a quoted attribute.
pub fn html(text: &str) -> String {
    escape_markup(&clean(text, MAX_CHARACTERS))
}

/// `text` escaped, whatever its length, for markup. The input must be clean already: see [`clean`].
pub fn escape_markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// JSON for the inside of a `<script type="application/json">` element: still the same JSON value, but without any
/// character that could end the element or open a comment in it.
pub fn json_in_html(value: &serde_json::Value) -> String {
    let mut escaped = String::new();
    for character in value.to_string().chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => escaped.push_str(&format!("\\u{:04x}", character as u32)),
            _ => escaped.push(character),
        }
    }
    escaped
}
