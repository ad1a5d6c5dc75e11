//! A model as an ONNX file: the same look-ups as a graph, in 64-bit floats from the features to the
//! likelihood.

mod proto;

use leadscore_core::FeatureKind;
use prost::Message as _;

use self::proto::{
    AttributeProto, DataType, GraphProto, ModelProto, NodeProto, OperatorSetId, StringEntry,
    TensorProto, ValueInfo,
};
use super::OnnxError;
use crate::axis::Axis;
use crate::calibration::CalibrationCurve;
use crate::model::Model;
use crate::term::{BinsTerm, LevelsTerm, LinearTerm, PairTerm, Term};

/// Version of the standard operators: the first that every runtime of the last years has.
const OPSET: i64 = 17;
/// Version of the operators of machine learning: `LabelEncoder` over texts.
const ML_OPSET: i64 = 3;
/// Version of the file format that goes with them.
const IR_VERSION: i64 = 8;

/// The outputs, by name.
const OUTPUTS: [&str; 2] = ["log_odds", "likelihood_to_close"];

impl Model {
    /// The bytes of [`to_onnx`](Self::to_onnx).
    pub(crate) fn onnx_bytes(&self) -> Result<Vec<u8>, OnnxError> {
        self.check_for_onnx()?;
        let mut graph = Graph {
            prefix: self.free_prefix(" "),
            ..Graph::default()
        };
        let mut addends: Vec<String> = Vec::with_capacity(self.terms.len());
        for term in &self.terms {
            addends.push(match term {
                Term::Linear(term) => graph.linear(self, term),
                Term::Levels(term) => graph.levels(self, term),
                Term::Bins(term) => graph.bins(self, term),
                Term::Pair(term) => graph.pair(self, term),
            });
        }
        let used = self.features_read();
        let mut total = match used.first() {
            None => graph.win_rate_input(),
            Some(_) => {
                let beside = graph.node(
                    "Concat",
                    &refs(&addends),
                    vec![AttributeProto::int("axis", 1)],
                );
                let axes = graph.integers(&[1], vec![1]);
                graph.node(
                    "ReduceSum",
                    &[&beside, &axes],
                    vec![AttributeProto::int("keepdims", 1)],
                )
            }
        };
        let intercept = graph.number(self.intercept);
        total = graph.node("Add", &[&total, &intercept], vec![]);
        if let Some(curve) = &self.calibration {
            total = graph.calibrated(&total, curve);
        }
        graph.named("Identity", &[&total], OUTPUTS[0]);
        let probability = graph.node("Sigmoid", &[OUTPUTS[0]], vec![]);
        let hundred = graph.number(100.0);
        graph.named("Mul", &[&probability, &hundred], OUTPUTS[1]);
        Ok(self.file_of(graph, &used).encode_to_vec())
    }

    /// The file of a graph that reads these features.
    fn file_of(&self, graph: Graph, used: &[usize]) -> ModelProto {
        let mut inputs: Vec<ValueInfo> = used
            .iter()
            .map(|&idx| {
                let is_category = self.specs[idx].kind == FeatureKind::Category;
                ValueInfo::column(
                    &self.specs[idx].name,
                    if is_category {
                        DataType::String
                    } else {
                        DataType::Double
                    },
                )
            })
            .collect();
        if inputs.is_empty() {
            inputs.push(ValueInfo::column(ANY, DataType::Double));
        }
        let outputs = OUTPUTS.map(|name| ValueInfo::column(name, DataType::Double));
        ModelProto {
            ir_version: IR_VERSION,
            producer_name: "leadscore".to_owned(),
            producer_version: self.card.tool_version.clone(),
            doc_string: "Likelihood that a lead is won, in per cent".to_owned(),
            graph: Some(GraphProto {
                node: graph.nodes,
                name: "leadscore".to_owned(),
                initializer: graph.constants,
                input: inputs,
                output: outputs.into(),
            }),
            opset_import: vec![
                OperatorSetId {
                    domain: String::new(),
                    version: OPSET,
                },
                OperatorSetId {
                    domain: ML_DOMAIN.to_owned(),
                    version: ML_OPSET,
                },
            ],
            metadata_props: vec![
                StringEntry {
                    key: "model_id".to_owned(),
                    value: self.card.model_id.clone(),
                },
                StringEntry {
                    key: "training_cutoff".to_owned(),
                    value: self.card.training_cutoff.clone(),
                },
            ],
        }
    }

