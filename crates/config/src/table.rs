//! What every table of the config has: where its rows are, and how they are to be read.

use std::collections::BTreeMap;

use leadscore_core::Stamp;
use leadscore_values::TimeFormat;
use serde::Deserialize;

use super::columns::{ColumnType, NumberStyle, PerColumn, null_values};
use super::location::Location;
use super::moment::Moment;

/// What the time of an event is called that is a cell of `columns`.
pub const EVENT_TIME: &str = "at";
/// What its kind is called: the name of the column.
pub const EVENT_KIND: &str = "kind";

/// How the rows of a table are to be read; the same keys stand in every table.
#[derive(Debug, Clone)]
pub struct FileConfig<'a> {
    /// Files, relative to the config, or a frame.
    pub location: &'a Location,
    /// Cells that mean missing.
    pub null_values: Option<&'a PerColumn<Vec<String>>>,
    /// Formats of times.
    pub time_format: Option<&'a PerColumn<String>>,
    /// Zone of times that name none.
    pub time_zone: Option<chrono_tz::Tz>,
    /// Separator of CSV columns.
    pub delimiter: Option<u8>,
    /// Whether numbers are written `1.234,5`; `None` where the cells say so.
    pub decimal_comma: Option<bool>,
    /// Encoding of text files.
    pub encoding: Option<&'a str>,
    /// Lines above the header.
    pub skip_rows: usize,
    /// What columns hold.
    pub types: &'a BTreeMap<String, ColumnType>,
    /// The column whose cells have several ids, and what stands between them.
    pub several: Option<(&'a str, &'a str)>,
    /// The list of objects each of whose elements is a row, where lines are no rows.
    pub explode: Option<&'a str>,
    /// The column with the lead and the columns whose times are events, where rows are no events.
    pub events: Option<(&'a str, &'a [String])>,
    /// The column that says which rows were deleted.
    pub deleted: Option<&'a str>,
    /// The last moment that the rows speak of.
    pub ends: Option<Moment>,
}

impl<'a> FileConfig<'a> {
    /// A file of which nothing is said.
    pub fn plain(location: &'a Location) -> Self {
        static NO_TYPES: BTreeMap<String, ColumnType> = BTreeMap::new();
        Self {
            location,
            null_values: None,
            time_format: None,
            time_zone: None,
            delimiter: None,
            decimal_comma: None,
            encoding: None,
            skip_rows: 0,
            types: &NO_TYPES,
            several: None,
            explode: None,
            events: None,
            deleted: None,
            ends: None,
        }
    }

    /// The same part of another table's file, with what is said of this part.
    pub(super) fn of_same_file(self, other: FileConfig<'a>) -> Self {
        Self {
            events: self.events,
            null_values: self.null_values.or(other.null_values),
            time_format: self.time_format.or(other.time_format),
            time_zone: self.time_zone.or(other.time_zone),
            deleted: self.deleted.or(other.deleted),
            ends: self.ends.or(other.ends),
            ..other
        }
    }

    /// The column of the file that says how a column is written: of the times of events that are
    /// columns the first of these.
    fn written_as<'c>(&self, column: &'c str) -> &'c str
    where
        'a: 'c,
    {
        match self.events {
            Some((_, [first, ..])) if column == EVENT_TIME => first,
            _ => column,
        }
    }

    /// The markers that mean missing in a column.
    pub fn nulls(&self, column: &str) -> Vec<&'a str> {
        null_values(self.null_values, self.written_as(column))
    }

    /// The format that the config declares for the times of a column.
    pub fn format_of(&self, column: &str) -> Option<TimeFormat> {
        let text = self.time_format?.of(self.written_as(column))?;
        Some(TimeFormat::declared(text).expect("checked with the config"))
    }

    /// A time of a column that somebody types: written as the config says, or in ISO 8601.
    pub fn typed_time(&self, column: &str, text: &str) -> Option<Stamp> {
        let formats = self.format_of(column).into_iter().chain([TimeFormat::Iso]);
        let read = |format: TimeFormat| format.parse(text, self.time_zone).ok();
        formats.into_iter().find_map(read)
    }

    /// A day of the table's zone, such as `2025-06-01`; `None` of another one, or of a moment.
    pub fn day_text(&self, day: Stamp) -> Option<String> {
        use chrono::TimeZone;
        let utc = day.start.naive()?;
        let local = self
            .time_zone
            .map_or(utc, |zone| zone.from_utc_datetime(&utc).naive_local());
        let text = local.date().to_string();
        (TimeFormat::Iso.parse(&text, self.time_zone).ok() == Some(day)).then_some(text)
    }

    /// What the config says of how the numbers of a column are written.
    pub fn style_of(&self, column: &str) -> Option<NumberStyle> {
        match self.types.get(column) {
            Some(ColumnType::Number(Some(style))) => Some(*style),
            _ => self.decimal_comma.map(NumberStyle::with_decimal_comma),
        }
    }

    /// The columns of dates, of which the days from the snapshot are learned.
    pub fn columns_of_days(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let types = self.types.iter();
        types
            .filter(|(_, kind)| **kind == ColumnType::Days)
            .map(|(column, _)| column.as_str())
    }

    /// Columns that some setting of the table names, each with the setting.
    pub fn named_columns(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        let nulls = self
            .null_values
            .into_iter()
            .flat_map(PerColumn::columns)
            .map(|column| ("null_values", column));
        let formats = self
            .time_format
            .into_iter()
            .flat_map(PerColumn::columns)
            .map(|column| ("time_format", column));
        nulls
            .chain(formats)
            .chain(self.types.keys().map(|column| ("types", column)))
            .map(|(key, column)| (key, column.as_str()))
            .chain(self.deleted.map(|column| ("deleted", column)))
    }
}

