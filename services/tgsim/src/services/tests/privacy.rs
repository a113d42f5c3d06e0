//! Privacy settings as rules.
use grammers_tl_types::functions::account as f;
use grammers_tl_types::{enums, types};

use super::Town;

#[test]
fn rules_are_kept_and_shown() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    let rules = vec![
        types::InputPrivacyValueDisallowUsers { users: vec![town.user(alice, bob)] }.into(),
        enums::InputPrivacyRule::InputPrivacyValueAllowPremium,
        enums::InputPrivacyRule::InputPrivacyValueAllowContacts,
    ];
    let key = enums::InputPrivacyKey::ChatInvite;
    town.call(alice, f::SetPrivacy { key: key.clone(), rules }).unwrap();
    let enums::account::PrivacyRules::Rules(seen) =
        town.call(alice, f::GetPrivacy { key: key.clone() }).unwrap();
    assert_eq!(seen.users.len(), 1);
    assert_eq!(
        seen.rules,
        [
            types::PrivacyValueDisallowUsers { users: vec![bob.0] }.into(),
            enums::PrivacyRule::PrivacyValueAllowPremium,
            enums::PrivacyRule::PrivacyValueAllowContacts,
        ]
    );
    assert_eq!(
        town.refused(alice, f::SetPrivacy { key: key.clone(), rules: vec![] }),
        "PRIVACY_VALUE_INVALID"
    );
    town.world.limits.privacy_names = 0;
    let many =
        vec![types::InputPrivacyValueAllowUsers { users: vec![town.user(alice, bob)] }.into()];
    assert_eq!(town.refused(alice, f::SetPrivacy { key, rules: many }), "PRIVACY_TOO_LONG");
}

#[test]
fn numbers_are_for_contacts_by_default() {
    let mut town = Town::new();
    let alice = town.alice;
    let key = enums::InputPrivacyKey::PhoneNumber;
    let enums::account::PrivacyRules::Rules(seen) =
        town.call(alice, f::GetPrivacy { key }).unwrap();
    assert_eq!(seen.rules, [enums::PrivacyRule::PrivacyValueAllowContacts]);
}

#[test]
fn asking_premium_of_strangers_needs_premium() {
    let mut town = Town::new();
    let alice = town.alice;
    let enums::GlobalPrivacySettings::Settings(now) =
        town.call(alice, f::GetGlobalPrivacySettings {}).unwrap();
    let settings =
        types::GlobalPrivacySettings { new_noncontact_peers_require_premium: true, ..now };
    let request = f::SetGlobalPrivacySettings { settings: settings.into() };
    assert_eq!(town.refused(alice, request.clone()), "PREMIUM_ACCOUNT_REQUIRED");
    town.world.users.get_mut(&alice).unwrap().premium = true;
    town.call(alice, request).unwrap();
    assert!(town.world.users[&alice].new_chats_require_premium);
}
