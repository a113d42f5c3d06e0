//! Adding, promoting, banning and looking up members.
use grammers_tl_types::functions::{channels, contacts};
use grammers_tl_types::{enums, types};

use super::{Stage, user_by_no_message};
use crate::world::{ChannelId, UserId, rights};

pub(super) fn play(stage: &mut Stage) {
    inviting(stage);
    promoting(stage);
    banning(stage);
    looking(stage);
}

pub(super) fn invite(
    stage: &Stage,
    by: UserId,
    id: ChannelId,
    whom: &[UserId],
) -> channels::InviteToChannel {
    let users = whom.iter().map(|user| stage.user(by, *user)).collect();
    channels::InviteToChannel { channel: stage.channel(by, id), users }
}

pub(super) fn promote(
    stage: &Stage,
    by: UserId,
    id: ChannelId,
    whom: UserId,
    rank: &str,
) -> channels::EditAdmin {
    let rights =
        types::ChatAdminRights { ban_users: true, add_admins: true, ..rights::no_admin_rights() };
    channels::EditAdmin {
        channel: stage.channel(by, id),
        user_id: stage.user(by, whom),
        admin_rights: rights.into(),
        rank: Some(rank.to_owned()),
    }
}

pub(super) fn ban(stage: &Stage, by: UserId, id: ChannelId, whom: UserId) -> channels::EditBanned {
    channels::EditBanned {
        channel: stage.channel(by, id),
        participant: stage.user_peer(by, whom),
        banned_rights: rights::full_ban(0).into(),
    }
}

/// People whom something keeps out of a group, and what. Both adding and promoting must meet it.
fn kept_out(stage: &mut Stage, ann: UserId, id: ChannelId) -> Vec<(UserId, &'static str)> {
    let (kicked, blocked, gone, busy) = (
        stage.person("Kicked"),
        stage.person("Blocked"),
        stage.person("Gone"),
        stage.person("Busy"),
    );
    let shy = stage.bot(true);
    let request = ban(stage, ann, id, kicked);
    stage.does(ann, &request);
    let block = contacts::Block { my_stories_from: false, id: stage.user_peer(ann, blocked) };
    stage.does(ann, &block);
    let request = invite(stage, ann, id, &[gone]);
    stage.does(ann, &request);
    let channel = stage.channel(gone, id);
    stage.does(gone, &channels::LeaveChannel { channel });
    stage.world.limits.channels = 3;
    while !stage.world.channels_full(busy) {
        stage.supergroup(busy, &[]);
    }
    vec![
        (blocked, "USER_BLOCKED"),
        (gone, "USER_NOT_MUTUAL_CONTACT"),
        (busy, "USER_CHANNELS_TOO_MUCH"),
        (shy, "BOT_GROUPS_BLOCKED"),
        (kicked, "USER_KICKED"),
    ]
}

fn inviting(stage: &mut Stage) {
    let (ann, bob) = (stage.person("Ann"), stage.person("Bob"));
    let id = stage.supergroup(ann, &[bob]);
    let kept_out = kept_out(stage, ann, id);
    for (user, why) in &kept_out {
        // The creator may lift a ban by inviting; a plain member may not.
        let by = if *why == "USER_KICKED" { bob } else { ann };
        let request = invite(stage, by, id, &[*user]);
        stage.refuses(by, &request, why);
    }
    // Among several, the rest is added, and those kept out are told.
    let fine = stage.person("Fine");
    let request = invite(stage, ann, id, &[kept_out[0].0, fine]);
    let enums::messages::InvitedUsers::Users(answer) = stage.does(ann, &request);
    assert_eq!(answer.missing_invitees.len(), 1);
    assert_eq!(stage.kinds(), ["chat.member_added", "chat.member_missing"]);
    let request = invite(stage, ann, id, &[kept_out[4].0]);
    stage.does(ann, &request);
    assert_eq!(stage.kinds(), ["chat.member_added"], "an admin who bans lifts the ban by inviting");

    let robot = stage.bot(false);
    let broadcast = stage.broadcast(ann, &[]);
    let request = invite(stage, ann, broadcast, &[robot]);
    stage.refuses(ann, &request, "USER_BOT");
    stage.world.limits.bots = 0;
    let request = invite(stage, ann, id, &[robot]);
    stage.refuses(ann, &request, "BOTS_TOO_MUCH");
    stage.world.limits.bots = 20;
    stage.world.limits.megagroup_members = 1;
    let late = stage.person("Late");
    let request = invite(stage, ann, id, &[late]);
    stage.refuses(ann, &request, "USERS_TOO_MUCH");
    stage.world.limits.megagroup_members = 200_000;
    stage.world.users.get_mut(&late).unwrap().deleted = true;
    let request = invite(stage, ann, id, &[late]);
    stage.refuses(ann, &request, "INPUT_USER_DEACTIVATED");
    let request = channels::InviteToChannel {
        channel: stage.channel(ann, id),
        users: vec![stage.user(bob, late)],
    };
    stage.refuses(ann, &request, "USER_ID_INVALID");
    stage.world.users.get_mut(&ann).unwrap().spam_restricted = true;
    let request = invite(stage, ann, id, &[robot]);
    stage.refuses(ann, &request, "USER_BANNED_IN_CHANNEL");
    stage.refuses(ann, &super::basics::creation("x", "", true), "USER_RESTRICTED");
    stage.world.users.get_mut(&ann).unwrap().spam_restricted = false;
}

