//! Images that are like MNIST's already.

use super::grey;
use image::DynamicImage;
use ndarray::Array2;

/// The side of MNIST's images.
const SIDE: usize = 28;

/// The ground is black, or white, where half of the outermost pixels are at most this far from it.
const GROUND_LEVEL_MAX: u8 = 8;

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

/// The image itself where it has MNIST's size and a black ground; turned round where the ground is white.
pub(super) fn ready(photo: &DynamicImage) -> Option<Ready> {
    if !is_small(photo) {
        return None;
    }
    let image = grey::exact(photo);
    let ground = ground(&image);
    let size = "The picture has 28 × 28 pixels";
    if ground <= GROUND_LEVEL_MAX {
        let explanation = format!("{size} and is light on black, as MNIST's images are: taken as it is.");
        Some(Ready { image, explanation })
    } else if ground >= 255 - GROUND_LEVEL_MAX {
        let explanation = format!("{size} and is dark on white: turned round to light on black, otherwise as it is.");
        Some(Ready { image: image.mapv(|level| 255 - level), explanation })
    } else {
        None
    }
}