    fn check_for_onnx(&self) -> Result<(), OnnxError> {
        let used = self.features_read();
        if let Some(&idx) = used
            .iter()
            .find(|&&idx| OUTPUTS.contains(&self.specs[idx].name.as_str()))
        {
            return Err(OnnxError::Output(self.specs[idx].name.clone()));
        }
        let empty_in = |axis: &Axis| match axis {
            Axis::Levels {
                feature_idx,
                levels,
            } if levels.iter().any(String::is_empty) => Some(*feature_idx),
            Axis::Levels { .. } | Axis::Bins { .. } => None,
        };
        let empty = self.terms.iter().find_map(|term| match term {
            Term::Levels(term) => {
                let mut levels = term
                    .levels
                    .iter()
                    .map(|(level, _)| level)
                    .chain(&term.rare_levels);
                levels.any(String::is_empty).then_some(term.feature_idx)
            }
            Term::Pair(pair) => empty_in(&pair.first).or_else(|| empty_in(&pair.second)),
            Term::Linear(_) | Term::Bins(_) => None,
        });
        empty.map_or(Ok(()), |idx| {
            Err(OnnxError::EmptyLevel(self.specs[idx].name.clone()))
        })
    }
}

const ML_DOMAIN: &str = "ai.onnx.ml";
/// The input of a model that reads no feature: any column says how many rows there are.
const ANY: &str = "any";

fn refs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// A graph under construction: every value has a name of its own.
#[derive(Default)]
struct Graph {
    /// Begins the names of values; no feature's name begins so.
    prefix: String,
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    n_values: usize,
}

impl Graph {
    fn name(&mut self) -> String {
        self.n_values += 1;
        format!("{}{}", self.prefix, self.n_values)
    }

    fn node(&mut self, operator: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        let output = self.name();
        self.push(operator, inputs, output.clone(), attributes);
        output
    }

    fn named(&mut self, operator: &str, inputs: &[&str], output: &str) {
        self.push(operator, inputs, output.to_owned(), vec![]);
    }

    fn push(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: String,
        attribute: Vec<AttributeProto>,
    ) {
        let domain = if operator == "LabelEncoder" {
            ML_DOMAIN
        } else {
            ""
        };
        let input = inputs.iter().map(|&name| name.to_owned()).collect();
        self.nodes.push(NodeProto {
            input,
            output: vec![output],
            op_type: operator.to_owned(),
            attribute,
            domain: domain.to_owned(),
        });
    }

    fn constant(&mut self, make: impl FnOnce(String) -> TensorProto) -> String {
        let name = self.name();
        self.constants.push(make(name.clone()));
        name
    }

    fn numbers(&mut self, shape: &[i64], values: Vec<f64>) -> String {
        self.constant(|name| TensorProto::doubles(name, shape, values))
    }

    fn integers(&mut self, shape: &[i64], values: Vec<i64>) -> String {
        self.constant(|name| TensorProto::integers(name, shape, values))
    }

    /// One number, for all rows.
    fn number(&mut self, value: f64) -> String {
        self.numbers(&[1, 1], vec![value])
    }

    fn integer(&mut self, value: usize) -> String {
        self.integers(&[1, 1], vec![value as i64])
    }

    /// The entry of a list at each row's position.
    fn look_up(&mut self, values: Vec<f64>, position: &str) -> String {
        let list = self.numbers(&[values.len() as i64], values);
        self.node(
            "Gather",
            &[&list, position],
            vec![AttributeProto::int("axis", 0)],
        )
    }

    /// How many of these numbers, which rise, are below each row's value.
    fn n_below(&mut self, numbers: &[f64], value: &str) -> String {
        if numbers.is_empty() {
            let nothing = self.number(f64::NEG_INFINITY);
            let is_below = self.node("Less", &[value, &nothing], vec![]);
            return self.node(
                "Cast",
                &[&is_below],
                vec![AttributeProto::int("to", DataType::Int64 as i64)],
            );
        }
        let edges = self.numbers(&[1, numbers.len() as i64], numbers.to_vec());
        let is_below = self.node("Less", &[&edges, value], vec![]);
        let counted = self.node(
            "Cast",
            &[&is_below],
            vec![AttributeProto::int("to", DataType::Int64 as i64)],
        );
        let axes = self.integers(&[1], vec![1]);
        self.node(
            "ReduceSum",
            &[&counted, &axes],
            vec![AttributeProto::int("keepdims", 1)],
        )
    }

    /// Whether a number is missing, and the number with another in place of a missing one.
    fn filled(&mut self, column: &str, instead: f64) -> (String, String) {
        let is_missing = self.node("IsNaN", &[column], vec![]);
        let instead = self.number(instead);
        let filled = self.node("Where", &[&is_missing, &instead, column], vec![]);
        (is_missing, filled)
    }

    fn or_missing(&mut self, is_missing: &str, missing: f64, value: &str) -> String {
        let missing = self.number(missing);
        self.node("Where", &[is_missing, &missing, value], vec![])
    }

    fn within(&mut self, value: &str, (low, high): (f64, f64)) -> String {
        let (low, high) = (self.number(low), self.number(high));
        let capped = self.node("Min", &[value, &high], vec![]);
        self.node("Max", &[&capped, &low], vec![])
    }

