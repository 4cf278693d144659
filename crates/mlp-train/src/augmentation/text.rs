//! An augmentation as it is written in a configuration: `gentle`, `ciresan 0.5`, `shift 2, rotate 10, elastic 6 36`.

use std::fmt;
use std::str::FromStr;

use super::{Augmentation, Elastic};
use crate::config::nearest;
use crate::error::{Error, Result};

/// The key that errors name.
const KEY: &str = "augment";

/// What an augmentation can be made of.
const NAMES: [&str; 6] = ["shift", "rotate", "scale", "shear", "elastic", "thickness"];

/// As it is read; with `{:#}` a preset is written out as the list of its strengths.
impl fmt::Display for Augmentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, factor)) = self.as_preset().filter(|_| !f.alternate()) {
            return f.pad(&if factor == 1.0 { name.to_owned() } else { format!("{name} {factor}") });
        }
        let Self { shift, rotate, scale, shear, elastic, thickness } = *self;
        let strengths = [("shift", shift), ("rotate", rotate), ("scale", scale), ("shear", shear)];
        let item = |(name, strength): (&str, f64)| (strength != 0.0).then(|| format!("{name} {strength}"));
        let elastic = elastic.map(|Elastic { sigma, alpha }| format!("elastic {sigma} {alpha}"));
        let items: Vec<String> =
            strengths.into_iter().filter_map(item).chain(elastic).chain(item(("thickness", thickness))).collect();
        f.pad(&if items.is_empty() { "shift 0".to_owned() } else { items.join(", ") })
    }
}

impl Augmentation {
    /// The preset that it is, and the factor of its strengths, in thousandths.
    fn as_preset(&self) -> Option<(&'static str, f64)> {
        let alpha = |augmentation: &Self| augmentation.elastic.map_or(0.0, |elastic| elastic.alpha);
        Self::PRESETS.into_iter().find_map(|(name, preset)| {
            let factor = libm::round(1000.0 * alpha(self) / alpha(&preset)) / 1000.0;
            (factor > 0.0 && preset.times(factor) == *self).then_some((name, factor))
        })
    }

    fn check(self) -> Result<Self> {
        let Elastic { sigma, alpha } = self.elastic.unwrap_or(Elastic { sigma: 1.0, alpha: 0.0 });
        let ranges = [
            ("shift", self.shift, 0.0, 1e3, "pixels from 0 to 1000"),
            ("rotate", self.rotate, 0.0, 180.0, "degrees from 0 to 180"),
            ("scale", self.scale, 0.0, 0.999, "a fraction from 0 to 0.999"),
            ("shear", self.shear, 0.0, 1.0, "a number from 0 to 1"),
            ("elastic: sigma", sigma, 1.0, 1e3, "pixels from 1 to 1000"),
            ("elastic: alpha", alpha, 0.0, 1e5, "a number from 0 to 100000"),
            ("thickness", self.thickness, 0.0, 10.0, "pixels from 0 to 10"),
        ];
        match ranges.into_iter().find(|(_, value, least, most, _)| !(least..=most).contains(&value)) {
            None => Ok(self),
            Some((name, value, _, _, range)) => {
                Err(Error::of_key(KEY, format!("for {name} {range}"), value.to_string()))
            }
        }
    }
}

/// A preset with or without a factor, or a list of strengths.
impl FromStr for Augmentation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let name = words.first().copied().unwrap_or_default();
        let preset = Self::PRESETS.into_iter().find(|(known, _)| *known == name);
        let augmentation = match (preset, words.get(1..).unwrap_or_default()) {
            (None, _) => listed(text)?,
            (Some((_, preset)), []) => preset,
            (Some((_, preset)), [factor]) => match number(factor).filter(|factor| *factor >= 0.0) {
                Some(factor) => preset.times(factor),
                None => return Err(Error::of_key(KEY, format!("a factor of at least 0 after {name}"), quoted(factor))),
            },
            (Some(_), rest) => {
                return Err(Error::of_key(KEY, format!("{name} alone or with one factor"), quoted(&rest.join(" "))));
            }
        };
        augmentation.check()
    }
}

/// From a list of strengths.
fn listed(text: &str) -> Result<Augmentation> {
    let (mut augmentation, mut named) = (Augmentation::default(), Vec::new());
    for item in text.split(',') {
        let words: Vec<&str> = item.split_whitespace().collect();
        let Some((&name, values)) = words.split_first() else { return Err(unknown("")) };
        if !NAMES.contains(&name) {
            return Err(unknown(name));
        }
        if named.contains(&name) {
            return Err(Error::of_key(KEY, format!("{name} once"), "it twice"));
        }
        named.push(name);
        let (wanted, example) = if name == "elastic" {
            (2, "two numbers after elastic, sigma and alpha in pixels, such as elastic 6 36".to_owned())
        } else {
            (1, format!("one number after {name}"))
        };
        let numbers: Option<Vec<f64>> = values.iter().map(|value| number(value)).collect();
        let Some(numbers) = numbers.filter(|numbers| numbers.len() == wanted) else {
            return Err(Error::of_key(KEY, example, quoted(item.trim())));
        };
        match name {
            "shift" => augmentation.shift = numbers[0],
            "rotate" => augmentation.rotate = numbers[0],
            "scale" => augmentation.scale = numbers[0],
            "shear" => augmentation.shear = numbers[0],
            "thickness" => augmentation.thickness = numbers[0],
            _ => augmentation.elastic = Some(Elastic { sigma: numbers[0], alpha: numbers[1] }),
        }
    }
    // Checked before a field without strength is left out, so that its σ is one, too.
    let checked = augmentation.check()?;
    Ok(Augmentation { elastic: checked.elastic.filter(|elastic| elastic.alpha != 0.0), ..checked })
}

/// A finite number; −0 is 0.
fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number + 0.0)
}

fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(60).collect();
    format!("\"{}\"", shown.escape_debug())
}

fn unknown(name: &str) -> Error {
    let presets = Augmentation::PRESETS.map(|(name, _)| name);
    let expected = format!(
        "one of {} (with a factor: \"{} 0.5\"), or a list of {} with numbers, such as \"shift 2, rotate 10\"",
        presets.join(", "),
        presets[2],
        NAMES.join(", ")
    );
    let error = Error::of_key(KEY, expected, quoted(name));
    let candidates = [presets.as_slice(), &NAMES].concat();
    match nearest(name, &candidates) {
        Some(name) => error.with_advice(format!("did you mean {name}?")),
        None => error,
    }
}
