//! A model as PMML 4.4: the same look-ups as derived fields, in 64-bit floats from the features to
//! the likelihood.

use leadscore_core::FeatureKind;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::PmmlError;
use crate::axis::Axis;
use crate::model::Model;
use crate::term::{BinsTerm, LevelsTerm, LinearTerm, PairTerm, Term};

/// The outputs, by name.
const OUTPUTS: [&str; 3] = ["probability", "log_odds", "likelihood_to_close"];

impl Model {
    /// The text of [`to_pmml`](Self::to_pmml).
    pub(crate) fn pmml_text(&self) -> Result<String, PmmlError> {
        let used = self.features_read();
        if let Some(&idx) = used
            .iter()
            .find(|&&idx| OUTPUTS.contains(&self.specs[idx].name.as_str()))
        {
            return Err(PmmlError::Output(self.specs[idx].name.clone()));
        }
        let calibrated = self.derived_name("sum_calibrated");
        let document = Element::new("PMML")
            .with("xmlns", "http://www.dmg.org/PMML-4_4")
            .with("version", "4.4")
            .holding([
                self.header(),
                self.dictionary(&used),
                Element::new("TransformationDictionary").holding(self.derived(&calibrated)),
                self.regression(&used, &calibrated),
            ]);
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 1);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        document.write(&mut writer)?;
        Ok(String::from_utf8(writer.into_inner()).expect("texts make texts"))
    }

    /// Where the model comes from.
    fn header(&self) -> Element {
        Element::new("Header")
            .with("description", "Likelihood that a lead is won, in per cent")
            .holding([
                Element::new("Extension")
                    .with("name", "model_id")
                    .with("value", &*self.card.model_id),
                Element::new("Extension")
                    .with("name", "training_cutoff")
                    .with("value", &*self.card.training_cutoff),
                Element::new("Application")
                    .with("name", "leadscore")
                    .with("version", &*self.card.tool_version),
            ])
    }

    /// The features that it reads.
    fn dictionary(&self, used: &[usize]) -> Element {
        let fields = used.iter().map(|&idx| {
            let spec = &self.specs[idx];
            let (scale, kind) = if spec.kind == FeatureKind::Category {
                ("categorical", "string")
            } else {
                ("continuous", "double")
            };
            Element::new("DataField")
                .with("name", &*spec.name)
                .with("displayName", spec.describe())
                .with("optype", scale)
                .with("dataType", kind)
        });
        Element::new("DataDictionary")
            .with("numberOfFields", used.len().to_string())
            .holding(fields)
    }

    /// Fields in log-odds: each term, their sum, and the sum along the calibration.
    fn derived(&self, calibrated: &str) -> Vec<Element> {
        let sum = self.derived_name("sum_of_terms");
        let mut derived = Vec::new();
        for (idx, term) in self.terms.iter().enumerate() {
            let (helpers, log_odds) = self.term_fields(idx, term);
            derived.extend(helpers);
            derived.push(derived_number(&self.term_name(idx), log_odds));
        }
        let addends = std::iter::once(number(self.intercept))
            .chain((0..self.terms.len()).map(|idx| field_ref(&self.term_name(idx))));
        derived.push(derived_number(&sum, apply("sum", addends.collect())));
        derived.push(match &self.calibration {
            None => derived_number(calibrated, field_ref(&sum)),
            Some(curve) => {
                let knots = curve.knots.iter().map(|(x, y)| {
                    Element::new("LinearNorm")
                        .with("orig", decimal(*x))
                        .with("norm", decimal(*y))
                });
                let curve = Element::new("NormContinuous")
                    .with("field", &*sum)
                    .with("outliers", "asIs");
                derived_number(calibrated, curve.holding(knots))
            }
        });
        derived
    }

    /// The regression whose one predictor is the calibrated sum, and its outputs.
    fn regression(&self, used: &[usize], calibrated: &str) -> Element {
        let schema = used
            .iter()
            .map(|&idx| Element::new("MiningField").with("name", &*self.specs[idx].name));
        let output = |name: &str, feature: &str| {
            Element::new("OutputField")
                .with("name", name)
                .with("optype", "continuous")
                .with("dataType", "double")
                .with("feature", feature)
        };
        let outputs = [
            output(OUTPUTS[0], "predictedValue"),
            output(OUTPUTS[1], "transformedValue").holding([field_ref(calibrated)]),
            output(OUTPUTS[2], "transformedValue")
                .holding([apply("*", vec![number(100.0), field_ref(OUTPUTS[0])])]),
        ];
        let predictor = Element::new("NumericPredictor")
            .with("name", calibrated)
            .with("coefficient", "1");
        Element::new("RegressionModel")
            .with("modelName", "leadscore")
            .with("functionName", "regression")
            .with("normalizationMethod", "logit")
            .holding([
                Element::new("MiningSchema").holding(schema),
                Element::new("Output").holding(outputs),
                Element::new("RegressionTable")
                    .with("intercept", "0")
                    .holding([predictor]),
            ])
    }

    /// The name of a field that is made of others, which no feature has.
    fn derived_name(&self, name: &str) -> String {
        let is_near = self.specs.iter().any(|spec| {
            ["term_", "sum_"]
                .iter()
                .any(|begin| spec.name.starts_with(begin))
        });
        if is_near {
            self.free_prefix("ls_") + name
        } else {
            name.to_owned()
        }
    }

    fn term_name(&self, idx: usize) -> String {
        self.derived_name(&format!("term_{}", idx + 1))
    }

    fn name(&self, feature_idx: usize) -> &str {
        &self.specs[feature_idx].name
    }

    /// The fields that a term needs beside its own, and what it adds.
    fn term_fields(&self, idx: usize, term: &Term) -> (Vec<Element>, Element) {
        match term {
            Term::Linear(term) => self.linear(idx, term),
            Term::Levels(term) => (Vec::new(), self.levels(term)),
            Term::Bins(term) => self.bins(idx, term),
            Term::Pair(term) => self.pair(idx, term),
        }
    }

    /// Of the value kept between its ends.
    fn linear(&self, idx: usize, term: &LinearTerm) -> (Vec<Element>, Element) {
        let feature = self.name(term.feature_idx);
        let (kept, helpers) = self.kept_within(idx, term.feature_idx, term.ends());
        let distance = apply("-", vec![field_ref(&kept), number(term.mean)]);
        (
            helpers,
            unless_missing(
                feature,
                term.missing,
                apply(
                    "*",
                    vec![
                        number(term.weight),
                        apply("/", vec![distance, number(term.scale)]),
                    ],
                ),
            ),
        )
    }

    /// A feature moved into a range: the field's name, and the field.
    fn kept_within(
        &self,
        idx: usize,
        feature_idx: usize,
        (low, high): (f64, f64),
    ) -> (String, Vec<Element>) {
        let feature = self.name(feature_idx);
        let beyond =
            |function: &str, limit: f64| apply(function, vec![field_ref(feature), number(limit)]);
        let at_most = apply(
            "if",
            vec![
                beyond("greaterThan", high),
                number(high),
                field_ref(feature),
            ],
        );
        // Comparisons take no missing value; what stands for one here is read nowhere.
        let within = unless_missing(
            feature,
            low,
            apply("if", vec![beyond("lessThan", low), number(low), at_most]),
        );
        let kept = format!("{}_within_range", self.term_name(idx));
        let helper = derived_number(&kept, within);
        (kept, vec![helper])
    }

    fn levels(&self, term: &LevelsTerm) -> Element {
        let rare = term.rare_levels.iter().map(|level| (level, term.rare));
        let rows = term
            .levels
            .iter()
            .map(|(level, weight)| (level, *weight))
            .chain(rare);
        let rows: Vec<Element> = rows
            .map(|(level, weight)| row([("level", level.clone()), ("value", decimal(weight))]))
            .collect();
        let feature = self.name(term.feature_idx);
        if rows.is_empty() {
            return unless_missing(feature, term.missing, number(term.unseen));
        }
        look_up([(feature, "level")], "double", rows)
            .with("mapMissingTo", decimal(term.missing))
            .with("defaultValue", decimal(term.unseen))
    }

    /// Of the value kept within its range: what its bin says at 0, and the slope within all bins.
    fn bins(&self, idx: usize, term: &BinsTerm) -> (Vec<Element>, Element) {
        let feature = self.name(term.feature_idx);
        let (kept, mut helpers) = self.kept_within(idx, term.feature_idx, term.range);
        // Slopes start at the middle bin, so that no two large numbers cancel.
        let middle = term.centers[term.centers.len() / 2];
        let values = term
            .weights
            .iter()
            .zip(&term.centers)
            .map(|(weight, center)| decimal(weight - term.tilt * (center - middle)));
        let steps = discretize(&kept, "double", &term.edges, values.collect());
        if term.tilt == 0.0 {
            return (helpers, unless_missing(feature, term.missing, steps));
        }
        let step = format!("{}_step", self.term_name(idx));
        let slope = apply(
            "*",
            vec![
                number(term.tilt),
                apply("-", vec![field_ref(&kept), number(middle)]),
            ],
        );
        let log_odds = unless_missing(
            feature,
            term.missing,
            apply("+", vec![field_ref(&step), slope]),
        );
        helpers.push(derived_number(&step, steps));
        (helpers, log_odds)
    }

    fn pair(&self, idx: usize, term: &PairTerm) -> (Vec<Element>, Element) {
        let names = ["first", "second"].map(|side| format!("{}_{side}", self.term_name(idx)));
        let helpers = [&term.first, &term.second]
            .into_iter()
            .zip(&names)
            .map(|(axis, name)| derived(name, "categorical", "string", self.cell(axis)));
        let width = term.second.n_cells();
        let rows = term.weights.iter().enumerate().map(|(cell, weight)| {
            row([
                ("first", cell_name(cell / width)),
                ("second", cell_name(cell % width)),
                ("value", decimal(*weight)),
            ])
        });
        let log_odds = look_up(
            [(&names[0], "first"), (&names[1], "second")],
            "double",
            rows.collect(),
        );
        (helpers.collect(), log_odds)
    }

    /// The cell of a side, by name.
    fn cell(&self, axis: &Axis) -> Element {
        let feature = self.name(axis.feature_idx());
        let last = cell_name(axis.n_cells() - 1);
        match axis {
            Axis::Bins { edges, .. } => discretize(
                feature,
                "string",
                edges,
                (0..=edges.len()).map(cell_name).collect(),
            )
            .with("mapMissingTo", last),
            Axis::Levels { levels, .. } if levels.is_empty() => Element::new("Constant")
                .with("dataType", "string")
                .saying(last),
            Axis::Levels { levels, .. } => {
                let rows = levels.iter().enumerate().map(|(cell, level)| {
                    row([("level", level.clone()), ("value", cell_name(cell))])
                });
                look_up([(feature, "level")], "string", rows.collect())
                    .with("mapMissingTo", &*last)
                    .with("defaultValue", last)
            }
        }
    }
}

