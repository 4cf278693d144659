//! Axes: a range, linear or logarithmic, with ticks at numbers that are easy to read.

/// One axis: a range of finite values, linear or logarithmic, with its ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Whether distances stand for ratios.
    pub logarithmic: bool,
    /// Whether a logarithmic axis has a place for 0, at its low end.
    pub has_zero: bool,
    /// Values with their names.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From `low` to `high`, widened to whole steps, with about `n_ticks` ticks at 1, 2 or 5 times a power of ten.
    pub fn linear(low: f64, high: f64, n_ticks: usize) -> Axis {
        let (low, high) = ordered(low, high);
        let step = nice_step((high - low) / n_ticks.max(1) as f64);
        let (first, last) = ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil());
        let decimals = (-step.log10()).ceil().clamp(0.0, 12.0) as usize;
        let mut ticks = Vec::new();
        let mut index = first;
        while index <= last && ticks.len() < 64 {
            ticks.push((index * step, tick_name(index * step, decimals)));
            index += 1.0;
        }
        Axis { low: first * step, high: last * step, logarithmic: false, has_zero: false, ticks }
    }

    /// From 0 to 100 %, or as far down as `low` asks for where the values fill only the top.
    pub fn percent(low: f64, high: f64) -> Axis {
        let mut axis = Axis::linear(low.max(0.0), high.min(100.0), 5);
        axis.high = axis.high.min(100.0);
        for (_, name) in &mut axis.ticks {
            name.push_str(" %");
        }
        axis
    }

    /// Whole numbers: epochs, layers. The range is kept, not widened.
    pub fn counts(low: f64, high: f64) -> Axis {
        let (low, high) = if high > low { (low, high) } else { (low - 0.5, high + 0.5) };
        let step = nice_step((high - low) / 6.0).max(1.0);
        let mut ticks = Vec::new();
        let mut value = (low / step).ceil() * step;
        while value <= high && ticks.len() < 64 {
            ticks.push((value, tick_name(value, 0)));
            value += step;
        }
        Axis { low, high, logarithmic: false, has_zero: false, ticks }
    }

    /// Ticks at the given positive values, spaced by their ratio.
    pub fn ratios(values: &[f64], names: Vec<String>) -> Axis {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let margin = (high / low).powf(0.06);
        let ticks = values.iter().copied().zip(names).collect();
        Axis { low: low / margin, high: high * margin, logarithmic: true, has_zero: false, ticks }
    }

    /// The same where 0 is among the values: it stands at the low end, as far from the others as they are from each other.
    pub fn ratios_with_zero(values: &[f64], names: Vec<String>) -> Axis {
        let positive: Vec<f64> = values.iter().copied().filter(|&value| value > 0.0).collect();
        let n_steps = (positive.len().max(2) - 1) as f64;
        let mut axis = Axis::ratios(&positive, Vec::new());
        axis.low /= (axis.high / axis.low).powf(1.0 / n_steps).max(2.0);
        axis.has_zero = true;
        axis.ticks = values.iter().copied().zip(names).collect();
        axis
    }

    /// Ticks at the given values, spaced by their difference.
    pub fn values(values: &[f64], names: Vec<String>) -> Axis {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let margin = if high > low { (high - low) * 0.06 } else { 0.5 };
        Axis {
            low: low - margin,
            high: high + margin,
            logarithmic: false,
            has_zero: false,
            ticks: values.iter().copied().zip(names).collect(),
        }
    }

    /// Ticks without an order of their own: the first at 0, the next at 1.
    pub fn names(names: Vec<String>) -> Axis {
        let places: Vec<f64> = (0..names.len()).map(|place| place as f64).collect();
        let mut axis = Axis::values(&places, names);
        (axis.low, axis.high) = (axis.low.min(-0.3), axis.high.max(places.len() as f64 - 0.7));
        axis
    }

    /// Where a value stands, 0 at the low end and 1 at the high one; nothing if it can't be placed.
    pub fn place(&self, value: f64) -> Option<f64> {
        let place = if self.has_zero && value == 0.0 {
            0.04
        } else if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        place.is_finite().then_some(place)
    }
}

/// A range with room in it: equal or odd ends are moved apart.
fn ordered(low: f64, high: f64) -> (f64, f64) {
    match (low.is_finite(), high.is_finite()) {
        (true, true) if high > low && (high - low).is_finite() => (low, high),
        (true, true) if low.abs() < 1e300 && high >= low => {
            let margin = if low == 0.0 { 0.5 } else { low.abs() * 0.05 };
            (low - margin, low + margin)
        }
        _ => (0.0, 1.0),
    }
}

/// 1, 2 or 5 times a power of ten, at least `rough`.
fn nice_step(rough: f64) -> f64 {
    if !(rough.is_finite() && rough > 0.0) {
        return 1.0;
    }
    let power = 10f64.powf(rough.log10().floor());
    let share = rough / power;
    let factor = [1.0, 2.0, 5.0].into_iter().find(|&factor| share <= factor * (1.0 + 1e-9)).unwrap_or(10.0);
    factor * power
}

fn tick_name(value: f64, decimals: usize) -> String {
    let value = if value.abs() < 1e-12 { 0.0 } else { value };
    if value.abs() >= 1e7 { format!("{value:.0e}") } else { format!("{value:.decimals$}") }
}
