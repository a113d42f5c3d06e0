//! What the JSON Schemas of the methods say, as far as a command line needs it: names, types, texts.
//!
//! The schemas are generated from the worker's own types and built in, so that help and reading of `key=value` agree
//! with what the worker will accept.

use std::sync::OnceLock;

use serde_json::{Map, Value};

/// The methods of the contract and their schemas.
#[derive(Debug)]
pub struct Contract(Value);

/// One method.
#[derive(Clone, Copy, Debug)]
pub struct Method<'a> {
    /// Its name on the wire.
    pub name: &'a str,
    params: &'a Value,
    result: &'a Value,
    shared: Option<&'a Value>,
}

/// One field of a method's params or result.
#[derive(Debug)]
pub struct Field<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it must be given.
    pub required: bool,
    /// What it is for.
    pub description: &'a str,
    /// The default, where the schema tells one that says something.
    pub default: Option<&'a Value>,
    /// What may stand there.
    pub kinds: Vec<Kind<'a>>,
}

/// One of the kinds of value that a field takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind<'a> {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// A point in time, RFC 3339.
    Time,
    /// Text.
    Text,
    /// Exactly this word.
    Word(&'a str),
    /// A list of such values.
    List(Vec<Kind<'a>>),
    /// Something with fields of its own.
    Object,
}

/// Schemas may refer to each other; this deep is deep enough.
const DEPTH_MAX: u8 = 8;

impl Contract {
    /// The contract that this program was built with.
    pub fn built_in() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| Self::parse(include_str!("../../../proto/schema/methods.json")))
    }

    fn parse(text: &str) -> Self {
        // The test below proves that the built-in text is JSON.
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// Every method, in the order of the document.
    pub fn methods(&self) -> impl Iterator<Item = Method<'_>> {
        let shared = self.0.get("$defs");
        self.0.get("methods").and_then(Value::as_array).into_iter().flatten().filter_map(
            move |entry| {
                Some(Method {
                    name: entry.get("name")?.as_str()?,
                    params: entry.get("params")?,
                    result: entry.get("result").unwrap_or(&Value::Null),
                    shared,
                })
            },
        )
    }

    /// The method of this name.
    pub fn method(&self, name: &str) -> Option<Method<'_>> {
        self.methods().find(|method| method.name == name)
    }
}

impl<'a> Method<'a> {
    /// What the method is for.
    #[must_use]
    pub fn description(&self) -> &'a str {
        text(self.params, "description")
    }

    /// The first sentence of the description, on one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let words: Vec<&str> = self.description().split_whitespace().collect();
        let text = words.join(" ");
        let first = text.split_once(". ").map_or(text.as_str(), |(sentence, _)| sentence);
        first.trim_end_matches('.').to_owned()
    }

    /// What it takes.
    #[must_use]
    pub fn params(&self) -> Vec<Field<'a>> {
        self.fields(self.params)
    }

    /// What it gives.
    #[must_use]
    pub fn result(&self) -> Vec<Field<'a>> {
        self.fields(self.result)
    }

    fn fields(&self, schema: &'a Value) -> Vec<Field<'a>> {
        let root = schema;
        let schema = self.resolve(root, schema);
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut fields: Vec<Field<'a>> = properties
            .into_iter()
            .flat_map(Map::iter)
            .map(|(name, field)| {
                let own = text(field, "description");
                let of_type = text(self.resolve(root, field), "description");
                Field {
                    name,
                    required: required.contains(&name.as_str()),
                    description: if own.is_empty() { of_type } else { own },
                    default: field.get("default").filter(|value| tells_something(value)),
                    kinds: self.kinds(root, field, DEPTH_MAX),
                }
            })
            .collect();
        fields.sort_by_key(|field| !field.required);
        fields
    }

    fn resolve(&self, root: &'a Value, schema: &'a Value) -> &'a Value {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { return schema };
        let Some(name) = reference.strip_prefix("#/$defs/") else { return schema };
        let own = root.get("$defs").and_then(|defs| defs.get(name));
        own.or_else(|| self.shared?.get(name)).unwrap_or(schema)
    }

    fn kinds(&self, root: &'a Value, schema: &'a Value, depth: u8) -> Vec<Kind<'a>> {
        if depth == 0 {
            return Vec::new();
        }
        let schema = self.resolve(root, schema);
        let mut kinds = Vec::new();
        for one_of in ["anyOf", "oneOf", "allOf"] {
            let schemas = schema.get(one_of).and_then(Value::as_array).into_iter().flatten();
            kinds.extend(schemas.flat_map(|schema| self.kinds(root, schema, depth - 1)));
        }
        let words = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
        let words: Vec<Kind<'a>> =
            words.chain(schema.get("const")).filter_map(Value::as_str).map(Kind::Word).collect();
        if words.is_empty() {
            let names = match schema.get("type") {
                Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
                Some(Value::String(name)) => vec![name.as_str()],
                _ => Vec::new(),
            };
            kinds.extend(names.into_iter().filter_map(|name| self.kind(name, root, schema, depth)));
        } else {
            kinds.extend(words);
        }
        kinds.dedup();
        kinds
    }

    fn kind(&self, name: &str, root: &'a Value, schema: &'a Value, depth: u8) -> Option<Kind<'a>> {
        Some(match name {
            "boolean" => Kind::Boolean,
            "integer" => Kind::Integer,
            "number" => Kind::Number,
            "string" if text(schema, "format") == "date-time" => Kind::Time,
            "string" => Kind::Text,
            "object" => Kind::Object,
            "array" => {
                let items = schema.get("items");
                Kind::List(items.map_or(Vec::new(), |items| self.kinds(root, items, depth - 1)))
            }
            _ => return None,
        })
    }
}

