//! IDX files: arrays of any rank and of six element types, plain or packed with gzip.
//!
//! Longer than other files, because reading and writing share the header's few rules, which stand here once.

use crate::error::{Error, Result};
use crate::gzip::{self, Unpacked};
use byteorder::{BigEndian, ByteOrder};
use ndarray::{ArrayD, IxDyn};
use std::fmt;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::str::FromStr;

/// An array from an IDX file, or for one.
///
/// The rank is the number of dimensions, 1 to 255; each dimension is 1 to 2³² − 1 long. The last index varies fastest.
///
/// ```
/// use mnist_io::IdxArray;
/// use mnist_io::ndarray::array;
///
/// let table = IdxArray::I16(array![[1, -2, 3], [4, 5, -600]].into_dyn());
/// let mut bytes = Vec::new();
/// table.write_to(&mut bytes)?;
/// assert_eq!(bytes[..12], [0, 0, 0x0B, 2, 0, 0, 0, 2, 0, 0, 0, 3]);
/// assert_eq!(IdxArray::from_bytes(&bytes)?, table);
/// # Ok::<(), mnist_io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum IdxArray {
    /// Unsigned bytes, type code 0x08: the pixels and labels of MNIST.
    U8(ArrayD<u8>),
    /// Signed bytes, type code 0x09.
    I8(ArrayD<i8>),
    /// 16-bit integers, type code 0x0B.
    I16(ArrayD<i16>),
    /// 32-bit integers, type code 0x0C.
    I32(ArrayD<i32>),
    /// 32-bit floating-point numbers, type code 0x0D.
    F32(ArrayD<f32>),
    /// 64-bit floating-point numbers, type code 0x0E.
    F64(ArrayD<f64>),
}

/// The type of an [`IdxArray`]'s elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdxElement {
    /// Unsigned bytes.
    U8,
    /// Signed bytes.
    I8,
    /// 16-bit integers.
    I16,
    /// 32-bit integers.
    I32,
    /// 32-bit floating-point numbers.
    F32,
    /// 64-bit floating-point numbers.
    F64,
}

impl IdxElement {
    /// All types, by rising code.
    pub const ALL: [Self; 6] = [Self::U8, Self::I8, Self::I16, Self::I32, Self::F32, Self::F64];

    /// The third byte of a file with such elements.
    pub fn code(self) -> u8 {
        match self {
            Self::U8 => 0x08,
            Self::I8 => 0x09,
            Self::I16 => 0x0B,
            Self::I32 => 0x0C,
            Self::F32 => 0x0D,
            Self::F64 => 0x0E,
        }
    }

    /// The size of one element in bytes.
    pub fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

impl fmt::Display for IdxElement {
    /// Rust's name of the type.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

impl FromStr for IdxElement {
    type Err = Error;

    /// The inverse of Display: Rust's name of the type.
    ///
    /// # Errors
    /// `Argument` where there is no element of that name.
    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|element| element.to_string() == name).ok_or_else(|| {
            let names = Self::ALL.map(|element| element.to_string()).join(", ");
            Error::argument(
                "the type of the elements of an IDX file",
                format!("{name:?}"),
                format!("take one of {names}"),
            )
        })
    }
}

