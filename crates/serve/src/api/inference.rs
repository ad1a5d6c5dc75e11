//! `/v2`: the Open Inference Protocol, for callers that compute features themselves. It has no
//! reasons; `/v1/score` has.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use leadscore_core::FeatureKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::health::not_ready;
use crate::app::App;
use crate::auth::Reader;
use crate::body;
use crate::compute::Work;
use crate::engine::{FeatureFacts, InferColumn, ModelFacts};
use crate::json::{self, Budget};
use crate::problem::{Problem, ProblemKind};

/// The name of one matrix with all features in their order.
const MATRIX: &str = "input-0";
/// The only output.
const OUTPUT: &str = "probability";

/// The server.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ServerMetadata {
    /// "leadscore".
    name: &'static str,
    /// Of the server.
    version: &'static str,
    /// None.
    extensions: Vec<String>,
}

/// Whether the server lives.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Live {
    /// It does.
    live: bool,
}

/// Whether the server, or a model, can answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Ready {
    /// The model, if one was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// It can.
    ready: bool,
}

/// A model.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ModelMetadata {
    /// Its name.
    name: String,
    /// The one version: the ID of the model that scores now.
    versions: Vec<String>,
    /// "leadscore".
    platform: &'static str,
    /// One tensor for each feature.
    inputs: Vec<TensorMetadata>,
    /// `probability`.
    outputs: Vec<TensorMetadata>,
}

/// A tensor that the model reads or writes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct TensorMetadata {
    /// The feature.
    name: String,
    /// FP64 of a number, BYTES of a category.
    datatype: &'static str,
    /// −1: as many as there are.
    shape: Vec<i64>,
}

/// Features of rows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `inputs`")]
pub(crate) struct InferRequest {
    /// Comes back with the answer.
    #[serde(default)]
    id: Option<String>,
    /// KServe's client says here what the address says.
    #[serde(default, rename = "model_name")]
    _model_name: Option<String>,
    /// Read by no one here.
    #[serde(default, rename = "parameters")]
    _parameters: Option<Map<String, Value>>,
    /// One tensor for each feature, by its name and of the shape [n] or [n, 1]; or, where all
    /// features are numbers, the one tensor `input-0` of the shape [n, features], row by row.
    inputs: Vec<InputTensor>,
    /// `probability`, or nothing.
    #[serde(default)]
    outputs: Option<Vec<RequestedOutput>>,
}

/// A tensor of a request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object of a tensor")]
struct InputTensor {
    /// A feature, or `input-0`.
    name: String,
    /// Its length in each dimension.
    shape: Vec<u64>,
    /// Of a number FP64, FP32, BOOL, or an integer type such as INT64; of a category BYTES.
    datatype: String,
    /// Read by no one here.
    #[serde(default, rename = "parameters")]
    _parameters: Option<Map<String, Value>>,
    /// The values, flat or nested: numbers, or texts of a category; `null`, or an empty text:
    /// missing.
    data: Option<Value>,
}

/// An output that is asked for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `name`")]
struct RequestedOutput {
    /// `probability`.
    name: String,
    /// Read by no one here.
    #[serde(default, rename = "parameters")]
    _parameters: Option<Map<String, Value>>,
}

/// Probabilities of rows.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct InferResponse {
    /// The model.
    model_name: String,
    /// Its ID.
    model_version: String,
    /// As in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The one tensor.
    outputs: Vec<OutputTensor>,
}

/// A tensor of an answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct OutputTensor {
    /// `probability`.
    name: &'static str,
    /// [n].
    shape: Vec<usize>,
    /// FP64.
    datatype: &'static str,
    /// Of each row, 0 to 1.
    data: Vec<f64>,
}

pub(crate) async fn server(_: Reader) -> Json<ServerMetadata> {
    Json(ServerMetadata {
        name: "leadscore",
        version: env!("CARGO_PKG_VERSION"),
        extensions: Vec::new(),
    })
}

