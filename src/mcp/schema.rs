//! Tool schemas that every client takes: flat, without references, nulls or number formats.
//!
//! What real clients choke on stands in the tests of `tests/it/tool_schemas.rs`.
use std::sync::Arc;

use rmcp::model::JsonObject;
use schemars::{
    JsonSchema, Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform},
};
use serde_json::Value;

/// The schema of a tool's arguments.
pub(super) fn input<T: JsonSchema>() -> Arc<JsonObject> {
    flat::<T>(SchemaSettings::draft2020_12(), tidy)
}

/// The schema of a tool's reply. It says less than the arguments' does: a reply speaks for itself,
/// and every client carries the whole list of tools in its context.
pub(super) fn output<T: JsonSchema>() -> Arc<JsonObject> {
    flat::<T>(SchemaSettings::draft2020_12().for_serialize(), |schema| {
        tidy(schema);
        let Some(object) = schema.as_object_mut() else { return };
        object.remove("minimum");
        // It is the rule.
        object.remove("additionalProperties");
        // A client throws a reply away that lacks what is required, after a charge, too.
        object.remove("required");
        if object.get("type").is_some_and(|it| it == "object") {
            object.remove("description");
        }
    })
}

/// The names of what an object in a list can hold, for its description: said so, they are a third as
/// long as their schemas.
pub(super) fn names<T: JsonSchema>() -> String {
    let schema = flat::<T>(SchemaSettings::draft2020_12().for_serialize(), tidy);
    let properties = schema.get("properties").and_then(Value::as_object);
    let names: Vec<&str> =
        properties.into_iter().flat_map(|it| it.keys().map(String::as_str)).collect();
    names.join(", ")
}

fn flat<T: JsonSchema>(settings: SchemaSettings, tidy: fn(&mut Schema)) -> Arc<JsonObject> {
    let settings = settings.with(|it| {
        it.inline_subschemas = true;
        it.meta_schema = None;
    });
    let mut root = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(tidy).transform(&mut root);
    let mut object = root.as_object().cloned().unwrap_or_default();
    object.remove("title");
    object.remove("description");
    object.remove("additionalProperties");
    object.entry("properties").or_insert_with(|| Value::Object(JsonObject::new()));
    Arc::new(object)
}

fn tidy(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.get("format").and_then(Value::as_str).is_some_and(is_number_format) {
        object.remove("format");
    }
    // An optional value is one that may be left out; a union with null confuses several clients.
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|it| it != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
}

fn is_number_format(format: &str) -> bool {
    format.starts_with("int") || format.starts_with("uint") || format == "double"
}
