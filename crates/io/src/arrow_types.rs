//! Arrow types in files and streams: which of them the engine can hold, and what the others are
//! read as, or called where they are refused.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use polars_arrow::array::{Array, FixedSizeBinaryArray, PrimitiveArray};
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow_format::ipc::planus::{self, ReadAsRoot};
use polars_arrow_format::ipc::{
    FieldRef, FooterRef, MessageHeaderRef, MessageRef, SchemaRef, TypeRef, UnionMode,
};
use polars_core::prelude::{
    DataType, IntoColumn, NamedFrom, PlSmallStr, Series, TimeUnit, TimeZone,
};

/// Columns whose type is not read, with the name of the type.
pub(crate) type Unreadable = BTreeMap<String, String>;

/// How the cells of an Arrow column come to be cells of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The engine holds them.
    Plain,
    /// They are days, in milliseconds.
    Days,
    /// The type is a name for another one, whose cells they are.
    Storage,
    /// The sixteen bytes of a UUID.
    Uuid,
    /// A moment in a zone that nobody knows: in UTC all the same.
    UnknownZone,
    /// Nobody reads them.
    Nothing,
}

/// Extensions that are texts or numbers by another name.
const KNOWN_EXTENSIONS: [&str; 3] = ["arrow.uuid", "arrow.json", "arrow.bool8"];

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "types of a library: those not named are read the same way, or not at all"
)]
pub(crate) fn reading(kind: &ArrowDataType) -> Reading {
    match kind {
        ArrowDataType::Date64 => Reading::Days,
        ArrowDataType::Extension(extension) if extension.name.as_str() == "arrow.uuid" => {
            Reading::Uuid
        }
        ArrowDataType::Extension(extension)
            if KNOWN_EXTENSIONS.contains(&extension.name.as_str()) =>
        {
            match reading(&extension.inner) {
                Reading::Plain => Reading::Storage,
                Reading::Days
                | Reading::Storage
                | Reading::Uuid
                | Reading::UnknownZone
                | Reading::Nothing => Reading::Nothing,
            }
        }
        ArrowDataType::Timestamp(_, zone) if !is_zone(zone.as_ref()) => Reading::UnknownZone,
        other if is_held(other) => Reading::Plain,
        _ => Reading::Nothing,
    }
}

fn is_zone(zone: Option<&PlSmallStr>) -> bool {
    TimeZone::opt_try_new(zone.cloned()).is_ok()
}

/// The first column of an Arrow file at whose type the engine panics when it opens the file, and
/// what it holds.
pub(crate) fn unknown_in_file(path: &Path) -> std::io::Result<Option<(String, &'static str)>> {
    let Some(footer) = crate::arrow_file::footer(path)? else {
        return Ok(None);
    };
    // What makes no sense is the engine's to refuse.
    Ok(unknown_in_footer(&footer).unwrap_or(None))
}

/// The same of the Arrow types that a Parquet file says its writer had in mind: in base64, the
/// message of a schema.
pub(crate) fn is_unknown_in_parquet(text: &str) -> bool {
    let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(text) else {
        return false;
    };
    let message = bytes
        .strip_prefix(&[0xff; 4])
        .unwrap_or(&bytes)
        .get(4..)
        .unwrap_or_default();
    let of_message = || match MessageRef::read_as_root(message)?.header()? {
        Some(MessageHeaderRef::Schema(schema)) => unknown_in_schema(schema),
        _ => Ok(None),
    };
    of_message().is_ok_and(|unknown| unknown.is_some())
}

fn unknown_in_footer(footer: &[u8]) -> planus::Result<Option<(String, &'static str)>> {
    FooterRef::read_as_root(footer)?
        .schema()?
        .map_or(Ok(None), unknown_in_schema)
}

fn unknown_in_schema(schema: SchemaRef<'_>) -> planus::Result<Option<(String, &'static str)>> {
    for field in schema.fields()?.into_iter().flatten() {
        let field = field?;
        if let Some(kind) = unknown_in_field(field, 0)? {
            return Ok(Some((field.name()?.unwrap_or_default().to_owned(), kind)));
        }
    }
    Ok(None)
}

