//! Links and requests: limits, forms, and what is dead.
use grammers_tl_types::functions::messages;
use grammers_tl_types::{enums, types};

use super::{Stage, members, user_by_no_message};
use crate::world::{PeerId, UserId, rights};

/// A further link with no option.
pub(super) fn export(peer: enums::InputPeer) -> messages::ExportChatInvite {
    messages::ExportChatInvite {
        legacy_revoke_permanent: false,
        request_needed: false,
        peer,
        expire_date: None,
        usage_limit: None,
        title: None,
        subscription_pricing: None,
    }
}

/// A primary link.
pub(super) fn primary(peer: enums::InputPeer) -> messages::ExportChatInvite {
    messages::ExportChatInvite { legacy_revoke_permanent: true, ..export(peer) }
}

/// No change.
pub(super) fn edit(peer: enums::InputPeer, link: &str) -> messages::EditExportedChatInvite {
    messages::EditExportedChatInvite {
        revoked: false,
        peer,
        link: link.to_owned(),
        expire_date: None,
        usage_limit: None,
        request_needed: None,
        title: None,
    }
}

/// The first hundred links of an admin.
pub(super) fn page(
    peer: enums::InputPeer,
    admin_id: enums::InputUser,
    revoked: bool,
) -> messages::GetExportedChatInvites {
    messages::GetExportedChatInvites {
        revoked,
        peer,
        admin_id,
        offset_date: None,
        offset_link: None,
        limit: 100,
    }
}

/// The first hundred who came in or wait.
pub(super) fn importers(
    peer: enums::InputPeer,
    link: Option<String>,
    requested: bool,
) -> messages::GetChatInviteImporters {
    messages::GetChatInviteImporters {
        requested,
        subscription_expired: false,
        peer,
        link,
        q: None,
        offset_date: 0,
        offset_user: enums::InputUser::Empty,
        limit: 100,
    }
}

pub(super) fn link_of(invite: enums::ExportedChatInvite) -> types::ChatInviteExported {
    match invite {
        enums::ExportedChatInvite::ChatInviteExported(link) => link,
        enums::ExportedChatInvite::ChatInvitePublicJoinRequests => panic!("no link"),
    }
}

pub(super) fn hash(link: &types::ChatInviteExported) -> String {
    link.link.strip_prefix("https://t.me/+").unwrap().to_owned()
}

pub(super) fn join(hash: String) -> messages::ImportChatInvite {
    messages::ImportChatInvite { hash }
}

pub(super) fn play(stage: &mut Stage) {
    making(stage);
    editing(stage);
    using(stage);
    deciding(stage);
}

fn making(stage: &mut Stage) {
    let (ann, bob) = (stage.person("Ann"), stage.person("Bob"));
    let chat = stage.basic(ann, &[bob]);
    let peer = stage.peer(ann, chat);
    let past =
        messages::ExportChatInvite { expire_date: Some(1_700_000_000), ..export(peer.clone()) };
    stage.refuses(ann, &past, "EXPIRE_DATE_INVALID");
    let many = messages::ExportChatInvite { usage_limit: Some(100_000), ..export(peer.clone()) };
    stage.refuses(ann, &many, "USAGE_LIMIT_INVALID");
    let both = messages::ExportChatInvite {
        usage_limit: Some(5),
        request_needed: true,
        ..export(peer.clone())
    };
    stage.refuses(ann, &both, "USAGE_LIMIT_INVALID");
    let pricing = types::StarsSubscriptionPricing { period: 2_592_000, amount: 5 };
    let sold = messages::ExportChatInvite {
        subscription_pricing: Some(pricing.into()),
        ..export(peer.clone())
    };
    stage.refuses(ann, &sold, "PRICING_CHAT_INVALID");
    let foreign = stage.user(bob, ann);
    let bobs = stage.user(bob, bob);
    assert_ne!(foreign, bobs);
    stage.refuses(ann, &page(peer.clone(), user_by_no_message(), false), "MSG_ID_INVALID");
    let wrong = types::InputUser { user_id: bob.0, access_hash: 1 };
    stage.refuses(ann, &page(peer.clone(), wrong.clone().into(), false), "ADMIN_ID_INVALID");
    let clear = messages::DeleteRevokedExportedChatInvites {
        peer: peer.clone(),
        admin_id: wrong.clone().into(),
    };
    stage.refuses(ann, &clear, "ADMIN_ID_INVALID");
    let mut who = importers(peer.clone(), None, true);
    who.offset_user = wrong.into();
    stage.refuses(ann, &who, "USER_ID_INVALID");
    let searched = messages::GetChatInviteImporters {
        q: Some("bob".into()),
        ..importers(peer, Some("https://t.me/+x".into()), true)
    };
    stage.refuses(ann, &searched, "SEARCH_WITH_LINK_NOT_SUPPORTED");
}

