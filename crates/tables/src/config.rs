//! The contract of `leadscore.toml`: what each table is, read strictly, with the place of every
//! error.

mod columns;
mod data;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use leadscore_core::{
    AttributeTable, Family, SecretUri, Span, Timestamp, hide_credentials, location_has_credentials,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::DeValue;

use crate::error::TablesError;
use crate::frame::{Frame, Frames};
use crate::values::TimeFormat;

pub use columns::{ColumnType, NumberStyle, Parentheses, PerColumn, null_values};
pub use data::{DataConfig, GuardsConfig, Latest};

/// The whole of `leadscore.toml`. Unknown keys are errors.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "leadscore.toml")]
pub struct Config {
    /// The leads: one row each.
    pub leads: LeadsConfig,
    /// What a lead points to, such as its account, by name.
    #[serde(default)]
    pub lookups: BTreeMap<String, LookupConfig>,
    /// Event tables, by name.
    #[serde(default)]
    pub activities: BTreeMap<String, ActivityConfig>,
    /// Which leads were won or lost, and when; `score` and `explain` can do without.
    #[serde(default)]
    pub outcomes: OutcomesConfig,
    /// What an attribute was, and when.
    #[serde(default)]
    pub history: Option<HistoryConfig>,
    /// When leads are looked at.
    #[serde(default)]
    pub snapshots: SnapshotsConfig,
    /// What is computed about them.
    #[serde(default)]
    pub features: FeaturesConfig,
    /// Which model is fitted.
    #[serde(default)]
    pub model: ModelConfig,
    /// Where tiers begin.
    #[serde(default)]
    pub tiers: TiersConfig,
    /// What the report shows, and how it looks.
    #[serde(default)]
    pub report: ReportConfig,
    /// Where queries are asked, and scores are written.
    #[serde(default)]
    pub database: Option<DatabaseConfig>,
    /// What can be meant.
    #[serde(default)]
    pub data: DataConfig,
    /// How unlike training leads may be.
    #[serde(default)]
    pub guards: GuardsConfig,
}

/// One path or glob, or a list of them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several, in order.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them, in order.
    pub fn to_vec(&self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one.clone()],
            Self::Many(many) => many.clone(),
        }
    }
}

/// Where the rows of a table are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Location {
    /// One path or glob.
    One(String),
    /// Several, in order.
    Many(Vec<String>),
    /// In memory: put there by [`Config::put_frames`], never written.
    #[serde(skip)]
    Frame(Frame),
}

impl Default for Location {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Location {
    /// The paths and globs, as the config has them.
    pub fn paths(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
            Self::Frame(_) => &[],
        }
    }

    /// Whether nothing was said.
    fn is_nowhere(&self) -> bool {
        matches!(self, Self::Many(paths) if paths.is_empty())
    }
}

/// `[database]`: where queries are asked, and scores are written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Its URI without a password, such as "postgresql://ann@db.example/crm"; "env:NAME" for an
    /// environment variable or "file:PATH" for a file, which others cannot read, that holds the
    /// whole URI.
    #[schemars(with = "String")]
    pub uri: SecretUri,
    /// The ADBC driver: a name or the path of a library; default: adbc_driver_ and the scheme of
    /// the URI.
    #[serde(default)]
    pub driver: Option<String>,
}

/// A query whose rows are a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The table in the config, such as `activities.touches`.
    pub table: String,
    /// The statement.
    pub text: String,
    /// The URI as the config has it.
    pub uri: SecretUri,
    /// The driver, if the config names one.
    pub driver: Option<String>,
}

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
    /// The column whose cells hold several ids, and what stands between them.
    pub several: Option<(&'a str, &'a str)>,
    /// The last moment that the rows speak of.
    pub ends: Option<Moment>,
}

impl<'a> FileConfig<'a> {
    /// A file of which nothing is said.
    pub(crate) fn plain(location: &'a Location) -> Self {
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
            ends: None,
        }
    }

    /// The markers that mean missing in a column.
    pub fn nulls(&self, column: &str) -> Vec<&'a str> {
        null_values(self.null_values, column)
    }

    /// The format that the config declares for the times of a column.
    pub(crate) fn format_of(&self, column: &str) -> Option<TimeFormat> {
        let text = self.time_format?.of(column)?;
        Some(TimeFormat::declared(text).expect("checked with the config"))
    }

    /// What the config says of how the numbers of a column are written.
    pub(crate) fn style_of(&self, column: &str) -> Option<NumberStyle> {
        match self.types.get(column) {
            Some(ColumnType::Number(Some(style))) => Some(*style),
            _ => self.decimal_comma.map(NumberStyle::with_decimal_comma),
        }
    }

    /// Columns that some setting of the table names, each with the setting.
    pub(crate) fn named_columns(&self) -> impl Iterator<Item = (&'static str, &'a String)> {
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
    }
}

macro_rules! table_config {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// File, glob, or list of either, relative to the config: csv, csv.gz, ndjson, parquet
            /// or arrow; or s3://, gs://, az://.
            #[serde(default)]
            pub path: Location,
            /// In place of `path`, a query whose rows are the table.
            #[serde(default)]
            pub query: Option<String>,
            /// The database of the query, as in `[database]`, which is the default.
            #[serde(default)]
            #[schemars(with = "Option<String>")]
            pub uri: Option<SecretUri>,
            $($(#[$field_meta])* pub $field: $kind,)*
            /// Cells that mean missing: a list, in place of the default one; or by column, {
            /// created = ["0"] }, beside the default one. An empty cell always does.
            #[serde(default)]
            pub null_values: Option<PerColumn<Vec<String>>>,
            /// Format of times: "%d-%m-%Y" and the like (strftime), "excel" or "excel_1904" (day
            /// numbers of spreadsheets), "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "iso"; for
            /// all times, or by column. Default: ISO 8601 or epoch, recognised.
            #[serde(default)]
            pub time_format: Option<PerColumn<String>>,
            /// Zone of times that name none, such as "Europe/Berlin"; default UTC.
            #[serde(default, deserialize_with = "time_zone")]
            #[schemars(with = "Option<String>")]
            pub time_zone: Option<chrono_tz::Tz>,
            /// Separator of CSV columns; default: the one that the header uses.
            #[serde(default, deserialize_with = "delimiter")]
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
            /// What columns hold: "number", "category", "time" or "id"; for numbers also { decimal
            /// = ",", thousands = ".", parentheses = "negative" }.
            #[serde(default)]
            pub types: BTreeMap<String, ColumnType>,
            /// The last moment that its rows speak of; default: its last day with as many rows as
            /// usual.
            #[serde(default)]
            pub ends: Option<Moment>,
        }
        impl $name {
            fn file_at<'a>(&'a self, location: &'a Location, several: Option<(&'a str, &'a str)>) -> FileConfig<'a> {
                FileConfig {
                    location,
                    null_values: self.null_values.as_ref(),
                    time_format: self.time_format.as_ref(),
                    time_zone: self.time_zone,
                    delimiter: self.delimiter,
                    decimal_comma: self.decimal_comma,
                    encoding: self.encoding.as_deref(),
                    skip_rows: self.skip_rows,
                    types: &self.types,
                    several,
                    ends: self.ends,
                }
            }
        }
    };
}

table_config! {
    /// `[leads]`: the table with one row a lead.
    LeadsConfig {
        /// Column that identifies a lead.
        id: String,
        /// Column with the time of creation; leave out for a flat export without dates.
        #[serde(default)]
        created_at: Option<String>,
        /// Columns to learn from; default: every column not named elsewhere in this table.
        #[serde(default)]
        attributes: Option<Vec<String>>,
        /// Columns never to learn from.
        #[serde(default)]
        exclude: Vec<String>,
        /// Today's points, to compare with; several columns are summed.
        #[serde(default)]
        manual_score: Option<OneOrMany>,
        /// Column with the account of a lead, for features of the account's other leads.
        #[serde(default)]
        account: Option<String>,
    }
}