fn cell_name(cell: usize) -> String {
    format!("cell_{}", cell + 1)
}

/// A number that reads back as the same bits.
fn decimal(value: f64) -> String {
    format!("{value:?}")
}

fn number(value: f64) -> Element {
    Element::new("Constant")
        .with("dataType", "double")
        .saying(decimal(value))
}

fn field_ref(field: &str) -> Element {
    Element::new("FieldRef").with("field", field)
}

fn apply(function: &str, arguments: Vec<Element>) -> Element {
    Element::new("Apply")
        .with("function", function)
        .holding(arguments)
}

fn unless_missing(feature: &str, missing: f64, otherwise: Element) -> Element {
    apply(
        "if",
        vec![
            apply("isMissing", vec![field_ref(feature)]),
            number(missing),
            otherwise,
        ],
    )
}

fn derived(name: &str, scale: &str, kind: &str, expression: Element) -> Element {
    Element::new("DerivedField")
        .with("name", name)
        .with("optype", scale)
        .with("dataType", kind)
        .holding([expression])
}

fn derived_number(name: &str, expression: Element) -> Element {
    derived(name, "continuous", "double", expression)
}

/// One value for each bin: above an edge, up to the next.
fn discretize(field: &str, kind: &str, edges: &[f64], values: Vec<String>) -> Element {
    let bins = values.into_iter().enumerate().map(|(bin, value)| {
        // An interval must have an end: a bin that holds everything begins at the smallest number.
        let closure = if edges.is_empty() {
            "closedOpen"
        } else if bin == edges.len() {
            "openOpen"
        } else {
            "openClosed"
        };
        let mut interval = Element::new("Interval").with("closure", closure);
        if bin > 0 || edges.is_empty() {
            interval = interval.with(
                "leftMargin",
                decimal(if bin > 0 { edges[bin - 1] } else { f64::MIN }),
            );
        }
        if let Some(edge) = edges.get(bin) {
            interval = interval.with("rightMargin", decimal(*edge));
        }
        Element::new("DiscretizeBin")
            .with("binValue", value)
            .holding([interval])
    });
    Element::new("Discretize")
        .with("field", field)
        .with("dataType", kind)
        .holding(bins)
}

