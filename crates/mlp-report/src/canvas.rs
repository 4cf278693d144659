//! A sheet to draw on: lines, shapes and text in pixels from the top left corner, out comes an SVG document.
//!
//! The drawing backend rounds every coordinate to a whole unit, which makes curves jagged. So the sheet is drawn with
//! a few units to the pixel and shown at its real size through the view box.

use mlp_results::text::{MAX_CHARACTERS, clean};
use plotters::backend::SVGBackend;
use plotters::prelude::{Color as _, DrawingBackend, FontStyle, IntoFont, RGBColor, ShapeStyle, TextStyle};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::markup::escape_markup;
use crate::palette::{self, Color};

/// Units of the SVG to a pixel.
const UNITS: f64 = 4.0;
/// How long a text beside the pointer may be.
const N_HINT: usize = 160;

/// What the first bytes of every SVG of this crate contain, so that plots of an earlier report can be told from files
/// that somebody else put there.
pub(crate) const MARK: &str = "data-source=\"mlp-report\"";

/// Which point of a text stands at the given place, horizontally; vertically it is always the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// The text begins there.
    Start,
    /// The text is centred there.
    Middle,
    /// The text ends there.
    End,
}

/// How a line or an area is painted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paint {
    /// On either page.
    pub color: Color,
    /// 0 (unseen) to 1.
    pub opacity: f64,
    /// Of a line, in pixels.
    pub width: f64,
}

impl Paint {
    /// An opaque line of `width` pixels.
    pub fn line(color: Color, width: f64) -> Paint {
        Paint { color, opacity: 1.0, width }
    }

    /// A filled area.
    pub fn area(color: Color, opacity: f64) -> Paint {
        Paint { color, opacity, width: 1.0 }
    }

    fn style(self, filled: bool) -> ShapeStyle {
        let [red, green, blue] = self.color.light;
        ShapeStyle {
            // Two decimals: more only lengthen the file.
            color: RGBColor(red, green, blue).mix((self.opacity * 100.0).round() / 100.0),
            filled,
            stroke_width: (self.width * UNITS).round().max(1.0) as u32,
        }
    }
}

/// A sheet of `width` × `height` pixels.
///
/// ```
/// use mlp_report::canvas::{Anchor, Canvas, Paint};
/// use mlp_report::palette;
///
/// let mut canvas = Canvas::new(200.0, 40.0);
/// canvas.line(&[(10.0, 30.0), (190.0, 30.0)], Paint::line(palette::BLUE, 2.0));
/// canvas.text("a line", (100.0, 15.0), Anchor::Middle, 12.0, palette::INK, false);
/// let svg = canvas.finish("A line", "From left to right.");
/// assert!(svg.starts_with("<svg") && svg.contains("a line"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Canvas {
    width: f64,
    height: f64,
    /// How far everything is moved down.
    down: f64,
    body: String,
}

impl Canvas {
    /// An empty sheet.
    pub fn new(width: f64, height: f64) -> Canvas {
        Canvas { width, height, down: 0.0, body: String::new() }
    }

    /// The width of the sheet.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// Moves what is drawn from now on down by so many pixels, and makes the sheet as much longer.
    pub fn push_down(&mut self, pixels: f64) {
        self.down += pixels;
        self.height += pixels;
    }

    /// Makes the sheet longer at its foot.
    pub fn extend(&mut self, pixels: f64) {
        self.height += pixels;
    }

    /// What `draw` draws, with a text that a browser shows when the pointer rests there.
    pub fn explained(&mut self, text: &str, draw: impl FnOnce(&mut Canvas)) {
        self.body.push_str(&format!("<g><title>{}</title>\n", hint(text)));
        draw(self);
        self.body.push_str("</g>\n");
    }

