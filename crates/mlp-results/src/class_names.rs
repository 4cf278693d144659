//! The classes of a record: one text where each is a character, as in every record from before there were words; else a list.

use mlp_train::are_characters;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Characters(String),
    Words(Vec<String>),
}

pub(crate) fn serialize<S: Serializer>(classes: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    let written =
        if are_characters(classes) { Written::Characters(classes.concat()) } else { Written::Words(classes.to_vec()) };
    written.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match Written::deserialize(deserializer)? {
        Written::Characters(characters) => characters.chars().map(String::from).collect(),
        Written::Words(words) => words,
    })
}

#[cfg(test)]
mod tests {
    use crate::DataDescription;
    use serde_json::{from_str, json, to_value};

    #[test]
    fn characters_are_written_as_ever_and_words_as_a_list() {
        for (classes, written) in
            [("0,1", json!("01")), ("cat,dog", json!(["cat", "dog"])), ("a,bc", json!(["a", "bc"]))]
        {
            let classes: Vec<String> = classes.split(',').map(String::from).collect();
            let data = DataDescription { classes, ..DataDescription::default() };
            let value = to_value(&data).unwrap();
            assert_eq!(value["classes"], written);
            assert_eq!(from_str::<DataDescription>(&value.to_string()).unwrap(), data);
        }
        let none = to_value(DataDescription::default()).unwrap();
        assert_eq!(none["classes"], "");
        assert!(from_str::<DataDescription>(&none.to_string()).unwrap().classes.is_empty());
    }
}
