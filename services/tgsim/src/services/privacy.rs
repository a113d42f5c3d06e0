//! Privacy settings.
//!
//! Rules come as a list: exceptions by name, by kind, then the base. Source: <https://core.telegram.org/api/privacy>.
use std::collections::BTreeSet;

use grammers_tl_types::functions::account as f;
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::effect::Effect;
use crate::rpc_error::{Reply, bad, forbidden, not_simulated};
use crate::world::{Audience, Cast, PeerId, PrivacyKey, PrivacyRule, UserId};

crate::requests! {
    account::GetPrivacy => get_privacy { 400 "PRIVACY_KEY_INVALID" scripted }
    account::SetPrivacy => set_privacy {
        400 "PRIVACY_KEY_INVALID" scripted, 400 "PRIVACY_TOO_LONG", 400 "PRIVACY_VALUE_INVALID",
        400 "USER_ID_INVALID" @ "https://core.telegram.org/method/users.getFullUser",
        400 "MSG_ID_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "CHANNEL_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "CHANNEL_PRIVATE" @ "https://core.telegram.org/method/users.getUsers",
        400 "PEER_ID_INVALID" @ "https://core.telegram.org/method/users.getUsers",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
    account::GetGlobalPrivacySettings => get_global {}
    account::SetGlobalPrivacySettings => set_global {
        403 "PREMIUM_ACCOUNT_REQUIRED", 400 "AUTOARCHIVE_NOT_AVAILABLE" scripted,
        403 "BOT_ACCESS_FORBIDDEN" scripted, 400 "BUSINESS_CONNECTION_INVALID" scripted,
    }
}

/// `account.getPrivacy`.
fn get_privacy(cx: &mut Cx<'_>, r: f::GetPrivacy) -> Reply<enums::account::PrivacyRules> {
    let (key, _, _) = key_of(&r.key);
    Ok(rules_view(cx, key))
}

/// `account.setPrivacy`.
fn set_privacy(cx: &mut Cx<'_>, r: f::SetPrivacy) -> Reply<enums::account::PrivacyRules> {
    let (key, tl, name) = key_of(&r.key);
    let rule = parse(cx, &r.rules)?;
    let me = cx.me;
    if let Some(user) = cx.world.users.get_mut(&me) {
        user.privacy.insert(key, rule.clone());
    }
    let named =
        rule.allow.iter().chain(&rule.disallow).copied().map(PeerId::User).collect::<Vec<_>>();
    cx.notice(me, types::UpdatePrivacy { key: tl, rules: rule_view(&rule) }.into(), &named);
    cx.effect(Effect::PrivacySet { key: name });
    Ok(rules_view(cx, key))
}

/// `account.getGlobalPrivacySettings`.
fn get_global(
    cx: &mut Cx<'_>,
    _: f::GetGlobalPrivacySettings,
) -> Reply<enums::GlobalPrivacySettings> {
    let new_noncontact_peers_require_premium = cx.user(cx.me)?.new_chats_require_premium;
    Ok(types::GlobalPrivacySettings {
        archive_and_mute_new_noncontact_peers: false,
        keep_archived_unmuted: false,
        keep_archived_folders: false,
        hide_read_marks: false,
        new_noncontact_peers_require_premium,
        display_gifts_button: false,
        noncontact_peers_paid_stars: None,
        disallowed_gifts: None,
    }
    .into())
}

/// `account.setGlobalPrivacySettings`: of these settings only "first messages need Premium" has an effect here; it
/// needs Premium itself.
fn set_global(
    cx: &mut Cx<'_>,
    r: f::SetGlobalPrivacySettings,
) -> Reply<enums::GlobalPrivacySettings> {
    let enums::GlobalPrivacySettings::Settings(s) = r.settings;
    let others = s.archive_and_mute_new_noncontact_peers
        || s.keep_archived_unmuted
        || s.keep_archived_folders
        || s.hide_read_marks
        || s.display_gifts_button
        || s.noncontact_peers_paid_stars.is_some()
        || s.disallowed_gifts.is_some();
    if others {
        return Err(not_simulated("global_privacy_setting"));
    }
    if s.new_noncontact_peers_require_premium && !cx.user(cx.me)?.premium {
        return Err(forbidden("PREMIUM_ACCOUNT_REQUIRED"));
    }
    if let Some(me) = cx.world.users.get_mut(&cx.me) {
        me.new_chats_require_premium = s.new_noncontact_peers_require_premium;
    }
    cx.effect(Effect::PrivacySet { key: "new_noncontact_peers_require_premium" });
    get_global(cx, f::GetGlobalPrivacySettings {})
}

fn parse(cx: &Cx<'_>, rules: &[enums::InputPrivacyRule]) -> Reply<PrivacyRule> {
    use enums::InputPrivacyRule as R;
    let mut base = None;
    let mut rule = PrivacyRule::default();
    let users = |list: &[enums::InputUser]| {
        list.iter().map(|u| cx.input_user(u)).collect::<Reply<BTreeSet<UserId>>>()
    };
    for given in rules {
        let audience = match given {
            R::InputPrivacyValueAllowAll => Audience::Everybody,
            R::InputPrivacyValueAllowContacts => Audience::Contacts,
            R::InputPrivacyValueDisallowAll => Audience::Nobody,
            R::InputPrivacyValueAllowUsers(u) => {
                rule.allow.extend(users(&u.users)?);
                continue;
            }
            R::InputPrivacyValueDisallowUsers(u) => {
                rule.disallow.extend(users(&u.users)?);
                continue;
            }
            R::InputPrivacyValueAllowPremium => {
                rule.allow_premium = true;
                continue;
            }
            R::InputPrivacyValueAllowBots => {
                rule.bots = Some(true);
                continue;
            }
            R::InputPrivacyValueDisallowBots => {
                rule.bots = Some(false);
                continue;
            }
            R::InputPrivacyValueDisallowContacts
            | R::InputPrivacyValueAllowChatParticipants(_)
            | R::InputPrivacyValueDisallowChatParticipants(_)
            | R::InputPrivacyValueAllowCloseFriends => return Err(not_simulated("privacy_rule")),
        };
        // "Contacts" is stronger than a "nobody" that follows it, as the documentation's examples combine them.
        if base != Some(Audience::Contacts) {
            base = Some(audience);
        }
    }
    if rule.allow.len() + rule.disallow.len() > cx.world.limits.privacy_names {
        return Err(bad("PRIVACY_TOO_LONG"));
    }
    rule.audience = base.ok_or_else(|| bad("PRIVACY_VALUE_INVALID"))?;
    Ok(rule)
}

fn rules_view(cx: &Cx<'_>, key: PrivacyKey) -> enums::account::PrivacyRules {
    let rule = cx.world.privacy(cx.me, key);
    let cast: Cast = rule.allow.iter().chain(&rule.disallow).copied().map(PeerId::User).collect();
    let (users, chats) = cast.render(cx.world, cx.me);
    types::account::PrivacyRules { rules: rule_view(&rule), chats, users }.into()
}

fn rule_view(rule: &PrivacyRule) -> Vec<enums::PrivacyRule> {
    use enums::PrivacyRule as R;
    let mut rules = vec![];
    let ids = |set: &BTreeSet<UserId>| set.iter().map(|u| u.0).collect::<Vec<_>>();
    if !rule.disallow.is_empty() {
        rules.push(types::PrivacyValueDisallowUsers { users: ids(&rule.disallow) }.into());
    }
    if !rule.allow.is_empty() {
        rules.push(types::PrivacyValueAllowUsers { users: ids(&rule.allow) }.into());
    }
    match rule.bots {
        Some(true) => rules.push(R::PrivacyValueAllowBots),
        Some(false) => rules.push(R::PrivacyValueDisallowBots),
        None => {}
    }
    if rule.allow_premium {
        rules.push(R::PrivacyValueAllowPremium);
    }
    rules.push(match rule.audience {
        Audience::Everybody => R::PrivacyValueAllowAll,
        Audience::Contacts => R::PrivacyValueAllowContacts,
        Audience::Nobody => R::PrivacyValueDisallowAll,
    });
    rules
}

fn key_of(key: &enums::InputPrivacyKey) -> (PrivacyKey, enums::PrivacyKey, &'static str) {
    use enums::{InputPrivacyKey as I, PrivacyKey as T};
    match key {
        I::StatusTimestamp => (PrivacyKey::StatusTimestamp, T::StatusTimestamp, "status_timestamp"),
        I::ChatInvite => (PrivacyKey::ChatInvite, T::ChatInvite, "chat_invite"),
        I::PhoneCall => (PrivacyKey::PhoneCall, T::PhoneCall, "phone_call"),
        I::PhoneP2P => (PrivacyKey::PhoneP2P, T::PhoneP2P, "phone_p2_p"),
        I::Forwards => (PrivacyKey::Forwards, T::Forwards, "forwards"),
        I::ProfilePhoto => (PrivacyKey::ProfilePhoto, T::ProfilePhoto, "profile_photo"),
        I::PhoneNumber => (PrivacyKey::PhoneNumber, T::PhoneNumber, "phone_number"),
        I::AddedByPhone => (PrivacyKey::AddedByPhone, T::AddedByPhone, "added_by_phone"),
        I::VoiceMessages => (PrivacyKey::VoiceMessages, T::VoiceMessages, "voice_messages"),
        I::About => (PrivacyKey::About, T::About, "about"),
        I::Birthday => (PrivacyKey::Birthday, T::Birthday, "birthday"),
        I::StarGiftsAutoSave => {
            (PrivacyKey::StarGiftsAutoSave, T::StarGiftsAutoSave, "star_gifts_auto_save")
        }
        I::NoPaidMessages => (PrivacyKey::NoPaidMessages, T::NoPaidMessages, "no_paid_messages"),
        I::SavedMusic => (PrivacyKey::SavedMusic, T::SavedMusic, "saved_music"),
    }
}
