//! Images that are like MNIST's already.

use super::grey;
use image::DynamicImage;
use ndarray::Array2;

/// The side of MNIST's images.
const SIDE: usize = 28;

/// The ground is black, or white, where half of the outermost pixels are at most this far from it.
const GROUND_LEVEL_MAX: u8 = 8;

/// The longer side of the box of an MNIST image's ink: no image of the 70,000 has more.
const BOX_SIDE: usize = 20;

/// The centre of mass of an MNIST image's ink is at pixel 14, counted from 0, to within half a pixel either way in all of the
/// 70,000; what is cut off a faint rim moves it a little.
const CENTRE: f64 = 14.0;
const OFF_CENTRE_MAX: f64 = 0.75;

/// What light images of MNIST's size are taken to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SmallImages {
    /// Images of the set that the net has learned from, which may lie otherwise than MNIST's.
    OfAnySet,
    /// Those whose ink lies as MNIST's are MNIST's, and others are photos.
    OfMnist,
}

/// A prepared image, and a sentence that says why it was taken as it is.
pub(super) struct Ready {
    pub(super) image: Array2<u8>,
    pub(super) explanation: String,
}

/// The level of the ground of an image of MNIST's size; none for any other size.
pub(crate) fn ground_of_small(photo: &DynamicImage) -> Option<u8> {
    is_small(photo).then(|| ground(&grey::exact(photo)))
}

fn is_small(photo: &DynamicImage) -> bool {
    (photo.height() as usize, photo.width() as usize) == (SIDE, SIDE)
}

/// The median of the outermost pixels.
fn ground(image: &Array2<u8>) -> u8 {
    let is_outermost = |(y, x): (usize, usize)| y == 0 || x == 0 || y + 1 == SIDE || x + 1 == SIDE;
    let outermost = image.indexed_iter().filter(|&(place, _)| is_outermost(place));
    let mut border: Vec<u8> = outermost.map(|(_, &level)| level).collect();
    border.sort_unstable();
    border[border.len() / 2]
}

/// The image itself where it has MNIST's size and a black ground; turned round where the ground is white, and the ink lies in its
/// field as MNIST's does. A light image may be of another set that a net has learned from; a dark one of this size is as often
/// what somebody drew with a mouse, anywhere in the field.
pub(super) fn ready(photo: &DynamicImage, small: SmallImages) -> Option<Ready> {
    if !is_small(photo) {
        return None;
    }
    let image = grey::exact(photo);
    let ground = ground(&image);
    let size = "The picture has 28 × 28 pixels";
    if ground <= GROUND_LEVEL_MAX {
        let explanation = format!("{size} and is light on black, as MNIST's images are: taken as it is.");
        let is_ready = small == SmallImages::OfAnySet || lies_as_mnists(&image);
        is_ready.then_some(Ready { image, explanation })
    } else if ground >= 255 - GROUND_LEVEL_MAX {
        let image = image.mapv(|level| 255 - level);
        let explanation = format!("{size} and is dark on white: turned round to light on black, otherwise as it is.");
        lies_as_mnists(&image).then_some(Ready { image, explanation })
    } else {
        None
    }
}

/// Whether the ink of a light image fits into MNIST's box, and its centre of mass is in the middle.
fn lies_as_mnists(image: &Array2<u8>) -> bool {
    let ink = || image.indexed_iter().filter(|&(_, &level)| level > GROUND_LEVEL_MAX);
    let mass: f64 = ink().map(|(_, &level)| f64::from(level)).sum();
    let lies_well = |coordinate: fn((usize, usize)) -> usize| {
        let (first, last) = ink()
            .fold((SIDE, 0), |(first, last), (place, _)| (first.min(coordinate(place)), last.max(coordinate(place))));
        let centre: f64 = ink().map(|(place, &level)| coordinate(place) as f64 * f64::from(level)).sum();
        last - first < BOX_SIDE && (centre / mass - CENTRE).abs() < OFF_CENTRE_MAX
    };
    mass > 0.0 && lies_well(|(row, _)| row) && lies_well(|(_, column)| column)
}
