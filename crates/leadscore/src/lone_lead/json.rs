//! JSON of a lead: read with each key once, and looked at key by key.

use std::fmt;

use leadscore_core::printable;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::{Context, bail};

/// A lead as JSON, in UTF-8 or behind a byte order mark in UTF-16; `what` names it.
///
/// # Errors
///
/// It is no JSON, or an object has a key twice, of which one would be lost.
pub fn read_lead_json(what: &str, bytes: &[u8]) -> crate::Result<Value> {
    let is_no_json = || format!("{what} is no JSON");
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes
            .chunks_exact(2)
            .map(|pair| unit([pair[0], pair[1]]))
            .collect()
    };
    let text = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => {
            String::from_utf8(rest.to_vec()).with_context(is_no_json)?
        }
        [0xFF, 0xFE, rest @ ..] if rest.len() % 2 == 0 => {
            String::from_utf16(&units(rest, u16::from_le_bytes)).with_context(is_no_json)?
        }
        [0xFE, 0xFF, rest @ ..] if rest.len() % 2 == 0 => {
            String::from_utf16(&units(rest, u16::from_be_bytes)).with_context(is_no_json)?
        }
        plain => String::from_utf8(plain.to_vec()).with_context(is_no_json)?,
    };
    match serde_json::from_str(&text) {
        Ok(SingleKeys(value)) => Ok(value),
        Err(error) if error.is_data() => bail!("{what} has {error}\n  hint: keep one of the two"),
        Err(error) => Err(error).with_context(is_no_json),
    }
}

/// JSON whose objects have each key once.
struct SingleKeys(Value);

impl<'de> Deserialize<'de> for SingleKeys {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SingleKeysVisitor).map(Self)
    }
}

struct SingleKeysVisitor;

impl<'de> Visitor<'de> for SingleKeysVisitor {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(SingleKeys(value)) = from.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = from.next_key::<String>()? {
            let SingleKeys(value) = from.next_value()?;
            if values.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "the key `{}` twice in one object",
                    printable(&key)
                )));
            }
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}

/// The keys of an object, which `what` names.
pub(super) fn object<'v>(what: &str, value: &'v Value) -> crate::Result<&'v Map<String, Value>> {
    match value {
        Value::Object(object) => Ok(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            bail!(
                "{what} is {}, expected an object with a value for each column",
                kind(value)
            )
        }
    }
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A value as a table has it; `None` for what is missing.
pub(super) fn text_of(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Some(other.to_string())
        }
    }
}

/// The same values, those of objects under the names that tables give their fields: `a.b`. An object
/// is opened where it is no known key itself, and known keys begin with it.
pub(super) fn flat(
    what: &str,
    given: &Map<String, Value>,
    known: &[String],
) -> crate::Result<Map<String, Value>> {
    let mut fields = Map::new();
    add_flat(what, "", given, known, &mut fields)?;
    Ok(fields)
}

fn add_flat(
    what: &str,
    object: &str,
    given: &Map<String, Value>,
    known: &[String],
    fields: &mut Map<String, Value>,
) -> crate::Result<()> {
    for (key, value) in given {
        let name = format!("{object}{key}");
        let within = format!("{name}.");
        let is_open = !known.contains(&name) && known.iter().any(|key| key.starts_with(&within));
        if let Some(inner) = value.as_object().filter(|_| is_open) {
            add_flat(what, &within, inner, known, fields)?;
        } else if fields.contains_key(&name) {
            bail!(
                "{what} has `{}` twice, once with a dot in the key\n  hint: keep one of the two",
                printable(&name)
            );
        } else {
            fields.insert(name, value.clone());
        }
    }
    Ok(())
}

/// Fails at a key that is not known.
pub(super) fn check_keys(
    what: &str,
    given: &Map<String, Value>,
    known: &[String],
) -> crate::Result<()> {
    let Some(unknown) = given.keys().find(|key| !known.contains(key)) else {
        return Ok(());
    };
    let near = leadscore_config::nearest(unknown, known.iter().map(String::as_str))
        .map(|near| format!("did you mean `{}`? ", printable(near)));
    let list = known
        .iter()
        .map(|name| printable(name).into_owned())
        .collect::<Vec<_>>()
        .join(", ");
    bail!(
        "{what} has an unknown key `{}`\n  hint: {}known keys: {list}",
        printable(unknown),
        near.unwrap_or_default()
    );
}
