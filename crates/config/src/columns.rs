//! Settings that hold for a whole table or for some of its columns: types, missing markers,
//! formats.

use std::borrow::Cow;
use std::collections::BTreeMap;

use leadscore_core::{Tokenizer, Writing};
use leadscore_values::{DEFAULT_NULLS, NumberFormat, Sign};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// Whether `exclude` leaves out a column: by its name, or with an object whose field it is. What is
/// no column itself is an object: tables refuse all other names.
pub fn is_excluded(exclude: &[String], column: &str, is_column: impl Fn(&str) -> bool) -> bool {
    exclude.iter().any(|entry| {
        let is_field = || {
            column
                .strip_prefix(entry.as_str())
                .is_some_and(|rest| rest.starts_with('.'))
        };
        entry == column || is_field() && !is_column(entry)
    })
}

/// What a column holds, where the config says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    /// Numbers; their writing is told by all cells together, unless it is declared here.
    Number(Option<NumberStyle>),
    /// Words, numbers among them.
    Category,
    /// Times: not learned from.
    Time,
    /// Dates: learned from as the days from the snapshot to each.
    Days,
    /// What tells rows apart: not learned from.
    Id,
    /// Several values in a cell: a set, or words.
    Tokens(Tokenizer),
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberStyle {
    /// What begins the fraction: "." or ","; default ".", or "," where "." parts thousands.
    #[serde(default)]
    decimal: Option<char>,
    /// What parts thousands: ",", ".", "'" or " "; default: the other one.
    #[serde(default)]
    thousands: Option<char>,
    /// "negative": (12) is −12.
    #[serde(default)]
    parentheses: Option<Parentheses>,
}

/// What a number within parentheses is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Parentheses {
    /// Below zero.
    Negative,
}

impl NumberStyle {
    /// `1.234,5` or `1,234.5`.
    pub fn with_decimal_comma(is_comma: bool) -> Self {
        Self {
            decimal: Some(if is_comma { ',' } else { '.' }),
            thousands: None,
            parentheses: None,
        }
    }

    /// As the numbers of a model's training were written.
    pub fn of_writing(writing: Writing) -> Self {
        Self {
            decimal: Some(writing.decimal),
            thousands: writing.thousands,
            parentheses: None,
        }
    }

    /// What its signs mean; `None` where the style leaves that to the cells.
    pub fn format(self) -> Option<NumberFormat> {
        let is_comma = match (self.decimal, self.thousands) {
            (Some(decimal), _) => decimal == ',',
            (None, Some(thousands)) => thousands == '.',
            (None, None) => return None,
        };
        let (decimal, other) = (Some(Sign::Decimal), Some(Sign::Thousands));
        let (comma, point) = if is_comma {
            (decimal, other)
        } else {
            (other, decimal)
        };
        Some(NumberFormat {
            comma,
            point,
            parentheses: self.has_negative_parentheses(),
            ..NumberFormat::PLAIN
        })
    }

    /// Whether `(12)` is −12.
    pub fn has_negative_parentheses(self) -> bool {
        self.parentheses == Some(Parentheses::Negative)
    }

    fn defect(self) -> Option<&'static str> {
        if !matches!(self.decimal, None | Some('.' | ',')) {
            return Some("`decimal` is \".\" or \",\"");
        }
        if !matches!(self.thousands, None | Some('.' | ',' | '\'' | ' ')) {
            return Some("`thousands` is \",\", \".\", \"'\" or \" \"");
        }
        (self.decimal.is_some() && self.decimal == self.thousands)
            .then_some("`decimal` and `thousands` are the same sign")
    }
}