table_config! {
    /// `[lookups.NAME]`: a table that leads point to.
    LookupConfig {
        /// Column that identifies a row.
        key: String,
        /// Column of the leads that holds the key; default: the same name.
        #[serde(default)]
        leads_key: Option<String>,
        /// Column with the time from which a row holds; a key may then have several rows, each
        /// until the next.
        #[serde(default)]
        changed_at: Option<String>,
        /// Columns to learn from; default: every column but the key.
        #[serde(default)]
        attributes: Option<Vec<String>>,
        /// Columns never to learn from.
        #[serde(default)]
        exclude: Vec<String>,
    }
}

table_config! {
    /// `[activities.NAME]`: a table of time-stamped events.
    ActivityConfig {
        /// Column with the lead of an event.
        #[serde(default)]
        lead: Option<String>,
        /// Column with the account of an event, in place of `lead`; the leads have a column of the
        /// same name.
        #[serde(default)]
        account: Option<String>,
        /// What stands between several ids in a cell of `lead` or `account`, such as ";": the event
        /// is one of each.
        #[serde(default)]
        separator: Option<String>,
        /// Column with the time at which it happened.
        at: String,
        /// Column with the time at which it was recorded, which then decides what is visible.
        #[serde(default)]
        recorded_at: Option<String>,
        /// Columns that split the counts.
        #[serde(default)]
        kind: Vec<String>,
        /// Numbers to sum and average.
        #[serde(default)]
        values: Vec<String>,
    }
}

table_config! {
    /// `[outcomes]`: which leads were won or lost, and when.
    OutcomesConfig {
        /// Column with the lead of an outcome.
        #[serde(default)]
        lead: Option<String>,
        /// What stands between several ids in a cell of `lead`, such as ";": the outcome is one of
        /// each.
        #[serde(default)]
        separator: Option<String>,
        /// Column with the time at which it closed.
        #[serde(default)]
        closed_at: Option<String>,
        /// Column with the time at which the outcome was entered: it is known from then on, and
        /// windows wait for late entries.
        #[serde(default)]
        recorded_at: Option<String>,
        /// Column with the result; without it every row is a win.
        #[serde(default)]
        result: Option<String>,
        /// Yes, every row is a win, although a column looks like a result.
        #[serde(default)]
        all_won: bool,
        /// Flat exports: the column of the leads that says whether a lead was won, in place of
        /// `path`.
        #[serde(default)]
        flag: Option<String>,
        /// Values that mean won.
        #[serde(default)]
        won: Vec<Scalar>,
        /// Values that mean lost. Of a flat export without `lost` and `open`, leads that are not
        /// won are scored as if they were open.
        #[serde(default)]
        lost: Vec<Scalar>,
        /// Values that mean neither yet.
        #[serde(default)]
        open: Vec<Scalar>,
        /// Column with the amount of a deal, for the report's revenue; no feature sees it.
        #[serde(default)]
        amount: Option<String>,
    }
}

table_config! {
    /// `[history]`: what an attribute of a lead was, and when.
    HistoryConfig {
        /// Column with the lead.
        lead: String,
        /// Column with the name of the attribute.
        attribute: String,
        /// Column with its value from then on.
        value: String,
        /// Column with the time of the change.
        changed_at: String,
        /// What stands between several ids in a cell of `lead`, such as ";": the change is one of
        /// each.
        #[serde(default)]
        separator: Option<String>,
        /// Column with the value before the change: what held before the first one.
        #[serde(default)]
        old_value: Option<String>,
        /// Column whose numbers put changes of one moment in order; default: the order of the file.
        #[serde(default)]
        sequence: Option<String>,
        /// Whether every change since a lead's creation is there: a lead without changes then had
        /// today's value all along.
        #[serde(default)]
        complete: bool,
    }
}

impl OutcomesConfig {
    /// Whether the config says by name which values of `flag` mean lost, or which mean open: a
    /// value that means neither won nor open is then one of leads that have closed.
    pub(crate) fn tells_open_from_lost(&self) -> bool {
        !self.lost.is_empty() || !self.open.is_empty()
    }
}

macro_rules! impl_file {
    ($($name:ident: |$table:ident| $several:expr;)*) => {$(
        impl $name {
            /// How its file is to be read.
            pub fn file(&self) -> FileConfig<'_> {
                let $table = self;
                let several: Option<(Option<&String>, Option<&String>)> = $several;
                let several = several.and_then(|(column, separator)| Some((column?.as_str(), separator?.as_str())));
                self.file_at(&self.path, several)
            }
        }
    )*};
}
impl_file! {
    LeadsConfig: |_table| None;
    LookupConfig: |_table| None;
    ActivityConfig: |table| Some((table.lead.as_ref().or(table.account.as_ref()), table.separator.as_ref()));
    HistoryConfig: |table| Some((Some(&table.lead), table.separator.as_ref()));
    OutcomesConfig: |table| Some((table.lead.as_ref(), table.separator.as_ref()));
}

/// A value of a column, written as a text, a number or a boolean.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A boolean.
    Boolean(bool),
}

impl Scalar {
    /// The value as a table spells it.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(value) => value.to_string(),
        }
    }

    /// Whether a cell says it; truth values are one thing in any spelling.
    pub fn is(&self, cell: &str) -> bool {
        self.text() == cell
            || self
                .words()
                .iter()
                .any(|word| word.eq_ignore_ascii_case(cell))
    }

    /// The cells that say it, where case does not matter to whoever compares them with these.
    pub fn spellings(&self) -> Vec<String> {
        let mut texts = vec![self.text()];
        for word in self.words() {
            let title = word
                .chars()
                .take(1)
                .flat_map(char::to_uppercase)
                .chain(word.chars().skip(1))
                .collect();
            texts.extend([(*word).to_owned(), title, word.to_uppercase()]);
        }
        texts.sort_unstable();
        texts.dedup();
        texts
    }

    /// How a truth value is written, in lower case; a text that is one may be any program's.
    fn words(&self) -> &'static [&'static str] {
        match self {
            Self::Boolean(true) => &["true", "t", "yes", "y", "1"],
            Self::Boolean(false) => &["false", "f", "no", "n", "0"],
            Self::Text(text) if text.eq_ignore_ascii_case("true") => &["true"],
            Self::Text(text) if text.eq_ignore_ascii_case("false") => &["false"],
            _ => &[],
        }
    }
}

/// `[snapshots]`: when leads are looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SnapshotsConfig {
    /// No snapshot before this moment.
    pub from: Option<Moment>,
    /// Flat exports: a column of the leads that stands for time.
    pub order_by: Option<String>,
    /// The days after a snapshot in which a win counts; default 90d.
    #[schemars(with = "String")]
    pub horizon: Span,
    /// Calendar snapshots of every lead at risk: "month" (the first of each; default), "week"
    /// (Mondays) or a length such as "30d".
    pub every: Every,
    /// In place of calendar snapshots, each lead once at each of these ages.
    #[schemars(with = "Option<Vec<String>>")]
    pub ages: Option<Vec<Span>>,
    /// A lead without any event for so long, such as "365d", is not looked at, in training as in
    /// scoring, until one comes again; default: every lead that is open.
    #[schemars(with = "Option<String>")]
    pub silent: Option<Span>,
    /// The last moment that the data speaks of, or "outcomes" for the end of the outcomes; default:
    /// the latest end of a table.
    #[schemars(with = "Option<String>")]
    pub observation_end: Option<ObservationEnd>,
    /// More snapshots than so many are an error, found before any is made; default 20,000,000.
    pub limit: usize,
}