    /// Unseen places of `radius` pixels, each with a text that a browser shows when the pointer rests there: for the points
    /// of a line.
    pub fn hints(&mut self, radius: f64, places: impl IntoIterator<Item = ((f64, f64), String)>) {
        let radius = (radius * UNITS).round();
        let mut body = String::new();
        for (place, text) in places {
            let (x, y) = self.unit(place);
            let text = hint(&text);
            body.push_str(&format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"><title>{text}</title></circle>\n"));
        }
        if !body.is_empty() {
            self.body.push_str(&format!("<g fill=\"none\" pointer-events=\"all\">\n{body}</g>\n"));
        }
    }

    /// A line through `points`.
    pub fn line(&mut self, points: &[(f64, f64)], paint: Paint) {
        if points.len() > 1 {
            let points: Vec<(i32, i32)> = points.iter().map(|&point| self.unit(point)).collect();
            self.draw(|backend| backend.draw_path(points, &paint.style(false)));
        }
    }

    /// A horizontal line of dashes.
    pub fn dashes(&mut self, from: (f64, f64), to_x: f64, paint: Paint) {
        let (dash, gap) = (5.0, 4.0);
        let mut x = from.0;
        while x < to_x {
            self.line(&[(x, from.1), ((x + dash).min(to_x), from.1)], paint);
            x += dash + gap;
        }
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[(f64, f64)], paint: Paint) {
        if points.len() > 2 {
            let points: Vec<(i32, i32)> = points.iter().map(|&point| self.unit(point)).collect();
            self.draw(|backend| backend.fill_polygon(points, &paint.style(true)));
        }
    }

    /// A filled rectangle.
    pub fn rectangle(&mut self, from: (f64, f64), to: (f64, f64), paint: Paint) {
        let (from, to) = (self.unit(from), self.unit(to));
        self.draw(|backend| backend.draw_rect(from, to, &paint.style(true), true));
    }

    /// A filled circle of `radius` pixels.
    pub fn dot(&mut self, center: (f64, f64), radius: f64, paint: Paint) {
        let radius = (radius * UNITS).round().max(1.0) as u32;
        let center = self.unit(center);
        self.draw(|backend| backend.draw_circle(center, radius, &paint.style(true), true));
    }

    /// One line of text of `size` pixels, at most [`MAX_CHARACTERS`] long; `at` is the middle of its height.
    pub fn text(&mut self, text: &str, at: (f64, f64), anchor: Anchor, size: f64, color: Color, bold: bool) {
        let [red, green, blue] = color.light;
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let weight = if bold { FontStyle::Bold } else { FontStyle::Normal };
        // The backend divides sizes by 1.24; the product undoes it.
        let color = RGBColor(red, green, blue);
        let style = TextStyle::from(("sans-serif", size * UNITS * 1.24).into_font().style(weight))
            .color(&color)
            .pos(Pos::new(horizontal, VPos::Center));
        let text = clean(text, MAX_CHARACTERS);
        let at = self.unit(at);
        self.draw(|backend| backend.draw_text(&text, &style, at));
    }

    /// An image from a `data:` URL, its pixels kept sharp.
    pub fn image(&mut self, url: &str, from: (f64, f64), size: (f64, f64)) {
        let (x, y) = self.unit(from);
        let (width, height) = ((size.0 * UNITS).round(), (size.1 * UNITS).round());
        self.body.push_str(&format!(
            "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\" \
             style=\"image-rendering:pixelated\" href=\"{}\"/>\n",
            escape_markup(url)
        ));
    }

    /// The SVG document. `title` names the figure, `description` says in a sentence what is to be seen, for readers who
    /// cannot see it.
    pub fn finish(self, title: &str, description: &str) -> String {
        let (width, height) = (self.width, self.height);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" {MARK} width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
             role=\"img\" aria-label=\"{}\">\n<style>svg text{{font-family:system-ui,sans-serif}}\
             @media (prefers-color-scheme:dark){{{}}}</style>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n{}</svg>\n",
            (width * UNITS).round(),
            (height * UNITS).round(),
            escape_markup(&clean(&format!("{title}. {description}"), 600)),
            palette::dark_rules(),
            palette::hex(palette::GROUND.light),
            self.body,
        )
    }

    /// Pixels to units.
    fn unit(&self, (x, y): (f64, f64)) -> (i32, i32) {
        ((x * UNITS).round() as i32, ((y + self.down) * UNITS).round() as i32)
    }

    /// Runs one call of the backend and keeps the element it wrote.
    fn draw<E: std::fmt::Debug>(&mut self, call: impl FnOnce(&mut SVGBackend<'_>) -> Result<(), E>) {
        let mut document = String::new();
        {
            let mut backend = SVGBackend::with_string(&mut document, (1, 1));
            call(&mut backend).expect("drawing into memory cannot fail");
        }
        // The backend wraps what it draws into a document of its own: first and last line are dropped.
        let start = document.find('\n').map_or(0, |end_of_line| end_of_line + 1);
        let end = document.rfind("</svg>").unwrap_or(document.len());
        self.body.push_str(&document[start..end]);
    }
}

/// A text for the inside of a `<title>`.
fn hint(text: &str) -> String {
    escape_markup(&clean(text, N_HINT))
}
