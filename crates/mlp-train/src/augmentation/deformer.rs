//! One image after the other: strokes, map, resampling.

use ndarray::ArrayView2;
use rand_chacha::ChaCha8Rng;

use super::draw::{self, BYTES_OF_DRAWS, Draws};
use super::field::{Field, FieldScratch};
use super::thickness::thicken;
use super::warp::{Affine, between, places, quad};
use super::{Augmentation, Augmenter};

/// What all images of one size have in common.
#[derive(Clone, Debug)]
pub(crate) struct Deformer {
    augmentation: Augmentation,
    height: usize,
    width: usize,
    field: Option<Field>,
    random: ChaCha8Rng,
}

/// The memory that one thread needs.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    random: Vec<u8>,
    image: Padded,
    /// For strokes of another thickness.
    other: Padded,
    quads: Vec<u32>,
    field: FieldScratch,
    row: Row,
}

/// Where the pixels of one row of the result come from.
#[derive(Clone, Debug)]
struct Row {
    displacements: [Vec<f32>; 2],
    places: [Vec<i32>; 2],
}

/// Pixels of background before an image; behind it are as many and one more.
pub(super) const BORDER: usize = 1;

/// An image with a border of background.
#[derive(Clone, Debug)]
pub(super) struct Padded {
    height: usize,
    width: usize,
    pub(super) pixels: Vec<u8>,
}

impl Padded {
    fn new((height, width): (usize, usize)) -> Self {
        Self { height, width, pixels: vec![0; (height + 2 * BORDER + 1) * (width + 2 * BORDER + 1)] }
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn stride(&self) -> usize {
        self.width + 2 * BORDER + 1
    }

    fn copy(&mut self, image: ArrayView2<'_, u8>) {
        let stride = self.stride();
        let rows = self.pixels.chunks_exact_mut(stride).skip(BORDER);
        for (into, row) in rows.zip(image.rows()) {
            let into = &mut into[BORDER..][..self.width];
            match row.as_slice() {
                Some(row) => into.copy_from_slice(row),
                None => into.iter_mut().zip(&row).for_each(|(into, &pixel)| *into = pixel),
            }
        }
    }

    /// For each place from (−1, −1) to (height, width) the four pixels from there.
    fn quads(&self, quads: &mut [u32]) {
        let (stride, n_columns) = (self.stride(), self.stride() - 1);
        for (row, quads) in quads.chunks_exact_mut(n_columns).enumerate() {
            let upper = &self.pixels[row * stride..][..stride];
            let lower = &self.pixels[(row + 1) * stride..][..stride];
            let (upper_right, lower_right) = (&upper[1..][..n_columns], &lower[1..][..n_columns]);
            for (x, into) in quads.iter_mut().enumerate() {
                *into = quad(upper[x], upper_right[x], lower[x], lower_right[x]);
            }
        }
    }
}

impl Deformer {
    pub(crate) fn new(augmentation: Augmentation, (height, width): (usize, usize), seed: u64) -> Self {
        let is_possible = |side: usize| (1..=Augmenter::MAX_SIDE).contains(&side);
        assert!(is_possible(height) && is_possible(width), "images of {height} × {width} pixels");
        let field = augmentation.elastic.map(|elastic| Field::new(elastic, (height, width)));
        Self { augmentation, height, width, field, random: draw::base(seed) }
    }

    pub(crate) fn n_pixels(&self) -> usize {
        self.height * self.width
    }

    pub(crate) fn scratch(&self) -> Scratch {
        let Self { height, width, .. } = *self;
        let n_bytes = self.field.as_ref().map_or(0, Field::n_bytes);
        Scratch {
            random: vec![0; BYTES_OF_DRAWS + n_bytes],
            image: Padded::new((height, width)),
            other: Padded::new((height, width)),
            quads: vec![0; (height + 2) * (width + 2)],
            field: self.field.as_ref().map(Field::scratch).unwrap_or_default(),
            row: Row { displacements: [(); 2].map(|()| vec![0.0; width]), places: [(); 2].map(|()| vec![0; width]) },
        }
    }

    /// Writes what becomes of `image` as the sample of an epoch, counted from 1.
    pub(crate) fn deform(
        &self,
        image: ArrayView2<'_, u8>,
        (epoch, sample): (usize, usize),
        scratch: &mut Scratch,
        into: &mut [u8],
    ) {
        let (height, width) = (self.height, self.width);
        assert!(image.dim() == (height, width), "an image of {:?}, not {height} × {width} pixels", image.dim());
        assert!(into.len() == self.n_pixels(), "room for {} pixels, not {height} × {width}", into.len());
        let Scratch { random, image: source, other, quads, field, row } = scratch;
        draw::fill(&self.random, (epoch, sample), random);
        let (first, rest) = random.split_at(BYTES_OF_DRAWS);
        let draws = Draws::new(first);
        source.copy(image);
        thicken(source, other, draws.thickness * self.augmentation.thickness);
        source.quads(quads);
        if let Some(elastic) = &self.field {
            elastic.begin(rest, field);
        }
        let affine = Affine::new(&self.augmentation, &draws, (height, width));
        for (y, into) in into.chunks_exact_mut(width).enumerate() {
            let Row { displacements: [along_x, along_y], places: [columns, rows] } = &mut *row;
            if let Some(elastic) = &self.field {
                elastic.row(y, field, along_x, along_y);
            }
            let [x_map, y_map] = affine.row(y);
            places(along_x, x_map, width, columns);
            places(along_y, y_map, height, rows);
            resample(quads, width + 2, columns, rows, into);
        }
    }
}

/// One row of the result, from places in 256ths of a pixel.
#[inline(always)]
fn resample(quads: &[u32], stride: usize, columns: &[i32], rows: &[i32], into: &mut [u8]) {
    for ((&x, &y), into) in columns.iter().zip(rows).zip(into) {
        let (x, y) = ((x + 256) as u32, (y + 256) as u32);
        let quad = quads[(y >> 8) as usize * stride + (x >> 8) as usize];
        *into = between(quad, x & 255, y & 255);
    }
}
