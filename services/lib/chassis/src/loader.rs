//! Layered configuration: built-in defaults, then one TOML file, then the environment.
//!
//! A key that nothing reads is an error, and every error names the key and where it stands. A text key `x` may be given
//! as `x_file`, a file that holds it (Kubernetes and systemd hand out secrets that way); that holds wherever the
//! configuration has no key of the name `x_file` itself.

use std::{collections::BTreeMap, path::Path};

use config::{Config, FileFormat, Format, Map, Source, Value, ValueKind};
use serde::de::DeserializeOwned;

use crate::{ConfigError, Origin, environment};

const FILE_BYTES_MAX: u64 = 1 << 20;

type Table = Map<String, Value>;

/// Reads a configuration of type `C`: `defaults` (TOML), then `file` if given, then this process' environment.
///
/// # Errors
/// [`ConfigError`] for the first thing that is wrong.
pub fn load<C: DeserializeOwned>(defaults: &str, file: Option<&Path>) -> Result<C, ConfigError> {
    Loader::new(&[defaults], file)?.read()
}

/// The layers, merged, before they are given a type.
#[derive(Debug)]
pub struct Loader {
    tree: Table,
    ignored: Vec<String>,
    lenient: bool,
}

impl Loader {
    /// Merges the layers; later `defaults` override earlier ones.
    ///
    /// # Errors
    /// A file that can't be read or is not TOML.
    pub fn new(defaults: &[&str], file: Option<&Path>) -> Result<Self, ConfigError> {
        let variables = std::env::vars_os()
            .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
            .collect();
        Self::with_environment(defaults, file, &variables)
    }

    /// Like [`Loader::new`], with these variables instead of the process' environment.
    ///
    /// # Errors
    /// A file that can't be read or is not TOML.
    pub fn with_environment(
        defaults: &[&str],
        file: Option<&Path>,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let mut layers = Vec::new();
        for text in defaults {
            layers.push(Layer(parse(text, &Origin::Default)?));
        }
        if let Some(path) = file {
            let text = read_file("config file", path)?;
            layers.push(Layer(parse(&text, &Origin::File(path.display().to_string()))?));
        }
        layers.push(Layer(environment::layer(variables)));
        let mut builder = Config::builder();
        for layer in layers {
            builder = builder.add_source(layer);
        }
        let merged = builder.build().and_then(|merged| merged.collect());
        let tree = merged.map_err(|error| error_of(&Problem::of(error), &Table::new()))?;
        Ok(Self { tree, ignored: environment::ignored(variables), lenient: false })
    }

    /// Passes over sections that this program doesn't know: for a program that shares file and environment with others.
    #[must_use]
    pub fn ignore_foreign_sections(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Environment variables with our prefix that are no settings, since they lack the double underscore.
    #[must_use]
    pub fn ignored_variables(&self) -> &[String] {
        &self.ignored
    }

    /// Takes these sections out, to be read on their own.
    #[must_use]
    pub fn split_off(&mut self, sections: &[&str]) -> Self {
        let taken =
            sections.iter().filter_map(|name| self.tree.remove_entry(*name)).collect::<Table>();
        Self { tree: taken, ignored: Vec::new(), lenient: false }
    }

    /// Where the value of a dotted key stands; the defaults where it stands nowhere.
    #[must_use]
    pub fn origin(&self, key: &str) -> Origin {
        find(&self.tree, key).and_then(first_origin).unwrap_or(Origin::Default)
    }

    /// Gives the tree a type.
    ///
    /// # Errors
    /// [`ConfigError`] for the first key that is unknown, missing or wrong.
    pub fn read<C: DeserializeOwned>(&self) -> Result<C, ConfigError> {
        let mut tree = self.tree.clone();
        // Each turn takes at least one key out of the tree, so this ends.
        loop {
            let root = Value::new(None, ValueKind::Table(tree.clone()));
            let problem = match root.try_deserialize::<C>() {
                Ok(read) => return Ok(read),
                Err(error) => Problem::of(error),
            };
            let Problem::Unknown { key, expected } = &problem else {
                return Err(error_of(&problem, &tree));
            };
            if self.lenient && !key.contains('.') {
                tree.remove(key);
            } else if !inline_file(&mut tree, key, expected)? {
                return Err(error_of(&problem, &tree));
            }
        }
    }
}

/// One layer, as the library wants to see it.
#[derive(Clone, Debug)]
struct Layer(Table);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Table, config::ConfigError> {
        Ok(self.0.clone())
    }
}

/// What the library found, taken apart.
enum Problem {
    Unknown { key: String, expected: String },
    Missing { key: String },
    Wrong { key: String, reason: String },
}