fn promoting(stage: &mut Stage) {
    let (ann, bob, carol) = (stage.person("Ann"), stage.person("Bob"), stage.person("Carol"));
    let id = stage.supergroup(ann, &[bob, carol]);
    for (user, why) in kept_out(stage, ann, id) {
        if why == "USER_KICKED" {
            continue;
        }
        let request = promote(stage, ann, id, user, "");
        stage.refuses(ann, &request, why);
    }
    let recluse = stage.recluse();
    let request = promote(stage, ann, id, recluse, "");
    stage.refuses(ann, &request, "USER_PRIVACY_RESTRICTED");
    let request = promote(stage, ann, id, bob, "much too long a title");
    stage.refuses(ann, &request, "ADMIN_RANK_INVALID");
    let request = promote(stage, ann, id, bob, "boss \u{1F600}");
    stage.refuses(ann, &request, "ADMIN_RANK_EMOJI_NOT_ALLOWED");
    let mut request = promote(stage, ann, id, bob, "");
    request.user_id = stage.user(carol, bob);
    stage.refuses(ann, &request, "USER_ID_INVALID");
    stage.world.limits.admins = 1;
    let request = promote(stage, ann, id, bob, "");
    stage.refuses(ann, &request, "ADMINS_TOO_MUCH");
    stage.world.limits.admins = 50;
    stage.does(ann, &request);
    assert_eq!(stage.kinds(), ["chat.admin_set"]);

    // Bob may make admins, but can't invite, and can't give what he has not.
    let request = promote(stage, bob, id, ann, "");
    stage.refuses(bob, &request, "USER_CREATOR");
    let defaults = &mut stage.world.channels.get_mut(&id).unwrap().default_banned_rights;
    defaults.invite_users = true;
    let request = promote(stage, bob, id, recluse, "");
    stage.refuses(bob, &request, "CHAT_ADMIN_INVITE_REQUIRED");
    let mut request = promote(stage, bob, id, carol, "");
    request.admin_rights = rights::all_admin_rights().into();
    stage.refuses(bob, &request, "RIGHT_FORBIDDEN");
    let request = promote(stage, ann, id, carol, "");
    stage.does(ann, &request);
    let request = promote(stage, bob, id, carol, "");
    stage.refuses(bob, &request, "CHAT_ADMIN_REQUIRED");

    // Dave may invite and make admins, but not ban: somebody banned stays out.
    let (dave, kicked) = (stage.person("Dave"), stage.person("Kicked"));
    let mut request = promote(stage, ann, id, dave, "");
    let rights = types::ChatAdminRights {
        invite_users: true,
        add_admins: true,
        ..rights::no_admin_rights()
    };
    request.admin_rights = rights.clone().into();
    stage.does(ann, &request);
    assert_eq!(
        stage.kinds(),
        ["chat.member_added", "chat.admin_set"],
        "who is not in it is added first"
    );
    let request = ban(stage, ann, id, kicked);
    stage.does(ann, &request);
    let mut request = promote(stage, dave, id, kicked, "");
    request.admin_rights = rights.into();
    stage.refuses(dave, &request, "USER_KICKED");

    let (late, robot) = (stage.person("Late"), stage.bot(false));
    stage.world.limits.megagroup_members = 1;
    let request = promote(stage, ann, id, late, "");
    stage.refuses(ann, &request, "USERS_TOO_MUCH");
    stage.world.limits.megagroup_members = 200_000;
    stage.world.limits.bots = 0;
    let request = promote(stage, ann, id, robot, "");
    stage.refuses(ann, &request, "BOTS_TOO_MUCH");
    stage.world.limits.bots = 20;
    stage.world.users.get_mut(&ann).unwrap().spam_restricted = true;
    let request = promote(stage, ann, id, late, "");
    stage.refuses(ann, &request, "USER_RESTRICTED");
    stage.world.users.get_mut(&ann).unwrap().spam_restricted = false;
    stage.world.users.get_mut(&late).unwrap().deleted = true;
    let request = promote(stage, ann, id, late, "");
    stage.refuses(ann, &request, "INPUT_USER_DEACTIVATED");
    let mut request = promote(stage, ann, id, bob, "");
    request.admin_rights = rights::no_admin_rights().into();
    stage.does(ann, &request);
    assert_eq!(stage.kinds(), ["chat.admin_removed"]);
}

