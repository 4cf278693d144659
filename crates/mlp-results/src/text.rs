//! Numbers and foreign texts as people read them: one owner for durations, counts and values.

/// Characters shown of any one text in a page or in a plot; what is cut is counted.
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
///
/// For pages, figures and tables, where space is scarce and nobody copies the value. A terminal shows it as a specification
/// has it, `[512, 256, 128]` (`shown` of the crate `mlp-sweep`): it can be typed in again.
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

/// Seconds as a person says them: `0.42 s`, `12.3 s`, `3 min 5 s`, `2 h 4 min`.
pub fn duration(seconds: f64) -> String {
    if seconds < 1.0 {
        return format!("{seconds:.2} s");
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    if whole < 3600 {
        format!("{} min {} s", whole / 60, whole % 60)
    } else {
        format!("{} h {} min", whole / 3600, whole % 3600 / 60)
    }
}

/// A fraction in per cent, or a dash: `97.34 %`; like [`share`], never 0 or 100 % of what is not exactly so.
pub fn percent(fraction: Option<f64>) -> String {
    fraction.map_or_else(|| "-".to_owned(), |fraction| share(fraction, 2))
}

/// A fraction in per cent with so many decimals: `97.34 %`. What is not exactly 0 or 1 is not rounded to it: `<0.01 %`,
/// `>99.99 %`.
pub fn share(fraction: f64, n_decimals: usize) -> String {
    let step = 0.1f64.powi(i32::try_from(n_decimals).unwrap_or(0));
    let written = format!("{:.n_decimals$}", 100.0 * fraction);
    match written.parse::<f64>() {
        Ok(100.0) if fraction < 1.0 => format!(">{:.n_decimals$} %", 100.0 - step),
        Ok(0.0) if fraction > 0.0 => format!("<{step:.n_decimals$} %"),
        _ => format!("{written} %"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let shown: Vec<String> = [0, 999, 1000, 60000, 1234567].map(thousands).to_vec();
        assert_eq!(shown, ["0", "999", "1,000", "60,000", "1,234,567"]);
    }

    #[test]
    fn what_is_not_exactly_all_or_nothing_is_not_rounded_to_it() {
        let shown: Vec<String> = [0.0, 1e-9, 0.00006, 0.5, 0.99994, 0.999_96, 1.0].map(|f| share(f, 2)).to_vec();
        assert_eq!(shown, ["0.00 %", "<0.01 %", "0.01 %", "50.00 %", "99.99 %", ">99.99 %", "100.00 %"]);
        assert_eq!([share(0.995, 0), share(0.999, 0), share(0.001, 0)], [">99 %", ">99 %", "<1 %"].map(str::to_owned));
        assert_eq!(percent(Some(0.999_999)), ">99.99 %");
        assert_eq!(percent(None), "-");
    }

    #[test]
    fn durations_are_said_in_the_largest_fitting_units() {
        let shown: Vec<String> = [0.418, 12.34, 59.97, 185.0, 7440.0].map(duration).to_vec();
        assert_eq!(shown, ["0.42 s", "12.3 s", "1 min 0 s", "3 min 5 s", "2 h 4 min"]);
    }
}