pub(crate) async fn live() -> Json<Live> {
    Json(Live { live: true })
}

pub(crate) async fn ready(State(app): State<App>) -> Result<Json<Ready>, Problem> {
    not_ready(&app).map_or(
        Ok(Json(Ready {
            name: None,
            ready: true,
        })),
        Err,
    )
}

pub(crate) async fn model(
    State(app): State<App>,
    _: Reader,
    Path(path): Path<BTreeMap<String, String>>,
) -> Result<Json<ModelMetadata>, Problem> {
    let facts = found(&app, &path)?;
    let tensor = |name: &str, kind: FeatureKind| TensorMetadata {
        name: name.to_owned(),
        datatype: datatype_of(kind),
        shape: vec![-1],
    };
    Ok(Json(ModelMetadata {
        inputs: facts
            .features
            .iter()
            .map(|feature| tensor(&feature.name, feature.kind))
            .collect(),
        outputs: vec![tensor(OUTPUT, FeatureKind::Number)],
        versions: vec![facts.id],
        platform: "leadscore",
        name: facts.name,
    }))
}

pub(crate) async fn model_ready(
    State(app): State<App>,
    _: Reader,
    Path(path): Path<BTreeMap<String, String>>,
) -> Result<Json<Ready>, Problem> {
    let facts = found(&app, &path)?;
    not_ready(&app).map_or(
        Ok(Json(Ready {
            name: Some(facts.name),
            ready: true,
        })),
        Err,
    )
}

fn found(app: &App, path: &BTreeMap<String, String>) -> Result<ModelFacts, Problem> {
    let facts = app.engine().model();
    let (name, version) = (path.get("model"), path.get("version"));
    if name == Some(&facts.name) && version.is_none_or(|version| *version == facts.id) {
        return Ok(facts);
    }
    let of_version = version.map_or_else(String::new, |version| {
        format!(" with the version {version:?}")
    });
    Err(Problem::new(
        ProblemKind::NotFound,
        format!(
            "there is no model {:?}{of_version}",
            name.map_or("", String::as_str)
        ),
        format!(
            "/v2/models/{} is there, with the version {}",
            facts.name, facts.id
        ),
    ))
}

pub(crate) async fn infer(
    State(app): State<App>,
    _: Reader,
    Path(path): Path<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<InferResponse>, Problem> {
    let facts = found(&app, &path)?;
    if headers.contains_key("inference-header-content-length") {
        return Err(Problem::new(
            ProblemKind::UnsupportedMedia,
            "the tensors are binary, which is an extension that this server has not",
            "send them as JSON: clients have a setting such as binary_data=False",
        ));
    }
    // Clients of the protocol send no content type.
    if headers.contains_key(header::CONTENT_TYPE) {
        body::media(&headers, false)?;
    }
    let read = body::read(&app, &headers, body).await?;
    let work = if read.bytes.len() > 1 << 14 {
        Work::Long
    } else {
        Work::Quick
    };
    let rows_at_most = app.limits().rows;
    let name = facts.name.clone();
    let version = facts.id.clone();
    let (id, data) = app
        .ask(work, move |engine| {
            let value = json::parse(&read.bytes, &Budget::new(rows_at_most), None)?;
            let request: InferRequest = json::request(value)?;
            check_outputs(&request)?;
            let columns = columns(&request.inputs, &facts.features, rows_at_most)?;
            let probabilities = engine
                .infer(&columns)
                .map_err(|why| Problem::field("/inputs", why, "GET the model for its inputs"))?;
            Ok::<_, Problem>((request.id, probabilities))
        })
        .await??;
    app.metrics().scored(data.len());
    Ok(Json(InferResponse {
        model_name: name,
        model_version: version,
        id,
        outputs: vec![OutputTensor {
            name: OUTPUT,
            shape: vec![data.len()],
            datatype: "FP64",
            data,
        }],
    }))
}

fn check_outputs(request: &InferRequest) -> Result<(), Problem> {
    let outputs = request.outputs.as_deref().unwrap_or_default();
    match outputs.iter().position(|output| output.name != OUTPUT) {
        Some(at) => Err(Problem::field(
            format!("/outputs/{at}/name"),
            format!("there is no output {:?}", outputs[at].name),
            format!("the model has the output `{OUTPUT}`"),
        )),
        None => Ok(()),
    }
}

/// The datatype of a feature in the model's metadata.
fn datatype_of(kind: FeatureKind) -> &'static str {
    match kind {
        FeatureKind::Number => "FP64",
        FeatureKind::Category => "BYTES",
    }
}