impl Field<'_> {
    /// The kinds in one short word or two: `text`, `list of text`, `basic|supergroup`.
    #[must_use]
    pub fn kind_words(&self) -> String {
        kind_words(&self.kinds)
    }
}

fn kind_words(kinds: &[Kind<'_>]) -> String {
    let mut words: Vec<String> = Vec::new();
    for kind in kinds {
        let word = match kind {
            Kind::Boolean => "true|false".to_owned(),
            Kind::Integer | Kind::Number => "number".to_owned(),
            Kind::Time => "time".to_owned(),
            Kind::Text => "text".to_owned(),
            Kind::Word(word) => (*word).to_owned(),
            Kind::List(items) => format!("list of {}", kind_words(items)),
            Kind::Object => "object".to_owned(),
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join("|")
}

fn text<'a>(schema: &'a Value, key: &str) -> &'a str {
    schema.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// `null`, `false` and empty are what an absent field means anyway.
fn tells_something(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
        && value.as_array().is_none_or(|items| !items.is_empty())
        && value.as_str() != Some("")
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A method with every kind of field, in the form in which schemars writes schemas.
    pub const SAMPLE: &str = r##"{
      "$defs": {
        "Member": {"description": "A user or bot.", "anyOf": [
          {"type": "integer"}, {"type": "string"}, {"type": "object"}]},
        "GroupKind": {"oneOf": [
          {"const": "supergroup", "type": "string"}, {"const": "basic", "type": "string"}]}
      },
      "methods": [{
        "name": "group.create",
        "params": {
          "description": "Creates\na group. More words.\n\nAnd more.",
          "type": "object",
          "properties": {
            "about": {"type": ["string", "null"], "description": "A text."},
            "title": {"type": "string", "description": "The title."},
            "kind": {"$ref": "#/$defs/GroupKind", "default": "supergroup"},
            "members": {"type": "array", "items": {"$ref": "#/$defs/Member"}, "default": []},
            "limit": {"anyOf": [{"type": "integer", "format": "uint32"}, {"type": "null"}]},
            "expires_at": {"type": ["string", "null"], "format": "date-time"},
            "invite_link": {"type": "boolean", "default": false},
            "options": {"type": "object"}
          },
          "required": ["title"]
        },
        "result": {"type": "object", "properties": {"link": {"type": ["string", "null"]}}}
      }]
    }"##;

    /// The sample, for other tests.
    pub fn sample() -> Contract {
        Contract::parse(SAMPLE)
    }

    #[test]
    fn the_built_in_contract_is_read_and_every_method_has_a_text() {
        for method in Contract::built_in().methods() {
            assert!(!method.summary().is_empty(), "{}", method.name);
        }
        let create = Contract::built_in().method("group.create").expect("generated and built in");
        let title = create.params().into_iter().find(|field| field.name == "title").unwrap();
        assert!(title.required && title.kinds == [Kind::Text], "{title:?}");
        let members = create.params().into_iter().find(|field| field.name == "members").unwrap();
        assert_eq!(members.kind_words(), "list of number|text|object");
    }

    #[test]
    fn fields_and_their_kinds() {
        let contract = sample();
        let method = contract.method("group.create").unwrap();
        assert_eq!(method.summary(), "Creates a group");
        let shown: Vec<String> = method
            .params()
            .iter()
            .map(|f| format!("{}{} {}", f.name, if f.required { "!" } else { "" }, f.kind_words()))
            .collect();
        assert_eq!(
            shown,
            [
                "title! text",
                "about text",
                "kind supergroup|basic",
                "members list of number|text|object",
                "limit number",
                "expires_at time",
                "invite_link true|false",
                "options object",
            ]
        );
        assert_eq!(method.result()[0].name, "link");
    }
}
