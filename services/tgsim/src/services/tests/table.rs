//! The table itself.
use std::collections::BTreeSet;

use grammers_tl_types::functions;

use super::Town;
use crate::requests;
use crate::world::UserId;

#[test]
fn every_request_stands_once_under_its_telegram_name() {
    let mut ids = BTreeSet::new();
    for request in requests::all() {
        assert!(ids.insert(request.id), "{} has two rows", request.name());
        assert!(request.name().contains('.'), "{}", request.name());
        let names: BTreeSet<_> = request.errors.iter().map(|e| e.name).collect();
        assert_eq!(names.len(), request.errors.len(), "{} names an error twice", request.name());
    }
}

#[test]
fn without_login_only_anonymous_requests_are_answered() {
    let mut town = Town::new();
    let error = town.call(UserId::NOBODY, functions::updates::GetState {}).unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (401, "AUTH_KEY_UNREGISTERED"));
}
