//! Fields and elements against a plain reading of the same objects.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

#[track_caller]
fn check_fault(text: &str, line: u64, expected: &str) {
    let run = Run::new(text.as_bytes());
    let (found, fault) = run.fault.expect("a fault");
    let message = fault.error(Path::new("x.ndjson"), found).to_string();
    assert_eq!(found, line, "{message}");
    assert!(message.contains(expected), "{message}");
}

#[test]
fn lines_that_are_no_rows_are_named() {
    check_fault(
        "{\"a\": 1}\n\n{\"a\": 1",
        3,
        "not one JSON object (EOF while parsing an object at character 7)",
    );
    check_fault("{\"a\": 1}\n[1]\n", 2, "not one JSON object");
    check_fault(
        "{\"a\": 1} {\"a\": 2}\n",
        1,
        "trailing characters at character 10",
    );
    check_fault("{\"a\": NaN}\n", 1, "expected value");
    check_fault(
        "{\"a\": 1, \"\\u0061\": 2}\n",
        1,
        "the key `a` is there twice",
    );
    check_fault(
        &format!("{{\"a\": {}1{}}}", "[".repeat(70), "]".repeat(70)),
        1,
        "more than 64 deep",
    );
}

#[test]
fn keys_with_values_of_two_kinds_are_not_read() {
    let text = "{\"a\": 1, \"b\": [\"x\"], \"c\": null}\r\n{\"a\": \"]\", \"b\": null}\n{\"c\": {}}\n{\"c\": [], \"a\": []}";
    for n_runs in [1, 2] {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (mut keys, mut n_lines) = (Keys::default(), 0);
        for lines in lines.chunks(lines.len() / n_runs) {
            let run = Run::new(lines.concat().as_bytes());
            assert_eq!(run.fault, None);
            keys.merge(run.keys, n_lines);
            n_lines += run.n_lines;
        }
        let line = |row: u64| format!("line {row}");
        let unreadable: Vec<(String, String)> =
            keys.shape(None, &line).unreadable.into_iter().collect();
        let expected = [
            ("a", "plain values (from line 1) and lists (from line 4)"),
            ("c", "lists (from line 4) and objects (from line 3)"),
        ]
        .map(|(key, kind)| (key.to_owned(), kind.to_owned()));
        assert_eq!(unreadable, expected);
    }
}

#[test]
fn values_are_read_as_what_all_of_them_are() {
    for (values, expected) in [
        ("true null", ValueType::Boolean),
        ("1 -2", ValueType::Integer),
        ("1 2.5", ValueType::Float),
        ("null", ValueType::Text),
        ("\"a\" null", ValueType::Text),
        ("1 true", ValueType::Written),
        ("1 \"many\"", ValueType::Written),
        ("18446744073709551617 1", ValueType::Written),
        ("9007199254740993 1", ValueType::Integer),
        ("9007199254740993 1.5", ValueType::Written),
        ("[1,2] []", ValueType::Texts),
        ("[1,2] [3]", ValueType::Integers),
        ("[\"a\"] [1]", ValueType::Texts),
    ] {
        let lines: Vec<String> = values
            .split(' ')
            .map(|value| format!("{{\"x\": {value}}}\n"))
            .collect();
        let run = Run::new(lines.concat().as_bytes());
        assert_eq!(
            run.keys.shape(None, &|row| row.to_string()).columns,
            [("x".to_owned(), expected)],
            "{values}"
        );
    }
}

/// What a plain reading of objects finds of a name: the ways that lead to it, and the kinds of
/// its values.
#[derive(Default)]
struct Plain {
    ways: BTreeSet<Vec<String>>,
    kinds: BTreeSet<&'static str>,
}

fn walk(value: &Value, way: &[String], found: &mut BTreeMap<String, Plain>) {
    let Value::Object(fields) = value else { return };
    for (key, value) in fields {
        let way: Vec<String> = way.iter().chain([key]).cloned().collect();
        let plain = found.entry(way.join(".")).or_default();
        plain.kinds.insert(match value {
            Value::Null => "nothing",
            Value::Object(_) => "object",
            Value::Array(_) => "list",
            Value::Bool(_) | Value::Number(_) | Value::String(_) => "plain",
        });
        walk(value, &way, found);
        plain_of(found, &way).ways.insert(way);
    }
}

fn plain_of<'f>(found: &'f mut BTreeMap<String, Plain>, way: &[String]) -> &'f mut Plain {
    found.get_mut(&way.join(".")).expect("added before")
}

/// The columns that objects have, and what is in them, without runs, places and bytes.
fn check_plain(rows: &[Value]) {
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let keys = keys_of(Path::new("x"), text.as_bytes(), &|row| row).expect("objects");
    let shape = keys.shape(None, &|row| row.to_string());
    let flat = flatten(text.as_bytes(), &shape);
    let mut found = BTreeMap::new();
    rows.iter().for_each(|row| walk(row, &[], &mut found));
    let is_open = |name: &str| {
        let kinds = &found[name].kinds;
        kinds.contains("object") && !kinds.contains("list") && !kinds.contains("plain")
    };
    let is_seen = |way: &[String]| (1..way.len()).all(|n| is_open(&way[..n].join(".")));
    let (mut columns, mut unreadable) = (BTreeMap::new(), BTreeSet::new());
    for (name, plain) in &found {
        let is_doubtful = plain.ways.len() > 1;
        if is_open(name) || !(is_doubtful || plain.ways.iter().all(|way| is_seen(way))) {
            continue;
        }
        let n_kinds = plain
            .kinds
            .iter()
            .filter(|kind| **kind != "nothing")
            .count();
        if is_doubtful || n_kinds > 1 {
            unreadable.insert(name.clone());
        } else {
            columns.insert(name.clone(), plain.ways.first().expect("one").clone());
        }
    }
    let names: BTreeSet<&String> = shape.columns.iter().map(|(name, _)| name).collect();
    let expected: BTreeSet<&String> = columns.keys().chain(&unreadable).collect();
    assert_eq!(names, expected, "{text}");
    assert!(shape.unreadable.keys().eq(&unreadable), "{text}");
    let lines: Vec<&[u8]> = flat.split(|&byte| byte == b'\n').collect();
    for (row, line) in rows.iter().zip(lines) {
        let mut expected = Map::new();
        for (name, way) in &columns {
            let value = way.iter().try_fold(row, |value, key| value.get(key));
            if let Some(value) = value.filter(|value| !value.is_null()) {
                expected.insert(name.clone(), value.clone());
            }
        }
        let line: Value = serde_json::from_slice(line).expect("an object");
        assert_eq!(line, Value::Object(expected), "{text}");
    }
}