    fn linear(&mut self, model: &Model, term: &LinearTerm) -> String {
        let (is_missing, value) = self.filled(&model.specs[term.feature_idx].name, term.mean);
        let (mean, scale, weight) = (
            self.number(term.mean),
            self.number(term.scale),
            self.number(term.weight),
        );
        let value = self.within(&value, term.ends());
        let centered = self.node("Sub", &[&value, &mean], vec![]);
        let scaled = self.node("Div", &[&centered, &scale], vec![]);
        let weighted = self.node("Mul", &[&weight, &scaled], vec![]);
        self.or_missing(&is_missing, term.missing, &weighted)
    }

    fn bins(&mut self, model: &Model, term: &BinsTerm) -> String {
        let (is_missing, value) = self.filled(&model.specs[term.feature_idx].name, term.range.0);
        let value = self.within(&value, term.range);
        let bin = self.n_below(&term.edges, &value);
        let mut found = self.look_up(term.weights.clone(), &bin);
        if term.tilt != 0.0 {
            let center = self.look_up(term.centers.clone(), &bin);
            let tilt = self.number(term.tilt);
            let beyond = self.node("Sub", &[&value, &center], vec![]);
            let slope = self.node("Mul", &[&tilt, &beyond], vec![]);
            found = self.node("Add", &[&found, &slope], vec![]);
        }
        self.or_missing(&is_missing, term.missing, &found)
    }

    /// The number of each row's level, `others` where it is not among these; the empty text is a
    /// missing level.
    fn level_number(&mut self, column: &str, numbers: Vec<(String, i64)>, others: i64) -> String {
        let (keys, values) = numbers.into_iter().unzip();
        let attributes = vec![
            AttributeProto::strings("keys_strings", keys),
            AttributeProto::ints("values_int64s", values),
            AttributeProto::int("default_int64", others),
        ];
        self.node("LabelEncoder", &[column], attributes)
    }

    fn levels(&mut self, model: &Model, term: &LevelsTerm) -> String {
        let n = term.levels.len() as i64;
        let mut numbers: Vec<(String, i64)> = term
            .levels
            .iter()
            .map(|(level, _)| level.clone())
            .zip(0..)
            .collect();
        numbers.extend(term.rare_levels.iter().map(|level| (level.clone(), n)));
        numbers.push((String::new(), n + 1));
        let number = self.level_number(&model.specs[term.feature_idx].name, numbers, n + 2);
        let weights = term
            .levels
            .iter()
            .map(|(_, weight)| *weight)
            .chain([term.rare, term.missing, term.unseen])
            .collect();
        self.look_up(weights, &number)
    }

    fn cell(&mut self, model: &Model, axis: &Axis) -> String {
        let column = &model.specs[axis.feature_idx()].name;
        match axis {
            Axis::Bins { edges, .. } => {
                let (is_missing, value) = self.filled(column, 0.0);
                let cell = self.n_below(edges, &value);
                let missing = self.integer(axis.n_cells() - 1);
                self.node("Where", &[&is_missing, &missing, &cell], vec![])
            }
            Axis::Levels { levels, .. } => self.level_number(
                column,
                levels.iter().cloned().zip(0..).collect(),
                levels.len() as i64,
            ),
        }
    }

    fn pair(&mut self, model: &Model, term: &PairTerm) -> String {
        let (first, second) = (
            self.cell(model, &term.first),
            self.cell(model, &term.second),
        );
        let width = self.integer(term.second.n_cells());
        let row = self.node("Mul", &[&first, &width], vec![]);
        let cell = self.node("Add", &[&row, &second], vec![]);
        self.look_up(term.weights.clone(), &cell)
    }

    /// Through the pieces of the calibration curve.
    fn calibrated(&mut self, total: &str, curve: &CalibrationCurve) -> String {
        // The first and the last knot part nothing: their pieces go on.
        let inner: Vec<f64> = curve.knots[1..curve.knots.len() - 1]
            .iter()
            .map(|(x, _)| *x)
            .collect();
        let piece = self.n_below(&inner, total);
        let slopes = curve
            .knots
            .windows(2)
            .map(|pair| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0))
            .collect();
        let (x, y) = curve.knots[..curve.knots.len() - 1].iter().copied().unzip();
        let (x, y, slope) = (
            self.look_up(x, &piece),
            self.look_up(y, &piece),
            self.look_up(slopes, &piece),
        );
        let beyond = self.node("Sub", &[total, &x], vec![]);
        let risen = self.node("Mul", &[&slope, &beyond], vec![]);
        self.node("Add", &[&y, &risen], vec![])
    }

    /// Zeros, as many as there are rows, for a model that reads no feature.
    fn win_rate_input(&mut self) -> String {
        // Whatever they are: infinity times zero is no zero.
        let is_missing = self.node("IsNaN", &[ANY], vec![]);
        let (nothing, zero) = (self.number(0.0), self.number(0.0));
        self.node("Where", &[&is_missing, &nothing, &zero], vec![])
    }
}
