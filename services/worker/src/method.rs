//! What a method is: its parameters, its result, and the steps in between.
//!
//! One file under `methods/` holds one method; one word in `methods.rs` lists it. Everything else
//! (wire name, schema, manual, command-line help, metric label) derives from the [`Entry`] made here.

use std::future::Future;

use futures_util::future::BoxFuture;
use proto::fault::code;
use proto::{ChatId, Fault};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::cx::Cx;
use crate::limits::Class;
use crate::stop::Stop;

/// A method that callers can ask for. The type is the shape of `params`; its doc comment is the
/// method's text in the schema and the manual.
pub trait Method: DeserializeOwned + Serialize + JsonSchema + Send + Sync + 'static {
    /// The shape of `result` in the answer.
    type Output: Serialize + JsonSchema + Send;

    /// The classes of calls that a command of this method may draw on, the one that it is about
    /// first.
    const CLASSES: &'static [Class];

    /// One use of it, for the manual and the schemas' tests.
    fn example() -> Example;

    /// Checks what a schema can't say, before anything is sent. Texts and counts are checked by
    /// their own types already.
    fn validate(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// Does the work as durable steps (`cx.step`), each one Telegram call.
    fn call(self, cx: &mut Cx<'_>)
    -> impl Future<Output = Result<Done<Self::Output>, Stop>> + Send;
}

/// One use of a method.
#[derive(Debug, Clone)]
pub struct Example {
    /// What is asked for.
    pub params: Value,
    /// What came of it.
    pub result: Value,
}

/// How a method ended when it ended well.
#[derive(Debug)]
pub struct Done<T> {
    /// The group that was worked on.
    pub chat_id: Option<ChatId>,
    /// What the caller gets as `result`.
    pub result: T,
    /// Why not all that was asked for was done: a step's fault, or the first member's. The answer
    /// is `partial` then; `failed` where nothing was done at all.
    pub lacking: Option<Fault>,
}

impl<T> Done<T> {
    /// Everything asked for was done in `chat_id`.
    pub fn in_chat(chat_id: ChatId, result: T) -> Self {
        Self { chat_id: Some(chat_id), result, lacking: None }
    }

    /// Everything asked for was done, and it was about no group.
    pub fn without_chat(result: T) -> Self {
        Self { chat_id: None, result, lacking: None }
    }

    /// The same, with what it lacks.
    pub fn lacking(mut self, lacking: Option<Fault>) -> Self {
        self.lacking = lacking;
        self
    }
}

/// Reads and checks a command's `params`.
pub type Parse = fn(&Map<String, Value>) -> Result<Box<dyn Prepared>, Fault>;

/// A method with its types erased: a row of the table in `methods.rs`.
pub struct Entry {
    /// The wire name, `group.create`.
    pub name: &'static str,
    /// The name of the Rust type, `GroupCreate`.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the test that all names are one"))]
    pub type_name: &'static str,
    /// The classes of calls that it may draw on, the one that it is about first.
    pub classes: &'static [Class],
    /// Reads and checks `params`.
    pub parse: Parse,
    /// The JSON Schema of `params`.
    pub params_schema: fn(&mut SchemaGenerator) -> Schema,
    /// The JSON Schema of `result`.
    pub result_schema: fn(&mut SchemaGenerator) -> Schema,
    /// One use of it.
    pub example: fn() -> Example,
}

impl Entry {
    /// The row of method `M`, whose file is named `module`.
    pub fn of<M: Method>(name: &'static str, type_name: &'static str) -> Self {
        Self {
            name,
            type_name,
            classes: M::CLASSES,
            parse: |params| prepare::<M>(params),
            params_schema: |schemas| M::json_schema(schemas),
            result_schema: |schemas| M::Output::json_schema(schemas),
            example: M::example,
        }
    }
}

/// A method whose parameters were read and checked: ready to be called.
pub trait Prepared: Send + Sync {
    /// The parameters as the type writes them: two commands with equal ones ask for the same thing,
    /// however their authors spelled them.
    fn normalised(&self) -> Map<String, Value>;

    /// Calls the method.
    fn call<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> BoxFuture<'a, Result<Done<Value>, Stop>>;
}

/// Most bytes of a field's path, and of what is wrong with it, in an error.
const PATH_BYTES_MAX: usize = 200;
const PROBLEM_BYTES_MAX: usize = 1_500;

/// Reads params as their type says; the error names the field.
///
/// # Errors
/// `PARAMS_INVALID`, with the path to the field and what is wrong with it.
pub fn read_params<P: DeserializeOwned>(params: &Map<String, Value>) -> Result<P, Fault> {
    // Engines write null for what is empty: it counts as not given.
    let given = params.iter().filter(|(_, value)| !value.is_null());
    let given: Map<String, Value> =
        given.map(|(name, value)| (name.clone(), value.clone())).collect();
    read_as_written(&given)
}

/// The same where null says something else than leaving it out does.
///
/// # Errors
/// As for [`read_params`].
pub fn read_as_written<P: DeserializeOwned>(params: &Map<String, Value>) -> Result<P, Fault> {
    serde_path_to_error::deserialize(Value::Object(params.clone())).map_err(|error| {
        let path = shortened(error.path().to_string(), PATH_BYTES_MAX);
        let problem = shortened(in_words_of_json(error.inner()), PROBLEM_BYTES_MAX);
        let path = if path == "." { "params".to_owned() } else { format!("params.{path}") };
        Fault::invalid(code::PARAMS_INVALID, format!("{path}: {problem}"))
    })
}

/// A text with its middle left out where it is too long: both repeat names and values as they came.
fn shortened(text: String, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text;
    }
    let (head, tail) = (bytes_max / 2, text.len() - bytes_max / 2);
    let (head, tail) = (text.floor_char_boundary(head), text.ceil_char_boundary(tail));
    format!("{}…{}", &text[..head], &text[tail..])
}

/// serde speaks of Rust's types; callers know JSON's.
fn in_words_of_json(error: &serde_json::Error) -> String {
    let mut words = error.to_string();
    for (rust, json) in [
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected an object"),
        ("expected string or map", "expected a text"),
        ("expected a string", "expected a text"),
        ("expected a boolean", "expected true or false"),
        ("expected u32", "expected a whole number, not negative"),
        ("invalid type: sequence", "invalid type: list"),
        ("invalid type: map", "invalid type: object"),
    ] {
        words = words.replace(rust, json);
    }
    words
}

fn prepare<M: Method>(params: &Map<String, Value>) -> Result<Box<dyn Prepared>, Fault> {
    let method: M = read_params(params)?;
    method.validate()?;
    Ok(Box::new(Ready(method)))
}

struct Ready<M>(M);

impl<M: Method> Prepared for Ready<M> {
    fn normalised(&self) -> Map<String, Value> {
        match serde_json::to_value(&self.0) {
            Ok(Value::Object(params)) => params,
            _ => Map::new(),
        }
    }

    fn call<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> BoxFuture<'a, Result<Done<Value>, Stop>> {
        Box::pin(async move {
            let done = self.0.call(cx).await?;
            Ok(Done {
                chat_id: done.chat_id,
                result: serde_json::to_value(done.result).map_err(|error| {
                    Stop::Fault(Fault::internal(format!("the result has no JSON form: {error}")))
                })?,
                lacking: done.lacking,
            })
        })
    }
}

#[cfg(test)]
mod tests;
