//! How each kind of picture is drawn. Every figure is a length in pixels, a share of the light, or a share of the picture.

use image::imageops::{FilterType, resize};
use image::{GrayImage, Luma, Rgba, RgbaImage};
use mnist_io::LabeledImages;
use ndarray::{Array2, Axis};

use super::Dice;
use super::canvas::{Camera, Canvas, Colour, grey, jpeg, png};
use super::digit::{self, Hand};
use super::kind::File;

/// What a picture is drawn from.
pub(crate) struct Scene<'a> {
    pub(crate) set: &'a LabeledImages,
    pub(crate) difficulty: usize,
    pub(crate) dice: &'a mut Dice,
}

impl Scene<'_> {
    pub(crate) fn plain(mut self) -> File {
        let (mut canvas, answer) = (self.page(), self.digit());
        self.place(&mut canvas, &answer.0);
        self.photo(canvas, answer.1)
    }

    /// Cut out with a margin in pixels on every side.
    pub(crate) fn margin(mut self, margin: usize) -> File {
        let size = self.dice.between(180.0, 300.0);
        let (ink, answer) = self.digit_of(size, 0.5);
        let (height, width) = ink.dim();
        let page = self.page_colour();
        let mut canvas = Canvas::new(height + 2 * margin, width + 2 * margin, page);
        canvas.texture(self.by([0.01, 0.02, 0.04]), self.dice);
        let colour = self.ink_colour();
        canvas.write(&ink, margin as isize, margin as isize, colour);
        self.photo(canvas, answer)
    }

    /// A box round the digit of which some sides may be missing.
    pub(crate) fn frame(mut self) -> File {
        let (mut canvas, (ink, answer)) = (self.page(), self.digit());
        let (top, left) = self.place(&mut canvas, &ink);
        let (height, width) = ink.dim();
        let gap = |dice: &mut Dice| dice.between(10.0, 40.0) as isize;
        let (thickness, colour) = (self.dice.between(1.5, 7.0), self.ink_colour());
        let sides = [
            top - gap(self.dice),
            top + height as isize + gap(self.dice),
            left - gap(self.dice),
            left + width as isize + gap(self.dice),
        ]
        .map(|side| side as f32);
        let n_sides = 1 + self.dice.below(4);
        // A closed box in every other picture, otherwise one to four sides.
        let n_sides = if self.dice.below(2) == 0 { 4 } else { n_sides };
        let first = self.dice.below(4);
        let lean = self.by([0.005, 0.015, 0.03]) * self.dice.between(-1.0, 1.0);
        for number in 0..n_sides {
            let side = [0, 2, 1, 3][(first + number) % 4];
            let at = sides[side];
            let is_level = side < 2;
            let ends = if is_level { (sides[2], sides[3]) } else { (sides[0], sides[1]) };
            canvas.paint(colour, |y, x| {
                let (along, across) = if is_level { (x, y) } else { (y, x) };
                let along = along as f32;
                let distance = (across as f32 - at - lean * (along - ends.0)).abs();
                let is_within = along >= ends.0 - thickness && along <= ends.1 + thickness;
                if is_within { (thickness / 2.0 + 0.5 - distance).clamp(0.0, 1.0) } else { 0.0 }
            });
        }
        self.photo(canvas, answer)
    }

    /// Lines at or near the edges of the picture, running from one edge to another.
    pub(crate) fn cell(mut self) -> File {
        let (mut canvas, (ink, answer)) = (self.page(), self.digit());
        self.place(&mut canvas, &ink);
        let colour = self.ink_colour();
        let n_sides = 1 + self.dice.below(4);
        let first = self.dice.below(4);
        for number in 0..n_sides {
            let (thickness, inset) = (self.dice.between(2.0, 10.0), self.dice.between(-2.0, 12.0));
            let lean = self.by([0.004, 0.01, 0.02]) * self.dice.between(-1.0, 1.0);
            let (height, width) = (canvas.height as f32, canvas.width as f32);
            let side = [0, 2, 1, 3][(first + number) % 4];
            canvas.paint(colour, |y, x| {
                let (along, across) = if side < 2 { (x, y) } else { (y, x) };
                let length = if side < 2 { height } else { width };
                let from_edge = if side % 2 == 0 { across as f32 } else { length - 1.0 - across as f32 };
                let distance = (from_edge - inset - lean * along as f32).abs();
                (thickness / 2.0 + 0.5 - distance).clamp(0.0, 1.0)
            });
        }
        self.photo(canvas, answer)
    }

    /// Paper with lines, or squares.
    pub(crate) fn ruled(mut self, is_squared: bool) -> File {
        let (mut canvas, (ink, answer)) = (self.page(), self.digit());
        let pitch = if is_squared { self.dice.between(22.0, 50.0) } else { self.dice.between(35.0, 80.0) };
        let thickness = self.dice.between(1.0, 2.5);
        let strength = self.by([0.25, 0.4, 0.6]);
        let (offset, offset_across) = (self.dice.between(0.0, pitch), self.dice.between(0.0, pitch));
        let lean = self.by([0.0, 0.01, 0.03]) * self.dice.between(-1.0, 1.0);
        let blue = [0.35, 0.5, 0.8];
        let line = |place: f32| {
            let distance = (place.rem_euclid(pitch) - pitch / 2.0).abs();
            strength * (thickness / 2.0 + 0.5 - distance).clamp(0.0, 1.0)
        };
        canvas.paint(blue, |y, x| line(y as f32 + offset + lean * x as f32));
        if is_squared {
            canvas.paint(blue, |y, x| line(x as f32 + offset_across - lean * y as f32));
        }
        self.place(&mut canvas, &ink);
        self.photo(canvas, answer)
    }

    /// A sheet that does not fill the picture.
    pub(crate) fn table(mut self) -> File {
        let (height, width) = (360, 480);
        let table = self.by([0.12, 0.2, 0.3]) * self.dice.between(0.6, 1.2);
        let mut canvas = Canvas::new(height, width, [table * 1.15, table, table * 0.8]);
        canvas.texture(0.06, self.dice);
        let (sheet_height, sheet_width) = (self.dice.between(200.0, 300.0), self.dice.between(200.0, 360.0));
        let (middle_y, middle_x) = (180.0 + self.dice.between(-25.0, 25.0), 240.0 + self.dice.between(-40.0, 40.0));
        let angle = self.by([2.0_f32, 6.0, 12.0]).to_radians() * self.dice.between(-1.0, 1.0);
        let (sine, cosine) = angle.sin_cos();
        let page = self.page_colour();
        canvas.paint(page, |y, x| {
            let (dy, dx) = (y as f32 - middle_y, x as f32 - middle_x);
            let (v, u) = (dy * cosine - dx * sine, dx * cosine + dy * sine);
            let outside = (v.abs() - sheet_height / 2.0).max(u.abs() - sheet_width / 2.0);
            (0.5 - outside).clamp(0.0, 1.0)
        });
        let size = sheet_height.min(sheet_width) * self.dice.between(0.4, 0.65);
        let (ink, answer) = self.digit_of(size, 0.5);
        let colour = self.ink_colour();
        let top = middle_y - ink.nrows() as f32 / 2.0 + self.dice.between(-15.0, 15.0);
        let left = middle_x - ink.ncols() as f32 / 2.0 + self.dice.between(-15.0, 15.0);
        canvas.write(&ink, top as isize, left as isize, colour);
        self.photo(canvas, answer)
    }

    /// A shadow over a part of the page; `softness` is the width of its edge as a share of the picture.
    pub(crate) fn shadow(mut self, softness: f32) -> File {
        let (mut canvas, (ink, answer)) = (self.page(), self.digit());
        self.place(&mut canvas, &ink);
        let left_over = self.by([0.65, 0.55, 0.45]);
        let angle = self.dice.between(0.0, std::f32::consts::TAU);
        let (sine, cosine) = angle.sin_cos();
        let offset = self.dice.between(-0.25, 0.25);
        canvas.light(|v, u| {
            let distance = (v - 0.5) * sine + (u - 0.5) * cosine - offset;
            let lit = (distance / softness + 0.5).clamp(0.0, 1.0);
            left_over + (1.0 - left_over) * lit * lit * (3.0 - 2.0 * lit)
        });
        self.photo(canvas, answer)
    }

    /// Bright near one corner, and falling off.
    pub(crate) fn lamp(mut self) -> File {
        let (mut canvas, (ink, answer)) = (self.page(), self.digit());
        self.place(&mut canvas, &ink);
        let (corner_v, corner_u) = (self.dice.below(2) as f32, self.dice.below(2) as f32);
        let depth = self.by([0.8, 1.6, 3.0]);
        canvas.light(|v, u| 1.1 / (1.0 + depth * ((v - corner_v).powi(2) + (u - corner_u).powi(2))));
        self.photo(canvas, answer)
    }

    /// A number.
    pub(crate) fn row(mut self) -> File {
        let n_digits = 2 + self.dice.below(3);
        let mut digits = Vec::new();
        for _ in 0..n_digits {
            let size = self.dice.between(85.0, 105.0);
            let gap = self.by([30.0, 18.0, 9.0]) * self.dice.between(0.9, 1.3);
            digits.push((self.digit_of(size, 0.5), gap as usize, self.dice.between(-10.0, 10.0)));
        }
        let margin = self.dice.between(20.0, 40.0) as usize;
        let width = digits.iter().map(|((ink, _), gap, _)| ink.ncols() + gap).sum::<usize>() + 2 * margin;
        let mut canvas = Canvas::new(200, width, self.page_colour());
        canvas.texture(self.by([0.01, 0.02, 0.04]), self.dice);
        let colour = self.ink_colour();
        let (mut left, mut answer) = (margin, String::new());
        for ((ink, class), gap, shift) in digits {
            let top = (200.0 - ink.nrows() as f32) / 2.0 + shift;
            canvas.write(&ink, top as isize, left as isize, colour);
            left += ink.ncols() + gap;
            answer.push_str(&class);
        }
        self.photo(canvas, answer)
    }

    pub(crate) fn chalk(mut self) -> File {
        let board = self.by([0.1, 0.2, 0.3]) * self.dice.between(0.8, 1.1);
        let mut canvas = Canvas::new(self.height(), self.width(), [board * 0.8, board * 1.1, board * 0.9]);
        canvas.texture(self.by([0.05, 0.1, 0.15]), self.dice);
        let (ink, answer) = self.digit();
        // Chalk leaves holes.
        let holes = self.by([0.05, 0.15, 0.3]);
        let dice = &mut *self.dice;
        let ink = ink.mapv(|covered| covered * (1.0 - dice.between(0.0, 2.0 * holes)));
        let (height, width) = (canvas.height as f32 - ink.nrows() as f32, canvas.width as f32 - ink.ncols() as f32);
        let (top, left) = (height * self.dice.between(0.3, 0.7), width * self.dice.between(0.3, 0.7));
        let chalk = self.by([0.95, 0.85, 0.75]);
        canvas.write(&ink, top as isize, left as isize, grey(chalk));
        self.photo(canvas, answer)
    }

    /// A pen of another thickness: `growth` is what it adds to each side of a line, as a share of the digit's size.
    pub(crate) fn pen(mut self, growth: f32) -> File {
        let mut canvas = self.page();
        let size = self.size();
        let (ink, answer) = self.digit_of(size, if growth > 0.0 { 0.4 } else { 0.6 });
        let ink = digit::grown(&ink, growth * size);
        self.place(&mut canvas, &ink);
        self.photo(canvas, answer)
    }

    pub(crate) fn coloured(mut self) -> File {
        let (mut canvas, (ink, answer)) = (self.page(), self.digit());
        let pens: [Colour; 5] =
            [[0.75, 0.1, 0.12], [0.12, 0.2, 0.7], [0.1, 0.5, 0.2], [0.9, 0.45, 0.1], [0.5, 0.15, 0.55]];
        let pen = pens[self.dice.below(pens.len())].map(|value| value * 0.7 + self.by([0.05, 0.12, 0.2]));
        let (height, width) = (canvas.height as f32 - ink.nrows() as f32, canvas.width as f32 - ink.ncols() as f32);
        let (top, left) = (height * self.dice.between(0.3, 0.7), width * self.dice.between(0.3, 0.7));
        canvas.write(&ink, top as isize, left as isize, pen);
        self.photo(canvas, answer)
    }

    /// Ink in the alpha channel, dark; light where it is difficult.
    pub(crate) fn transparent(mut self) -> File {
        let (ink, answer) = self.digit();
        let margin = self.dice.between(5.0, 60.0) as u32;
        let level = self.by([0, 60, 255]);
        let image = RgbaImage::from_fn(ink.ncols() as u32 + 2 * margin, ink.nrows() as u32 + 2 * margin, |x, y| {
            let place = (y.wrapping_sub(margin) as usize, x.wrapping_sub(margin) as usize);
            let covered = ink.get(place).copied().unwrap_or(0.0);
            Rgba([level, level, level, (255.0 * covered) as u8])
        });
        File { answer: Some(answer), bytes: png(image), ending: "png" }
    }

    /// A scan in which ink is missing in places and specks are all over.
    pub(crate) fn noisy(mut self) -> File {
        let (mut canvas, (ink, answer)) = (self.page(), self.digit());
        let missing = self.by([0.1, 0.25, 0.4]);
        let coarse = Array2::from_shape_fn((ink.nrows() / 4 + 1, ink.ncols() / 4 + 1), |_| self.dice.between(0.0, 1.0));
        let ink =
            Array2::from_shape_fn(ink.dim(), |(y, x)| if coarse[[y / 4, x / 4]] < missing { 0.0 } else { ink[[y, x]] });
        self.place(&mut canvas, &ink);
        let n_specks = self.by([20, 60, 150]);
        for _ in 0..n_specks {
            let (top, left) = (self.dice.below(canvas.height), self.dice.below(canvas.width));
            let radius = self.dice.between(0.7, 2.2);
            canvas.paint(grey(0.25), |y, x| {
                let distance = (y as f32 - top as f32).hypot(x as f32 - left as f32);
                (radius + 0.5 - distance).clamp(0.0, 1.0)
            });
        }
        self.photo(canvas, answer)
    }

    /// 28 × 28 as the data set has it, or the same dark on light.
    pub(crate) fn small(self, is_dark: bool) -> File {
        let (index, class) = digit::any(self.set, self.dice);
        let pixels = self.set.images.index_axis(Axis(0), index);
        let image = GrayImage::from_fn(28, 28, |x, y| {
            let level = pixels[[y as usize, x as usize]];
            Luma([if is_dark { 255 - level } else { level }])
        });
        File { answer: Some(class.to_string()), bytes: png(image), ending: "png" }
    }

    /// Drawn somewhere in a field of 28 × 28, larger or smaller than MNIST's digits, dark on light or light on dark.
    pub(crate) fn off_centre(mut self) -> File {
        let size = self.dice.between(self.by([17.0, 15.0, 13.0]), self.by([22.0, 24.0, 26.0]));
        let (ink, answer) = self.digit_of(size, 0.5);
        let is_dark = self.dice.below(3) > 0;
        let mut place = |side: usize| self.dice.below(28_usize.saturating_sub(side) + 1);
        let (top, left) = (place(ink.nrows()), place(ink.ncols()));
        let image = GrayImage::from_fn(28, 28, |x, y| {
            let place = ((y as usize).wrapping_sub(top), (x as usize).wrapping_sub(left));
            let level = (255.0 * ink.get(place).copied().unwrap_or(0.0)) as u8;
            Luma([if is_dark { 255 - level } else { level }])
        });
        File { answer: Some(answer), bytes: png(image), ending: "png" }
    }

    /// A small picture made large by a program, dark on light or light on dark, without grain.
    pub(crate) fn enlarged(self) -> File {
        let (index, class) = digit::any(self.set, self.dice);
        let pixels = self.set.images.index_axis(Axis(0), index);
        let is_dark = self.dice.below(3) > 0;
        let margin = self.dice.below(8) as u32;
        let small = GrayImage::from_fn(28 + 2 * margin, 28 + 2 * margin, |x, y| {
            let place = (y.wrapping_sub(margin) as usize, x.wrapping_sub(margin) as usize);
            let level = pixels.get(place).copied().unwrap_or(0);
            Luma([if is_dark { 255 - level } else { level }])
        });
        let side = self.by([64, 140, 300]) + self.dice.below(60) as u32;
        let filter = if self.dice.below(2) == 0 { FilterType::CatmullRom } else { FilterType::Triangle };
        File { answer: Some(class.to_string()), bytes: png(resize(&small, side, side, filter)), ending: "png" }
    }

    /// Strokes of one level on a ground of one level.
    pub(crate) fn drawn(mut self) -> File {
        let (ink, answer) = self.digit();
        let margin = (self.dice.between(0.02, 0.5) * ink.nrows() as f32) as u32;
        let (page, pen) = [(255, 0), (0, 255), (255, 90), (30, 200), (240, 20)][self.dice.below(5)];
        let image = GrayImage::from_fn(ink.ncols() as u32 + 2 * margin, ink.nrows() as u32 + 2 * margin, |x, y| {
            let place = (y.wrapping_sub(margin) as usize, x.wrapping_sub(margin) as usize);
            let covered = ink.get(place).copied().unwrap_or(0.0);
            Luma([(page as f32 + (pen as f32 - page as f32) * covered) as u8])
        });
        File { answer: Some(answer), bytes: png(image), ending: "png" }
    }

    /// A JPEG file of which the end is missing.
    pub(crate) fn cut_off(self) -> File {
        let share = [0.95, 0.6, 0.25][self.difficulty];
        let mut drawn = self.plain();
        drawn.bytes.truncate((drawn.bytes.len() as f64 * share) as usize);
        File { answer: None, ..drawn }
    }

    pub(crate) fn blank(mut self) -> File {
        let mut canvas = self.page();
        let depth = self.by([0.1, 0.6, 1.2]);
        canvas.light(|v, u| 1.0 / (1.0 + depth * (v * v + 0.5 * u)));
        File { answer: None, ..self.photo(canvas, String::new()) }
    }

    fn by<T: Copy>(&self, values: [T; 3]) -> T {
        values[self.difficulty]
    }

    fn height(&self) -> usize {
        self.by([300, 360, 420])
    }

    fn width(&self) -> usize {
        self.by([400, 300, 560])
    }

    fn page_colour(&mut self) -> Colour {
        let level = self.dice.between(0.75, 0.95);
        let warmth = self.dice.between(0.9, 1.0);
        [level, level * (1.0 + warmth) / 2.0, level * warmth]
    }

    fn ink_colour(&mut self) -> Colour {
        let level = self.by([0.15, 0.3, 0.42]) * self.dice.between(0.7, 1.1);
        [level, level, level * 1.2]
    }

    fn page(&mut self) -> Canvas {
        let colour = self.page_colour();
        let mut canvas = Canvas::new(self.height(), self.width(), colour);
        canvas.texture(self.by([0.01, 0.025, 0.05]), self.dice);
        canvas
    }

    fn size(&mut self) -> f32 {
        let share = self.by([0.6, 0.5, 0.38]) * self.dice.between(0.8, 1.15);
        share * self.height().min(self.width()) as f32
    }

    fn digit(&mut self) -> (Array2<f32>, String) {
        let size = self.size();
        self.digit_of(size, 0.5)
    }

    fn digit_of(&mut self, size: f32, level: f32) -> (Array2<f32>, String) {
        let (index, class) = digit::any(self.set, self.dice);
        let angle = self.by([2.0, 4.0, 7.0]) * self.dice.between(-1.0, 1.0);
        (digit::written(self.set, index, Hand { size, angle, level }), class.to_string())
    }

    /// Writes the digit somewhere about the middle, and says where.
    fn place(&mut self, canvas: &mut Canvas, ink: &Array2<f32>) -> (isize, isize) {
        let room = |length: usize, taken: usize| length as f32 - taken as f32;
        let top = room(canvas.height, ink.nrows()) * self.dice.between(0.3, 0.7);
        let left = room(canvas.width, ink.ncols()) * self.dice.between(0.3, 0.7);
        let colour = self.ink_colour();
        canvas.write(ink, top as isize, left as isize, colour);
        (top as isize, left as isize)
    }

    fn photo(self, canvas: Canvas, answer: String) -> File {
        let camera =
            Camera { blur: self.by([0.6, 1.0, 1.6]), grain: self.by([2.0, 5.0, 10.0]), quality: self.by([92, 80, 60]) };
        let image = canvas.photograph(&camera, self.dice);
        File { answer: Some(answer), bytes: jpeg(&image, camera.quality), ending: "jpg" }
    }
}
