//! What is wrong with the configuration, said so that the reader knows which key to change and where it stands.

use std::fmt;

use crate::environment::variable_name;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The settings built into the program.
    Default,
    /// The configuration file.
    File(String),
    /// The environment variable of this name.
    Environment(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the built-in defaults"),
            Self::File(path) => write!(f, "file {path}"),
            Self::Environment(name) => write!(f, "environment variable {name}"),
        }
    }
}

impl Origin {
    /// The library keeps an origin as text; this is its inverse.
    pub(crate) fn parse(text: &str) -> Self {
        if let Some(path) = text.strip_prefix("file ") {
            return Self::File(path.to_owned());
        }
        text.strip_prefix("environment variable ")
            .map_or(Self::Default, |name| Self::Environment(name.to_owned()))
    }
}

/// A configuration that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The configuration file, or a file that a `…_file` key names, can't be read.
    #[error("{what} {path} can't be read: {reason}")]
    Unreadable {
        /// `config file`, or the key that names the file.
        what: String,
        /// The path as given.
        path: String,
        /// The operating system's words.
        reason: String,
    },
    /// Not TOML. The offending line is not quoted, since it may hold a secret.
    #[error("{origin}, line {line}: not valid TOML: {reason}")]
    Syntax {
        /// The file.
        origin: Origin,
        /// Counted from 1.
        line: usize,
        /// The parser's words.
        reason: String,
    },
    /// A key that nothing reads.
    #[error("{key}: unknown key (from {origin}); {expected}")]
    Unknown {
        /// Dotted path.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// The keys known at that place.
        expected: String,
    },
    /// A key without which the program can't run.
    #[error("{key}: missing; set it in the configuration file or as {}", variable_name(.key))]
    Missing {
        /// Dotted path.
        key: String,
    },
    /// A value of the wrong type or out of range.
    #[error("{key}: {reason} (from {origin})")]
    Wrong {
        /// Dotted path.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// What is wrong with it.
        reason: String,
    },
    /// `x` and `x_file` are both set.
    #[error("{key}: given twice, as {key} (from {origin}) and as {key}_file (from {file_origin})")]
    Twice {
        /// Dotted path of the plain key.
        key: String,
        /// Where the plain key stands.
        origin: Origin,
        /// Where the `_file` key stands.
        file_origin: Origin,
    },
}

/// What a service's own check says of a value that has the right type but can't be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct Invalid {
    /// Dotted path of the key, such as `vault.key_file`.
    pub key: String,
    /// What is wrong, as the end of a sentence that begins with the key.
    pub reason: String,
}

impl Invalid {
    /// Names the key and what is wrong with it.
    pub fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { key: key.into(), reason: reason.into() }
    }
}
