//! `tool-schemas/` is what clients see; a change to it is a change to the contract. The rules are
//! what real clients do to schemas.
use std::{fs, path::Path};

use qfpay_mcp::{
    mcp::Server,
    spec::{
        PAY_TYPES,
        fields::{FIELDS, Field},
    },
};
use serde_json::Value;

fn tools() -> Vec<(String, Value)> {
    let tools = Server::tools();
    tools.iter().map(|it| (it.name.to_string(), serde_json::to_value(it).unwrap())).collect()
}

#[test]
fn the_committed_schemas_are_what_the_server_lists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tool-schemas");
    let update = std::env::var_os("UPDATE_TOOL_SCHEMAS").is_some();
    let mut files: Vec<String> = fs::read_dir(&folder)
        .map(|it| it.map(|it| it.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    for (name, tool) in tools() {
        let file = format!("{name}.json");
        let now = format!("{}\n", serde_json::to_string_pretty(&tool).unwrap());
        if update {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(&file), &now).unwrap();
        }
        let committed = fs::read_to_string(folder.join(&file)).unwrap_or_default();
        assert_eq!(
            committed, now,
            "{name} changed; if you meant it: UPDATE_TOOL_SCHEMAS=1 cargo test --test it tool_schemas"
        );
        files.retain(|it| *it != file);
    }
    assert!(files.is_empty(), "no tool has these: {files:?}");
}

#[test]
fn every_tool_is_described_annotated_and_named_portably() {
    for (name, tool) in tools() {
        assert!(name.len() < 60 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        let description = tool["description"].as_str().unwrap();
        assert!((40..1024).contains(&description.len()), "{name}: {}", description.len());
        let annotations = tool["annotations"].as_object().unwrap();
        assert!(annotations["title"].as_str().unwrap().len() > 5, "{name}");
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(annotations[hint].is_boolean(), "{name}: {hint} must be said");
        }
    }
}

#[test]
fn every_schema_is_flat_and_plain() {
    for (name, tool) in tools() {
        for side in ["inputSchema", "outputSchema"] {
            let schema = &tool[side];
            assert_eq!(schema["type"], "object", "{name} {side}");
            assert!(schema["properties"].is_object(), "{name} {side}");
            walk(&format!("{name} {side}"), schema);
        }
    }
}

/// Fails on what some client cannot take.
fn walk(at: &str, schema: &Value) {
    let object = schema.as_object().unwrap_or_else(|| panic!("{at}: {schema} is no object"));
    for word in object.keys() {
        let fine = [
            "type",
            "properties",
            "required",
            "items",
            "enum",
            "description",
            "minimum",
            "maximum",
            "maxLength",
            "minLength",
            "additionalProperties",
        ];
        assert!(fine.contains(&word.as_str()), "{at}: {word}");
    }
    if at.contains("inputSchema") {
        assert!(!object.contains_key("additionalProperties"), "{at}");
    }
    assert!(object["type"].is_string(), "{at}: {schema}");
    for value in object.get("enum").and_then(Value::as_array).into_iter().flatten() {
        assert!(value.is_string(), "{at}: {value}");
    }
    for (name, property) in
        object.get("properties").and_then(Value::as_object).into_iter().flatten()
    {
        assert!(!name.starts_with(['_', '$']), "{at}.{name}");
        walk(&format!("{at}.{name}"), property);
    }
    if let Some(items) = object.get("items") {
        walk(&format!("{at}[]"), items);
    }
}

/// Some converters drop limits, so every limit stands in words too.
#[test]
fn every_limit_also_stands_in_the_description() {
    for (name, tool) in tools() {
        let properties = tool["inputSchema"]["properties"].as_object().unwrap();
        for (argument, property) in properties {
            let description = property["description"].as_str().unwrap_or_default();
            for limit in ["minimum", "maximum", "maxLength"] {
                let Some(bound) = property.get(limit).and_then(Value::as_u64) else { continue };
                let told = description.contains(&bound.to_string());
                assert!(told, "{name}.{argument}: {limit} {bound} is not in \"{description}\"");
            }
        }
    }
}

#[test]
fn every_length_of_a_field_stands_in_the_description_of_its_argument() {
    let tools = tools();
    let (_, tool) = tools.iter().find(|(name, _)| name == "create_payment").unwrap();
    for rule in FIELDS {
        let Some(property) = tool["inputSchema"]["properties"].get(rule.name) else { continue };
        let words: Vec<&str> = rule.field.words().to_vec();
        if !words.is_empty() {
            assert_eq!(property["enum"], serde_json::json!(words), "{}", rule.name);
        } else if rule.field != Field::ExpiredTime {
            let told = property["description"].as_str().unwrap();
            assert!(told.contains(&rule.max.to_string()), "{}: {told}", rule.name);
        }
    }
}

/// The arguments of `create_payment` and the table of fields say the same.
#[test]
fn create_payment_takes_every_field_that_a_pay_type_uses() {
    let tools = tools();
    let (_, tool) = tools.iter().find(|(name, _)| name == "create_payment").unwrap();
    let properties = tool["inputSchema"]["properties"].as_object().unwrap();
    let served: Vec<_> = PAY_TYPES.iter().filter(|it| it.is_offered()).collect();
    for rule in FIELDS {
        let used = served.iter().any(|it| it.uses(rule.field))
            || [Field::OutTradeNo, Field::GoodsName, Field::NotifyUrl, Field::Udid]
                .contains(&rule.field);
        assert_eq!(properties.contains_key(rule.name), used, "{}", rule.name);
    }
    let own = ["amount", "currency", "pay_type"];
    for name in properties.keys().filter(|it| !own.contains(&it.as_str())) {
        assert!(FIELDS.iter().any(|it| it.name == name), "{name}");
    }
}