impl Default for SnapshotsConfig {
    fn default() -> Self {
        Self {
            from: None,
            order_by: None,
            horizon: Span::from_days(90),
            every: Every::Month,
            ages: None,
            silent: None,
            observation_end: None,
            limit: 20_000_000,
        }
    }
}

/// A moment in the config: a date or a date and time, in UTC unless it names an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub struct Moment(#[schemars(with = "String")] pub Timestamp);

/// A text, or a date as TOML has them.
fn written_moment<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Toml(toml::value::Datetime),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Text(text) => text,
        Written::Toml(datetime) => datetime.to_string(),
    })
}

impl Moment {
    fn parse<E: serde::de::Error>(text: &str, or: &str) -> Result<Self, E> {
        Timestamp::parse_iso(text)
            .map(|(at, _, _)| Self(at))
            .ok_or_else(|| {
                E::custom(format!(
                    "`{text}` is not a moment: write \"2018-05-01\" or \"2018-05-01T09:30:00Z\"{or}"
                ))
            })
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&written_moment(deserializer)?, "")
    }
}

/// Until when the data speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObservationEnd {
    /// Until a moment.
    At(Timestamp),
    /// Until the outcomes end.
    Outcomes,
}

impl<'de> Deserialize<'de> for ObservationEnd {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = written_moment(deserializer)?;
        if text == "outcomes" {
            Ok(Self::Outcomes)
        } else {
            Moment::parse(&text, ", or \"outcomes\" for the end of the outcomes")
                .map(|at| Self::At(at.0))
        }
    }
}

impl SnapshotsConfig {
    /// The last moment that the data speaks of, where the config names one.
    pub fn configured_end(&self) -> Option<Timestamp> {
        match self.observation_end {
            Some(ObservationEnd::At(at)) => Some(at),
            Some(ObservationEnd::Outcomes) | None => None,
        }
    }
}

/// The rhythm of calendar snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// The first of each month.
    Month,
    /// Each Monday.
    Week,
    /// A fixed length, counted from 1970-01-01.
    Length(Span),
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month => f.write_str("month"),
            Self::Week => f.write_str("week"),
            Self::Length(span) => span.fmt(f),
        }
    }
}

impl JsonSchema for Every {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Every".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for Every {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "month" => Ok(Self::Month),
            "week" => Ok(Self::Week),
            _ => match text.parse::<Span>() {
                Ok(span) if span > Span::ZERO => Ok(Self::Length(span)),
                _ => Err(serde::de::Error::custom(format!(
                    "`{text}` is not a rhythm: write \"month\", \"week\" or a length such as \"30d\""
                ))),
            },
        }
    }
}

/// `[features]`: what is computed about a snapshot.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FeaturesConfig {
    /// Families of features; default ["default"], which stands for those that are worth their
    /// columns on most data; "all" for every one. `["default", "decay", "share"]` adds two to the
    /// default ones.
    pub families: Vec<FamilyChoice>,
    /// How far windows over activities reach back, default ["30d"]; the whole life of the lead is
    /// always counted too.
    #[schemars(with = "Vec<String>")]
    pub windows: Vec<Span>,
    /// Half-lives of the family "decay"; default ["3d", "30d"].
    #[schemars(with = "Vec<String>")]
    pub half_lives: Vec<Span>,
    /// Kinds of an activity with columns of their own: the most frequent ones; the others share
    /// one; default 12.
    pub max_kinds: usize,
    /// Kinds that the family "sequence" takes pairs of: the most frequent ones; default 4.
    pub max_sequence_kinds: usize,
    /// Only features whose name matches one of these patterns (`*` for any text); default: all that
    /// the families make.
    pub only: Option<Vec<String>>,
}

impl Default for FeaturesConfig {
    fn default() -> Self {
        Self {
            families: vec![FamilyChoice::Default],
            windows: vec![Span::from_days(30)],
            half_lives: vec![Span::from_days(3), Span::from_days(30)],
            max_kinds: 12,
            max_sequence_kinds: 4,
            only: None,
        }
    }
}

/// An entry of `families`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub enum FamilyChoice {
    /// The families that are worth their columns on most data.
    Default,
    /// Every family.
    All,
    /// One family.
    One(Family),
}

impl<'de> Deserialize<'de> for FamilyChoice {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "default" => Ok(Self::Default),
            "all" => Ok(Self::All),
            _ => Family::ALL
                .into_iter()
                .find(|family| family.name() == text)
                .map(Self::One)
                .ok_or_else(|| {
                    let names: Vec<&str> = ["default", "all"]
                        .into_iter()
                        .chain(Family::ALL.map(Family::name))
                        .collect();
                    let near = nearest(&text, names.iter().copied())
                        .map(|near| format!("did you mean `{near}`? "))
                        .unwrap_or_default();
                    serde::de::Error::custom(format!(
                        "`{text}` is not a family of features: {near}known are {}",
                        names.join(", ")
                    ))
                }),
        }
    }
}

impl FeaturesConfig {
    /// The families that are asked for, in the order of [`Family::ALL`].
    pub fn chosen_families(&self) -> Vec<Family> {
        let is_chosen = |family: &Family| {
            self.families.iter().any(|choice| match choice {
                FamilyChoice::All => true,
                FamilyChoice::Default => family.is_default(),
                FamilyChoice::One(one) => one == family,
            })
        };
        Family::ALL.into_iter().filter(is_chosen).collect()
    }
}

/// `[model]`: which model is fitted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// The richest kind of model that may be chosen; default additive.
    pub kind: ModelKind,
    /// A category of the leads, such as a product line, whose levels may have curves of their own,
    /// shrunk to the common ones.
    pub segment: Option<String>,
    /// Most tables over two features that an additive model may have; default 30, 0 for none.
    pub max_pairs: usize,
    /// Numbers by their features' names, as `features --describe` has them, whose curve or slope
    /// may only rise or fall, such as `{ employees = "increasing" }`; they have no table.
    pub directions: BTreeMap<String, ModelDirection>,
    /// Share of the ridge of straight lines that is a lasso, 0 to 1; default 0. The weakest
    /// features then weigh nothing; for kind "linear" only.
    pub l1_ratio: f64,
    /// How strongly weights are held: "reml" (default) estimates a smoothing parameter for each
    /// term from the rows, leaves out terms that say nothing, and lets folds forward in time choose
    /// the shape alone; "folds" takes what such folds prefer, the same strength for all terms of a
    /// kind. With `l1_ratio` or `--solver linfa` folds are the default, and "reml" is refused; with
    /// fewer than 200 leads (or accounts) won, or not won, folds are the default, too.
    pub smoothing: Option<ModelSmoothing>,
    /// In what time a snapshot loses half of its weight: a length such as "180d"; "none": snapshots
    /// count alike, however old; "auto" (default): none, or a year, half a year or a quarter where
    /// that predicts later snapshots better by more than chance. Intervals know how much is left.
    /// With strengths by folds, in a flat export and on an engine "auto" is "none", and with
    /// `--solver linfa`, in a flat export and on an engine a length is refused.
    pub half_life: ModelHalfLife,
    /// What a snapshot is learned from: "window" (default): whether it was won within the horizon,
    /// of snapshots whose windows have ended; "weekly": in the last fit also of the later ones,
    /// whether each was won in the weeks (thirteenths of the horizon) that are known of it. That
    /// pays where wins have changed of late, and costs a little where they come sooner or later
    /// than before; refused in a flat export, with `--solver linfa` and on an engine.
    pub label: ModelLabel,
    /// The share of the leads not won that the tables hold, above 0 and at most 1; default 1. Where
    /// they hold all wins and every tenth of the others, 0.1 corrects likelihoods for it: exactly
    /// where each lead is looked at once; else those of leads that won later are a little low.
    pub losses_kept: f64,
    /// Seed of every random choice; default 7.
    pub seed: u64,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            kind: ModelKind::Additive,
            segment: None,
            max_pairs: 30,
            directions: BTreeMap::new(),
            l1_ratio: 0.0,
            smoothing: None,
            half_life: ModelHalfLife::Auto,
            label: ModelLabel::Window,
            losses_kept: 1.0,
            seed: 7,
        }
    }
}

