//! Text that came from outside, made safe to show: in HTML, in JSON inside a page, in a CSV cell.
//!
//! Names of data sets, configuration values and error texts are whatever somebody wrote. Three things can go wrong with
//! them: they end the element they stand in, they change how their neighbours read (controls, right-to-left overrides),
//! or they are a megabyte long. [`clean`] deals with the last two, the escapes with the first.

/// Characters shown of any one text in the page or in a plot; what is cut is counted.
pub const MAX_CHARACTERS: usize = 160;

/// `text` with every invisible or direction-changing character spelled out as `⟨U+202E⟩`, line breaks and tabs as
/// spaces, and cut to `max_characters` with a note of how long it was.
pub fn clean(text: &str, max_characters: usize) -> String {
    let mut cleaned = String::new();
    for (n_characters, character) in text.chars().enumerate() {
        if n_characters == max_characters {
            cleaned.push_str(&format!("… (cut; {} characters)", text.chars().count()));
            break;
        }
        match character {
            '\n' | '\r' | '\t' => cleaned.push(' '),
            _ if is_deceptive(character) => cleaned.push_str(&format!("⟨U+{:04X}⟩", character as u32)),
            _ => cleaned.push(character),
        }
    }
    cleaned
}

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

/// `text` cut in its middle to at most `max_characters`, for a label in a plot where room is scarce.
pub fn shorten(text: &str, max_characters: usize) -> String {
    let text = clean(text, MAX_CHARACTERS);
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= max_characters || max_characters < 3 {
        return text;
    }
    let n_head = max_characters / 2;
    let n_tail = max_characters - n_head - 1;
    let head: String = characters[..n_head].iter().collect();
    let tail: String = characters[characters.len() - n_tail..].iter().collect();
    format!("{head}…{tail}")
}

/// The first characters of a trial's identity: enough to tell trials apart, and to find the file.
pub fn trial(identity: &str) -> String {
    clean(identity, MAX_CHARACTERS).chars().take(12).collect()
}

/// A configuration value as a person writes it: `sigmoid`, `0.1`, `512-256-128`, `momentum (momentum 0.9)`.
pub fn value(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(small) if small != 0.0 && small.abs() < 1e-4 => format!("{small:e}"),
            // `1`, not `1.0`.
            Some(float) if float.abs() < 1e15 => float.to_string(),
            _ => number.to_string(),
        },
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(self::value).collect::<Vec<_>>().join("-"),
        Value::Object(fields) => {
            let name = fields.get("name").map(self::value).unwrap_or_default();
            let parameters: Vec<String> = fields
                .iter()
                .filter(|(key, _)| *key != "name")
                .map(|(key, field)| format!("{key} {}", self::value(field)))
                .collect();
            match (name.is_empty(), parameters.is_empty()) {
                (_, true) => name,
                (true, false) => parameters.join(", "),
                (false, false) => format!("{name} ({})", parameters.join(", ")),
            }
        }
    }
}

/// A number with at most three digits that matter: `0.00123`, `12.3`, `1.2e-7`.
pub fn rounded(number: f64) -> String {
    rounded_to(number, 3)
}

/// A number with at most `n_digits` digits that matter, at least one.
pub fn rounded_to(number: f64, n_digits: usize) -> String {
    if number == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    let written = format!("{number:.*e}", n_digits.max(1) - 1);
    match written.parse::<f64>() {
        Ok(rounded) if (1e-3..1e6).contains(&rounded.abs()) => rounded.to_string(),
        Ok(rounded) => format!("{rounded:e}"),
        Err(_) => written,
    }
}

/// Seconds as a person says them: `0.4 s`, `12 s`, `3.2 min`, `1.5 h`.
pub fn duration(seconds: f64) -> String {
    match seconds {
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        _ if seconds < 99.5 => format!("{seconds:.0} s"),
        _ if seconds < 5_970.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

/// `1234567` as `1,234,567`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 trial`, `2 trials`.
pub fn counted(count: usize, singular: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {singular}{plural}", thousands(count as u64))
}

/// Controls, and characters that are invisible or turn the reading direction.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFF}' | '\u{E0000}'..='\u{E0FFF}')
}
