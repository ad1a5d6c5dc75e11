//! The reference of `leadscore.toml`, from the same types that read it.

use leadscore_config::Config;
use serde_json::Value;

/// Every table and key of the config as Markdown, as `docs/config.md` has it.
pub fn reference_of_config() -> String {
    let schema = Config::json_schema();
    let mut lines = Vec::new();
    for (name, table) in entries(&schema["properties"]) {
        let of_many = table.get("additionalProperties");
        let definition = definition(&schema, of_many.unwrap_or(table));
        let title = if of_many.is_some() {
            format!("[{name}.NAME]")
        } else {
            format!("[{name}]")
        };
        let about = table["description"].as_str().unwrap_or_default();
        lines.extend([
            format!("## `{title}`"),
            String::new(),
            about.to_owned(),
            String::new(),
        ]);
        lines.extend([
            "| key | value | what it is |".to_owned(),
            "| --- | --- | --- |".to_owned(),
        ]);
        let required: Vec<&str> = definition["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut keys: Vec<(&str, &Value)> = entries(&definition["properties"]).collect();
        keys.sort_by_key(|(key, _)| (!required.contains(key), *key));
        for (key, value) in keys {
            let about = value["description"]
                .as_str()
                .unwrap_or_default()
                .replace('|', "\\|")
                .replace('\n', " ");
            let needed = if required.contains(&key) {
                ", needed"
            } else {
                ""
            };
            lines.push(format!(
                "| `{key}` | {}{needed} | {about} |",
                kind(&schema, value)
            ));
        }
        lines.push(String::new());
    }
    lines.pop();
    lines.join("\n")
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value))
}

/// What a schema refers to, or the schema itself.
fn definition<'s>(schema: &'s Value, value: &'s Value) -> &'s Value {
    let of_choice = value["anyOf"]
        .as_array()
        .and_then(|choices| choices.iter().find(|choice| choice["type"] != "null"));
    let reference = of_choice.unwrap_or(value)["$ref"]
        .as_str()
        .and_then(|path| path.strip_prefix("#/$defs/"));
    reference.map_or(of_choice.unwrap_or(value), |name| &schema["$defs"][name])
}

/// The kind of a value in words.
fn kind(schema: &Value, value: &Value) -> String {
    let value = definition(schema, value);
    if let Some(choices) = value["oneOf"].as_array().or(value["anyOf"].as_array()) {
        let mut words: Vec<String> = choices
            .iter()
            .map(|choice| {
                choice["const"]
                    .as_str()
                    .map_or_else(|| kind(schema, choice), |word| format!("`\"{word}\"`"))
            })
            .collect();
        words.dedup();
        return words.join(" or ");
    }
    if let Some(words) = value["enum"].as_array() {
        return words
            .iter()
            .filter_map(Value::as_str)
            .map(|word| format!("`\"{word}\"`"))
            .collect::<Vec<_>>()
            .join(" or ");
    }
    let name = |name: &str| match name {
        "string" => "text".to_owned(),
        "integer" => "whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => format!("list of {}", kind(schema, &value["items"])),
        "object" => "table".to_owned(),
        other => other.to_owned(),
    };
    match &value["type"] {
        Value::String(one) => name(one),
        Value::Array(several) => several
            .iter()
            .filter_map(Value::as_str)
            .filter(|one| *one != "null")
            .map(name)
            .collect::<Vec<_>>()
            .join(" or "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            "any value".to_owned()
        }
    }
}