/// A table of the config: the keys of its own, and those that all tables have.
macro_rules! table_config {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// File, glob, or list of either, relative to the config: csv, csv.gz, ndjson, parquet
            /// or arrow; or s3://, gs://, az://.
            #[serde(default)]
            pub path: crate::location::Location,
            /// A list of objects in NDJSON, such as "properties.history": each of its elements is a row,
            /// with its own fields and those of the object around the list.
            #[serde(default)]
            pub explode: Option<String>,
            /// In place of `path`, a query whose rows are the table.
            #[serde(default)]
            pub query: Option<String>,
            /// The database of the query, as in `[database]`, which is the default.
            #[serde(default)]
            #[schemars(with = "Option<String>")]
            pub uri: Option<leadscore_core::SecretUri>,
            $($(#[$field_meta])* pub $field: $kind,)*
            /// Cells that mean missing: a list, in place of the default one; or by column, {
            /// created = ["0"] }, beside the default one. An empty cell always does.
            #[serde(default)]
            pub null_values: Option<crate::columns::PerColumn<Vec<String>>>,
            /// Format of times: "%d-%m-%Y" and the like (strftime), "excel" or "excel_1904" (day
            /// numbers of spreadsheets), "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "iso"; for
            /// all times, or by column. Default: ISO 8601 or epoch, recognised.
            #[serde(default)]
            pub time_format: Option<crate::columns::PerColumn<String>>,
            /// Zone of times that name none, such as "Europe/Berlin"; default UTC.
            #[serde(default, deserialize_with = "crate::table::time_zone")]
            #[schemars(with = "Option<String>")]
            pub time_zone: Option<chrono_tz::Tz>,
            /// Separator of CSV columns; default: the one that the header uses.
            #[serde(default, deserialize_with = "crate::table::delimiter")]
            #[schemars(with = "Option<String>")]
            pub delimiter: Option<u8>,
            /// Whether numbers are written 1.234,5 (true) or 1,234.5 (false); default: told by all
            /// cells of a column together.
            #[serde(default)]
            pub decimal_comma: Option<bool>,
            /// Encoding of a text file, such as "latin1" or "utf-16le"; default: UTF-8, or what a
            /// byte order mark says.
            #[serde(default)]
            pub encoding: Option<String>,
            /// Lines of a CSV file above its header, such as a title; default 0.
            #[serde(default)]
            pub skip_rows: usize,
            /// What columns hold: "number", "category", "time" or "id"; "days" for dates of which the
            /// days from the snapshot are learned; { set = ";" } for several
            /// values in a cell and "words" for titles, each of which becomes a feature; for numbers also { decimal
            /// = ",", thousands = ".", parentheses = "negative" }.
            #[serde(default)]
            pub types: std::collections::BTreeMap<String, crate::columns::ColumnType>,
            /// Column that says which rows were deleted (true, yes or 1): these leave no trace, and of
            /// a deleted lead nothing in any table does.
            #[serde(default)]
            pub deleted: Option<String>,
            /// The last moment that its rows cover; default: its last day with as many rows as
            /// usual.
            #[serde(default)]
            pub ends: Option<crate::moment::Moment>,
        }
        impl $name {
            /// How its file is to be read, where cells of a column may hold several ids.
            fn file_where<'a>(&'a self, several: Option<(&'a str, &'a str)>) -> crate::table::FileConfig<'a> {
                crate::table::FileConfig {
                    location: &self.path,
                    null_values: self.null_values.as_ref(),
                    time_format: self.time_format.as_ref(),
                    time_zone: self.time_zone,
                    delimiter: self.delimiter,
                    decimal_comma: self.decimal_comma,
                    encoding: self.encoding.as_deref(),
                    skip_rows: self.skip_rows,
                    types: &self.types,
                    several,
                    explode: self.explode.as_deref(),
                    events: None,
                    deleted: self.deleted.as_deref(),
                    ends: self.ends,
                }
            }
        }
    };
}
pub(super) use table_config;

pub(super) fn time_zone<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<chrono_tz::Tz>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| {
        serde::de::Error::custom(format!(
            "`{text}` is not a time zone\n  hint: write an IANA name such as \"Europe/Berlin\""
        ))
    })
}

pub(super) fn delimiter<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(Some(*byte)),
        _ if text == "tab" => Ok(Some(b'\t')),
        _ => Err(serde::de::Error::custom(format!(
            "`{text}` is not a delimiter\n  hint: write one ASCII character, such as \";\" or \"\\t\""
        ))),
    }
}
