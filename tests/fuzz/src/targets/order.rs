//! The params of methods and orders. What is read is written in one spelling, which reads as itself; an
//! error says which field it is about.

use proto::Fault;
use proto::control::method;
use queuegram_worker::fuzz;
use serde_json::{Map, Value};

use crate::input::Input;

type Params = Map<String, Value>;
type Read = fn(&str, &Params) -> Option<Result<Params, Fault>>;

pub fn run(data: &[u8]) {
    let input = Input::read(data);
    let Ok(params) = serde_json::from_slice::<Params>(input.body) else { return };
    if let Some(name) = input.value("order") {
        let known = check(fuzz::order, name, &params);
        assert_eq!(known, method::ALL.contains(&name), "{name} is not in both lists");
    }
    if let Some(name) = input.value("method") {
        assert_eq!(check(fuzz::method, name, &params), fuzz::methods().contains(&name));
    }
}

fn check(read: Read, name: &str, params: &Params) -> bool {
    match read(name, params) {
        None => return false,
        Some(Ok(written)) => match read(name, &written) {
            Some(Ok(again)) => assert_eq!(again, written),
            other => panic!("{name} does not read what it wrote: {written:?}: {other:?}"),
        },
        Some(Err(fault)) => {
            assert!(fault.message.starts_with("params"), "names no field: {}", fault.message);
            assert!(fault.message.len() <= 2_000, "{} bytes", fault.message.len());
        }
    }
    true
}