impl IdxArray {
    /// Reads a file, plain or packed with gzip; the content decides which, not the name.
    ///
    /// # Errors
    /// `Io` where the file cannot be read or is not a regular file; `Data` where it is not exactly one IDX array.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        read_file(path.as_ref()).map(|(array, _)| array)
    }

    /// Reads an array from bytes in memory, plain or packed with gzip.
    ///
    /// # Errors
    /// `Data` where the bytes are not exactly one IDX array.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        read_from(bytes, Some(bytes.len() as u64)).map(|(array, _)| array)
    }

    /// Reads an array from a stream, plain or packed with gzip, to its end. Use this for pipes.
    ///
    /// # Errors
    /// `Io` where the reader fails; `Data` where its bytes are not exactly one IDX array.
    pub fn from_reader(reader: impl Read) -> Result<Self> {
        read_from(BufReader::new(reader), None).map(|(array, _)| array)
    }

    /// Writes a plain file. It appears under its name only when it is whole: it is written beside it, synced and renamed.
    ///
    /// # Errors
    /// `Io` where it cannot be written; `Argument` where the shape does not fit the format (rank 0, a dimension
    /// that is 0 or above 2³² − 1).
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), |file| self.write_to(file))
    }

    /// Writes a file packed with gzip, otherwise like [`IdxArray::write`]. The same array always gives the same bytes.
    ///
    /// # Errors
    /// As [`IdxArray::write`].
    pub fn write_gzip(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), |file| self.write_gzip_to(file))
    }

    /// Writes the array plainly.
    ///
    /// # Errors
    /// As [`IdxArray::write`].
    pub fn write_to(&self, mut writer: impl Write) -> Result<()> {
        let header = header_bytes(self.element(), self.shape())?;
        self.write_parts(&header, &mut writer).map_err(write_error)
    }

    /// Writes the array packed with gzip.
    ///
    /// # Errors
    /// As [`IdxArray::write`].
    pub fn write_gzip_to(&self, writer: impl Write) -> Result<()> {
        let header = header_bytes(self.element(), self.shape())?;
        let mut encoder = gzip_encoder(writer);
        self.write_parts(&header, &mut encoder).and_then(|()| encoder.finish()?.flush()).map_err(write_error)
    }

    /// The length of each dimension.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::U8(array) => array.shape(),
            Self::I8(array) => array.shape(),
            Self::I16(array) => array.shape(),
            Self::I32(array) => array.shape(),
            Self::F32(array) => array.shape(),
            Self::F64(array) => array.shape(),
        }
    }

    /// The number of dimensions.
    pub fn rank(&self) -> usize {
        self.shape().len()
    }

    /// The type of the elements.
    pub fn element(&self) -> IdxElement {
        match self {
            Self::U8(_) => IdxElement::U8,
            Self::I8(_) => IdxElement::I8,
            Self::I16(_) => IdxElement::I16,
            Self::I32(_) => IdxElement::I32,
            Self::F32(_) => IdxElement::F32,
            Self::F64(_) => IdxElement::F64,
        }
    }

    fn write_parts(&self, header: &[u8], writer: &mut impl Write) -> io::Result<()> {
        writer.write_all(header)?;
        match self {
            Self::U8(array) => write_elements(array, writer, |value, bytes| bytes.push(value)),
            Self::I8(array) => write_elements(array, writer, |value, bytes| bytes.extend(value.to_be_bytes())),
            Self::I16(array) => write_elements(array, writer, |value, bytes| bytes.extend(value.to_be_bytes())),
            Self::I32(array) => write_elements(array, writer, |value, bytes| bytes.extend(value.to_be_bytes())),
            Self::F32(array) => write_elements(array, writer, |value, bytes| bytes.extend(value.to_be_bytes())),
            Self::F64(array) => write_elements(array, writer, |value, bytes| bytes.extend(value.to_be_bytes())),
        }?;
        writer.flush()
    }
}

impl From<ArrayD<u8>> for IdxArray {
    fn from(array: ArrayD<u8>) -> Self {
        Self::U8(array)
    }
}

impl From<ArrayD<i8>> for IdxArray {
    fn from(array: ArrayD<i8>) -> Self {
        Self::I8(array)
    }
}

impl From<ArrayD<i16>> for IdxArray {
    fn from(array: ArrayD<i16>) -> Self {
        Self::I16(array)
    }
}

impl From<ArrayD<i32>> for IdxArray {
    fn from(array: ArrayD<i32>) -> Self {
        Self::I32(array)
    }
}

impl From<ArrayD<f32>> for IdxArray {
    fn from(array: ArrayD<f32>) -> Self {
        Self::F32(array)
    }
}

impl From<ArrayD<f64>> for IdxArray {
    fn from(array: ArrayD<f64>) -> Self {
        Self::F64(array)
    }
}

/// What the first bytes of a file promise. Nothing has been allocated for it yet.
pub(crate) struct Header {
    pub(crate) element: IdxElement,
    pub(crate) shape: Vec<usize>,
    n_elements: usize,
    pub(crate) n_bytes: usize,
    /// "an array of 60000 × 28 × 28 u8"
    pub(crate) description: String,
}

/// How an array was stored.
#[derive(Clone, Copy)]
pub(crate) struct Storage {
    /// Whether it was packed with gzip: offsets in its content are named for what they are.
    pub(crate) is_packed: bool,
    /// The zeros behind the gzip stream.
    pub(crate) n_padding: u64,
}

/// Reads a file, and says how it was stored.
pub(crate) fn read_file(path: &Path) -> Result<(IdxArray, Storage)> {
    let (file, length) = gzip::open(path)?;
    read_from(file, Some(length)).map_err(|error| error.in_file(path))
}

