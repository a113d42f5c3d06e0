//! The contract in machines' form, generated from the Rust types: JSON Schemas of every command,
//! result, event and order, the AsyncAPI document of the whole broker face, and the manual's
//! chapter on methods. They are checked in; `contract --check` fails where they are stale.

mod asyncapi;
pub mod examples;
mod manual;
mod orders;
mod schemas;

pub(crate) use self::orders::ORDERS;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

#[cfg(test)]
mod tests;

/// The worker's own subcommand.
#[derive(Debug, Subcommand)]
pub enum ContractCommand {
    /// Writes or checks the generated schemas, AsyncAPI document and manual.
    Contract(ContractArgs),
}

/// What is done with the generated documents.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct ContractArgs {
    /// Write them into this folder (`proto` in the repository).
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
    /// Compare them with this folder's; exit code 1 names those that differ.
    #[arg(long, value_name = "FOLDER")]
    check: Option<PathBuf>,
}

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its place below the folder.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

impl Document {
    fn new(path: impl Into<PathBuf>, text: String) -> Self {
        Self { path: path.into(), text }
    }

    fn json(path: impl Into<PathBuf>, value: &serde_json::Value) -> Self {
        // A `Value` always has a text.
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        Self::new(path, text + "\n")
    }
}

/// Every generated document.
pub fn documents() -> Vec<Document> {
    let mut documents = schemas::documents();
    documents.push(Document::new("asyncapi.yaml", asyncapi::yaml()));
    documents.extend(examples::documents());
    documents.push(Document::new("METHODS.md", manual::markdown()));
    documents
}

impl ContractCommand {
    /// Carries it out.
    ///
    /// # Errors
    /// A folder that can't be written.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Self::Contract(args) = self;
        match (args.write, args.check) {
            (Some(folder), _) => write(&folder),
            (None, Some(folder)) => Ok(check(&folder)),
            (None, None) => Ok(ExitCode::from(chassis::EXIT_BAD_CONFIG)),
        }
    }
}

fn write(folder: &Path) -> anyhow::Result<ExitCode> {
    for stale in forgotten(folder) {
        std::fs::remove_file(&stale).with_context(|| format!("removing {}", stale.display()))?;
    }
    for document in documents() {
        let path = folder.join(&document.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, &document.text)
            .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(folder: &Path) -> ExitCode {
    let mut stale: Vec<_> = documents()
        .into_iter()
        .filter(|document| {
            std::fs::read_to_string(folder.join(&document.path)).ok().as_ref()
                != Some(&document.text)
        })
        .map(|document| folder.join(document.path))
        .collect();
    stale.extend(forgotten(folder));
    if stale.is_empty() {
        println!("the checked-in contract is what the methods say");
        return ExitCode::SUCCESS;
    }
    for path in stale {
        eprintln!("stale: {}", path.display());
    }
    eprintln!("`make contract` writes them anew");
    ExitCode::FAILURE
}

/// Files in the folders of schemas and examples that nothing generates any more.
fn forgotten(folder: &Path) -> Vec<PathBuf> {
    let known: Vec<PathBuf> =
        documents().into_iter().map(|document| folder.join(document.path)).collect();
    let mut found = Vec::new();
    let mut left = vec![folder.join("schema"), folder.join("examples")];
    while let Some(place) = left.pop() {
        for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                left.push(path);
            } else if !known.contains(&path) {
                found.push(path);
            }
        }
    }
    found
}
