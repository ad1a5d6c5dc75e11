//! The keys of all objects of a text, at any depth: what the values of each are read as, and which
//! objects are no values but have columns in them.

use std::collections::{BTreeSet, HashSet};

use hashbrown::HashMap;

use super::values::{Fields, N_KINDS, Value, ValueKind};
use crate::arrow_types::Unreadable;

/// Most fields of one object with all that are in it: more are not fields, but data in keys.
const MOST_FIELDS: usize = 1_000;

/// What the values of a key are read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueType {
    Boolean,
    Integer,
    Float,
    Text,
    /// As they are written: values of several kinds, or numbers with more digits than a number has.
    Written,
    Integers,
    Texts,
}

/// Kinds of values that are no lists or objects.
const PLAIN: &[ValueKind] = &[
    ValueKind::Boolean,
    ValueKind::Integer,
    ValueKind::Large,
    ValueKind::Float,
    ValueKind::Text,
];

/// Kinds of lists.
const LISTS: &[ValueKind] = &[
    ValueKind::Integers,
    ValueKind::Texts,
    ValueKind::Nested,
    ValueKind::Objects,
];

/// What was seen of a key, which is that of a row or of an object in it: `properties.createdate`.
#[derive(Debug, Default)]
struct Seen {
    /// The first row that has each kind of value; 0 for none.
    first: [u64; N_KINDS],
    /// Whether it has whole numbers that are not exact as fractions.
    has_long: bool,
    /// Row and place in it of the first value.
    place: (u64, usize),
    last_row: u64,
    /// Where its name has dots between keys; empty for a key of a row.
    cuts: Vec<usize>,
    /// The first row that has the same name with other dots between keys; 0 for none.
    otherwise: u64,
    /// Of a key of a row, how many fields its objects have with all that are in them.
    n_fields: usize,
}

impl Seen {
    fn add_kind(&mut self, value: &Value<'_>, row: u64) {
        let first = &mut self.first[value.kind as usize];
        if *first == 0 {
            *first = row;
        }
        self.has_long |= value.is_long;
    }

    fn add(&mut self, value: &Value<'_>, place: (u64, usize)) {
        self.add_kind(value, place.0);
        if self.last_row == 0 {
            self.place = place;
        }
        self.last_row = place.0;
    }

    /// What a later run of rows has seen, which begins after so many.
    fn merge(&mut self, later: &Self, n_before: u64) {
        let is_new = self.place.0 == 0;
        if is_new {
            self.place = (n_before + later.place.0, later.place.1);
            self.cuts.clone_from(&later.cuts);
        }
        let otherwise = if is_new || self.cuts == later.cuts {
            later.otherwise
        } else {
            later.place.0
        };
        if self.otherwise == 0 && otherwise > 0 {
            self.otherwise = n_before + otherwise;
        }
        self.has_long |= later.has_long;
        self.n_fields = self.n_fields.max(later.n_fields);
        for (first, later) in self.first.iter_mut().zip(later.first) {
            if *first == 0 && later > 0 {
                *first = n_before + later;
            }
        }
    }

    /// The first row that has one of these.
    fn first_of(&self, kinds: &[ValueKind]) -> Option<u64> {
        let rows = kinds.iter().map(|&kind| self.first[kind as usize]);
        rows.filter(|&row| row > 0).min()
    }

    /// Whether its values are objects, where there are any.
    fn is_object(&self) -> bool {
        self.first_of(&[ValueKind::Object]).is_some()
            && self.first_of(PLAIN).is_none()
            && self.first_of(LISTS).is_none()
    }

