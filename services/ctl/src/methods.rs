//! `methods`: what can be asked for, from the schemas that are built in.

use clap::Args;
use serde_json::json;

use crate::{
    exit::{Done, Failure},
    schema::{Contract, Field, Method},
    screen::{FAINT, STRONG, Screen, paint},
    table::table,
};

/// Arguments of `methods`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  queuegram methods\n  queuegram methods group.create")]
pub struct MethodsArgs {
    /// Show what this method takes and gives.
    pub method: Option<String>,
}

/// Lists the methods, or shows one.
pub fn run(args: &MethodsArgs, screen: Screen) -> Result<Done, Failure> {
    if let Some(name) = &args.method {
        return show(name, screen);
    }
    let methods: Vec<Method<'_>> = Contract::built_in().methods().collect();
    let rows: Vec<_> =
        methods.iter().map(|m| json!({ "name": m.name, "summary": m.summary() })).collect();
    screen.put(&rows, || {
        let rows = methods.iter().map(|m| vec![paint(STRONG, m.name), m.summary()]);
        table(&[], rows)
    });
    Ok(Done::Success)
}

/// Shows what a method takes and gives.
pub fn show(name: &str, screen: Screen) -> Result<Done, Failure> {
    let Some(method) = Contract::built_in().method(name) else {
        return Err(Failure::Usage(unknown(name)));
    };
    let (params, result) = (method.params(), method.result());
    let value = json!({
        "name": method.name,
        "description": method.description(),
        "params": params.iter().map(json_of).collect::<Vec<_>>(),
        "result": result.iter().map(json_of).collect::<Vec<_>>(),
    });
    screen.put(&value, || words(method, &params, &result));
    Ok(Done::Success)
}

fn unknown(name: &str) -> String {
    let area = name.split('.').next().unwrap_or(name);
    let near: Vec<&str> = Contract::built_in()
        .methods()
        .map(|method| method.name)
        .filter(|known| known.starts_with(area) || known.ends_with(name))
        .collect();
    match near.as_slice() {
        [] => format!("no method {name}: `queuegram methods` lists them"),
        near => format!("no method {name}; there are {}", near.join(", ")),
    }
}

fn json_of(field: &Field<'_>) -> serde_json::Value {
    json!({
        "name": field.name,
        "required": field.required,
        "type": field.kind_words(),
        "default": field.default,
        "description": field.description,
    })
}

fn words(method: Method<'_>, params: &[Field<'_>], result: &[Field<'_>]) -> String {
    let mut parts = vec![
        format!("{}\n\n{}", paint(STRONG, method.name), method.description()),
        format!("{} (* must be given)\n{}", paint(STRONG, "Params"), fields(params, "*")),
    ];
    if !result.is_empty() {
        parts.push(format!("{}\n{}", paint(STRONG, "Result"), fields(result, " ")));
    }
    let required: Vec<String> = params
        .iter()
        .filter(|field| field.required)
        .map(|field| format!(" {}=…", field.name))
        .collect();
    parts.push(format!(
        "{}\n  queuegram call {} --instance ID{}",
        paint(STRONG, "Usage"),
        method.name,
        required.concat()
    ));
    parts.join("\n\n")
}

fn fields(fields: &[Field<'_>], mark: &str) -> String {
    if fields.is_empty() {
        return String::from("  none");
    }
    let rows = fields.iter().map(|field| {
        let mut text = field.description.replace('\n', " ");
        if let Some(default) = field.default {
            text.push_str(&paint(FAINT, &format!(" (default {default})")));
        }
        let mark = if field.required { mark } else { " " };
        vec![format!(" {mark}{}", field.name), field.kind_words(), text]
    });
    table(&[], rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::tests::sample;

    #[test]
    fn a_method_in_words() {
        let contract = sample();
        let method = contract.method("group.create").unwrap();
        let shown = words(method, &method.params(), &method.result());
        let shown = anstream::adapter::strip_str(&shown).to_string();
        assert!(shown.starts_with("group.create\n\nCreates\na group. More words."), "{shown}");
        assert!(shown.contains("\n *title        text "), "{shown}");
        assert!(shown.contains("  members      list of number|text|object"), "{shown}");
        assert!(shown.contains("supergroup|basic"), "{shown}");
        assert!(shown.contains("(default \"supergroup\")"), "{shown}");
        assert!(shown.ends_with("queuegram call group.create --instance ID title=…"), "{shown}");
    }
}
