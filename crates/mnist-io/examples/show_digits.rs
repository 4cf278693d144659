//! Shows digits in the terminal, clean and blurred.
//!
//! ```text
//! cargo run -p mnist-io --example show_digits              # synthetic digits
//! cargo run -p mnist-io --example show_digits -- FOLDER    # from IDX files
//! ```

use mnist_io::{Disturbance, LabeledImages, synthetic_digits};
use ndarray::ArrayView2;

fn main() -> mnist_io::Result<()> {
    let digits = match std::env::args_os().nth(1) {
        Some(folder) => LabeledImages::load_folder(folder)?.1,
        None => synthetic_digits(1000, 0),
    };
    let shown = digits.subset(3, 1);
    let blur = Disturbance::GaussianBlur { sigma: 1.5, kernel_size: None };
    let blurred = blur.apply(shown.images.view(), 0)?;
    println!("{} images of {} × {}, {}", digits.len(), digits.height(), digits.width(), digits.sha256());
    for (index, &label) in shown.labels.iter().enumerate() {
        println!("\n'{}' clean and with {blur}", digits.classes[usize::from(label)]);
        let clean = shown.images.index_axis(ndarray::Axis(0), index);
        print_side_by_side(clean, blurred.index_axis(ndarray::Axis(0), index));
    }
    Ok(())
}

/// Prints every other row, as characters are about twice as high as wide.
fn print_side_by_side(left: ArrayView2<'_, u8>, right: ArrayView2<'_, u8>) {
    const INK: [char; 8] = [' ', '.', ':', '-', '=', '+', '#', '@'];
    let text = |row: ndarray::ArrayView1<'_, u8>| -> String {
        row.iter().map(|&pixel| INK[usize::from(pixel) * INK.len() / 256]).collect()
    };
    for (left_row, right_row) in left.outer_iter().zip(right.outer_iter()).step_by(2) {
        println!("{}  {}", text(left_row), text(right_row));
    }
}