fn object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(json!(1)),
        Just(json!("}\\\",x: {")),
        Just(json!(["a", "]"])),
        Just(json!({})),
    ];
    let key = || prop::sample::select(vec!["a", "b", "a.b", "", "\"."]);
    let fields = move |value: BoxedStrategy<Value>| {
        let fields = prop::collection::btree_map(key(), value, 0..4);
        fields.prop_map(|fields| json!(fields)).boxed()
    };
    fields(leaf.prop_recursive(3, 12, 4, fields).boxed())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fields_are_those_of_a_plain_reading(rows in prop::collection::vec(object(), 1..4)) {
        check_plain(&rows);
    }
}

#[track_caller]
fn check_exploded(text: &str, list: &str, expected: &Result<&[&str], &str>) {
    let found = exploded_rows(Path::new("x.ndjson"), text.into(), list, 100_000);
    match (found, expected) {
        (Ok(rows), Ok(expected)) => {
            let text = String::from_utf8(rows.text).expect("a text");
            let lines: Vec<String> = text
                .lines()
                .zip(rows.elements)
                .map(
                    |(
                        line,
                        Element {
                            line: of_file,
                            number,
                        },
                    )| { format!("{of_file}.{number} {line}") },
                )
                .collect();
            assert_eq!(&lines, expected);
        }
        (Err(error), Err(expected)) => {
            let message = error.to_string();
            assert!(message.contains(expected), "{message}");
        }
        (found, _) => panic!("{found:?}"),
    }
}

#[test]
fn elements_take_the_place_of_their_list() {
    let text = "{\"i\":1,\"p\":{\"h\":[ {\"x\":\"]\"} ,{\"x\":[1]}],\"y\":2}}\n\n{\"i\":2,\"p\":{\"h\":[]}}\n{\"i\":3,\"p\":null}\n{\"i\":4,\"p\":{\"h\":null}}\n{\"i\":5,\"p\":{\"h\":[null,{}]}}";
    let rows = [
        "1.1 {\"i\":1,\"p\":{\"h\":{\"x\":\"]\"},\"y\":2}}",
        "1.2 {\"i\":1,\"p\":{\"h\":{\"x\":[1]},\"y\":2}}",
        "6.2 {\"i\":5,\"p\":{\"h\":{}}}",
    ];
    check_exploded(text, "p.h", &Ok(&rows));
    check_exploded("{\"p.h\":[{}]}", "p.h", &Ok(&["1.1 {\"p.h\":{}}"]));
    let both = "{\"p.h\":[{}],\"p\":{\"h\":[{}]}}";
    check_exploded(both, "p.h", &Err("two fields have this name"));
    for (value, message) in [
        (
            "[{}, 1]",
            "x.ndjson, line 2, column `h`: element 2 of the list is a number",
        ),
        ("[\"{}\"]", "element 1 of the list is a text"),
        ("[{}, [{}]]", "element 2 of the list is a list"),
        (
            "{}",
            "line 2, column `h`: it is an object, and `explode` makes a row",
        ),
        ("\"x\"", "it is a text"),
        ("[{}", "line 2: the line is not one JSON object"),
    ] {
        let text = format!("{{\"h\":[{{}}]}}\n{{\"h\":{value}}}\n");
        check_exploded(&text, "h", &Err(message));
    }
    let text = "{\"touches\":[{}],\"p\":{\"log\":[{}],\"tags\":[1]}}";
    check_exploded(
        text,
        "touch",
        &Err(
            "no object has `touch`; lists of objects: `p.log`, `touches`\n  hint: did you mean `explode = \"touches\"`?",
        ),
    );
    check_exploded("{\"a\":1}", "touch", &Err("or any other list of objects"));
    check_exploded("{\"a\":[]}", "a", &Err("every list `a` is empty"));
    let many = format!("{{\"a\":[{}]}}", ["{}"; 4_000].join(","));
    let wide = format!("{{\"w\":\"{}\",{}", "x".repeat(99), &many[1..]);
    check_exploded(&wide, "a", &Err("more than"));
}

#[test]
fn what_has_too_many_fields_is_no_columns() {
    let row = |from: usize, n: usize| {
        let fields: Map<String, Value> = (from..from + n)
            .map(|key| (format!("k{key}"), json!(1)))
            .collect();
        json!({ "map": fields, "id": 1 })
    };
    for (rows, n_columns) in [
        (vec![row(0, 1_000)], 1_001),
        (vec![row(0, 1_001)], 2),
        (vec![row(0, 600), row(500, 600)], 2),
    ] {
        let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
        let keys = keys_of(Path::new("x"), text.as_bytes(), &|row| row).expect("objects");
        let shape = keys.shape(None, &|row| row.to_string());
        assert_eq!(shape.columns.len(), n_columns);
        assert_eq!(shape.unreadable.contains_key("map"), n_columns == 2);
    }
}
