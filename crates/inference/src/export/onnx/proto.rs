//! The part of ONNX's protocol buffers that a model needs, with the numbers of
//! <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>.

use prost::Message;

/// `TensorProto.DataType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DataType {
    Int64 = 7,
    String = 8,
    Double = 11,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ModelProto {
    #[prost(int64, tag = "1")]
    pub(super) ir_version: i64,
    #[prost(string, tag = "2")]
    pub(super) producer_name: String,
    #[prost(string, tag = "3")]
    pub(super) producer_version: String,
    #[prost(string, tag = "6")]
    pub(super) doc_string: String,
    #[prost(message, optional, tag = "7")]
    pub(super) graph: Option<GraphProto>,
    #[prost(message, repeated, tag = "8")]
    pub(super) opset_import: Vec<OperatorSetId>,
    #[prost(message, repeated, tag = "14")]
    pub(super) metadata_props: Vec<StringEntry>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct OperatorSetId {
    #[prost(string, tag = "1")]
    pub(super) domain: String,
    #[prost(int64, tag = "2")]
    pub(super) version: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StringEntry {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    pub(super) node: Vec<NodeProto>,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "5")]
    pub(super) initializer: Vec<TensorProto>,
    #[prost(message, repeated, tag = "11")]
    pub(super) input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    pub(super) output: Vec<ValueInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    pub(super) input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(super) output: Vec<String>,
    #[prost(string, tag = "4")]
    pub(super) op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub(super) attribute: Vec<AttributeProto>,
    #[prost(string, tag = "7")]
    pub(super) domain: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AttributeProto {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, optional, tag = "3")]
    i: Option<i64>,
    #[prost(int64, repeated, tag = "8")]
    ints: Vec<i64>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    strings: Vec<Vec<u8>>,
    /// `AttributeType`: 2 an integer, 7 integers, 8 texts.
    #[prost(int32, tag = "20")]
    kind: i32,
}

impl AttributeProto {
    pub(super) fn int(name: &str, value: i64) -> Self {
        Self {
            name: name.to_owned(),
            i: Some(value),
            kind: 2,
            ..Default::default()
        }
    }

    pub(super) fn ints(name: &str, values: Vec<i64>) -> Self {
        Self {
            name: name.to_owned(),
            ints: values,
            kind: 7,
            ..Default::default()
        }
    }

    pub(super) fn strings(name: &str, values: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            strings: values.into_iter().map(String::into_bytes).collect(),
            kind: 8,
            ..Default::default()
        }
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorProto {
    #[prost(int64, repeated, tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(int64, repeated, tag = "7")]
    int64_data: Vec<i64>,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(double, repeated, tag = "10")]
    double_data: Vec<f64>,
}

impl TensorProto {
    pub(super) fn doubles(name: String, shape: &[i64], values: Vec<f64>) -> Self {
        Self {
            dims: shape.to_vec(),
            data_type: DataType::Double as i32,
            name,
            double_data: values,
            ..Default::default()
        }
    }

    pub(super) fn integers(name: String, shape: &[i64], values: Vec<i64>) -> Self {
        Self {
            dims: shape.to_vec(),
            data_type: DataType::Int64 as i32,
            name,
            int64_data: values,
            ..Default::default()
        }
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ValueInfo {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    kind: Option<TypeProto>,
}

#[derive(Clone, PartialEq, Message)]
struct TypeProto {
    #[prost(message, optional, tag = "1")]
    tensor_type: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorType {
    #[prost(int32, tag = "1")]
    elem_type: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<TensorShape>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorShape {
    #[prost(message, repeated, tag = "1")]
    dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
struct Dimension {
    #[prost(int64, optional, tag = "1")]
    dim_value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    dim_param: Option<String>,
}

impl ValueInfo {
    /// A column of as many rows as there are.
    pub(super) fn column(name: &str, kind: DataType) -> Self {
        let rows = Dimension {
            dim_value: None,
            dim_param: Some("rows".to_owned()),
        };
        let shape = TensorShape {
            dim: vec![
                rows,
                Dimension {
                    dim_value: Some(1),
                    dim_param: None,
                },
            ],
        };
        let tensor_type = TensorType {
            elem_type: kind as i32,
            shape: Some(shape),
        };
        Self {
            name: name.to_owned(),
            kind: Some(TypeProto {
                tensor_type: Some(tensor_type),
            }),
        }
    }
}