/// What a snapshot is learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelLabel {
    /// Its whole window, once that has ended.
    Window,
    /// The weeks of its window that are known.
    Weekly,
}

/// How fast snapshots lose weight with age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelHalfLife {
    /// As folds forward in time prefer.
    Auto,
    /// Not at all.
    Never,
    /// By half in this time.
    Length(Span),
}

impl JsonSchema for ModelHalfLife {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ModelHalfLife".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for ModelHalfLife {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::Never),
            _ => match text.parse::<Span>() {
                Ok(span) if span > Span::ZERO => Ok(Self::Length(span)),
                _ => Err(serde::de::Error::custom(format!(
                    "`{text}` is not a half-life: write \"auto\", \"none\" or a length such as \"180d\""
                ))),
            },
        }
    }
}

/// The richest kind of model that may be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// Standardised numbers in straight lines, and a weight for each level of a category.
    Linear,
    /// Curves over binned numbers, and tables over two features, where later data says that they
    /// pay.
    Additive,
}

/// How strongly weights are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelSmoothing {
    /// As folds forward in time prefer, one strength for all terms of a kind.
    Folds,
    /// By restricted maximum likelihood, one for each term.
    Reml,
}

/// Which way a curve may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModelDirection {
    /// A larger number never lowers the likelihood.
    Increasing,
    /// A larger number never raises the likelihood.
    Decreasing,
}

/// `[tiers]`: where tiers begin.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TiersConfig {
    /// Quartiles of the leads being scored (default), the edges that the model file has, or three
    /// likelihoods in per cent, such as [40, 20, 5] (docs/tiers.md).
    pub edges: TierEdges,
}

impl Default for TiersConfig {
    fn default() -> Self {
        Self {
            edges: TierEdges::Relative,
        }
    }
}

/// Where tiers begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TierEdges {
    /// Quartiles of the leads being scored.
    Relative,
    /// Quartiles of the training snapshots, from the model file.
    Frozen,
    /// Three likelihoods in per cent, falling: from the first on a lead is very high, and so on.
    Percent([f64; 3]),
}

impl TierEdges {
    /// Words that the config takes.
    const WORDS: [(&str, Self); 2] = [("relative", Self::Relative), ("frozen", Self::Frozen)];

    /// What the command line calls it: a word, or three numbers such as `40,20,5`.
    ///
    /// # Errors
    ///
    /// What was expected, in words.
    ///
    /// # Examples
    ///
    /// ```
    /// use leadscore_tables::TierEdges;
    /// assert_eq!(TierEdges::parse("40, 20, 2.5"), Ok(TierEdges::Percent([40.0, 20.0, 2.5])));
    /// assert!(TierEdges::parse("20,40,5").unwrap_err().contains("falling"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some((_, edges)) = Self::WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(*edges);
        }
        match text
            .split(',')
            .map(|part| part.trim().parse().ok())
            .collect::<Option<Vec<f64>>>()
        {
            Some(edges) => Self::of_percent(&edges),
            None => Err(format!(
                "`{text}` is no rule for tiers: write \"relative\", \"frozen\" or three likelihoods in per cent, such as 40, 20, 5"
            )),
        }
    }

    fn of_percent(edges: &[f64]) -> Result<Self, String> {
        match *edges {
            [first, second, third]
                if first < 100.0 && first > second && second > third && third > 0.0 =>
            {
                Ok(Self::Percent([first, second, third]))
            }
            _ => {
                let found = edges
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", ");
                Err(format!(
                    "tiers cannot begin at [{found}]: expected three likelihoods in per cent, falling, above 0 and below 100, such as [40, 20, 5]"
                ))
            }
        }
    }
}

impl<'de> Deserialize<'de> for TierEdges {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> serde::de::Visitor<'de> for Written {
            type Value = TierEdges;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"relative\", \"frozen\" or three likelihoods in per cent, such as [40, 20, 5]")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<TierEdges, E> {
                let word = TierEdges::WORDS.iter().find(|(word, _)| *word == text);
                word.map(|(_, edges)| *edges)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<TierEdges, A::Error> {
                let mut edges: Vec<f64> = Vec::new();
                while let Some(edge) = seq.next_element()? {
                    edges.push(edge);
                }
                TierEdges::of_percent(&edges).map_err(serde::de::Error::custom)
            }
        }
        deserializer.deserialize_any(Written)
    }
}

impl Serialize for TierEdges {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Relative => serializer.serialize_str("relative"),
            Self::Frozen => serializer.serialize_str("frozen"),
            Self::Percent(edges) => edges.serialize(serializer),
        }
    }
}

impl JsonSchema for TierEdges {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TierEdges".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let likelihood =
            serde_json::json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100});
        schemars::json_schema!({"anyOf": [{"enum": ["relative", "frozen"]}, {"type": "array", "items": likelihood, "minItems": 3, "maxItems": 3}]})
    }
}

/// `[report]`: what the report shows, and how it looks.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReportConfig {
    /// Its title; default "Lead scoring report".
    pub title: Option<String>,
    /// Colour of the model in charts, such as "#1f6fb5".
    #[serde(deserialize_with = "color")]
    #[schemars(with = "Option<String>")]
    pub accent: Option<String>,
    /// A picture (.svg, .png) at the top of the page, which holds it.
    pub logo: Option<String>,
    /// Categories of the leads that figures are broken down by; default: the two with the fewest
    /// values.
    pub segments: Option<Vec<String>>,
    /// What the team can call, such as "200/week"; default: the best quarter of the leads.
    #[schemars(with = "Option<String>")]
    pub capacity: Option<Capacity>,
    /// Cost of a call.
    pub cost: Option<f64>,
    /// Value of a win.
    pub value: Option<f64>,
    /// Points from which a lead is called today.
    pub threshold: Option<f64>,
}

/// So many calls a day, a week or a month.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    /// Number of leads that can be called.
    pub calls: f64,
    /// In so many days; `None` for the whole of a flat export.
    pub days: Option<f64>,
}

impl Capacity {
    /// Reads `200/week`, `40/day`, `800/month`, or for a flat export `500`.
    ///
    /// # Errors
    ///
    /// What was expected, in words.
    ///
    /// # Examples
    ///
    /// ```
    /// let capacity = leadscore_tables::Capacity::parse("200/week")?;
    /// assert_eq!((capacity.calls, capacity.days), (200.0, Some(7.0)));
    /// # Ok::<(), String>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no capacity: write such as \"200/week\", \"40/day\" or \"800/month\"; a number alone for a flat export"
            )
        };
        let (number, unit) = text
            .split_once('/')
            .map_or((text, None), |(number, unit)| (number, Some(unit.trim())));
        let days = match unit {
            None => None,
            Some("day") => Some(1.0),
            Some("week") => Some(7.0),
            Some("month") => Some(DAYS_OF_MONTH),
            Some(_) => return Err(wrong()),
        };
        let calls: f64 = number.trim().parse().map_err(|_| wrong())?;
        if !(calls.is_finite() && calls > 0.0) {
            return Err(wrong());
        }
        Ok(Self { calls, days })
    }
}

/// A twelfth of a year.
pub const DAYS_OF_MONTH: f64 = 365.25 / 12.0;

impl<'de> Deserialize<'de> for Capacity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn color<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_color = text.len() == 7
        && text.starts_with('#')
        && text[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_color {
        Ok(Some(text))
    } else {
        Err(serde::de::Error::custom(format!(
            "`{text}` is no colour: write such as \"#1f6fb5\""
        )))
    }
}