impl<'de> Deserialize<'de> for ColumnType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let wrong = || "expected \"number\", \"category\", \"words\", \"days\", \"time\", \"id\", { set = \";\" }, or for numbers such as { decimal = \",\", thousands = \".\" }";
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(word) => match word.as_str() {
                "number" => Ok(Self::Number(None)),
                "category" => Ok(Self::Category),
                "time" => Ok(Self::Time),
                "days" => Ok(Self::Days),
                "date" => Err(Error::custom(
                    "`date` is not a type: write \"days\" to learn from the days until the date, or \"time\" to leave it out",
                )),
                "id" => Ok(Self::Id),
                "words" => Ok(Self::Tokens(Tokenizer::Words)),
                _ => Err(Error::custom(format!(
                    "`{word}` is not a type: {}",
                    wrong()
                ))),
            },
            toml::Value::Table(table) if table.contains_key("set") => separator_of(&table)
                .map(|separator| Self::Tokens(Tokenizer::Set(separator)))
                .ok_or_else(|| {
                    Error::custom(
                        "a set is written { set = \";\" }, with what stands between two of its values",
                    )
                }),
            toml::Value::Table(table)
                if !["decimal", "thousands", "parentheses"]
                    .iter()
                    .any(|key| table.contains_key(*key)) =>
            {
                Err(Error::custom(format!("not a type: {}", wrong())))
            }
            value @ toml::Value::Table(_) => {
                let style = NumberStyle::deserialize(value)
                    .map_err(|error| Error::custom(error.message().to_owned()))?;
                style
                    .defect()
                    .map_or(Ok(Self::Number(Some(style))), |defect| {
                        Err(Error::custom(defect))
                    })
            }
            value @ (toml::Value::Integer(_)
            | toml::Value::Float(_)
            | toml::Value::Boolean(_)
            | toml::Value::Datetime(_)
            | toml::Value::Array(_)) => Err(Error::custom(format!(
                "`{value}` is not a type: {}",
                wrong()
            ))),
        }
    }
}

/// The separator of `{ set = ";" }`.
fn separator_of(table: &toml::Table) -> Option<String> {
    let separator = table.get("set")?.as_str()?;
    (table.len() == 1 && !separator.is_empty()).then(|| separator.to_owned())
}

impl JsonSchema for ColumnType {
    fn schema_name() -> Cow<'static, str> {
        "ColumnType".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let style = generator.subschema_for::<NumberStyle>();
        schemars::json_schema!({ "anyOf": [
            { "enum": ["number", "category", "words", "days", "time", "id"] },
            {
                "type": "object",
                "properties": { "set": { "type": "string", "minLength": 1 } },
                "required": ["set"],
                "additionalProperties": false
            },
            style
        ] })
    }
}

impl ColumnType {
    /// How cells are split, where they hold several values.
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        match self {
            Self::Tokens(tokenizer) => Some(tokenizer),
            Self::Number(_) | Self::Category | Self::Days | Self::Time | Self::Id => None,
        }
    }

    /// Its name, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tokens(Tokenizer::Set(_)) => "set",
            Self::Tokens(Tokenizer::Words) => "words",
            Self::Number(_) => "number",
            Self::Category => "category",
            Self::Time => "time",
            Self::Days => "days",
            Self::Id => "id",
        }
    }
}

/// A setting for all columns of a table, or by column.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PerColumn<T> {
    /// For all of them.
    All(T),
    /// By name of the column.
    Columns(BTreeMap<String, T>),
}

impl<T> PerColumn<T> {
    /// What holds for a column.
    pub fn of(&self, column: &str) -> Option<&T> {
        match self {
            Self::All(value) => Some(value),
            Self::Columns(columns) => columns.get(column),
        }
    }

    /// The columns that it names.
    pub fn columns(&self) -> impl Iterator<Item = &String> {
        match self {
            Self::All(_) => None,
            Self::Columns(columns) => Some(columns.keys()),
        }
        .into_iter()
        .flatten()
    }

    /// Every value, with its column where it is of one alone.
    pub fn values(&self) -> impl Iterator<Item = (Option<&String>, &T)> {
        let (all, columns) = match self {
            Self::All(value) => (Some((None, value)), None),
            Self::Columns(columns) => (
                None,
                Some(columns.iter().map(|(column, value)| (Some(column), value))),
            ),
        };
        all.into_iter().chain(columns.into_iter().flatten())
    }
}

/// The markers that mean missing in a column: a list for the table takes the place of the default
/// list, one for a column is added to it.
pub fn null_values<'a>(
    configured: Option<&'a PerColumn<Vec<String>>>,
    column: &str,
) -> Vec<&'a str> {
    match configured {
        None => DEFAULT_NULLS.to_vec(),
        Some(PerColumn::All(values)) => values.iter().map(String::as_str).collect(),
        Some(PerColumn::Columns(columns)) => {
            let own = columns
                .get(column)
                .into_iter()
                .flatten()
                .map(String::as_str);
            DEFAULT_NULLS.into_iter().chain(own).collect()
        }
    }
}
