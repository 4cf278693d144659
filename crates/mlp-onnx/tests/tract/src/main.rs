//! What tract computes, beside what this project computed.
//!
//! `tract-check FOLDER NAME…`: for each net NAME.onnx, NAME.outputs and NAME.classes, as tests/run.sh leaves them there, and for
//! all of them the images, `pixels`. It fails if an output is off by more than 1e-6 + 2e-6·|output|, or an answer differs.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const BATCH: usize = 1000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, names @ ..] = arguments.as_slice() else { return ExitCode::from(2) };
    let mut is_good = true;
    println!("sigmoid(-120), (-20), (20): {:?}", sigmoids());
    for name in names {
        match compare(Path::new(folder), name) {
            Ok((largest, excess, n_different)) => {
                println!("{name}: largest difference {largest:.2e}, {n_different} answers differ");
                is_good &= excess <= 0.0 && n_different == 0;
            }
            Err(error) => {
                println!("{name}: {error:?}");
                is_good = false;
            }
        }
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What its sigmoid gives far out.
fn sigmoids() -> Vec<f32> {
    use tract_onnx::tract_core::ops::nn::sigmoid;
    let mut x = tensor1(&[-120.0_f32, -20.0, 20.0]);
    sigmoid().0.eval_in_place(&mut x, None).expect("a sigmoid");
    x.to_plain_array_view::<f32>().expect("floats").iter().copied().collect()
}

fn numbers<const N: usize, T>(path: &Path, read: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(bytes.chunks_exact(N).map(|chunk| read(chunk.try_into().expect("N bytes"))).collect())
}

/// The largest difference, by how much the bound is exceeded, and how many answers differ.
fn compare(folder: &Path, name: &str) -> Result<(f64, f64, usize)> {
    let at = |name: &str, ending: &str| folder.join(format!("{name}.{ending}"));
    let pixels = fs::read(folder.join("pixels"))?;
    let outputs = numbers(&at(name.trim_end_matches("-pixels"), "outputs"), f64::from_le_bytes)?;
    let classes = numbers(&at(name.trim_end_matches("-pixels"), "classes"), i64::from_le_bytes)?;
    let n_inputs = pixels.len() / classes.len();

    let model = tract_onnx::onnx().model_for_path(at(name, "onnx"))?;
    let kind = model.input_fact(0)?.datum_type.concretize().ok_or("no type of the input")?;
    let plan = model
        .with_input_fact(0, InferenceFact::dt_shape(kind, [BATCH, n_inputs]))?
        .into_optimized()?
        .into_runnable()?;

    let (mut largest, mut excess, mut n_different, mut seen) = (0.0_f64, f64::MIN, 0, 0);
    for (batch, classes) in pixels.chunks(BATCH * n_inputs).zip(classes.chunks(BATCH)) {
        let bytes = Tensor::from_shape(&[BATCH, n_inputs], batch)?;
        let input = if kind == u8::datum_type() { bytes } else { grey_levels(batch, n_inputs, kind)? };
        let results = plan.run(tvec!(input.into()))?;
        let found = results[0].cast_to::<f64>()?;
        for &found in found.to_plain_array_view::<f64>()? {
            let difference = (found - outputs[seen]).abs();
            largest = largest.max(difference);
            excess = excess.max(difference - (1e-6 + 2e-6 * outputs[seen].abs()));
            seen += 1;
        }
        let answers = results[1].cast_to::<i64>()?;
        n_different +=
            answers.to_plain_array_view::<i64>()?.iter().zip(classes).filter(|(one, other)| one != other).count();
    }
    Ok((largest, excess, n_different))
}

/// Pixels divided by 255 in the precision of the net.
fn grey_levels(pixels: &[u8], n_inputs: usize, kind: DatumType) -> Result<Tensor> {
    let shape = [pixels.len() / n_inputs, n_inputs];
    Ok(if kind == f64::datum_type() {
        Tensor::from_shape(&shape, &pixels.iter().map(|&pixel| f64::from(pixel) / 255.0).collect::<Vec<_>>())?
    } else {
        Tensor::from_shape(&shape, &pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect::<Vec<_>>())?
    })
}