    /// What its values are read as; the error is what they are called where nobody reads them.
    fn value_type(&self, line: &impl Fn(u64) -> String) -> Result<ValueType, String> {
        use ValueKind::{Boolean, Float, Integer, Large, Nested, Object, Objects, Text, Texts};
        if self.otherwise > 0 {
            return Err(format!(
                "two fields of this name, one with a dot in its key ({} and {})",
                line(self.place.0),
                line(self.otherwise)
            ));
        }
        let plain = self.first_of(PLAIN);
        let list = self.first_of(LISTS);
        let object = self.first_of(&[Object]);
        let found: Vec<String> = [
            (plain, "plain values"),
            (list, "lists"),
            (object, "objects"),
        ]
        .into_iter()
        .filter_map(|(first, name)| Some(format!("{name} (from {})", line(first?))))
        .collect();
        if found.len() > 1 {
            return Err(found.join(" and "));
        }
        if object.is_some() {
            return Err(format!("objects with more than {MOST_FIELDS} fields"));
        }
        if list.is_some() {
            let [nested, objects, texts] =
                [Nested, Objects, Texts].map(|kind| self.first_of(&[kind]));
            return match (nested, objects, texts) {
                (Some(first), ..) => Err(format!("nested lists (from {})", line(first))),
                (None, Some(first), _) => Err(format!(
                    "lists of objects (from {}; `explode` makes a table of them)",
                    line(first)
                )),
                (None, None, Some(_)) => Ok(ValueType::Texts),
                (None, None, None) => Ok(ValueType::Integers),
            };
        }
        let has = |kind| self.first_of(&[kind]).is_some();
        let has_numbers = has(Integer) || has(Float) || has(Large);
        Ok(match (has(Boolean), has_numbers, has(Text)) {
            (true, false, false) => ValueType::Boolean,
            (false, true, false) if has(Large) || has(Float) && self.has_long => ValueType::Written,
            (false, true, false) if has(Float) => ValueType::Float,
            (false, true, false) => ValueType::Integer,
            (false, false, _) => ValueType::Text,
            (true, ..) | (false, true, true) => ValueType::Written,
        })
    }
}

/// Whether two lists are equal. Most are empty, and comparing the bytes of these is slow: their
/// pointers lead nowhere, which the masked loads of `memcmp` have to find out.
fn is_same(cuts: &[usize], others: &[usize]) -> bool {
    cuts.len() == others.len() && (cuts.is_empty() || cuts == others)
}

/// The keys of objects, by their names with a dot for each object that they are in.
#[derive(Debug, Default)]
pub(super) struct Keys {
    seen: HashMap<String, Seen>,
    /// Keys of rows alone.
    n_of_rows: usize,
}

/// What is read of a text, and how.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// The columns in the order in which they come, with what their values are read as.
    pub(super) columns: Vec<(String, ValueType)>,
    /// Columns that nobody reads.
    pub(super) unreadable: Unreadable,
    /// Objects whose fields are columns.
    pub(super) open: BTreeSet<String>,
    /// Columns of elements of lists whose short name a field around the list has.
    pub(super) long_names: Vec<String>,
    /// For each field that is read, its column.
    pub(super) names: HashMap<String, String>,
}

impl Shape {
    /// Whether each line has its columns as they are.
    pub(super) fn is_flat(&self) -> bool {
        self.open.is_empty()
    }
}

/// Where in a row a walk over its fields is.
struct Walk {
    row: u64,
    /// Keys that were passed.
    n_before: usize,
    /// The name of the field, and where it has dots between keys.
    name: String,
    cuts: Vec<usize>,
}

impl Keys {
    /// How many keys rows have.
    pub(super) fn n_of_rows(&self) -> usize {
        self.n_of_rows
    }

    /// Adds the fields of a row, with all that is in them; the error is the name of one that is
    /// there twice.
    pub(super) fn add_row(&mut self, fields: &Fields<'_>, row: u64) -> Result<(), String> {
        let mut walk = Walk {
            row,
            n_before: 0,
            name: String::new(),
            cuts: Vec::new(),
        };
        for (key, value) in &fields.0 {
            self.add_value(key, value, &walk)?;
            walk.n_before += 1;
            if !value.fields.is_empty() {
                walk.name.push_str(key);
                self.add_fields(value, &mut walk)?;
                walk.name.clear();
            }
        }
        Ok(())
    }

    /// Adds the fields of the object whose name the walk has.
    fn add_fields(&mut self, object: &Value<'_>, walk: &mut Walk) -> Result<(), String> {
        let length = walk.name.len();
        walk.cuts.push(length);
        for (key, value) in &object.fields {
            walk.name.push('.');
            walk.name.push_str(key);
            self.add_value(&walk.name, value, walk)?;
            walk.n_before += 1;
            if !value.fields.is_empty() {
                self.add_fields(value, walk)?;
            }
            walk.name.truncate(length);
        }
        walk.cuts.pop();
        Ok(())
    }