/// The columns in the order of the model's features.
fn columns(
    inputs: &[InputTensor],
    features: &[FeatureFacts],
    rows_at_most: usize,
) -> Result<Vec<(String, InferColumn)>, Problem> {
    if let [matrix] = inputs
        && matrix.name == MATRIX
        && !features.iter().any(|feature| feature.name == MATRIX)
    {
        return columns_of_matrix(matrix, features, rows_at_most);
    }
    let mut by_name = BTreeMap::new();
    let mut n_rows_before = None;
    for (at, input) in inputs.iter().enumerate() {
        let name = || format!("/inputs/{at}/name");
        let Some(feature) = features.iter().find(|feature| feature.name == input.name) else {
            return Err(Problem::field(
                name(),
                format!("the model has no feature {:?}", input.name),
                "GET the model for the names of its inputs",
            ));
        };
        let n_rows = n_rows(at, input, 1, rows_at_most)?;
        if n_rows_before.is_some_and(|before| before != n_rows) {
            return Err(Problem::field(
                format!("/inputs/{at}/shape"),
                format!("the tensor has {n_rows} rows, and the one before has another number"),
                "give each feature as many values",
            ));
        }
        n_rows_before = Some(n_rows);
        let column = match feature.kind {
            FeatureKind::Number => InferColumn::Numbers(numbers(at, input, n_rows)?),
            FeatureKind::Category => InferColumn::Texts(texts(at, input, n_rows)?),
        };
        if by_name.insert(input.name.clone(), column).is_some() {
            return Err(Problem::field(
                name(),
                "the feature is there twice",
                "send it once",
            ));
        }
    }
    features
        .iter()
        .map(|feature| {
            by_name
                .remove(&feature.name)
                .map(|column| (feature.name.clone(), column))
                .ok_or_else(|| {
                    Problem::field(
                        "/inputs",
                        format!("the feature {:?} is not there", feature.name),
                        "send all features; a value that is missing is null",
                    )
                })
        })
        .collect()
}

/// The columns of one matrix of numbers.
fn columns_of_matrix(
    matrix: &InputTensor,
    features: &[FeatureFacts],
    rows_at_most: usize,
) -> Result<Vec<(String, InferColumn)>, Problem> {
    if let Some(category) = features
        .iter()
        .find(|feature| feature.kind == FeatureKind::Category)
    {
        return Err(Problem::field(
            "/inputs/0/name",
            format!(
                "`{MATRIX}` is a matrix of numbers, and the feature {:?} is a category",
                category.name
            ),
            "send one tensor for each feature, by its name: FP64 for numbers, BYTES for categories",
        ));
    }
    let n_rows = n_rows(0, matrix, features.len(), rows_at_most)?;
    let values = numbers(0, matrix, n_rows * features.len())?;
    let column = |at: usize| {
        let of_rows = values.iter().skip(at).step_by(features.len());
        InferColumn::Numbers(of_rows.copied().collect())
    };
    Ok(features
        .iter()
        .enumerate()
        .map(|(at, feature)| (feature.name.clone(), column(at)))
        .collect())
}

