//! The numbers of the fields that are read or written, and of some values: facts of `onnx/onnx.proto` in ONNX 1.23.2. Fields
//! are added there and never renumbered.

/// The version of the format: that of ONNX 1.8 (December 2020), which every runtime of the last years reads.
pub(crate) const IR_VERSION: i64 = 7;
/// The version of the operators, likewise of ONNX 1.8.
pub(crate) const OPSET: i64 = 13;
/// The versions of the operators that are read: from 7 on Gemm broadcasts by itself; 28 is the newest whose text was read.
pub(crate) const OPSETS_READ: std::ops::RangeInclusive<i64> = 7..=28;

pub(crate) mod model {
    pub(crate) const IR_VERSION: u32 = 1;
    pub(crate) const PRODUCER_NAME: u32 = 2;
    pub(crate) const PRODUCER_VERSION: u32 = 3;
    pub(crate) const DOC_STRING: u32 = 6;
    pub(crate) const GRAPH: u32 = 7;
    pub(crate) const OPSET_IMPORT: u32 = 8;
    pub(crate) const METADATA_PROPS: u32 = 14;
    pub(crate) const FUNCTIONS: u32 = 25;
}

pub(crate) mod operator_set {
    pub(crate) const DOMAIN: u32 = 1;
    pub(crate) const VERSION: u32 = 2;
}

/// A key and its value, among the metadata.
pub(crate) mod entry {
    pub(crate) const KEY: u32 = 1;
    pub(crate) const VALUE: u32 = 2;
}

pub(crate) mod graph {
    pub(crate) const NODE: u32 = 1;
    pub(crate) const NAME: u32 = 2;
    pub(crate) const INITIALIZER: u32 = 5;
    pub(crate) const INPUT: u32 = 11;
    pub(crate) const OUTPUT: u32 = 12;
    pub(crate) const SPARSE_INITIALIZER: u32 = 15;
}

pub(crate) mod node {
    pub(crate) const INPUT: u32 = 1;
    pub(crate) const OUTPUT: u32 = 2;
    pub(crate) const NAME: u32 = 3;
    pub(crate) const OP_TYPE: u32 = 4;
    pub(crate) const ATTRIBUTE: u32 = 5;
    pub(crate) const DOMAIN: u32 = 7;
}

pub(crate) mod attribute {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const F: u32 = 2;
    pub(crate) const I: u32 = 3;
    pub(crate) const T: u32 = 5;
    pub(crate) const INTS: u32 = 8;
    pub(crate) const TYPE: u32 = 20;

    pub(crate) const TYPE_INT: i64 = 2;
    pub(crate) const TYPE_INTS: i64 = 7;
}

pub(crate) mod tensor {
    pub(crate) const DIMS: u32 = 1;
    pub(crate) const DATA_TYPE: u32 = 2;
    pub(crate) const SEGMENT: u32 = 3;
    pub(crate) const FLOAT_DATA: u32 = 4;
    pub(crate) const INT64_DATA: u32 = 7;
    pub(crate) const NAME: u32 = 8;
    pub(crate) const RAW_DATA: u32 = 9;
    pub(crate) const DOUBLE_DATA: u32 = 10;
    pub(crate) const EXTERNAL_DATA: u32 = 13;
    pub(crate) const DATA_LOCATION: u32 = 14;
}

/// The types of elements.
pub(crate) mod element {
    pub(crate) const FLOAT: i64 = 1;
    pub(crate) const UINT8: i64 = 2;
    pub(crate) const INT64: i64 = 7;
    pub(crate) const DOUBLE: i64 = 11;
}

/// `ValueInfoProto`, an input or output; within it `TypeProto`, its `Tensor`, and its shape's `Dimension`.
pub(crate) mod value_info {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const TYPE: u32 = 2;
    pub(crate) const DOC_STRING: u32 = 3;
    pub(crate) const TENSOR_TYPE: u32 = 1;
    pub(crate) const ELEM_TYPE: u32 = 1;
    pub(crate) const SHAPE: u32 = 2;
    pub(crate) const DIM: u32 = 1;
    pub(crate) const DIM_VALUE: u32 = 1;
    pub(crate) const DIM_PARAM: u32 = 2;
}
