//! Writes a folder of synthetic digits, 10,000 to learn from and 2,000 to be tested on, that every reader of MNIST can
//! load.
//!
//! ```text
//! cargo run --release -p mnist-io --example write_digits -- FOLDER
//! ```

use mnist_io::{LabeledImages, synthetic_digits};

fn main() -> mnist_io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("name the folder to write into");
        std::process::exit(2);
    };
    let (train, test) = (synthetic_digits(10_000, 0), synthetic_digits(2_000, 1));
    LabeledImages::write_folder(folder, &train, &test)?;
    println!("training set {}, test set {}", train.sha256(), test.sha256());
    Ok(())
}