impl Problem {
    fn of(error: config::ConfigError) -> Self {
        use config::ConfigError as E;
        let (key, inner) = match error {
            E::At { error, key, .. } => (key.unwrap_or_default(), *error),
            other => (String::new(), other),
        };
        match inner {
            E::NotFound(field) => Self::Missing { key: join(&key, &field) },
            E::Type { unexpected, expected, key: inner_key, .. } => Self::Wrong {
                key: inner_key.unwrap_or(key),
                reason: format!("is {unexpected}, must be {expected}"),
            },
            E::At { .. } => Self::of(inner),
            E::Message(text) => Self::of_message(key, text),
            other => Self::Wrong { key, reason: other.to_string() },
        }
    }

    /// serde's derive says "unknown field `x`, expected one of …"; a test below holds it to that.
    fn of_message(key: String, text: String) -> Self {
        let unknown = text.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
        match unknown {
            Some((field, expected)) => Self::Unknown {
                key: join(&key, field),
                expected: expected.trim_start_matches(", ").to_owned(),
            },
            None => Self::Wrong { key, reason: text },
        }
    }
}

fn error_of(problem: &Problem, tree: &Table) -> ConfigError {
    let origin = |key: &str| find(tree, key).and_then(first_origin).unwrap_or(Origin::Default);
    match problem {
        Problem::Unknown { key, expected } => ConfigError::Unknown {
            key: key.clone(),
            origin: origin(key),
            expected: expected.clone(),
        },
        Problem::Missing { key } => ConfigError::Missing { key: key.clone() },
        Problem::Wrong { key, reason } => {
            ConfigError::Wrong { key: key.clone(), origin: origin(key), reason: reason.clone() }
        }
    }
}

/// Where `key` is `x_file` and `x` is among the keys `expected` there: replaces it by the content of the file that it
/// names. False where it isn't.
fn inline_file(tree: &mut Table, key: &str, expected: &str) -> Result<bool, ConfigError> {
    let Some(plain) = key.strip_suffix("_file") else { return Ok(false) };
    let (section, field) = key.rsplit_once('.').unwrap_or(("", key));
    let plain_field = field.strip_suffix("_file").unwrap_or(field);
    if !expected.contains(&format!("`{plain_field}`")) {
        return Ok(false);
    }
    let file_origin = find(tree, key).and_then(first_origin).unwrap_or(Origin::Default);
    let Some(table) = find_table(tree, section) else { return Ok(false) };
    if let Some(given) = table.get(plain_field) {
        let origin = first_origin(given).unwrap_or(Origin::Default);
        if origin != Origin::Default {
            return Err(ConfigError::Twice { key: plain.to_owned(), origin, file_origin });
        }
    }
    let Some(path) = table.remove(field).and_then(|path| path.into_string().ok()) else {
        return Ok(false);
    };
    let text = read_file(key, Path::new(&path))?;
    let content = ValueKind::String(text.trim_end_matches(['\r', '\n']).to_owned());
    table.insert(plain_field.to_owned(), Value::new(Some(&file_origin.to_string()), content));
    Ok(true)
}

fn parse(text: &str, origin: &Origin) -> Result<Table, ConfigError> {
    let uri = (*origin != Origin::Default).then(|| origin.to_string());
    FileFormat::Toml.parse(uri.as_ref(), text).map_err(|error| {
        let toml = error.downcast_ref::<toml::de::Error>();
        let start = toml.and_then(toml::de::Error::span).map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or_default();
        ConfigError::Syntax {
            origin: origin.clone(),
            line: before.matches('\n').count() + 1,
            reason: toml.map_or("the file", toml::de::Error::message).to_owned(),
        }
    })
}

fn read_file(what: &str, path: &Path) -> Result<String, ConfigError> {
    let unreadable = |reason: String| ConfigError::Unreadable {
        what: what.to_owned(),
        path: path.display().to_string(),
        reason,
    };
    let bytes = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(unreadable(format!("larger than {FILE_BYTES_MAX} bytes")));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))
}

fn join(section: &str, field: &str) -> String {
    if section.is_empty() { field.to_owned() } else { format!("{section}.{field}") }
}

fn find<'a>(tree: &'a Table, key: &str) -> Option<&'a Value> {
    let (first, rest) = key.split_once('.').map_or((key, None), |(a, b)| (a, Some(b)));
    let value = tree.get(first.split('[').next().unwrap_or(first))?;
    match (rest, &value.kind) {
        (Some(rest), ValueKind::Table(table)) => find(table, rest),
        _ => Some(value),
    }
}

fn find_table<'a>(tree: &'a mut Table, section: &str) -> Option<&'a mut Table> {
    if section.is_empty() {
        return Some(tree);
    }
    section.split('.').try_fold(tree, |table, name| match &mut table.get_mut(name)?.kind {
        ValueKind::Table(inner) => Some(inner),
        _ => None,
    })
}

/// A table has no origin of its own; its first value's will do.
fn first_origin(value: &Value) -> Option<Origin> {
    match &value.kind {
        ValueKind::Table(table) => table.values().find_map(first_origin),
        _ => Some(value.origin().map_or(Origin::Default, Origin::parse)),
    }
}