fn unknown_in_field(field: FieldRef<'_>, depth: usize) -> planus::Result<Option<&'static str>> {
    match field.type_()? {
        Some(TypeRef::RunEndEncoded(_)) => return Ok(Some("run-end encoded cells")),
        Some(TypeRef::Union(union)) if union.mode()? == UnionMode::Sparse => {
            return Ok(Some("sparse unions"));
        }
        Some(TypeRef::ListView(_) | TypeRef::LargeListView(_)) => return Ok(Some("list views")),
        _ => {}
    }
    // Deeper nests are nobody's.
    if depth < 64 {
        for child in field.children()?.into_iter().flatten() {
            if let Some(kind) = unknown_in_field(child?, depth + 1)? {
                return Ok(Some(kind));
            }
        }
    }
    Ok(None)
}

/// Whether the engine has a type for it; it panics at what it has none for.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "types of a library: those not named are read the same way, or not at all"
)]
fn is_held(kind: &ArrowDataType) -> bool {
    match kind {
        ArrowDataType::Null
        | ArrowDataType::Boolean
        | ArrowDataType::Int8
        | ArrowDataType::Int16
        | ArrowDataType::Int32
        | ArrowDataType::Int64
        | ArrowDataType::UInt8
        | ArrowDataType::UInt16
        | ArrowDataType::UInt32
        | ArrowDataType::UInt64
        | ArrowDataType::Float32
        | ArrowDataType::Float64
        | ArrowDataType::Date32
        | ArrowDataType::Time32(_)
        | ArrowDataType::Time64(_)
        | ArrowDataType::Duration(_)
        | ArrowDataType::Binary
        | ArrowDataType::LargeBinary
        | ArrowDataType::BinaryView
        | ArrowDataType::FixedSizeBinary(_)
        | ArrowDataType::Utf8
        | ArrowDataType::LargeUtf8
        | ArrowDataType::Utf8View => true,
        ArrowDataType::Decimal(precision, scale)
        | ArrowDataType::Decimal32(precision, scale)
        | ArrowDataType::Decimal64(precision, scale) => *precision <= 38 && scale <= precision,
        ArrowDataType::Timestamp(_, zone) => is_zone(zone.as_ref()),
        ArrowDataType::Dictionary(_, values, _) => is_held(values) && !values.is_nested(),
        ArrowDataType::List(field)
        | ArrowDataType::LargeList(field)
        | ArrowDataType::Map(field, _) => is_held(&field.dtype),
        ArrowDataType::Struct(fields) => fields.iter().all(|field| is_held(&field.dtype)),
        _ => false,
    }
}

/// A type as people call it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "types of a library: those not named are read the same way, or not at all"
)]
pub(crate) fn type_name(kind: &ArrowDataType) -> String {
    match kind {
        ArrowDataType::Float16 => "16-bit floating-point numbers".to_owned(),
        ArrowDataType::Int128 | ArrowDataType::UInt128 => "128-bit numbers".to_owned(),
        ArrowDataType::FixedSizeList(..) => "lists of a fixed length".to_owned(),
        ArrowDataType::List(_) | ArrowDataType::LargeList(_) => "lists".to_owned(),
        ArrowDataType::Struct(_) => "nested columns".to_owned(),
        ArrowDataType::Map(..) => "maps".to_owned(),
        ArrowDataType::Union(_) => "unions of types".to_owned(),
        ArrowDataType::Interval(_) => "intervals of months and days".to_owned(),
        ArrowDataType::Duration(_) => "lengths of time".to_owned(),
        ArrowDataType::Time32(_) | ArrowDataType::Time64(_) => "times of day".to_owned(),
        ArrowDataType::Decimal(..)
        | ArrowDataType::Decimal32(..)
        | ArrowDataType::Decimal64(..)
        | ArrowDataType::Decimal256(..) => "decimals of more than 38 digits".to_owned(),
        ArrowDataType::Extension(extension) => format!("`{}` values", extension.name),
        ArrowDataType::Dictionary(_, values, _) => format!("a dictionary of {}", type_name(values)),
        other => format!("{other:?}"),
    }
}

