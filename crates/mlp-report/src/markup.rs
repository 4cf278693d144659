//! Text that came from outside, made safe to show: in HTML, in SVG, in JSON inside a page.
//!
//! Names of data sets, configuration values and error texts are whatever somebody wrote. Three things can go wrong with
//! them: they end the element they stand in, they change how their neighbours read (controls, right-to-left overrides),
//! or they are a megabyte long. [`clean`] deals with the last two, the escapes with the first.
//!
//! Templates (`templates/*.html`) escape by themselves whatever is put into them, with [`HtmlEscaper`], as `askama.toml`
//! says. Only four things go in as they are (`|safe`): parts of the page that are templates themselves, figures, the page's
//! own style and script, and JSON by [`json_in_html`].

use std::fmt::{self, Write};

use askama::{Template, filters::Escaper};
use mlp_results::text::{MAX_CHARACTERS, clean};

/// `text` as it may be shown, cleaned and cut, for a template or a figure, which escape it.
pub(crate) fn shown(text: &str) -> String {
    clean(text, MAX_CHARACTERS)
}

/// A part of the page as HTML.
pub(crate) fn render(template: &impl Template) -> String {
    template.render().expect("a template of texts can be written into memory")
}

/// What templates escape with: the same as [`escape_markup`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HtmlEscaper;

impl Escaper for HtmlEscaper {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(place) = rest.find(['&', '<', '>', '"', '\'']) {
            let (before, special) = rest.split_at(place);
            dest.write_str(before)?;
            dest.write_str(match special.as_bytes()[0] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &special[1..];
        }
        dest.write_str(rest)
    }
}

/// `text` escaped, whatever its length, for the body of an element or a quoted attribute. It must be clean already: see
/// [`shown`].
pub(crate) fn escape_markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    HtmlEscaper.write_escaped_str(&mut escaped, text).expect("writing into a string cannot fail");
    escaped
}

/// JSON for the inside of a `<script type="application/json">` element: still the same JSON value, but without any
/// character that could end the element or open a comment in it.
pub(crate) fn json_in_html(value: &serde_json::Value) -> String {
    let mut escaped = String::new();
    for character in value.to_string().chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => escaped.push_str(&format!("\\u{:04x}", character as u32)),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn escaped_text_holds_no_markup(text in any::<String>()) {
            let escaped = escape_markup(&shown(&text));
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            let entities = escaped.split('&').skip(1).all(|rest| {
                ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|entity| rest.starts_with(entity))
            });
            prop_assert!(entities, "{}", escaped);
        }

        #[test]
        fn json_in_a_page_is_still_the_same_json(text in any::<String>()) {
            let value = json!({ text.clone(): [text, null, 1.5] });
            let escaped = json_in_html(&value);
            prop_assert!(!escaped.contains(['<', '>', '&']));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        }
    }
}