    fn add_value(&mut self, name: &str, value: &Value<'_>, walk: &Walk) -> Result<(), String> {
        let place = (walk.row, walk.n_before);
        if let Some(seen) = self.seen.get_mut(name) {
            if !is_same(&seen.cuts, &walk.cuts) {
                if seen.otherwise == 0 {
                    seen.otherwise = walk.row;
                }
                seen.add_kind(value, walk.row);
                return Ok(());
            }
            if seen.last_row == walk.row {
                return Err(name.to_owned());
            }
            seen.add(value, place);
            return Ok(());
        }
        match walk.cuts.first() {
            None => self.n_of_rows += 1,
            Some(&cut) => match self.seen.get_mut(&name[..cut]) {
                // What has too many fields is not read: more of them need not be known.
                Some(root) if root.n_fields > MOST_FIELDS => return Ok(()),
                Some(root) => root.n_fields += 1,
                None => return Ok(()),
            },
        }
        let mut seen = Seen {
            cuts: walk.cuts.clone(),
            ..Seen::default()
        };
        seen.add(value, place);
        self.seen.insert(name.to_owned(), seen);
        Ok(())
    }

    /// Adds those of a later run of rows, which begins after so many.
    pub(super) fn merge(&mut self, later: Self, n_before: u64) {
        for (key, seen) in later.seen {
            if seen.cuts.is_empty() && !self.seen.contains_key(&key) {
                self.n_of_rows += 1;
            }
            self.seen.entry(key).or_default().merge(&seen, n_before);
        }
    }

    /// The names of lists of objects.
    pub(super) fn lists_of_objects(&self) -> BTreeSet<&str> {
        let has_objects = |seen: &Seen| seen.first_of(&[ValueKind::Objects]).is_some();
        let lists = self.seen.iter().filter(|(_, seen)| has_objects(seen));
        lists.map(|(name, _)| name.as_str()).collect()
    }

    /// What each key is read as. Fields of `exploded`, which was a list, have short names where no
    /// other column has these. `line` says where a row is.
    pub(super) fn shape(self, exploded: Option<&str>, line: &impl Fn(u64) -> String) -> Shape {
        let mut n_below: HashMap<&str, usize> = HashMap::new();
        for (name, seen) in &self.seen {
            if let Some(&cut) = seen.cuts.first() {
                *n_below.entry(&name[..cut]).or_default() += 1;
            }
        }
        let is_open = |name: &str| {
            self.seen.get(name).is_some_and(|seen| {
                seen.is_object()
                    && seen.n_fields <= MOST_FIELDS
                    && n_below.get(name).is_none_or(|&n| n <= MOST_FIELDS)
            })
        };
        let mut keys: Vec<(&String, &Seen)> = self
            .seen
            .iter()
            .filter(|(name, seen)| {
                seen.otherwise > 0 || seen.cuts.iter().all(|&cut| is_open(&name[..cut]))
            })
            .collect();
        keys.sort_by_key(|(_, seen)| seen.place);
        let mut shape = Shape::default();
        let mut columns = Vec::with_capacity(keys.len());
        for (name, seen) in keys {
            if is_open(name) {
                shape.open.insert(name.clone());
            } else {
                columns.push((name, seen));
            }
        }
        let prefix = exploded.map(|list| format!("{list}."));
        let short = |name: &str| -> Option<String> {
            let rest = name.strip_prefix(prefix.as_deref()?)?;
            Some(rest.to_owned())
        };
        let of_rows: HashSet<&str> = columns
            .iter()
            .filter(|(name, _)| short(name).is_none())
            .map(|(name, _)| name.as_str())
            .collect();
        for (name, seen) in columns {
            let column = match short(name) {
                Some(short) if of_rows.contains(short.as_str()) => {
                    shape.long_names.push(name.clone());
                    name.clone()
                }
                Some(short) => short,
                None => name.clone(),
            };
            let kind = match seen.value_type(line) {
                Ok(kind) => {
                    shape.names.insert(name.clone(), column.clone());
                    kind
                }
                Err(why) => {
                    shape.unreadable.insert(column.clone(), why);
                    ValueType::Text
                }
            };
            shape.columns.push((column, kind));
        }
        shape
    }
}
