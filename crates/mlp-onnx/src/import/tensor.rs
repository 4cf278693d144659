//! A constant in a file: where its numbers lie, and what they are.

use crate::element::Element;
use crate::error::{Error, Result};
use crate::schema::{element, tensor};
use crate::wire::Part;

/// The most axes that a constant may have.
const MAX_RANK: usize = 8;

/// A constant, whose numbers still lie in the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Tensor<'a> {
    pub(super) name: &'a str,
    pub(super) element_type: i64,
    dims: Vec<i64>,
    /// The numbers as they are in memory, little-endian.
    raw: Option<Part<'a>>,
    /// The numbers of the field that is for their type, laid out likewise.
    typed: Option<(i64, Part<'a>)>,
    integers: Vec<i64>,
}

impl<'a> Tensor<'a> {
    /// # Errors
    ///
    /// If it is damaged, or if its numbers are elsewhere: in another file, or in pieces.
    pub(super) fn parse(part: Part<'a>) -> Result<Self> {
        let mut parsed = Self::default();
        let (mut is_external, mut is_piece) = (false, false);
        for field in part.fields() {
            let field = field?;
            match field.number {
                tensor::DIMS => parsed.dims.extend(field.ints(MAX_RANK)?),
                tensor::DATA_TYPE => parsed.element_type = field.int()?,
                tensor::NAME => parsed.name = field.text()?,
                tensor::RAW_DATA => is_piece |= parsed.raw.replace(field.part()?).is_some(),
                tensor::FLOAT_DATA => is_piece |= parsed.typed.replace((element::FLOAT, field.part()?)).is_some(),
                tensor::DOUBLE_DATA => is_piece |= parsed.typed.replace((element::DOUBLE, field.part()?)).is_some(),
                tensor::INT64_DATA => parsed.integers.extend(field.ints(MAX_RANK)?),
                tensor::SEGMENT => is_piece = true,
                tensor::EXTERNAL_DATA => is_external = true,
                tensor::DATA_LOCATION => is_external |= field.int()? != 0,
                _ => {}
            }
            if parsed.dims.len() > MAX_RANK || parsed.integers.len() > MAX_RANK {
                let expected = format!("at most {MAX_RANK} axes, and as many integers");
                return Err(Error::unsupported(parsed.place(), expected, "more"));
            }
        }
        if is_external {
            let error = Error::unsupported(parsed.place(), "weights in the file itself", "the name of another file");
            return Err(error.with_advice(
                "save the network as a single file (in PyTorch external_data=False); no other is opened",
            ));
        }
        if is_piece {
            return Err(Error::unsupported(parsed.place(), "weights in one piece", "several pieces"));
        }
        Ok(parsed)
    }

    /// Where it is, in a sentence.
    pub(super) fn place(&self) -> String {
        format!("tensor \"{}\"", self.name)
    }

    /// Its shape, of axes of at least 1 element; every product of them is a number.
    pub(super) fn shape(&self) -> Result<Vec<usize>> {
        let sizes = self.dims.iter().map(|&dim| usize::try_from(dim).ok().filter(|&dim| dim > 0));
        let sizes: Option<Vec<usize>> = sizes.collect();
        let sizes = sizes.filter(|sizes| sizes.iter().try_fold(1_usize, |all, &size| all.checked_mul(size)).is_some());
        sizes.ok_or_else(|| Error::damaged(self.place(), "a shape of sizes of at least 1", format!("{:?}", self.dims)))
    }

    /// Its numbers in row-major order, as many as its shape says.
    pub(super) fn values<F: Element>(&self) -> Result<Vec<F>> {
        if self.element_type != F::TYPE {
            let found = element_name(self.element_type);
            return Err(Error::unsupported(self.place(), format!("elements of type {}", F::NAME), found));
        }
        let n_values: usize = self.shape()?.iter().product();
        let bytes = match (self.raw, self.typed) {
            (Some(raw), None) => raw.bytes,
            (None, Some((element_type, typed))) if element_type == F::TYPE => typed.bytes,
            (None, None) => &[],
            _ => return Err(Error::damaged(self.place(), "its elements once, in the field for them", "another field")),
        };
        if Some(bytes.len()) != n_values.checked_mul(size_of::<F>()) {
            let expected = format!("{n_values} elements of {} bytes, as its shape says", size_of::<F>());
            return Err(Error::damaged(self.place(), expected, format!("{} bytes", bytes.len())));
        }
        let values: Vec<F> = bytes.chunks_exact(size_of::<F>()).map(F::read).collect();
        match values.iter().find(|value| !value.is_finite()) {
            None => Ok(values),
            Some(value) => Err(Error::unsupported(self.place(), "finite numbers", value.to_string())),
        }
    }

    /// Its only number, whatever its shape; `None` if it has more.
    pub(super) fn scalar(&self) -> Result<Option<f64>> {
        if self.shape()?.iter().any(|&size| size != 1) {
            return Ok(None);
        }
        Ok(match self.element_type {
            element::FLOAT => self.values::<f32>()?.first().map(|&value| f64::from(value)),
            element::DOUBLE => self.values::<f64>()?.first().copied(),
            _ => None,
        })
    }

    /// Its integers, a few in a row; `None` if it is something else.
    pub(super) fn integers(&self) -> Result<Option<Vec<i64>>> {
        let &[n_values] = self.shape()?.as_slice() else { return Ok(None) };
        if self.element_type != element::INT64 || n_values > MAX_RANK {
            return Ok(None);
        }
        let integers = match self.raw {
            Some(raw) => {
                let chunks = raw.bytes.chunks(8).take(MAX_RANK + 1);
                chunks.map(|chunk| chunk.try_into().map(i64::from_le_bytes).ok()).collect::<Option<Vec<i64>>>()
            }
            None => Some(self.integers.clone()),
        };
        let integers = integers.filter(|integers| integers.len() == n_values);
        let wrong = || {
            Error::damaged(self.place(), format!("{n_values} integers, as its shape says"), "another number of them")
        };
        integers.map(Some).ok_or_else(wrong)
    }
}

/// The name of a type of elements.
pub(super) fn element_name(element_type: i64) -> String {
    const NAMES: [&str; 17] = [
        "no type",
        "float",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "double",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16",
    ];
    let name = usize::try_from(element_type).ok().and_then(|index| NAMES.get(index));
    name.map_or_else(|| format!("type {element_type}"), |name| (*name).to_owned())
}