fn time_zone<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<chrono_tz::Tz>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| {
        serde::de::Error::custom(format!(
            "`{text}` is not a time zone: write an IANA name such as \"Europe/Berlin\""
        ))
    })
}

fn delimiter<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(Some(*byte)),
        _ if text == "tab" => Ok(Some(b'\t')),
        _ => Err(serde::de::Error::custom(format!(
            "`{text}` is not a delimiter: write one ASCII character, such as \";\" or \"\\t\""
        ))),
    }
}

/// A config that cannot be read, with the place in its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
pub struct ConfigError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The bytes of the text that are meant.
    pub span: Option<Range<usize>>,
}

impl Config {
    /// Why nothing is learned from a column by this config; `None` where it may be.
    pub fn leaves_out(&self, table: &AttributeTable, column: &str) -> Option<&'static str> {
        let (exclude, attributes, types) = match table {
            AttributeTable::Leads => (
                &self.leads.exclude,
                &self.leads.attributes,
                &self.leads.types,
            ),
            AttributeTable::Lookup(name) => {
                let lookup = self.lookups.get(name)?;
                (&lookup.exclude, &lookup.attributes, &lookup.types)
            }
        };
        if exclude.iter().any(|excluded| excluded == column) {
            return Some("`exclude` leaves it out");
        }
        match types.get(column) {
            Some(ColumnType::Id) => return Some("`types` calls it an id"),
            Some(ColumnType::Time) => return Some("`types` calls it a time"),
            Some(ColumnType::Number(_) | ColumnType::Category) | None => {}
        }
        attributes
            .as_ref()
            .filter(|chosen| !chosen.iter().any(|one| one == column))
            .map(|_| "`attributes` does not name it")
    }

    /// Reads and checks a config.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the place: text that is not TOML, an unknown key (with the nearest
    /// known one), a value of another type, a missing key, keys that contradict each other.
    ///
    /// # Examples
    ///
    /// ```
    /// use leadscore_tables::Config;
    /// let error = Config::parse("[leads]\npath = \"a.csv\"\nid = \"id\"\n[outcome]\nflag = \"won\"\n").unwrap_err();
    /// assert!(error.to_string().contains("did you mean `outcomes`?"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::parse_for(text, &Frames::default())
    }

    /// Whether the leads are a flat export: an outcome flag, no dates.
    pub fn is_flat(&self) -> bool {
        self.outcomes.flag.is_some()
    }

    /// Whether the config says anything of outcomes.
    pub fn has_outcomes(&self) -> bool {
        let outcomes = &self.outcomes;
        let is_placed =
            outcomes.flag.is_some() || !outcomes.path.is_nowhere() || outcomes.query.is_some();
        is_placed
            || [
                &outcomes.lead,
                &outcomes.closed_at,
                &outcomes.recorded_at,
                &outcomes.result,
                &outcomes.amount,
            ]
            .into_iter()
            .any(Option::is_some)
    }

    /// Fails where the config says nothing of outcomes.
    ///
    /// # Errors
    ///
    /// [`TablesError::Content`] says what can be done without them.
    pub fn require_outcomes(&self) -> Result<(), TablesError> {
        if self.has_outcomes() {
            return Ok(());
        }
        Err(TablesError::Content {
            table: "[outcomes]".to_owned(),
            found: "the config has no such table, and only `score` and `explain` can do without"
                .to_owned(),
            help: "name the table that says which leads were won or lost, and when".to_owned(),
        })
    }

    /// Where there are no outcomes, puts a table without rows in their place, and says why: no lead
    /// has closed then.
    pub fn do_without_outcomes(&mut self, folder: &std::path::Path) -> Option<String> {
        let outcomes = &self.outcomes;
        let why = if !self.has_outcomes() {
            "the config has no [outcomes]".to_owned()
        } else if let (Location::One(_) | Location::Many(_), false) =
            (&outcomes.path, outcomes.path.is_nowhere())
        {
            match crate::source::find("[outcomes]", folder, outcomes.path.paths()) {
                Err(error @ TablesError::Missing { .. }) => error
                    .to_string()
                    .split(": check `path`")
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
                _ => return None,
            }
        } else {
            return None;
        };
        self.outcomes = OutcomesConfig {
            path: Location::Frame(Frame::empty(&["lead", "closed_at"])),
            ..OutcomesConfig::default()
        };
        (self.outcomes.lead, self.outcomes.closed_at) =
            (Some("lead".to_owned()), Some("closed_at".to_owned()));
        if self.snapshots.observation_end == Some(ObservationEnd::Outcomes) {
            self.snapshots.observation_end = None;
        }
        Some(why)
    }

    /// Every column of a table that the config names, in no order that matters.
    pub fn named_columns(&self, table: &str) -> Vec<String> {
        let mut columns: Vec<String> = self
            .parts()
            .into_iter()
            .filter(|part| part.table == table)
            .map(|part| part.column)
            .collect();
        columns.extend(
            self.files()
                .iter()
                .filter(|(name, _)| name == table)
                .flat_map(|(_, file)| file.named_columns().map(|(_, column)| column.clone())),
        );
        let leads = &self.leads;
        match table {
            "[leads]" => {
                columns.extend(
                    leads
                        .attributes
                        .iter()
                        .flatten()
                        .chain(&leads.exclude)
                        .cloned(),
                );
                columns.extend(
                    self.lookups
                        .values()
                        .map(|lookup| lookup.leads_key.as_ref().unwrap_or(&lookup.key))
                        .cloned(),
                );
                columns.extend(
                    self.activities
                        .values()
                        .filter_map(|activity| activity.account.clone()),
                );
                columns.extend(
                    self.outcomes
                        .flag
                        .iter()
                        .chain(&self.snapshots.order_by)
                        .cloned(),
                );
            }
            "[history]" => columns.extend(self.history.iter().flat_map(|history| {
                [
                    Some(&history.attribute),
                    Some(&history.value),
                    history.old_value.as_ref(),
                ]
                .into_iter()
                .flatten()
                .cloned()
            })),
            _ => {
                let lookup = self
                    .lookups
                    .iter()
                    .find(|(name, _)| format!("[lookups.{name}]") == table);
                columns.extend(lookup.into_iter().flat_map(|(_, lookup)| {
                    lookup
                        .attributes
                        .iter()
                        .flatten()
                        .chain(&lookup.exclude)
                        .cloned()
                }));
            }
        }
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// The tables whose rows belong to leads or accounts, with how their files are to be read.
    pub(crate) fn row_tables(&self) -> Vec<(String, FileConfig<'_>)> {
        let mut tables = vec![("[leads]".to_owned(), self.leads.file())];
        if self.outcomes.flag.is_none() {
            tables.push(("[outcomes]".to_owned(), self.outcomes.file()));
        }
        tables.extend(
            self.history
                .as_ref()
                .map(|history| ("[history]".to_owned(), history.file())),
        );
        tables.extend(
            self.activities
                .iter()
                .map(|(name, activity)| (format!("[activities.{name}]"), activity.file())),
        );
        tables
    }

    /// Whether leads can be split into parts that share nothing: not where events are told apart by
    /// several accounts.
    pub fn is_splittable(&self) -> bool {
        self.entity_column().is_ok()
    }

    /// The column of the leads with the account that shares events with others, if any; the error
    /// is two that differ.
    pub(crate) fn entity_column(&self) -> Result<Option<&str>, (&str, &str)> {
        let mut columns = self.leads.account.as_deref().into_iter().chain(
            self.activities
                .values()
                .filter_map(|activity| activity.account.as_deref()),
        );
        let Some(first) = columns.next() else {
            return Ok(None);
        };
        match columns.find(|column| *column != first) {
            None => Ok(Some(first)),
            Some(other) => Err((first, other)),
        }
    }

    /// The column of the leads that keeps those of one account together, the first where the config
    /// names several.
    pub fn account_column(&self) -> Option<&str> {
        match self.entity_column() {
            Ok(column) => column,
            Err((first, _)) => Some(first),
        }
    }

    /// Reads and checks a config some of whose tables stand in memory: these need no `path`.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`]; or the config has no table of such a name.
    pub fn parse_for(text: &str, frames: &Frames) -> Result<Self, ConfigError> {
        let mut config: Self = parse_toml(text)?;
        config.put_frames(frames)?;
        config.check()?;
        Ok(config)
    }

    /// Reads and checks a config for a lead that is in no table: of its tables, lookups alone are
    /// read, and those that have no place have no rows.
    ///
    /// # Errors
    ///
    /// As [`Self::parse_for`].
    pub fn parse_for_one(text: &str, frames: &Frames) -> Result<Self, ConfigError> {
        let mut config: Self = parse_toml(text)?;
        config.put_frames(frames)?;
        let none = || Location::Frame(Frame::empty(&[]));
        (config.leads.path, config.leads.query) = (none(), None);
        if !config.is_flat() {
            config.outcomes = OutcomesConfig::default();
        }
        config
            .activities
            .values_mut()
            .for_each(|activity| (activity.path, activity.query) = (none(), None));
        config
            .history
            .iter_mut()
            .for_each(|history| (history.path, history.query) = (none(), None));
        config
            .lookups
            .values_mut()
            .filter(|lookup| lookup.path.is_nowhere() && lookup.query.is_none())
            .for_each(|lookup| lookup.path = none());
        config.check()?;
        Ok(config)
    }

    /// Reads and checks a config without asking where its tables are: those that have no place may
    /// still be given as frames.
    ///
    /// # Errors
    ///
    /// As [`Self::parse_for`].
    pub fn parse_anywhere(text: &str) -> Result<Self, ConfigError> {
        let mut config: Self = parse_toml(text)?;
        let with_query: Vec<String> = config
            .places()
            .into_iter()
            .filter(|(_, place)| place.query.is_some())
            .map(|(table, _)| table)
            .collect();
        let has_flag = config.outcomes.flag.is_some();
        for (table, location) in config.locations_mut() {
            let is_table = table != "outcomes" || !has_flag;
            if is_table && location.is_nowhere() && !with_query.contains(&table) {
                *location = Location::Frame(Frame::empty(&[]));
            }
        }
        config.check()?;
        Ok(config)
    }

    /// The queries whose rows are tables; none of a table that stands in memory already.
    ///
    /// # Errors
    ///
    /// It is not said which database is asked. (An engine that the tables are in needs no such
    /// word.)
    pub fn queries(&self) -> Result<Vec<Query>, ConfigError> {
        let database = self.database.as_ref();
        let mut queries = Vec::new();
        for (table, place) in self.places() {
            let Some(text) = place.query.filter(|_| place.path.is_nowhere()) else {
                continue;
            };
            let Some(uri) = place.uri.or(database.map(|database| &database.uri)) else {
                return Err(ConfigError {
                    message: format!("[{table}] has a `query` and no `uri`"),
                    help: Some("say which database is asked, there or for all tables as `uri` of [database]".to_owned()),
                    span: None,
                });
            };
            // A database of the table's own has the driver that its scheme asks for.
            let driver = database
                .filter(|_| place.uri.is_none())
                .and_then(|database| database.driver.clone());
            queries.push(Query {
                table,
                text: text.clone(),
                uri: uri.clone(),
                driver,
            });
        }
        Ok(queries)
    }

    /// Where the rows of each table are: its paths, or the query whose rows it is.
    pub fn sources(&self) -> Vec<(String, &Location, Option<&String>)> {
        self.places()
            .into_iter()
            .map(|(table, place)| {
                (
                    table,
                    place.path,
                    place.query.filter(|_| place.path.is_nowhere()),
                )
            })
            .collect()
    }

    /// Where the rows of each table are.
    pub(crate) fn places(&self) -> Vec<(String, Place<'_>)> {
        let mut places = vec![(
            "leads".to_owned(),
            Place::of(&self.leads.path, &self.leads.query, &self.leads.uri),
        )];
        if self.outcomes.flag.is_none() {
            places.push((
                "outcomes".to_owned(),
                Place::of(
                    &self.outcomes.path,
                    &self.outcomes.query,
                    &self.outcomes.uri,
                ),
            ));
        }
        places.extend(self.history.as_ref().map(|table| {
            (
                "history".to_owned(),
                Place::of(&table.path, &table.query, &table.uri),
            )
        }));
        places.extend(self.activities.iter().map(|(name, table)| {
            (
                format!("activities.{name}"),
                Place::of(&table.path, &table.query, &table.uri),
            )
        }));
        places.extend(self.lookups.iter().map(|(name, table)| {
            (
                format!("lookups.{name}"),
                Place::of(&table.path, &table.query, &table.uri),
            )
        }));
        places
    }

    /// The files of all tables, as far as they are there.
    pub fn paths(&self, folder: &std::path::Path) -> Vec<std::path::PathBuf> {
        let found = |(name, file): (String, FileConfig<'_>)| match file.location {
            Location::One(one) => {
                crate::source::find(&name, folder, std::slice::from_ref(one)).ok()
            }
            Location::Many(many) => crate::source::find(&name, folder, many).ok(),
            Location::Frame(_) => None,
        };
        self.files()
            .into_iter()
            .filter_map(found)
            .flatten()
            .collect()
    }

    /// Where the rows of each table are, to be changed.
    pub(crate) fn locations_mut(&mut self) -> Vec<(String, &mut Location)> {
        let mut locations = vec![
            ("leads".to_owned(), &mut self.leads.path),
            ("outcomes".to_owned(), &mut self.outcomes.path),
        ];
        locations.extend(
            self.history
                .as_mut()
                .map(|table| ("history".to_owned(), &mut table.path)),
        );
        locations.extend(
            self.activities
                .iter_mut()
                .map(|(name, table)| (format!("activities.{name}"), &mut table.path)),
        );
        locations.extend(
            self.lookups
                .iter_mut()
                .map(|(name, table)| (format!("lookups.{name}"), &mut table.path)),
        );
        locations
    }

    /// Puts tables that stand in memory in place of their files or queries.
    ///
    /// # Errors
    ///
    /// The config has no table of such a name.
    pub fn put_frames(&mut self, frames: &Frames) -> Result<(), ConfigError> {
        let mut locations = self.locations_mut();
        for (name, frame) in frames {
            match locations.iter_mut().find(|(known, _)| known == name) {
                Some((_, location)) => **location = Location::Frame(frame.clone()),
                None => {
                    let known: Vec<&str> =
                        locations.iter().map(|(name, _)| name.as_str()).collect();
                    let near = nearest(name, known.iter().copied())
                        .map(|near| format!("did you mean `{near}`? "))
                        .unwrap_or_default();
                    return Err(ConfigError {
                        message: format!(
                            "a frame is given for `{name}`, and the config has no such table"
                        ),
                        help: Some(format!(
                            "{near}there are {}; each says which columns mean what",
                            known.join(", ")
                        )),
                        span: None,
                    });
                }
            }
        }
        Ok(())
    }

    /// The JSON schema of the file, for editors.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }

    /// Every table with how its file is to be read, by its name in the config.
    pub(crate) fn files(&self) -> Vec<(String, FileConfig<'_>)> {
        let mut files = self.row_tables();
        files.extend(
            self.lookups
                .iter()
                .map(|(name, lookup)| (format!("[lookups.{name}]"), lookup.file())),
        );
        files
    }

    /// What columns of a table hold, and whether the config says how its numbers are written.
    pub(crate) fn types_of(
        &mut self,
        table: &str,
    ) -> Option<(&mut BTreeMap<String, ColumnType>, bool)> {
        if table == "[leads]" {
            return Some((&mut self.leads.types, self.leads.decimal_comma.is_some()));
        }
        let name = |kind: &str| table.strip_prefix(kind)?.strip_suffix(']');
        if let Some(activity) = name("[activities.").and_then(|name| self.activities.get_mut(name))
        {
            return Some((&mut activity.types, activity.decimal_comma.is_some()));
        }
        let lookup = name("[lookups.").and_then(|name| self.lookups.get_mut(name))?;
        Some((&mut lookup.types, lookup.decimal_comma.is_some()))
    }

    /// Columns that play a part which allows one type only, with the key that names them.
    fn parts(&self) -> Vec<Part> {
        const TIME: &[&str] = &["time"];
        const NUMBER: &[&str] = &["number"];
        const KEY: &[&str] = &["id", "category"];
        const WORD: &[&str] = &["category", "id"];
        let mut parts = Vec::new();
        let mut add = |table: &str,
                       key: &'static str,
                       columns: &[Option<&'_ String>],
                       allowed: &'static [&'static str]| {
            parts.extend(columns.iter().flatten().map(|column| Part {
                table: table.to_owned(),
                key,
                column: (*column).clone(),
                allowed,
            }));
        };
        let leads = &self.leads;
        add("[leads]", "id", &[Some(&leads.id)], KEY);
        add("[leads]", "created_at", &[leads.created_at.as_ref()], TIME);
        add("[leads]", "account", &[leads.account.as_ref()], KEY);
        let scores = leads
            .manual_score
            .as_ref()
            .map(OneOrMany::to_vec)
            .unwrap_or_default();
        scores
            .iter()
            .for_each(|score| add("[leads]", "manual_score", &[Some(score)], NUMBER));
        let outcomes = &self.outcomes;
        add("[outcomes]", "lead", &[outcomes.lead.as_ref()], KEY);
        add(
            "[outcomes]",
            "closed_at",
            &[outcomes.closed_at.as_ref()],
            TIME,
        );
        add(
            "[outcomes]",
            "recorded_at",
            &[outcomes.recorded_at.as_ref()],
            TIME,
        );
        add("[outcomes]", "result", &[outcomes.result.as_ref()], WORD);
        add("[outcomes]", "amount", &[outcomes.amount.as_ref()], NUMBER);
        for (name, activity) in &self.activities {
            let table = format!("[activities.{name}]");
            add(&table, "lead", &[activity.lead.as_ref()], KEY);
            add(&table, "account", &[activity.account.as_ref()], KEY);
            add(&table, "at", &[Some(&activity.at)], TIME);
            add(
                &table,
                "recorded_at",
                &[activity.recorded_at.as_ref()],
                TIME,
            );
            activity
                .kind
                .iter()
                .for_each(|kind| add(&table, "kind", &[Some(kind)], WORD));
            activity
                .values
                .iter()
                .for_each(|value| add(&table, "values", &[Some(value)], NUMBER));
        }
        for (name, lookup) in &self.lookups {
            let table = format!("[lookups.{name}]");
            add(&table, "key", &[Some(&lookup.key)], KEY);
            add(&table, "changed_at", &[lookup.changed_at.as_ref()], TIME);
        }
        if let Some(history) = &self.history {
            add("[history]", "lead", &[Some(&history.lead)], KEY);
            add(
                "[history]",
                "changed_at",
                &[Some(&history.changed_at)],
                TIME,
            );
            add(
                "[history]",
                "sequence",
                &[history.sequence.as_ref()],
                NUMBER,
            );
        }
        parts
    }

    /// Fails where a setting of a table cannot be followed, or contradicts the part that a column
    /// plays.
    fn check_columns(&self) -> Result<(), ConfigError> {
        let fail = |message: String, help: String| {
            Err(ConfigError {
                message,
                help: Some(help),
                span: None,
            })
        };
        let files = self.files();
        for (table, file) in &files {
            for (column, text) in file.time_format.into_iter().flat_map(PerColumn::values) {
                if let Err(why) = TimeFormat::declared(text) {
                    let of = column
                        .map(|column| format!(" of `{column}`"))
                        .unwrap_or_default();
                    return fail(
                        format!("{table} `time_format`{of} is `{text}`, which cannot be followed"),
                        why,
                    );
                }
            }
            if file
                .several
                .is_some_and(|(_, separator)| separator.is_empty())
            {
                return fail(
                    format!("{table} `separator` is empty"),
                    "write what stands between two ids in a cell, such as \";\"".to_owned(),
                );
            }
        }
        for Part {
            table,
            key,
            column,
            allowed,
        } in self.parts()
        {
            let types = files
                .iter()
                .find(|(name, _)| *name == table)
                .map(|(_, file)| file.types);
            if let Some(found) = types
                .and_then(|types| types.get(&column))
                .filter(|found| !allowed.contains(&found.name()))
            {
                return fail(
                    format!(
                        "{table} `types` says that `{column}` is a {}, and `{key}` names it",
                        found.name()
                    ),
                    format!(
                        "as `{key}` it is a {}: take it out of `types`, or name another column",
                        allowed[0]
                    ),
                );
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.check_columns()?;
        let fail = |message: &str, help: &str| {
            Err(ConfigError {
                message: message.to_owned(),
                help: Some(help.to_owned()),
                span: None,
            })
        };
        for (table, place) in self.places() {
            if table == "outcomes" && !self.has_outcomes() {
                continue;
            }
            match (place.path, place.query) {
                (Location::One(_) | Location::Many(_), Some(_)) if !place.path.is_nowhere() => {
                    return fail(
                        &format!("[{table}] has both `path` and `query`"),
                        "keep the one where its rows are",
                    );
                }
                (path, None) if path.is_nowhere() => {
                    let or = if table == "outcomes" {
                        "; or give a `flag`, if the leads say themselves which were won"
                    } else {
                        ""
                    };
                    return fail(
                        &format!("[{table}] has no `path`"),
                        &format!(
                            "name its file, write a `query`, or in Python pass it as a frame{or}"
                        ),
                    );
                }
                _ => {}
            }
            if place
                .path
                .paths()
                .iter()
                .any(|path| location_has_credentials(path))
            {
                return fail(
                    &format!(
                        "`path` of [{table}] has a user, a password or a key in it, and a config is read by many"
                    ),
                    "take it out: who asks is said by the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (docs/object-stores.md)",
                );
            }
            // What is no store's, such as the address of a database, may have a secret anywhere in
            // it.
            let is_address = |path: &str| path.contains("://") && !crate::remote::is_remote(path);
            if place.path.paths().iter().any(|path| is_address(path)) {
                return fail(
                    &format!("`path` of [{table}] is an address that no table is read from"),
                    "a path is a file, or an object such as s3://bucket/leads.parquet; rows of a database come by `query` (docs/databases.md)",
                );
            }
        }
        let outcomes = &self.outcomes;
        if outcomes.flag.is_some() {
            if !outcomes.path.is_nowhere()
                || outcomes.query.is_some()
                || outcomes.closed_at.is_some()
            {
                return fail(
                    "[outcomes] has both `flag` and `path` or `closed_at`",
                    "keep `flag` for a flat export without dates, or the others for outcomes with dates",
                );
            }
            if outcomes.won.is_empty() {
                return fail(
                    "[outcomes] has a `flag` but no `won`",
                    "name the values that mean won, such as won = [\"1\"]",
                );
            }
            if !self.activities.is_empty()
                || self.history.is_some()
                || self
                    .lookups
                    .values()
                    .any(|lookup| lookup.changed_at.is_some())
            {
                return fail(
                    "a flat export (outcomes by `flag`) has no dates, so activities and history cannot be placed in time",
                    "give [outcomes] a `path` and a `closed_at`, or leave the event tables out",
                );
            }
            if self.snapshots.silent.is_some() {
                return fail(
                    "[snapshots] `silent` needs events with dates, and a flat export has none",
                    "remove `silent`",
                );
            }
            if self.snapshots.ages.is_some() {
                return fail(
                    "[snapshots] `ages` needs dates, and a flat export has none",
                    "remove `ages`; `order_by` may name a column that stands for time",
                );
            }
        } else {
            if self.has_outcomes() && (outcomes.lead.is_none() || outcomes.closed_at.is_none()) {
                return fail(
                    "[outcomes] needs `lead` and `closed_at`",
                    "or a `flag`, if the leads say themselves which were won",
                );
            }
            if self.leads.created_at.is_none() {
                return fail(
                    "[leads] has no `created_at`",
                    "name the column with the time of creation, or give [outcomes] a `flag` for a flat export without dates",
                );
            }
            if outcomes.result.is_some() && outcomes.won.is_empty() {
                return fail(
                    "[outcomes] has a `result` but no `won`",
                    "name the values that mean won, such as won = [\"closed_won\"]",
                );
            }
            if outcomes.result.is_none()
                && !(outcomes.won.is_empty()
                    && outcomes.lost.is_empty()
                    && outcomes.open.is_empty())
            {
                return fail(
                    "[outcomes] has `won`, `lost` or `open` but no `result`",
                    "name the column with the result, or remove them: without `result` every row is a win",
                );
            }
            if self.snapshots.order_by.is_some() {
                return fail(
                    "[snapshots] `order_by` is for flat exports",
                    "remove it: these leads have dates",
                );
            }
        }
        if let Some((found, help)) = self.data.defect() {
            return fail(found, help);
        }
        if !(0.0..=1.0).contains(&self.guards.outside_training) {
            return fail(
                "[guards] `outside_training` is a share",
                "expected 0 to 1, such as 0.2 for every fifth lead",
            );
        }
        if self.outcomes.all_won && self.outcomes.result.is_some() {
            return fail(
                "[outcomes] has `all_won` and a `result`",
                "keep the one that is right",
            );
        }
        let lists = [
            ("won", &self.outcomes.won),
            ("lost", &self.outcomes.lost),
            ("open", &self.outcomes.open),
        ];
        for (position, (name, values)) in lists.iter().enumerate() {
            for (other, known) in &lists[..position] {
                if let Some(twice) = values
                    .iter()
                    .find(|value| known.iter().any(|known| known.is(&value.text())))
                {
                    return fail(
                        &format!(
                            "[outcomes] has `{}` in `{other}` and in `{name}`",
                            twice.text()
                        ),
                        "keep the one that is right",
                    );
                }
            }
        }
        if self.snapshots.horizon == Span::ZERO {
            return fail(
                "[snapshots] `horizon` is zero",
                "write the days in which a win counts, such as \"90d\"",
            );
        }
        if self.snapshots.silent == Some(Span::ZERO) {
            return fail(
                "[snapshots] `silent` is zero",
                "write after how long without an event a lead is not looked at, such as \"365d\", or remove it",
            );
        }
        if self.snapshots.ages.as_ref().is_some_and(Vec::is_empty) {
            return fail(
                "[snapshots] `ages` is an empty list",
                "remove it for calendar snapshots, or write ages such as [\"7d\", \"30d\"]",
            );
        }
        if self.features.windows.contains(&Span::ZERO) {
            return fail(
                "[features] `windows` holds a window of zero length",
                "write lengths such as [\"7d\", \"30d\", \"90d\"]",
            );
        }
        if self.features.half_lives.contains(&Span::ZERO) {
            return fail(
                "[features] `half_lives` holds a half-life of zero length",
                "write lengths such as [\"7d\", \"30d\"]",
            );
        }
        if self.features.families.is_empty() {
            return fail(
                "[features] `families` is an empty list",
                "remove it for the default families, or name some",
            );
        }
        if self.is_flat() && self.leads.account.is_some() {
            return fail(
                "[leads] `account` needs dates, and a flat export has none",
                "remove it; the account's columns can be a lookup",
            );
        }
        for (name, activity) in &self.activities {
            if activity.lead.is_some() == activity.account.is_some() {
                return fail(
                    &format!("[activities.{name}] needs either `lead` or `account`"),
                    "name the column that says whose event it is",
                );
            }
        }
        Ok(())
    }
}

/// A column that plays a part which allows some types only.
struct Part {
    table: String,
    key: &'static str,
    column: String,
    allowed: &'static [&'static str],
}

/// Where the rows of one table are, as the config has it.
pub(crate) struct Place<'c> {
    pub(crate) path: &'c Location,
    query: Option<&'c String>,
    uri: Option<&'c SecretUri>,
}

