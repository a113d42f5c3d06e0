//! The records in the vault, once they are unsealed: sessions, instances, groups. What is read is written
//! in one spelling that reads as itself, and an error quotes no key.

use proto::InstanceId;
use telegram::SessionRecord;

use crate::input::Input;

pub fn run(data: &[u8]) {
    let input = Input::read(data);
    let Ok(instance) = "acme".parse::<InstanceId>() else { return };
    match input.value("kind") {
        Some("instance") => stable(input.body, |content| store::fuzz::instance(&instance, content)),
        Some("groups") => stable(input.body, |content| store::fuzz::groups(&instance, content)),
        _ => stable(input.body, |content| {
            SessionRecord::from_bytes(content)
                .map(|record| record.to_bytes().to_vec())
                .inspect_err(|error| assert!(error.to_string().len() <= 1_000))
        }),
    }
}

fn stable<E: std::fmt::Debug>(content: &[u8], again: impl Fn(&[u8]) -> Result<Vec<u8>, E>) {
    let Ok(written) = again(content) else { return };
    match again(&written) {
        Ok(twice) => assert_eq!(
            String::from_utf8_lossy(&twice),
            String::from_utf8_lossy(&written),
            "written again it is another one"
        ),
        Err(error) => panic!("what was written can't be read: {error:?}"),
    }
}