/// A type of the engine as people call it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "types of a library: those not named are read the same way, or not at all"
)]
pub(crate) fn held_name(kind: &DataType) -> String {
    match kind {
        DataType::List(_) => "lists".to_owned(),
        DataType::Struct(_) => "nested columns".to_owned(),
        DataType::Duration(_) => "lengths of time".to_owned(),
        DataType::Time => "times of day".to_owned(),
        DataType::Binary | DataType::BinaryOffset => "bytes that are no text".to_owned(),
        other => format!("{other} values"),
    }
}

/// One column of arrays as the engine holds it; `None` where nobody reads its type.
pub(crate) fn series_of(
    field: &Field,
    arrays: Vec<Box<dyn Array>>,
) -> Option<polars_core::error::PolarsResult<Series>> {
    let name = field.name.clone();
    let plain = |field: &Field, arrays: Vec<Box<dyn Array>>| {
        if arrays.is_empty() {
            Ok(Series::new_empty(
                field.name.clone(),
                &DataType::from_arrow_field(field),
            ))
        } else {
            Series::try_from((field, arrays))
        }
    };
    Some(match reading(&field.dtype) {
        Reading::Nothing => return None,
        Reading::Plain => plain(field, arrays),
        Reading::Days => plain(field, arrays).and_then(|series| series.cast(&DataType::Date)),
        Reading::Storage => {
            let ArrowDataType::Extension(extension) = &field.dtype else {
                return None;
            };
            let storage = Field::new(name, extension.inner.clone(), field.is_nullable);
            let bare = arrays
                .into_iter()
                .map(|array| with_type(array, &extension.inner))
                .collect();
            plain(&storage, bare)
        }
        Reading::UnknownZone => {
            let ArrowDataType::Timestamp(unit, _) = &field.dtype else {
                return None;
            };
            let kind = ArrowDataType::Timestamp(*unit, Some("UTC".into()));
            let storage = Field::new(name, kind.clone(), field.is_nullable);
            let bare = arrays
                .into_iter()
                .map(|array| with_type(array, &kind))
                .collect();
            plain(&storage, bare)
        }
        Reading::Uuid => {
            let texts = arrays.iter().flat_map(|array| {
                let bytes = array.as_any().downcast_ref::<FixedSizeBinaryArray>();
                (0..array.len()).map(move |row| {
                    bytes
                        .filter(|_| array.is_valid(row))
                        .map(|bytes| uuid_text(bytes.value(row)))
                })
            });
            Ok(Series::new(name, texts.collect::<Vec<Option<String>>>()))
        }
    })
}

/// The same values under another name of their type, where the two are stored alike.
fn with_type(array: Box<dyn Array>, kind: &ArrowDataType) -> Box<dyn Array> {
    if let Some(moments) = array.as_any().downcast_ref::<PrimitiveArray<i64>>() {
        return Box::new(moments.clone().to(kind.clone()));
    }
    if let Some(small) = array.as_any().downcast_ref::<PrimitiveArray<i8>>() {
        return Box::new(small.clone().to(kind.clone()));
    }
    let mut array = array;
    *array.dtype_mut() = kind.clone();
    array
}

/// Sixteen bytes as a UUID is written.
pub(crate) fn uuid_text(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if hex.len() != 32 {
        return hex;
    }
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// A column of bytes as texts: UUIDs as they are written, others where all of them are UTF-8.
pub(crate) fn texts_of_bytes(series: &Series, is_uuid: bool) -> Option<Series> {
    let bytes = series.binary().ok()?;
    let texts: Option<Vec<Option<String>>> = bytes
        .iter()
        .map(|cell| match cell {
            None => Some(None),
            Some(cell) if is_uuid => Some(Some(uuid_text(cell))),
            Some(cell) => std::str::from_utf8(cell)
                .ok()
                .map(|text| Some(text.to_owned())),
        })
        .collect();
    Some(Series::new(series.name().clone(), texts?))
}

/// Days in milliseconds as dates.
pub(crate) fn to_dates(
    series: &Series,
) -> polars_core::error::PolarsResult<polars_core::prelude::Column> {
    let is_days = matches!(
        series.dtype(),
        DataType::Datetime(TimeUnit::Milliseconds, None)
    );
    Ok(if is_days {
        series.cast(&DataType::Date)?
    } else {
        series.clone()
    }
    .into_column())
}
