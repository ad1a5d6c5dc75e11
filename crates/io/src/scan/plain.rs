//! Cells of types that a plain table has none of: bytes and lists become texts, or the column cannot
//! be read.

use leadscore_config::{Doubt, Subject, lines, quoted};
use leadscore_core::Tokenizer;
use polars_core::error::PolarsResult;
use polars_core::prelude::{DataFrame, DataType, NamedFrom, Series};

use super::part::engine_error;
use super::table::Table;
use crate::arrow_types;
use crate::error::TablesError;

impl Table<'_> {
    /// Bytes as texts, and lists as the texts of sets; fails where a column holds what no cell of a
    /// plain table does.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "types of a library: those not named are read the same way, or not at all"
    )]
    pub(super) fn plain(&self, mut frame: DataFrame) -> Result<DataFrame, TablesError> {
        let several = self.file.several.map(|(column, _)| column);
        let mut doubts = Vec::new();
        let mut texts = Vec::new();
        for column in frame.columns() {
            let (name, kind) = (column.name().as_str(), column.dtype());
            let is_uuid = self.parts.iter().any(|part| part.uuids.contains(name));
            match kind {
                DataType::Binary | DataType::BinaryOffset => {
                    match arrow_types::texts_of_bytes(column.as_materialized_series(), is_uuid) {
                        Some(series) => texts.push(series),
                        None => doubts.push(self.type_doubt(name, &arrow_types::held_name(kind))),
                    }
                }
                DataType::List(_) if several == Some(name) => {}
                DataType::List(of) if is_plain(of) => match self.separator_of(name) {
                    None => doubts.push(self.list_doubt(name)),
                    Some(separator) => {
                        let sets = sets(column.as_materialized_series(), separator)
                            .map_err(|error| engine_error(self.path(), error))?;
                        match sets {
                            Ok(series) => texts.push(series),
                            Err(member) => doubts.push(self.member_doubt(name, &member, separator)),
                        }
                    }
                },
                kind if is_plain(kind) => {}
                kind => doubts.push(self.type_doubt(name, &arrow_types::held_name(kind))),
            }
        }
        if !doubts.is_empty() {
            return Err(TablesError::Doubts(doubts));
        }
        for series in texts {
            frame
                .with_column(series.into())
                .map_err(|error| engine_error(self.path(), error))?;
        }
        Ok(frame)
    }

    /// The separator of a column that the config declares to be one of sets.
    fn separator_of(&self, column: &str) -> Option<&str> {
        match self.file.types.get(column)?.tokenizer()? {
            Tokenizer::Set(separator) => Some(separator),
            Tokenizer::Words => None,
        }
    }

    /// Lists of plain values, which may be sets.
    fn list_doubt(&self, column: &str) -> Doubt {
        let doubt = self.type_doubt(column, "lists");
        if self.learns() {
            let kind = format!("{{ set = {} }}", quoted(";"));
            return doubt.settled_by(
                lines::type_line(column, &kind),
                "each value in the lists becomes a feature",
            );
        }
        doubt
    }

    /// A list with a value that would be two values of a set.
    fn member_doubt(&self, column: &str, member: &str, separator: &str) -> Doubt {
        let found = format!(
            "it has a list with the value `{member}`, which the separator `{separator}` would split"
        );
        Doubt::new(Subject::Types, &self.name, found)
            .of_column(column)
            .at(Some(self.path().display().to_string()))
            .advise("declare a separator that no value has")
    }
}

/// Whether a type is one of single cells.
fn is_plain(kind: &DataType) -> bool {
    kind.is_primitive_numeric()
        || kind.is_categorical()
        || kind.is_enum()
        || matches!(
            kind,
            DataType::String
                | DataType::Boolean
                | DataType::Null
                | DataType::Decimal(..)
                | DataType::Date
                | DataType::Datetime(..)
                | DataType::Time
        )
}

/// Lists as the texts of sets, an empty one as a missing cell; the error is a value that has the
/// separator in it.
fn sets(lists: &Series, separator: &str) -> PolarsResult<Result<Series, String>> {
    let rows = lists.list()?;
    let mut texts: Vec<Option<String>> = Vec::with_capacity(rows.len());
    for row in 0..rows.len() {
        let Some(members) = rows.get_as_series(row) else {
            texts.push(None);
            continue;
        };
        let members = members.cast(&DataType::String)?;
        let mut text = String::new();
        for member in members.str()?.iter().flatten().map(str::trim) {
            if member.contains(separator) {
                return Ok(Err(member.to_owned()));
            }
            if !text.is_empty() {
                text.push_str(separator);
            }
            text.push_str(member);
        }
        texts.push((!text.is_empty()).then_some(text));
    }
    Ok(Ok(Series::new(lists.name().clone(), texts)))
}