/// A table from columns to `value`.
fn look_up<const N: usize>(columns: [(&str, &str); N], kind: &str, rows: Vec<Element>) -> Element {
    let pairs = columns.into_iter().map(|(field, column)| {
        Element::new("FieldColumnPair")
            .with("field", field)
            .with("column", column)
    });
    let table = Element::new("InlineTable").holding(rows);
    Element::new("MapValues")
        .with("outputColumn", "value")
        .with("dataType", kind)
        .holding(pairs.chain([table]))
}

fn row<const N: usize>(cells: [(&'static str, String); N]) -> Element {
    Element::new("row").holding(cells.map(|(column, value)| Element::new(column).saying(value)))
}

/// An element of XML.
struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    content: Content,
}

enum Content {
    Elements(Vec<Element>),
    Text(String),
}

impl Element {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            content: Content::Elements(Vec::new()),
        }
    }

    fn with(mut self, attribute: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((attribute, value.into()));
        self
    }

    fn holding(mut self, elements: impl IntoIterator<Item = Self>) -> Self {
        self.content = Content::Elements(elements.into_iter().collect());
        self
    }

    fn saying(mut self, text: String) -> Self {
        self.content = Content::Text(text);
        self
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> Result<(), PmmlError> {
        for (_, text) in &self.attributes {
            check(text)?;
        }
        let start = writer.create_element(self.name).with_attributes(
            self.attributes
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        );
        match &self.content {
            Content::Elements(elements) if elements.is_empty() => {
                start.write_empty()?;
            }
            Content::Elements(elements) => {
                let mut result = Ok(());
                start.write_inner_content(|writer| {
                    result = elements
                        .iter()
                        .try_for_each(|element| element.write(writer));
                    Ok(())
                })?;
                result?;
            }
            Content::Text(text) => {
                check(text)?;
                start.write_text_content(BytesText::new(text))?;
            }
        }
        Ok(())
    }
}

/// Refuses what would not come back the same: <https://www.w3.org/TR/xml/#charsets> and the ends of
/// lines, which readers change.
fn check(text: &str) -> Result<(), PmmlError> {
    if text.contains(|character: char| {
        character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}')
    }) {
        return Err(PmmlError::Character {
            text: text.to_owned(),
        });
    }
    Ok(())
}
