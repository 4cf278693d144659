//! The wire format of Protocol Buffers, as far as ONNX files need it: a message is fields, one after the other, each a key
//! (number of the field and wire type) and a value. <https://protobuf.dev/programming-guides/encoding/>
//!
//! Reading borrows from the file: a message is a stretch of its bytes ([`Part`]), which nobody copies and which knows where it
//! lies, so that errors name the byte. Whatever lengths a file claims, nothing is allocated for them.

use crate::error::{Error, Result};

/// The wire types.
const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH: u64 = 2;
const FIXED_32: u64 = 5;

/// A message under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn int(mut self, number: u32, value: i64) -> Self {
        self.key(number, VARINT);
        // Negative numbers take ten bytes, as the format has it.
        self.varint(value as u64);
        self
    }

    pub(crate) fn bytes(mut self, number: u32, bytes: &[u8]) -> Self {
        self.key(number, LENGTH);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn text(self, number: u32, text: &str) -> Self {
        self.bytes(number, text.as_bytes())
    }

    pub(crate) fn message(self, number: u32, message: &Message) -> Self {
        self.bytes(number, &message.0)
    }

    pub(crate) fn messages<'a>(self, number: u32, messages: impl IntoIterator<Item = &'a Message>) -> Self {
        messages.into_iter().fold(self, |all, message| all.message(number, message))
    }

    fn key(&mut self, number: u32, wire_type: u64) {
        self.varint(u64::from(number) << 3 | wire_type);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// A stretch of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) bytes: &'a [u8],
    /// Where it begins in the file.
    position: usize,
}

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    position: usize,
    value: Value<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Varint(u64),
    Fixed64,
    Fixed32([u8; 4]),
    Length(Part<'a>),
}

impl<'a> Part<'a> {
    /// A whole file.
    pub(crate) fn file(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The fields of the message that this is, up to the first that is damaged.
    pub(crate) fn fields(self) -> impl Iterator<Item = Result<Field<'a>>> {
        let mut rest = Some(self);
        std::iter::from_fn(move || {
            let mut part = rest.filter(|part| !part.bytes.is_empty())?;
            let field = part.field();
            rest = field.is_ok().then_some(part);
            Some(field)
        })
    }

    fn field(&mut self) -> Result<Field<'a>> {
        let position = self.position;
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let number = number.ok_or_else(|| damaged(position, "the number of a field", (key >> 3).to_string()))?;
        let value = match key & 7 {
            VARINT => Value::Varint(self.varint()?),
            FIXED_64 => {
                self.take(8)?;
                Value::Fixed64
            }
            FIXED_32 => {
                let bytes = self.take(4)?.bytes;
                Value::Fixed32(bytes.try_into().expect("four bytes"))
            }
            LENGTH => {
                let n_bytes = self.varint()?;
                Value::Length(self.take(n_bytes)?)
            }
            other => return Err(damaged(position, "a field of wire type 0, 1, 2 or 5", other.to_string())),
        };
        Ok(Field { number, position, value })
    }

    fn varint(&mut self) -> Result<u64> {
        let start = self.position;
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?.bytes[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(damaged(start, "a number of at most ten bytes", "a longer one"))
    }

    fn take(&mut self, n_bytes: u64) -> Result<Part<'a>> {
        let n_left = self.bytes.len();
        let n_bytes = usize::try_from(n_bytes).ok().filter(|n_bytes| *n_bytes <= n_left).ok_or_else(|| {
            let found = format!("{n_left} up to the end of the message");
            damaged(self.position, format!("{n_bytes} more bytes"), found)
        })?;
        let (bytes, rest) = self.bytes.split_at(n_bytes);
        let part = Part { bytes, position: self.position };
        *self = Part { bytes: rest, position: self.position + n_bytes };
        Ok(part)
    }
}

impl<'a> Field<'a> {
    /// The message, or the bytes.
    pub(crate) fn part(self) -> Result<Part<'a>> {
        match self.value {
            Value::Length(part) => Ok(part),
            _ => Err(self.another("a message, a text or bytes")),
        }
    }

    pub(crate) fn text(self) -> Result<&'a str> {
        let bytes = self.part()?.bytes;
        std::str::from_utf8(bytes).map_err(|_| damaged(self.position, "a text in UTF-8", "other bytes"))
    }

    pub(crate) fn int(self) -> Result<i64> {
        match self.value {
            Value::Varint(value) => Ok(value as i64),
            _ => Err(self.another("an integer")),
        }
    }

    pub(crate) fn float(self) -> Result<f32> {
        match self.value {
            Value::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err(self.another("a number of four bytes")),
        }
    }

    /// Integers that are packed, or one that is not: both ways are in use. At most `limit` of them.
    pub(crate) fn ints(self, limit: usize) -> Result<Vec<i64>> {
        let mut part = match self.value {
            Value::Varint(value) => return Ok(vec![value as i64]),
            Value::Length(part) => part,
            _ => return Err(self.another("integers")),
        };
        let mut ints = Vec::new();
        while !part.bytes.is_empty() {
            if ints.len() == limit {
                return Err(damaged(self.position, format!("at most {limit} integers"), "more"));
            }
            ints.push(part.varint()? as i64);
        }
        Ok(ints)
    }

    fn another(self, expected: &str) -> Error {
        damaged(self.position, expected, format!("another kind of value in field {}", self.number))
    }
}

fn damaged(position: usize, expected: impl Into<String>, found: impl Into<String>) -> Error {
    Error::damaged(format!("byte {position}"), expected, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let inner = Message::new().int(1, -1).int(2, 300);
        let bytes = Message::new().text(3, "ü").message(1000, &inner).int(5, i64::MAX).into_bytes();
        let fields: Vec<Field> = Part::file(&bytes).fields().collect::<Result<_>>().expect("fields");
        assert_eq!(fields.iter().map(|field| field.number).collect::<Vec<_>>(), [3, 1000, 5]);
        assert_eq!(fields[0].text().expect("a text"), "ü");
        assert_eq!(fields[2].int().expect("an integer"), i64::MAX);
        let inner: Vec<Field> = fields[1].part().expect("a message").fields().collect::<Result<_>>().expect("fields");
        assert_eq!(inner.iter().map(|field| field.int().expect("an integer")).collect::<Vec<_>>(), [-1, 300]);
    }

    #[test]
    fn every_damage_names_its_byte() {
        for (bytes, text) in [
            (&[0x1a, 5, 1][..], "byte 2: expected 5 more bytes, found 1 up to the end of the message"),
            (
                &[0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
                "byte 11: expected 18446744073709551615",
            ),
            (&[8, 0xff], "byte 2: expected 1 more bytes"),
            (
                &[8, 1, 8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
                "byte 3: expected a number of at",
            ),
            (&[0, 1], "byte 0: expected the number of a field, found 0"),
            (&[8, 1, 0x0b], "byte 2: expected a field of wire type 0, 1, 2 or 5, found 3"),
            (&[0x0d, 0, 0, 0], "byte 1: expected 4 more bytes"),
        ] {
            let error = Part::file(bytes).fields().find_map(Result::err).expect("an error");
            assert!(error.to_string().starts_with(text), "{error}");
            assert_eq!(Part::file(bytes).fields().filter(Result::is_err).count(), 1, "and it ends there");
        }
    }
}
