//! How far a mean of few runs is uncertain.
//!
//! A mean of n independent values with the standard deviation s (dividing by n − 1) lies, in 95 of 100 repetitions,
//! within t·s/√n of what it estimates, where t is the 0.975 quantile of Student's distribution with n − 1 degrees of
//! freedom. For two runs t is 12.7, for three 4.3, for ten 2.3: the interval of few runs is wide because little is known.
//! It supposes values that are normally distributed; where some runs train and others do not, it describes neither group.
//!
//! # Why Student's distribution is computed here
//!
//! Of degrees 1 to 2,000 (every one up to 100, every 37th beyond) and twelve shares from 0.5 to 0.9999, compared with 30
//! digits by mpmath: [`student_quantile`] is within 4.3·10⁻¹² of the true quantile, relatively, and within 10⁻¹² for all
//! shares up to 0.9995; the `StudentsT` of the library statrs 0.19.1 is off by up to 3.3·10⁻⁸ (at 1988 degrees and the
//! share 0.5, and by 2.8·10⁻⁹ at many degrees from 841 on and the share 0.6). `tests/it/interval.py` computes the true
//! quantiles that a test compares with.

/// From here on Student's distribution is that of infinitely many values for every purpose of a report.
const DEGREES_MANY: usize = 2_000;
/// Values that differ by less than about this share of their size are equal but for rounding.
const EQUAL: f64 = 1e-12;

/// The mean of some values and how far it is uncertain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The mean, in the middle.
    pub mean: f64,
    /// The distance from the mean to either end of its 95 % interval.
    pub half_width: f64,
}

impl Interval {
    /// The ends, cut at `lowest` and `highest`: a share is never above 100 %, whatever the formula says.
    pub fn ends_within(self, lowest: f64, highest: f64) -> (f64, f64) {
        ((self.mean - self.half_width).max(lowest), (self.mean + self.half_width).min(highest))
    }
}

/// The 95 % t-interval of the mean of at least two finite values; nothing of fewer, because one value says nothing about
/// how far others would lie from it. Nothing of equal values either: an accuracy is counted in whole images, so two runs
/// may well agree by chance, and an interval of no width would claim to know the mean exactly.
pub fn interval(values: &[f64]) -> Option<Interval> {
    let half_width = half_width(values)?;
    Some(Interval { mean: mean(values)?, half_width }).filter(|interval| interval.half_width.is_finite())
}

/// Half the width of the interval of [`interval`].
pub fn half_width(values: &[f64]) -> Option<f64> {
    let error = standard_error(values).filter(|&error| error > EQUAL * mean(values).unwrap_or(0.0).abs())?;
    Some(student_975(values.len() - 1)? * error)
}

/// The mean; nothing of no values. Of equal values it is that value, exactly.
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.windows(2).all(|pair| pair[0] == pair[1]) {
        return values.first().copied();
    }
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation (dividing by n − 1) of at least two values.
pub fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// The standard error of the mean of at least two values: their deviation divided by the square root of their number.
pub fn standard_error(values: &[f64]) -> Option<f64> {
    Some(deviation(values)? / (values.len() as f64).sqrt())
}

/// The 0.975 quantile of Student's distribution with `degrees` of freedom, nothing for none.
pub fn student_975(degrees: usize) -> Option<f64> {
    (degrees > 0).then(|| student_quantile(0.95, degrees))
}

/// The t for which a value of Student's distribution with `degrees` of freedom, at least 1, lies between −t and t with the
/// probability `share`, from 0 to below 1; at most 10⁵.
pub fn student_quantile(share: f64, degrees: usize) -> f64 {
    let (mut low, mut high) = (0.0, 1e5);
    // Halving it eighty times leaves nothing that a double could hold.
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if student_share_within(middle, degrees) < share { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The probability that a value of Student's distribution with `degrees` of freedom, at least 1, lies between −t and t.
///
/// Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4: a finite sum over powers of cos θ with
/// θ = atan(t/√ν), other factors for odd and for even degrees ν.
pub fn student_share_within(t: f64, degrees: usize) -> f64 {
    let degrees = degrees.min(DEGREES_MANY);
    let theta = (t / (degrees as f64).sqrt()).atan();
    let (sine, cosine) = theta.sin_cos();
    let is_odd = degrees % 2 == 1;
    let (mut term, mut sum) = if is_odd { (cosine, 0.0) } else { (1.0, 0.0) };
    // The factors of the terms are k / (k + 1), for every second k.
    let mut k = if is_odd { 2 } else { 1 };
    while k < degrees {
        sum += term;
        term *= cosine * cosine * k as f64 / (k + 1) as f64;
        k += 2;
    }
    if is_odd { (theta + sine * sum) * std::f64::consts::FRAC_2_PI } else { sine * sum }
}

/// The lowest and the highest of the finite ones among `values`; nothing where there are none.
pub fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|value| value.is_finite()).fold(None, |range, value| match range {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}
