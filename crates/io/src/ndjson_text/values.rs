//! What an object on a line has, told in one pass over its bytes: the keys with the kinds of their
//! values, at any depth.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What kind of value a key has in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Null,
    Boolean,
    Integer,
    /// A whole number that no 64 bits hold, or a fraction where whole ones would lose digits.
    Large,
    Float,
    Text,
    /// A list, of whole numbers alone.
    Integers,
    /// A list of other plain values.
    Texts,
    /// A list with lists in it, or with objects beside other values.
    Nested,
    /// A list of objects.
    Objects,
    Object,
}

/// The number of [`ValueKind`]s.
pub(super) const N_KINDS: usize = 11;

/// From here on, whole numbers are not all exact as fractions.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The fields of an object, in order.
pub(super) struct Fields<'t>(pub(super) Vec<(Cow<'t, str>, Value<'t>)>);

/// A value, as far as tables need it.
pub(super) struct Value<'t> {
    pub(super) kind: ValueKind,
    /// Whether it is a whole number that is not exact as a fraction.
    pub(super) is_long: bool,
    /// Of an object, its fields.
    pub(super) fields: Vec<(Cow<'t, str>, Value<'t>)>,
}

impl Value<'_> {
    fn plain(kind: ValueKind, is_long: bool) -> Self {
        Self {
            kind,
            is_long,
            fields: Vec::new(),
        }
    }
}

impl<'t> Deserialize<'t> for Fields<'t> {
    fn deserialize<D: Deserializer<'t>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'t> Visitor<'t> for Object {
            type Value = Fields<'t>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, map: A) -> Result<Fields<'t>, A::Error> {
                fields_of(map).map(Fields)
            }
        }
        from.deserialize_map(Object)
    }
}

fn fields_of<'t, A: MapAccess<'t>>(mut map: A) -> Result<Vec<(Cow<'t, str>, Value<'t>)>, A::Error> {
    let mut fields = Vec::new();
    while let Some((Key(key), value)) = map.next_entry()? {
        fields.push((key, value));
    }
    Ok(fields)
}

/// A key, borrowed where it has no escapes.
struct Key<'t>(Cow<'t, str>);

impl<'t> Deserialize<'t> for Key<'t> {
    fn deserialize<D: Deserializer<'t>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'t> Visitor<'t> for Text {
            type Value = Key<'t>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'t str) -> Result<Key<'t>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'t>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        from.deserialize_str(Text)
    }
}

impl<'t> Deserialize<'t> for Value<'t> {
    fn deserialize<D: Deserializer<'t>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any::<true>)
    }
}

/// An element of a list, whose fields are not told if it is an object.
struct Element<'t>(Value<'t>);

impl<'t> Deserialize<'t> for Element<'t> {
    fn deserialize<D: Deserializer<'t>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any::<false>).map(Element)
    }
}

/// Visits a value, and the fields of an object if they are wanted.
struct Any<const HAS_FIELDS: bool>;

impl<'t, const HAS_FIELDS: bool> Visitor<'t> for Any<HAS_FIELDS> {
    type Value = Value<'t>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value<'t>, E> {
        Ok(Value::plain(ValueKind::Null, false))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value<'t>, E> {
        Ok(Value::plain(ValueKind::Boolean, false))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'t>, E> {
        let is_long = (value as f64).abs() >= MOST_EXACT;
        Ok(Value::plain(ValueKind::Integer, is_long))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'t>, E> {
        Ok(match i64::try_from(value) {
            Ok(value) => Value::plain(ValueKind::Integer, value as f64 >= MOST_EXACT),
            Err(_) => Value::plain(ValueKind::Large, true),
        })
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'t>, E> {
        let is_large = value.abs() >= MOST_EXACT;
        let kind = if is_large {
            ValueKind::Large
        } else {
            ValueKind::Float
        };
        Ok(Value::plain(kind, is_large))
    }

    fn visit_str<E>(self, _: &str) -> Result<Value<'t>, E> {
        Ok(Value::plain(ValueKind::Text, false))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<Value<'t>, A::Error> {
        let (mut kind, mut is_empty) = (None, true);
        while let Some(Element(item)) = list.next_element()? {
            is_empty = false;
            let of_item = match item.kind {
                ValueKind::Null => continue,
                ValueKind::Object => ValueKind::Objects,
                ValueKind::Integers | ValueKind::Texts | ValueKind::Nested | ValueKind::Objects => {
                    ValueKind::Nested
                }
                ValueKind::Integer if !item.is_long => ValueKind::Integers,
                ValueKind::Boolean
                | ValueKind::Integer
                | ValueKind::Large
                | ValueKind::Float
                | ValueKind::Text => ValueKind::Texts,
            };
            kind = Some(match kind {
                None => of_item,
                Some(kind) if kind == of_item => kind,
                Some(kind) if is_plain_list(kind) && is_plain_list(of_item) => ValueKind::Texts,
                Some(_) => ValueKind::Nested,
            });
        }
        let kind = kind.unwrap_or(if is_empty {
            ValueKind::Texts
        } else {
            ValueKind::Integers
        });
        Ok(Value::plain(kind, false))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Value<'t>, A::Error> {
        let mut object = Value::plain(ValueKind::Object, false);
        if HAS_FIELDS {
            object.fields = fields_of(map)?;
        } else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        }
        Ok(object)
    }
}

/// Whether a kind is one of lists of plain values.
fn is_plain_list(kind: ValueKind) -> bool {
    matches!(kind, ValueKind::Integers | ValueKind::Texts)
}
