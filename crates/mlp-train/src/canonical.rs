//! One text for one content: what hashes are taken of.

use serde_json::{Value, json};

/// JSON without spaces, with the keys of every object sorted: the same text for the same content.
pub fn canonical_json(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entries: Vec<_> =
                entries.into_iter().map(|(key, value)| format!("{}:{}", json!(key), canonical_json(value))).collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(list) => {
            let entries: Vec<_> = list.iter().map(canonical_json).collect();
            format!("[{}]", entries.join(","))
        }
        scalar => scalar.to_string(),
    }
}