fn banning(stage: &mut Stage) {
    let (ann, bob, carol) = (stage.person("Ann"), stage.person("Bob"), stage.person("Carol"));
    let id = stage.supergroup(ann, &[bob, carol]);
    let request = promote(stage, ann, id, bob, "");
    stage.does(ann, &request);
    let request = ban(stage, bob, id, ann);
    stage.refuses(bob, &request, "USER_ADMIN_INVALID");
    let mut request = ban(stage, ann, id, carol);
    request.participant = enums::InputPeer::Empty;
    stage.refuses(ann, &request, "PARTICIPANT_ID_INVALID");
    request.participant = stage.user_peer(bob, carol);
    stage.refuses(ann, &request, "USER_ID_INVALID");
    let broadcast = stage.broadcast(ann, &[carol]);
    let mut request = ban(stage, ann, broadcast, carol);
    let mute = types::ChatBannedRights { send_messages: true, ..rights::no_banned_rights() };
    request.banned_rights = mute.into();
    stage.refuses(ann, &request, "BANNED_RIGHTS_INVALID");
    let delete = |participant| channels::DeleteParticipantHistory {
        channel: stage.channel(ann, id),
        participant,
    };
    let (nobody, foreign) = (delete(enums::InputPeer::Empty), delete(stage.user_peer(bob, carol)));
    stage.refuses(ann, &nobody, "PARTICIPANT_ID_INVALID");
    stage.refuses(ann, &foreign, "USER_ID_INVALID");
}

fn looking(stage: &mut Stage) {
    let (ann, bob, carol) = (stage.person("Ann"), stage.person("Bob"), stage.person("Carol"));
    let id = stage.supergroup(ann, &[bob]);
    let broadcast = stage.broadcast(ann, &[bob]);
    let one = |stage: &Stage, by, id, participant| channels::GetParticipant {
        channel: stage.channel(by, id),
        participant,
    };
    let request = one(stage, ann, id, stage.user_peer(ann, carol));
    stage.refuses(ann, &request, "USER_NOT_PARTICIPANT");
    let request = one(stage, ann, id, stage.user_peer(bob, carol));
    stage.refuses(ann, &request, "USER_ID_INVALID");
    let request = one(stage, ann, id, enums::InputPeer::Empty);
    stage.refuses(ann, &request, "PARTICIPANT_ID_INVALID");
    let request = one(stage, bob, broadcast, stage.user_peer(bob, ann));
    stage.refuses(bob, &request, "CHAT_ADMIN_REQUIRED");
    let request = channels::GetParticipants {
        channel: stage.channel(bob, id),
        filter: types::ChannelParticipantsKicked { q: String::new() }.into(),
        offset: 0,
        limit: 10,
        hash: 0,
    };
    stage.refuses(bob, &request, "CHAT_ADMIN_REQUIRED");
    let link = |id: i32| channels::ExportMessageLink {
        grouped: false,
        thread: false,
        channel: stage.channel(ann, broadcast),
        id,
    };
    let missing = link(4711);
    stage.refuses(ann, &missing, "MESSAGE_ID_INVALID");
    let gone = channels::InviteToChannel {
        channel: stage.channel(ann, id),
        users: vec![user_by_no_message()],
    };
    stage.refuses(ann, &gone, "MSG_ID_INVALID");
}
