//! Pictures that the net got wrong, what it answered, and how sure each output bit was.

use crate::markup;
use mlp_results::RunRecord;
use mlp_results::levels::codes;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use mlp_train::Mistake;
use ndarray::Array2;

use crate::picture;

/// How many mistakes are shown at most.
pub const N_MISTAKES: usize = 50;
/// More outputs than these are not drawn one by one.
const N_BITS: usize = 32;

/// The first mistakes of `record` as a list in HTML, with the pictures that are at hand; empty where there are none.
///
/// Each output is a bar from 0 to 1 with a line at ½; under it stands the bit it should be. Wrong bits are vermilion.
pub fn mistakes_html(record: &RunRecord, pictures: &BTreeMap<(String, usize), Array2<u8>>) -> String {
    if record.mistakes.is_empty() {
        return String::new();
    }
    let classes: Vec<String> = record.data.classes.chars().map(|class| class.to_string()).collect();
    let codes = codes(record);
    let mut html = String::from("<ul class=\"mistakes\">\n");
    for mistake in record.mistakes.iter().take(N_MISTAKES) {
        let class = classes.iter().position(|class| *class == mistake.label);
        let code = class.and_then(|class| codes.as_ref()?.get(class));
        let picture = pictures.get(&(record.trial.clone(), mistake.index));
        write_mistake(&mut html, mistake, code.map(Vec::as_slice), picture);
    }
    html.push_str("</ul>\n");
    html
}

fn write_mistake(html: &mut String, mistake: &Mistake, code: Option<&[bool]>, picture: Option<&Array2<u8>>) {
    let label = markup::html(&mistake.label);
    let answer = match &mistake.answer {
        Some(answer) => format!("answered <strong>{}</strong>", markup::html(answer)),
        None => format!("answered <strong>no class</strong>, nearest {}", markup::html(&mistake.nearest)),
    };
    let picture = picture.and_then(|pixels| picture::grey_url(pixels.view())).map_or_else(String::new, |url| {
        format!(
            "<img src=\"{}\" width=\"84\" height=\"84\" alt=\"test picture {}, a {label}\">",
            markup::escape_markup(&url),
            mistake.index
        )
    });
    let written = writeln!(
        html,
        "<li>{picture}<div><p class=\"verdict\">is <strong>{label}</strong>, {answer}</p>\
         <p class=\"where\">test picture {}</p>{}</div></li>",
        mistake.index,
        bits_html(&mistake.outputs, code),
    );
    written.expect("writing into a string cannot fail");
}

/// The outputs as bars; a bit is wrong if it lies on the other side of ½ than its target.
fn bits_html(outputs: &[f64], code: Option<&[bool]>) -> String {
    if outputs.is_empty() || outputs.len() > N_BITS {
        return String::new();
    }
    let spoken: Vec<String> = outputs.iter().map(|output| format!("{output:.2}")).collect();
    let mut html = format!("<div class=\"bits\" role=\"img\" aria-label=\"outputs {}\">", spoken.join(", "));
    for (bit, &output) in outputs.iter().enumerate() {
        let target = code.and_then(|code| code.get(bit).copied());
        let is_wrong = target.is_some_and(|target| target != (output >= 0.5));
        let height = if output.is_finite() { output.clamp(0.0, 1.0) * 100.0 } else { 0.0 };
        let target = target.map_or("·", |target| if target { "1" } else { "0" });
        let class = if is_wrong { " class=\"wrong\"" } else { "" };
        write!(html, "<span{class} title=\"output {output:.3}, should be {target}\"><u><i style=\"height:{height:.0}%\"></i></u><b>{target}</b></span>")
            .expect("writing into a string cannot fail");
    }
    html.push_str("</div>");
    html
}
