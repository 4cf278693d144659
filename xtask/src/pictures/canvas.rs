//! What a camera sees: paper, ink and light, then the camera's own blur, grain and compression.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage, imageops};
use ndarray::Array2;

use super::Dice;

/// A share of the light that is thrown back, for red, green and blue.
pub(crate) type Colour = [f32; 3];

/// The same share of all colours.
pub(crate) fn grey(level: f32) -> Colour {
    [level; 3]
}

/// A picture in the making.
pub(crate) struct Canvas {
    pub(crate) height: usize,
    pub(crate) width: usize,
    colours: Vec<Colour>,
}

impl Canvas {
    pub(crate) fn new(height: usize, width: usize, page: Colour) -> Self {
        Self { height, width, colours: vec![page; height * width] }
    }

    /// Covers a part of each pixel with a colour: `share` is given row and column and tells how much, 0 to 1.
    pub(crate) fn paint(&mut self, colour: Colour, share: impl Fn(usize, usize) -> f32) {
        for y in 0..self.height {
            for x in 0..self.width {
                let share = share(y, x);
                if share > 0.0 {
                    let pixel = &mut self.colours[y * self.width + x];
                    for (value, new) in pixel.iter_mut().zip(colour) {
                        *value += (new - *value) * share;
                    }
                }
            }
        }
    }

    /// Paints ink whose box begins at a place; what lies outside the picture is lost.
    pub(crate) fn write(&mut self, ink: &Array2<f32>, top: isize, left: isize, colour: Colour) {
        self.paint(colour, |y, x| {
            let place = (y as isize - top, x as isize - left);
            match (usize::try_from(place.0), usize::try_from(place.1)) {
                (Ok(y), Ok(x)) => ink.get((y, x)).copied().unwrap_or(0.0),
                _ => 0.0,
            }
        });
    }

    /// Lets light fall on it: `share` is given row and column, each from 0 to 1.
    pub(crate) fn light(&mut self, share: impl Fn(f32, f32) -> f32) {
        for y in 0..self.height {
            for x in 0..self.width {
                let light = share(y as f32 / self.height as f32, x as f32 / self.width as f32);
                self.colours[y * self.width + x].iter_mut().for_each(|value| *value *= light);
            }
        }
    }

    /// The structure of paper: soft unevenness of this depth.
    pub(crate) fn texture(&mut self, depth: f32, dice: &mut Dice) {
        let (rows, columns) = (self.height / 3 + 2, self.width / 3 + 2);
        let coarse = Array2::from_shape_fn((rows, columns), |_| dice.normal());
        for y in 0..self.height {
            for x in 0..self.width {
                let (v, u) = (y as f32 / 3.0, x as f32 / 3.0);
                let (row, column) = (v as usize, u as usize);
                let (fy, fx) = (v.fract(), u.fract());
                let top = coarse[[row, column]] * (1.0 - fx) + coarse[[row, column + 1]] * fx;
                let bottom = coarse[[row + 1, column]] * (1.0 - fx) + coarse[[row + 1, column + 1]] * fx;
                let factor = 1.0 + depth * (top * (1.0 - fy) + bottom * fy);
                self.colours[y * self.width + x].iter_mut().for_each(|value| *value *= factor);
            }
        }
    }

    /// The picture as a camera keeps it.
    pub(crate) fn photograph(&self, camera: &Camera, dice: &mut Dice) -> RgbImage {
        let exact = RgbImage::from_fn(self.width as u32, self.height as u32, |x, y| {
            let colour = self.colours[y as usize * self.width + x as usize];
            Rgb(colour.map(|value| (value * 255.0 + 0.5) as u8))
        });
        let mut image = if camera.blur > 0.0 { imageops::fast_blur(&exact, camera.blur) } else { exact };
        for pixel in image.pixels_mut() {
            let grain = dice.normal() * camera.grain;
            for value in &mut pixel.0 {
                let own = dice.normal() * camera.grain * 0.3;
                *value = (f32::from(*value) + grain + own + 0.5) as u8;
            }
        }
        image
    }
}

/// What a camera or a scanner does to a picture.
#[derive(Clone, Copy)]
pub(crate) struct Camera {
    /// Deviation of the blur in pixels.
    pub(crate) blur: f32,
    /// Deviation of the grain in grey levels.
    pub(crate) grain: f32,
    /// Quality of the JPEG file, 1 to 100.
    pub(crate) quality: u8,
}

pub(crate) fn jpeg(image: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    encoder
        .write_image(image, image.width(), image.height(), ExtendedColorType::Rgb8)
        .expect("a vector takes every byte");
    bytes
}

pub(crate) fn png(image: impl Into<image::DynamicImage>) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.into().write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).expect("a vector takes every byte");
    bytes
}