impl<'c> Place<'c> {
    fn of(path: &'c Location, query: &'c Option<String>, uri: &'c Option<SecretUri>) -> Self {
        Self {
            path,
            query: query.as_ref(),
            uri: uri.as_ref(),
        }
    }
}

/// Reads a TOML text into a type that denies unknown keys.
///
/// # Errors
///
/// [`ConfigError`] names the place, and for an unknown key the nearest known one.
pub fn parse_toml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    if text.len() > LARGEST_TEXT {
        let message = format!("it has {} bytes", text.len());
        return Err(ConfigError {
            message,
            help: Some(format!(
                "expected a text of at most {LARGEST_TEXT} bytes: is this the right file?"
            )),
            span: None,
        });
    }
    let read = toml::from_str(text).map_err(|error| explain(&error, text))?;
    match DeValue::parse(text).ok().as_ref().and_then(not_finite) {
        None => Ok(read),
        Some(span) => {
            let message = format!("{} is no finite number", &text[span.clone()]);
            Err(ConfigError {
                message,
                help: Some(
                    "write a number, or leave the key out where there is no limit".to_owned(),
                ),
                span: Some(span),
            })
        }
    }
}

/// Largest config or file of rules, in bytes.
const LARGEST_TEXT: usize = 4_000_000;

