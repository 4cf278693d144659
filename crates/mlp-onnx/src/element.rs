//! The numbers in tensors.

use mlp_core::Real;

use crate::schema::element;

/// The precision of a network, as ONNX calls it.
pub(crate) trait Element: Real {
    /// The type of the elements.
    const TYPE: i64;
    const NAME: &'static str;

    fn write(self, bytes: &mut Vec<u8>);
    /// From as many bytes as the type has.
    fn read(bytes: &[u8]) -> Self;
}

impl Element for f32 {
    const TYPE: i64 = element::FLOAT;
    const NAME: &'static str = "float";

    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Self {
        Self::from_le_bytes(bytes.try_into().expect("four bytes"))
    }
}

impl Element for f64 {
    const TYPE: i64 = element::DOUBLE;
    const NAME: &'static str = "double";

    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Self {
        Self::from_le_bytes(bytes.try_into().expect("eight bytes"))
    }
}
