//! What the crate ort computes, beside what this project computed.
//!
//! `ort-check LIBRARY FOLDER NAME…`: with onnxruntime's library (that of its Python package will do), for each net NAME.onnx,
//! NAME.outputs and NAME.classes, as tests/run.sh leaves them there, and for all of them the images, `pixels`. It fails if an
//! output is off by more than 1e-6 + 2e-6·|output|, or an answer differs.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use ort::environment::Environment;
use ort::session::Session;
use ort::value::{DynValue, Tensor, TensorElementType, ValueType};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const BATCH: usize = 1000;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, folder, names @ ..] = arguments.as_slice() else { return Ok(ExitCode::from(2)) };
    let environment = ort::init_from(library)?.build()?;
    println!("{}", ort::info());
    let mut is_good = true;
    for name in names {
        let (largest, excess, n_different) = compare(&environment, Path::new(folder), name)?;
        println!("{name}: largest difference {largest:.2e}, {n_different} answers differ");
        is_good &= excess <= 0.0 && n_different == 0;
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn numbers<const N: usize, T>(path: &Path, read: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(bytes.chunks_exact(N).map(|chunk| read(chunk.try_into().expect("N bytes"))).collect())
}

/// The largest difference, by how much the bound is exceeded, and how many answers differ.
fn compare(environment: &Environment, folder: &Path, name: &str) -> Result<(f64, f64, usize)> {
    let at = |name: &str, ending: &str| folder.join(format!("{name}.{ending}"));
    let pixels = fs::read(folder.join("pixels"))?;
    let outputs = numbers(&at(name.trim_end_matches("-pixels"), "outputs"), f64::from_le_bytes)?;
    let classes = numbers(&at(name.trim_end_matches("-pixels"), "classes"), i64::from_le_bytes)?;
    let n_inputs = pixels.len() / classes.len();

    let mut session = Session::builder(environment)?.commit_from_file(at(name, "onnx"))?;
    let kind = match session.inputs()[0].dtype() {
        ValueType::Tensor { ty, .. } => *ty,
        other => return Err(format!("{name}: an input of {other}").into()),
    };
    let (mut largest, mut excess, mut n_different, mut seen) = (0.0_f64, f64::MIN, 0, 0);
    for (batch, classes) in pixels.chunks(BATCH * n_inputs).zip(classes.chunks(BATCH)) {
        let results = session.run(ort::inputs!["input" => input(batch, n_inputs, kind)?])?;
        for found in floats(&results["outputs"])? {
            let difference = (found - outputs[seen]).abs();
            largest = largest.max(difference);
            excess = excess.max(difference - (1e-6 + 2e-6 * outputs[seen].abs()));
            seen += 1;
        }
        let (_, answers) = results["class"].try_extract_tensor::<i64>()?;
        n_different += answers.iter().zip(classes).filter(|(one, other)| one != other).count();
    }
    Ok((largest, excess, n_different))
}

/// Pixels as the net takes them: as they are, or divided by 255 in its precision.
fn input(pixels: &[u8], n_inputs: usize, kind: TensorElementType) -> Result<DynValue> {
    let shape = [pixels.len() / n_inputs, n_inputs];
    Ok(match kind {
        TensorElementType::Uint8 => Tensor::from_array((shape, pixels.to_vec()))?.into_dyn(),
        TensorElementType::Float64 => {
            let values: Vec<f64> = pixels.iter().map(|&pixel| f64::from(pixel) / 255.0).collect();
            Tensor::from_array((shape, values))?.into_dyn()
        }
        _ => {
            let values: Vec<f32> = pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
            Tensor::from_array((shape, values))?.into_dyn()
        }
    })
}

fn floats(value: &DynValue) -> Result<Vec<f64>> {
    if let Ok((_, values)) = value.try_extract_tensor::<f64>() {
        return Ok(values.to_vec());
    }
    let (_, values) = value.try_extract_tensor::<f32>()?;
    Ok(values.iter().map(|&value| f64::from(value)).collect())
}
