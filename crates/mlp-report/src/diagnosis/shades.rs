//! How the values of a map become shades, and the legend that says so.

use mlp_results::interval::range;
use mlp_results::text;

use super::quantity::Quantity;
use crate::canvas::{Anchor, Canvas, Paint};
use crate::chart;
use crate::palette;

/// How opaque the palest and the strongest shade are.
const OPACITIES: (f64, f64) = (0.04, 0.62);

/// How values become shades.
pub(super) struct Shades {
    is_fraction: bool,
    /// Of what is above 0; the palest and the strongest shade.
    range: Option<(f64, f64)>,
    has_zeros: bool,
}

impl Shades {
    pub(super) fn new(quantity: Quantity, values: impl Iterator<Item = f64> + Clone) -> Shades {
        let above_zero = || range(values.clone().filter(|&value| value > 0.0));
        let range = if quantity.is_fraction() { Some((0.0, 1.0)) } else { above_zero() };
        Shades { is_fraction: quantity.is_fraction(), range, has_zeros: values.into_iter().any(|value| value == 0.0) }
    }

    pub(super) fn paint(&self, value: f64) -> Paint {
        match self.range {
            Some((low, high)) if self.is_fraction => self.shade((value - low) / (high - low)),
            Some((low, high)) if value > 0.0 => match (high / low).ln() {
                width if width > 0.0 => self.shade((value / low).ln() / width),
                _ => self.shade(1.0),
            },
            _ => Paint::area(palette::VERMILION, 0.4),
        }
    }

    fn shade(&self, share: f64) -> Paint {
        let color = if self.is_fraction { palette::VERMILION } else { palette::BLUE };
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 1.0 };
        Paint::area(color, OPACITIES.0 + (OPACITIES.1 - OPACITIES.0) * share)
    }

    pub(super) fn draw_legend(&self, canvas: &mut Canvas, (left, y): (f64, f64)) {
        let (n_steps, width) = (10, 14.0);
        let mut x = left;
        if let Some((low, high)) = self.range {
            let ends = if self.is_fraction {
                ("0 %".to_owned(), "100 %".to_owned())
            } else {
                (text::rounded_to(low, 2), text::rounded_to(high, 2))
            };
            if low < high {
                canvas.text(&ends.0, (x, y), Anchor::Start, 12.0, palette::MUTED, false);
                x += chart::text_width(&ends.0, 12.0) + 8.0;
            }
            for step in if low < high { 0..n_steps } else { n_steps - 1..n_steps } {
                let paint = self.shade(f64::from(step) / f64::from(n_steps - 1));
                canvas.rectangle((x, y - 7.0), (x + width, y + 7.0), paint);
                x += width;
            }
            canvas.text(&ends.1, (x + 8.0, y), Anchor::Start, 12.0, palette::MUTED, false);
            x += chart::text_width(&ends.1, 12.0) + 28.0;
        }
        if self.has_zeros && !self.is_fraction {
            canvas.rectangle((x, y - 7.0), (x + width, y + 7.0), self.paint(0.0));
            canvas.text("exactly 0", (x + width + 8.0, y), Anchor::Start, 12.0, palette::MUTED, false);
        }
    }
}