fn n_rows(
    at: usize,
    tensor: &InputTensor,
    n_columns: usize,
    rows_at_most: usize,
) -> Result<usize, Problem> {
    let columns = n_columns as u64;
    let rows = match *tensor.shape.as_slice() {
        [rows] if n_columns == 1 => rows,
        [rows, width] if width == columns => rows,
        _ => {
            let expected = if n_columns == 1 {
                "expected [n] or [n, 1]".to_owned()
            } else {
                format!("expected [n, {n_columns}]")
            };
            return Err(Problem::field(
                format!("/inputs/{at}/shape"),
                format!("the shape is {:?}", tensor.shape),
                expected,
            ));
        }
    };
    usize::try_from(rows)
        .ok()
        .filter(|rows| *rows <= rows_at_most)
        .ok_or_else(|| {
            Problem::new(
                ProblemKind::TooLarge,
                format!("the tensor has {rows} rows"),
                format!("send at most {rows_at_most} rows in a request"),
            )
        })
}

fn numbers(at: usize, tensor: &InputTensor, n: usize) -> Result<Vec<f64>, Problem> {
    let known = [
        "FP64", "FP32", "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32",
        "UINT64",
    ];
    if !known.contains(&tensor.datatype.as_str()) {
        return Err(wrong_datatype(at, tensor, "is a number: send FP64"));
    }
    values(at, tensor, n, "numbers", &|value| match value {
        Value::Null => Some(f64::NAN),
        Value::Bool(is_true) => Some(f64::from(u8::from(*is_true))),
        Value::Number(number) => number.as_f64().filter(|number| number.is_finite()),
        Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

fn texts(at: usize, tensor: &InputTensor, n: usize) -> Result<Vec<Option<String>>, Problem> {
    if tensor.datatype != "BYTES" {
        return Err(wrong_datatype(at, tensor, "is a category: send BYTES"));
    }
    values(at, tensor, n, "texts", &|value| match value {
        Value::Null => Some(None),
        // Arrays of most clients have no null beside texts.
        Value::String(text) => Some(Some(text.clone()).filter(|text| !text.is_empty())),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

fn wrong_datatype(at: usize, tensor: &InputTensor, wanted: &str) -> Problem {
    Problem::field(
        format!("/inputs/{at}/datatype"),
        format!("the datatype of {:?} is {:?}", tensor.name, tensor.datatype),
        format!("it {wanted}; a lead as it is goes to /v1/score"),
    )
}

/// The values of a tensor, flat or nested.
fn values<T>(
    at: usize,
    tensor: &InputTensor,
    n: usize,
    of_what: &str,
    read: &dyn Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, Problem> {
    let Some(data) = &tensor.data else {
        return Err(Problem::field(
            format!("/inputs/{at}/data"),
            "the tensor has no data",
            "send its values as JSON; shared memory and binary tensors are not read",
        ));
    };
    let mut values = Vec::with_capacity(n);
    flatten(data, &mut values, read, &mut format!("/inputs/{at}/data")).map_err(|pointer| {
        Problem::field(
            pointer,
            format!("{:?} has {of_what}, and this is none", tensor.name),
            format!("send {of_what}, or null for what is missing"),
        )
    })?;
    if values.len() != n {
        return Err(Problem::field(
            format!("/inputs/{at}/data"),
            format!(
                "the tensor has {} values, and its shape is {:?}",
                values.len(),
                tensor.shape
            ),
            format!("send {n} values"),
        ));
    }
    Ok(values)
}

/// The error is the place of a value that cannot be read.
fn flatten<T>(
    data: &Value,
    values: &mut Vec<T>,
    read: &dyn Fn(&Value) -> Option<T>,
    pointer: &mut String,
) -> Result<(), String> {
    let Value::Array(inner) = data else {
        values.push(read(data).ok_or_else(|| pointer.clone())?);
        return Ok(());
    };
    for (at, value) in inner.iter().enumerate() {
        let length = pointer.len();
        pointer.push_str(&format!("/{at}"));
        flatten(value, values, read, pointer)?;
        pointer.truncate(length);
    }
    Ok(())
}