fn editing(stage: &mut Stage) {
    let (ann, bob) = (stage.person("Ann"), stage.person("Bob"));
    let robot = stage.bot(false);
    let id = stage.supergroup(ann, &[bob, robot]);
    let peer = stage.peer(ann, id);
    let further = link_of(stage.does(ann, &export(peer.clone())));
    let first = link_of(stage.does(ann, &primary(peer.clone())));
    assert!(first.permanent && !further.permanent);
    for request in [
        edit(peer.clone(), "https://t.me/+nothing"),
        messages::EditExportedChatInvite { revoked: true, ..edit(peer.clone(), "nothing") },
    ] {
        stage.refuses(ann, &request, "INVITE_HASH_EXPIRED");
    }
    let one = messages::GetExportedChatInvite { peer: peer.clone(), link: "t.me/+nothing".into() };
    stage.refuses(ann, &one, "INVITE_HASH_EXPIRED");
    let delete = |link: &str| messages::DeleteExportedChatInvite {
        peer: peer.clone(),
        link: link.to_owned(),
    };
    stage.refuses(ann, &delete("nothing"), "INVITE_HASH_EXPIRED");
    stage.refuses(ann, &delete(&further.link), "INVITE_REVOKED_MISSING");
    let who = importers(peer.clone(), Some("nothing".into()), false);
    stage.refuses(ann, &who, "INVITE_HASH_EXPIRED");
    let all = messages::HideAllChatJoinRequests {
        approved: true,
        peer: peer.clone(),
        link: Some("nothing".into()),
    };
    stage.refuses(ann, &all, "INVITE_HASH_EXPIRED");
    stage.refuses(ann, &edit(peer.clone(), &first.link), "CHAT_INVITE_PERMANENT");
    let many = messages::EditExportedChatInvite {
        usage_limit: Some(-1),
        ..edit(peer.clone(), &further.link)
    };
    stage.refuses(ann, &many, "USAGE_LIMIT_INVALID");

    // A bot that is an admin has links of its own; people can end them, not change them.
    let mut request = members::promote(stage, ann, id, robot, "");
    let rights = types::ChatAdminRights { invite_users: true, ..rights::no_admin_rights() };
    request.admin_rights = rights.clone().into();
    stage.does(ann, &request);
    let robots = stage.peer(robot, id);
    let its = link_of(stage.does(robot, &export(robots)));
    stage.refuses(ann, &edit(peer.clone(), &its.link), "EDIT_BOT_INVITE_FORBIDDEN");
    let end = messages::EditExportedChatInvite { revoked: true, ..edit(peer.clone(), &its.link) };
    stage.does(ann, &end);
    assert_eq!(stage.kinds(), ["link.revoked"]);
    let mut request = members::promote(stage, ann, id, bob, "");
    request.admin_rights = rights.into();
    stage.does(ann, &request);
    let bobs = stage.peer(bob, id);
    stage.refuses(bob, &edit(bobs.clone(), &further.link), "CHAT_ADMIN_REQUIRED");
    stage.refuses(bob, &messages::GetAdminsWithInvites { peer: bobs }, "CHAT_ADMIN_REQUIRED");

    let end = messages::EditExportedChatInvite { revoked: true, ..edit(peer, &first.link) };
    let answer = stage.does(ann, &end);
    assert!(matches!(answer, enums::messages::ExportedChatInvite::Replaced(_)));
    assert_eq!(stage.kinds(), ["link.revoked", "link.created"]);
}