fn read_from(source: impl BufRead, stored_length: Option<u64>) -> Result<(IdxArray, Storage)> {
    let mut stream = Unpacked::new(source, stored_length)?;
    let header = read_header(&mut stream)?;
    stream.check_payload_fits(header.n_bytes as u64, &header.description)?;
    let is_length_known = stored_length.is_some();
    let array = match header.element {
        IdxElement::U8 => IdxArray::U8(shaped(&header, stream.read_bytes(header.n_bytes, &header.description)?)),
        IdxElement::I8 => {
            IdxArray::I8(read_elements(&mut stream, &header, is_length_known, |bytes| i8::from_be_bytes([bytes[0]]))?)
        }
        IdxElement::I16 => IdxArray::I16(read_elements(&mut stream, &header, is_length_known, BigEndian::read_i16)?),
        IdxElement::I32 => IdxArray::I32(read_elements(&mut stream, &header, is_length_known, BigEndian::read_i32)?),
        IdxElement::F32 => IdxArray::F32(read_elements(&mut stream, &header, is_length_known, BigEndian::read_f32)?),
        IdxElement::F64 => IdxArray::F64(read_elements(&mut stream, &header, is_length_known, BigEndian::read_f64)?),
    };
    let is_packed = stream.is_gzip();
    let n_padding = stream.finish(&header.description, header.n_bytes as u64)?;
    Ok((array, Storage { is_packed, n_padding }))
}

pub(crate) fn read_header<R: BufRead>(stream: &mut Unpacked<R>) -> Result<Header> {
    let mut magic = [0; 4];
    let n_read = stream.read_up_to(&mut magic)?;
    let element = check_magic(stream, &magic[..n_read])?;
    let mut sizes = vec![0; 4 * usize::from(magic[3])];
    let n_read = stream.read_up_to(&mut sizes)?;
    if n_read < sizes.len() {
        let error = Error::data(
            format!("a header of {} bytes, as the rank {} demands", 4 + sizes.len(), magic[3]),
            format!("{}", 4 + n_read),
            "the file is cut off: get it again",
        );
        return Err(stream.locate(error, stream.position()));
    }
    let lengths: Vec<u32> = sizes.chunks_exact(4).map(BigEndian::read_u32).collect();
    measure(element, &lengths).map_err(|(error, offset)| stream.locate(error, offset))
}

fn check_magic<R: BufRead>(stream: &mut Unpacked<R>, magic: &[u8]) -> Result<IdxElement> {
    if magic.len() < 4 || magic[..2] != [0, 0] {
        // A packed source has been recognised already, so only its content can be described by its first bytes.
        let found = match (magic, stream.is_gzip()) {
            ([], false) => "an empty file".to_string(),
            ([], true) => "nothing in the gzip file".to_string(),
            (_, false) => describe_beginning(stream.beginning()),
            (_, true) => {
                let mut further = [0; 256];
                let n_further = stream.read_up_to(&mut further)?;
                describe_beginning(&[magic, &further[..n_further]].concat())
            }
        };
        let error = Error::data(
            "an IDX file, which begins with two zero bytes, a type code and a rank",
            found,
            "get the file again, or name another",
        );
        return Err(stream.locate(error, 0));
    }
    let Some(element) = IdxElement::ALL.into_iter().find(|element| element.code() == magic[2]) else {
        let error = Error::data(
            "one of the type codes 0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E",
            format!("0x{:02X}", magic[2]),
            "the file is damaged or of another format: get it again",
        );
        return Err(stream.locate(error, 2));
    };
    if magic[3] == 0 {
        let error = Error::data("a rank of 1 to 255", "0", "the file is damaged: get it again");
        return Err(stream.locate(error, 3));
    }
    Ok(element)
}

/// Multiplies the dimensions, checked. An error comes with its offset.
fn measure(element: IdxElement, lengths: &[u32]) -> std::result::Result<Header, (Error, u64)> {
    if let Some(index) = lengths.iter().position(|&length| length == 0) {
        let error = Error::data(
            format!("a length of at least 1 for dimension {} of {}", index + 1, lengths.len()),
            "0",
            "an array without elements is refused: write the file anew",
        );
        return Err((error, 4 + 4 * index as u64));
    }
    let texts: Vec<String> = lengths.iter().map(u32::to_string).collect();
    let description = format!("an array of {} {element}", texts.join(" × "));
    let too_large = || {
        let found = format!("the header of {description}");
        let error = Error::data("an array that fits into memory", found, "the header is damaged: get the file again");
        (error, 4)
    };
    let shape: Vec<usize> = lengths
        .iter()
        .map(|&length| usize::try_from(length))
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| too_large())?;
    let n_elements =
        shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length)).ok_or_else(too_large)?;
    let n_bytes = n_elements
        .checked_mul(element.size())
        .filter(|&n_bytes| isize::try_from(n_bytes).is_ok())
        .ok_or_else(too_large)?;
    Ok(Header { element, shape, n_elements, n_bytes, description })
}

fn read_elements<R: BufRead, T>(
    stream: &mut Unpacked<R>,
    header: &Header,
    is_length_known: bool,
    decode: impl Fn(&[u8]) -> T,
) -> Result<ArrayD<T>> {
    let mut values = Vec::new();
    if is_length_known {
        gzip::reserve(&mut values, header.n_elements)?;
    }
    let size = header.element.size();
    stream.read_pieces(header.n_bytes as u64, &header.description, |piece| {
        values.try_reserve(piece.len() / size).map_err(|_| gzip::out_of_memory(header.n_bytes))?;
        values.extend(piece.chunks_exact(size).map(&decode));
        Ok(())
    })?;
    Ok(shaped(header, values))
}

