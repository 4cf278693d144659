//! The connected parts of a mask, and what can be measured of each.

use super::window;
use ndarray::Array2;

/// A place in the image: row and column.
pub(super) type Place = (usize, usize);

/// Pixels that touch at a side or a corner.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) pixels: Vec<Place>,
    pub(super) bounds: Bounds,
    /// Whether it reaches the top, bottom, left and right edge of the image.
    pub(super) reaches: [bool; 4],
    /// The number of pixel sides between it and what is not in the mask.
    n_edges: usize,
}

/// A box; `bottom` and `right` are outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) top: usize,
    pub(super) bottom: usize,
    pub(super) left: usize,
    pub(super) right: usize,
}

impl Bounds {
    pub(super) fn height(&self) -> usize {
        self.bottom - self.top
    }

    pub(super) fn width(&self) -> usize {
        self.right - self.left
    }

    /// The longer side.
    pub(super) fn side(&self) -> usize {
        self.height().max(self.width())
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self {
            top: self.top.min(other.top),
            bottom: self.bottom.max(other.bottom),
            left: self.left.min(other.left),
            right: self.right.max(other.right),
        }
    }

    /// Whether the other lies inside, but for `slack` pixels.
    pub(super) fn contains(&self, other: &Self, slack: usize) -> bool {
        self.top <= other.top + slack
            && other.bottom <= self.bottom + slack
            && self.left <= other.left + slack
            && other.right <= self.right + slack
    }

    /// How many columns both have.
    pub(super) fn common_columns(&self, other: &Self) -> usize {
        self.right.min(other.right).saturating_sub(self.left.max(other.left))
    }

    /// How many rows both have.
    pub(super) fn common_rows(&self, other: &Self) -> usize {
        self.bottom.min(other.bottom).saturating_sub(self.top.max(other.top))
    }

    /// The number of columns between the two; 0 where they touch or overlap.
    pub(super) fn columns_between(&self, other: &Self) -> usize {
        self.left.saturating_sub(other.right).max(other.left.saturating_sub(self.right))
    }
}

impl Part {
    pub(super) fn area(&self) -> usize {
        self.pixels.len()
    }

    pub(super) fn touches_edge(&self) -> bool {
        self.reaches.contains(&true)
    }

    /// The mean width of its lines: a line of length l and width w has area l · w and two sides; counted in steps along the
    /// pixel grid, a side of any direction is 4/π as long on average.
    pub(super) fn line_width(&self) -> f32 {
        self.area() as f32 * 2.0 * (4.0 / std::f32::consts::PI) / (self.n_edges as f32).max(1.0)
    }

    /// Whether it is filled rather than drawn: a blob, as shadows, thumbs and tables are.
    pub(super) fn is_blob(&self) -> bool {
        // A thick marker's strokes are a quarter as wide as its digits are high, and "1" as a bar of 1 : 2.5 is a limit.
        self.line_width() > 0.5 * self.bounds.side() as f32
    }
}

/// The parts of a mask, in the order of their first pixels. Pixels with at most 2 · `reach` others between them are one part: a
/// scan breaks lines.
pub(super) fn connected(mask: &Array2<bool>, reach: usize) -> Vec<Part> {
    let (height, width) = mask.dim();
    let levels = mask.mapv(|is_ink| if is_ink { 1.0 } else { 0.0 });
    let mut is_open = window::greatest(&levels, reach).mapv(|level| level > 0.0);
    let mut parts = Vec::new();
    let mut places = Vec::new();
    for start in ndarray::indices(mask.dim()) {
        if !mask[start] || !is_open[start] {
            continue;
        }
        is_open[start] = false;
        places.clear();
        places.push(start);
        let mut n_visited = 0;
        while let Some(&(y, x)) = places.get(n_visited) {
            n_visited += 1;
            for near_y in y.saturating_sub(1)..(y + 2).min(height) {
                for near_x in x.saturating_sub(1)..(x + 2).min(width) {
                    if std::mem::take(&mut is_open[(near_y, near_x)]) {
                        places.push((near_y, near_x));
                    }
                }
            }
        }
        parts.push(measured(places.iter().copied().filter(|&place| mask[place]).collect(), mask));
    }
    parts
}

fn measured(pixels: Vec<Place>, mask: &Array2<bool>) -> Part {
    let (height, width) = mask.dim();
    let (first_y, first_x) = pixels[0];
    let mut bounds = Bounds { top: first_y, bottom: first_y + 1, left: first_x, right: first_x + 1 };
    let mut n_edges = 0;
    for &(y, x) in &pixels {
        bounds = bounds.union(Bounds { top: y, bottom: y + 1, left: x, right: x + 1 });
        n_edges += usize::from(y == 0 || !mask[(y - 1, x)]) + usize::from(y + 1 == height || !mask[(y + 1, x)]);
        n_edges += usize::from(x == 0 || !mask[(y, x - 1)]) + usize::from(x + 1 == width || !mask[(y, x + 1)]);
    }
    let reaches = [bounds.top == 0, bounds.bottom == height, bounds.left == 0, bounds.right == width];
    Part { pixels, bounds, reaches, n_edges }
}