fn using(stage: &mut Stage) {
    let (ann, bob, eve) = (stage.person("Ann"), stage.person("Bob"), stage.person("Eve"));
    let (id, chat) = (stage.supergroup(ann, &[bob]), stage.basic(ann, &[bob]));
    for group in [PeerId::from(id), PeerId::from(chat)] {
        let peer = stage.peer(ann, group);
        let link = link_of(stage.does(ann, &primary(peer.clone())));
        for (hash, why) in [("", "INVITE_HASH_EMPTY"), ("no/hash", "INVITE_HASH_INVALID")] {
            stage.refuses(eve, &join(hash.into()), why);
            stage.refuses(eve, &messages::CheckChatInvite { hash: hash.into() }, why);
        }
        stage.refuses(bob, &join(hash(&link)), "USER_ALREADY_PARTICIPANT");
        let expire_date = Some(stage.world.clock.now() + 60);
        let short = link_of(
            stage.does(ann, &messages::ExportChatInvite { expire_date, ..export(peer.clone()) }),
        );
        stage.does(eve, &messages::CheckChatInvite { hash: hash(&short) });
        stage.world.clock.advance(60);
        stage.refuses(eve, &join(hash(&short)), "INVITE_HASH_EXPIRED");
        stage.refuses(
            eve,
            &messages::CheckChatInvite { hash: hash(&short) },
            "INVITE_HASH_EXPIRED",
        );
        let asking = messages::ExportChatInvite { request_needed: true, ..export(peer) };
        let asking = link_of(stage.does(ann, &asking));
        stage.refuses(eve, &join(hash(&asking)), "INVITE_REQUEST_SENT");
        assert_eq!(stage.kinds(), ["chat.join_requested"]);
        (stage.world.limits.megagroup_members, stage.world.limits.chat_members) = (1, 1);
        stage.refuses(eve, &join(hash(&link)), "USERS_TOO_MUCH");
        (stage.world.limits.megagroup_members, stage.world.limits.chat_members) = (200_000, 200);
        if group == id.into() {
            stage.world.limits.channels = 0;
            stage.refuses(eve, &join(hash(&link)), "CHANNELS_TOO_MUCH");
            stage.world.limits.channels = 500;
        }
        stage.does(eve, &join(hash(&link)));
        assert_eq!(stage.kinds(), ["chat.member_joined"]);
        assert!(stage.world.links.contains_key(&hash(&link)));
    }
}

fn deciding(stage: &mut Stage) {
    let (ann, bob) = (stage.person("Ann"), stage.person("Bob"));
    let id = stage.supergroup(ann, &[bob]);
    let peer = stage.peer(ann, id);
    let asking = messages::ExportChatInvite { request_needed: true, ..export(peer.clone()) };
    let asking = link_of(stage.does(ann, &asking));
    let decide = |stage: &Stage, user: UserId| messages::HideChatJoinRequest {
        approved: true,
        peer: peer.clone(),
        user_id: stage.user(ann, user),
    };
    let all = messages::HideAllChatJoinRequests { approved: true, peer: peer.clone(), link: None };
    let eve = stage.person("Eve");
    stage.refuses(ann, &all, "HIDE_REQUESTER_MISSING");
    let request = decide(stage, eve);
    stage.refuses(ann, &request, "HIDE_REQUESTER_MISSING");
    let request = decide(stage, bob);
    stage.refuses(ann, &request, "USER_ALREADY_PARTICIPANT");
    let wrong = messages::HideChatJoinRequest {
        user_id: types::InputUser { user_id: eve.0, access_hash: 1 }.into(),
        ..request
    };
    stage.refuses(ann, &wrong, "USER_ID_INVALID");

    stage.refuses(eve, &join(hash(&asking)), "INVITE_REQUEST_SENT");
    let told: Vec<UserId> = stage.pushed.iter().map(|push| push.to).collect();
    assert_eq!(told, [ann], "only admins who may invite hear of a request");
    let request = decide(stage, eve);
    stage.world.limits.channels = 0;
    stage.refuses(ann, &request, "USER_CHANNELS_TOO_MUCH");
    stage.refuses(ann, &all, "USER_CHANNELS_TOO_MUCH");
    stage.world.limits.channels = 500;
    stage.world.limits.megagroup_members = 1;
    stage.refuses(ann, &request, "USERS_TOO_MUCH");
    stage.refuses(ann, &all, "USERS_TOO_MUCH");
    stage.world.limits.megagroup_members = 200_000;
    stage.world.users.get_mut(&eve).unwrap().deleted = true;
    stage.refuses(ann, &request, "INPUT_USER_DEACTIVATED");
    stage.world.users.get_mut(&eve).unwrap().deleted = false;
    stage.does(ann, &request);
    assert_eq!(stage.kinds(), ["chat.member_joined"]);
    assert_eq!(stage.effects[0]["approved_by"], ann.0);
}