/// Gives the elements their shape. Their number has been checked against it by whoever read them.
fn shaped<T>(header: &Header, values: Vec<T>) -> ArrayD<T> {
    ArrayD::from_shape_vec(IxDyn(&header.shape), values).expect("as many elements were read as the shape has")
}

/// What the first bytes of a file that is not IDX look like.
fn describe_beginning(bytes: &[u8]) -> String {
    if let Some(found) = durable_file::substitute(bytes) {
        return found.to_owned();
    }
    let known = match bytes {
        _ if bytes.trim_ascii_start().starts_with(b"<?xml") => "an XML document, probably a failed download",
        [b'{', ..] => "a JSON document, probably a failed download",
        [b'[', ..] => "a text, such as JSON or TOML",
        [b'P', b'K', 3, 4, ..] => "a ZIP archive: unpack it first",
        [0x89, b'P', b'N', b'G', ..] => "a PNG picture",
        [0xff, 0xd8, 0xff, ..] => "a JPEG picture",
        [0x93, b'N', b'U', b'M', ..] => "a NumPy array",
        [0x1f, 0x8b, ..] => "a gzip file inside the gzip file",
        [b'B', b'Z', b'h', ..] => "a file packed with bzip2",
        [0xfd, b'7', b'z', b'X', ..] => "a file packed with xz",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "a file packed with zstd",
        _ => {
            let shown: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            let noun = if shown.len() < 4 { "only the bytes" } else { "the bytes" };
            return format!("{noun} {}", shown.join(" "));
        }
    };
    known.to_string()
}

/// Packs with gzip. The same bytes always give the same file.
pub(crate) fn gzip_encoder<W: Write>(writer: W) -> flate2::write::GzEncoder<W> {
    flate2::GzBuilder::new()
        .operating_system(255) // "unknown": the bytes do not depend on where they were written
        .write(writer, flate2::Compression::default())
}

pub(crate) fn header_bytes(element: IdxElement, shape: &[usize]) -> Result<Vec<u8>> {
    let unfit = || {
        Error::argument(
            "a shape of 1 to 255 dimensions, each of 1 to 4294967295",
            format!("{shape:?}"),
            "reshape the array",
        )
    };
    let rank = u8::try_from(shape.len()).ok().filter(|&rank| rank > 0).ok_or_else(unfit)?;
    let mut bytes = vec![0, 0, element.code(), rank];
    for &length in shape {
        let length = u32::try_from(length).ok().filter(|&length| length > 0).ok_or_else(unfit)?;
        bytes.extend(length.to_be_bytes());
    }
    Ok(bytes)
}

fn write_elements<T: Copy>(
    array: &ArrayD<T>,
    writer: &mut impl Write,
    encode: impl Fn(T, &mut Vec<u8>),
) -> io::Result<()> {
    const BUFFER_LENGTH: usize = 64 * 1024;
    let mut bytes = Vec::with_capacity(BUFFER_LENGTH + size_of::<T>());
    for &value in array {
        encode(value, &mut bytes);
        if bytes.len() >= BUFFER_LENGTH {
            writer.write_all(&bytes)?;
            bytes.clear();
        }
    }
    writer.write_all(&bytes)
}

pub(crate) fn write_error(error: io::Error) -> Error {
    Error::io("to write all bytes", error, "check the path, the space on the disk and the permissions")
}

/// A file that is whole and on the disk, but not under its name yet.
pub(crate) struct Staged<'a> {
    file: durable_file::Staged,
    path: &'a Path,
}

impl<'a> Staged<'a> {
    /// Lets `write` fill a file beside `path`.
    pub(crate) fn new(
        path: &'a Path,
        write: impl FnOnce(&mut BufWriter<&mut durable_file::Staged>) -> Result<()>,
    ) -> Result<Self> {
        let refuse = |error| write_error(error).in_file(path);
        let mut file = durable_file::Staged::create(path).map_err(refuse)?;
        let mut buffered = BufWriter::new(&mut file);
        write(&mut buffered).map_err(|error| error.in_file(path))?;
        buffered.flush().map_err(refuse)?;
        drop(buffered);
        file.sync().map_err(refuse)?;
        Ok(Self { file, path })
    }

    /// Gives the file its name.
    pub(crate) fn commit(self) -> Result<()> {
        self.file.commit().map_err(|error| write_error(error).in_file(self.path))
    }
}

/// Lets `write` fill a file beside `path` and gives it its name when everything is on the disk.
fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut durable_file::Staged>) -> Result<()>,
) -> Result<()> {
    Staged::new(path, write)?.commit()
}