/// The place of a number that is infinite or none, which TOML can write.
fn not_finite(value: &Spanned<DeValue<'_>>) -> Option<Range<usize>> {
    match value.get_ref() {
        DeValue::Float(number) => {
            (!number.as_str().parse().is_ok_and(f64::is_finite)).then(|| value.span())
        }
        DeValue::Array(values) => values.iter().find_map(not_finite),
        DeValue::Table(table) => table.values().find_map(not_finite),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            None
        }
    }
}

/// Adds the nearest known key to an error of serde about an unknown one.
fn explain(error: &toml::de::Error, text: &str) -> ConfigError {
    // What is said of a value may repeat it.
    let message = hide_credentials(error.message().trim());
    let mut span = error.span();
    let mut help = None;
    if let Some(rest) = message.strip_prefix("unknown field `")
        && let Some((found, expected)) = rest.split_once('`')
    {
        let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        help = Some(nearest(found, known.iter().copied()).map_or_else(
            || format!("known keys here: {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        ));
        span = span.map(|range| narrow(text, range, found));
        return ConfigError {
            message: format!("unknown key `{found}`"),
            help,
            span,
        };
    }
    ConfigError {
        message: message.replace("missing field", "missing key"),
        help,
        span,
    }
}

/// The place of `word` within a span, where it stands there: toml gives the whole table for a key.
fn narrow(text: &str, range: Range<usize>, word: &str) -> Range<usize> {
    match text.get(range.clone()).and_then(|part| part.find(word)) {
        Some(offset) => range.start + offset..range.start + offset + word.len(),
        None => range,
    }
}

/// The known word most like `found`, if one is near enough to be meant.
pub fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|word| {
            (
                strsim::jaro_winkler(&found.to_lowercase(), &word.to_lowercase()),
                word,
            )
        })
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}
