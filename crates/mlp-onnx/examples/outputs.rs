//! The outputs of a model for every test image of a data set, and its answers, as files of bare numbers: what other programs
//! that run the same network can be compared with.
//!
//! ```sh
//! cargo run --release -p mlp-onnx --example outputs -- net.safetensors datasets/mnist expected/net
//! ```
//!
//! `expected/net.outputs` holds the outputs as `f64`, a row for each image; `expected/net.classes` the index of each answer
//! as `i64`, −1 for an invalid one; `expected/pixels` the images as bytes. NumPy reads them with `np.fromfile`.

use std::error::Error;
use std::fs;
use std::path::Path;

use mlp_train::{Classifier, load_model};
use mnist_io::LabeledImages;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, data, out] = arguments.as_slice() else { return Err("expected MODEL DATA OUT".into()) };
    let (_, test) = LabeledImages::load_folder(data)?;
    let n_pixels = test.height() * test.width();
    let pixels = test.images.to_shape((test.len(), n_pixels))?;

    let model = load_model(model)?;
    let mut classifier = Classifier::new(&model)?;
    let (mut outputs, mut classes) = (Vec::new(), Vec::new());
    for answer in classifier.classify_images(pixels.view())? {
        outputs.extend(answer.bits.iter().flat_map(|bit| bit.output.to_le_bytes()));
        let index = model.classes.iter().position(|class| Some(class) == answer.class.as_ref());
        classes.extend(index.map_or(-1, |index| index as i64).to_le_bytes());
    }

    let out = Path::new(out);
    fs::create_dir_all(out.parent().unwrap_or(Path::new(".")))?;
    fs::write(out.with_extension("outputs"), outputs)?;
    fs::write(out.with_extension("classes"), classes)?;
    fs::write(out.with_file_name("pixels"), pixels.iter().copied().collect::<Vec<u8>>())?;
    println!("{} answers to {} images of {n_pixels} pixels", out.display(), test.len());
    Ok(())
}
