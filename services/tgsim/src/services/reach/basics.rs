//! What is the same for all: wrong hashes, foreign groups, missing rights.
use grammers_tl_types::functions::{channels, messages};
use grammers_tl_types::{Serializable, enums, types};

use super::{Stage, by_no_message, peer_by_no_message};
use crate::world::rights;

/// A request, but for the channel it is about.
type OnChannel = (&'static str, Box<dyn Fn(enums::InputChannel) -> Vec<u8>>);
/// A request, but for the group it is about.
type OnGroup = Box<dyn Fn(enums::InputPeer) -> Vec<u8>>;

/// `channels.createChannel`.
pub(super) fn creation(title: &str, about: &str, megagroup: bool) -> channels::CreateChannel {
    channels::CreateChannel {
        broadcast: !megagroup,
        megagroup,
        for_import: false,
        forum: false,
        title: title.to_owned(),
        about: about.to_owned(),
        geo_point: None,
        address: None,
        ttl_period: None,
    }
}

macro_rules! on_channel {
    ($what:literal, |$channel:ident| $request:expr) => {
        (
            $what,
            Box::new(move |$channel: enums::InputChannel| ($request).to_bytes())
                as Box<dyn Fn(_) -> _>,
        )
    };
}

/// The second letter says who may: `r`ead for members, `a`dmins, `o`wner.
fn on_channel() -> Vec<OnChannel> {
    let me = || enums::InputPeer::PeerSelf;
    let myself = || enums::InputUser::UserSelf;
    let all = rights::all_admin_rights;
    vec![
        on_channel!("a", |channel| channels::EditTitle { channel, title: "New".into() }),
        on_channel!("o", |channel| channels::DeleteChannel { channel }),
        on_channel!("a", |channel| channels::InviteToChannel { channel, users: vec![] }),
        on_channel!("r", |channel| channels::JoinChannel { channel }),
        on_channel!("r", |channel| channels::LeaveChannel { channel }),
        on_channel!("a", |channel| channels::EditAdmin {
            channel,
            user_id: myself(),
            admin_rights: all().into(),
            rank: None
        }),
        on_channel!("a", |channel| channels::EditBanned {
            channel,
            participant: me(),
            banned_rights: rights::no_banned_rights().into()
        }),
        on_channel!("r", |channel| channels::GetParticipant { channel, participant: me() }),
        on_channel!("r", |channel| channels::GetParticipants {
            channel,
            filter: enums::ChannelParticipantsFilter::ChannelParticipantsRecent,
            offset: 0,
            limit: 10,
            hash: 0
        }),
        on_channel!("r", |channel| channels::GetChannels { id: vec![channel] }),
        on_channel!("r", |channel| channels::GetFullChannel { channel }),
        on_channel!("o", |channel| channels::UpdateUsername {
            channel,
            username: "some_name".into()
        }),
        on_channel!("r", |channel| channels::CheckUsername {
            channel,
            username: "some_name".into()
        }),
        on_channel!("s", |channel| channels::TogglePreHistoryHidden { channel, enabled: true }),
        on_channel!("s", |channel| channels::ToggleJoinRequest {
            apply_to_invites: false,
            channel,
            enabled: true,
            guard_bot: None
        }),
        on_channel!("s", |channel| channels::ToggleJoinToSend { channel, enabled: true }),
        on_channel!("s", |channel| channels::ToggleSlowMode { channel, seconds: 10 }),
        on_channel!("s", |channel| channels::ToggleParticipantsHidden { channel, enabled: true }),
        on_channel!("b", |channel| channels::ToggleSignatures {
            signatures_enabled: true,
            profiles_enabled: false,
            channel
        }),
        on_channel!("a", |channel| channels::DeleteParticipantHistory {
            channel,
            participant: me()
        }),
        on_channel!("r", |channel| channels::ExportMessageLink {
            grouped: false,
            thread: false,
            channel,
            id: 1
        }),
    ]
}

fn on_group() -> Vec<OnGroup> {
    fn of<R: Serializable + 'static>(request: impl Fn(enums::InputPeer) -> R + 'static) -> OnGroup {
        Box::new(move |peer| request(peer).to_bytes())
    }
    let link = || "https://t.me/+nothing".to_owned();
    let myself = || enums::InputUser::UserSelf;
    vec![
        of(super::links::export),
        of(move |peer| messages::GetExportedChatInvite { peer, link: link() }),
        of(move |peer| super::links::page(peer, myself(), false)),
        of(move |peer| super::links::edit(peer, &link())),
        of(move |peer| messages::DeleteExportedChatInvite { peer, link: link() }),
        of(move |peer| messages::DeleteRevokedExportedChatInvites { peer, admin_id: myself() }),
        of(|peer| messages::GetAdminsWithInvites { peer }),
        of(|peer| super::links::importers(peer, None, true)),
        of(move |peer| messages::HideChatJoinRequest { approved: true, peer, user_id: myself() }),
        of(|peer| messages::HideAllChatJoinRequests { approved: true, peer, link: None }),
    ]
}

pub(super) fn play(stage: &mut Stage) {
    let (ann, bob, eve) = (stage.person("Ann"), stage.person("Bob"), stage.person("Eve"));
    let private = stage.supergroup(ann, &[bob]);
    let public = stage.supergroup(ann, &[bob]);
    let broadcast = stage.broadcast(ann, &[bob]);
    stage.publish(ann, public, "public_group");
    stage.publish(ann, broadcast, "public_channel");
    // Plain members of a public group can't change its face, nor, from here on, invite.
    for id in [private, public] {
        let peer = stage.peer(ann, id);
        let banned = types::ChatBannedRights {
            change_info: true,
            invite_users: true,
            ..rights::no_banned_rights()
        };
        stage.does(
            ann,
            &messages::EditChatDefaultBannedRights { peer, banned_rights: banned.into() },
        );
    }
    for (who, request) in on_channel() {
        let anns = stage.channel(ann, private);
        stage.refuses_bytes(bob, &request(anns), "CHANNEL_INVALID");
        stage.refuses_bytes(ann, &request(by_no_message()), "MSG_ID_INVALID");
        let eves = stage.channel(eve, private);
        stage.refuses_bytes(eve, &request(eves), "CHANNEL_PRIVATE");
        let bobs = stage.channel(bob, if who == "b" { broadcast } else { private });
        let eves = stage.channel(eve, public);
        match who {
            "a" | "o" => {
                stage.refuses_bytes(bob, &request(bobs), "CHAT_ADMIN_REQUIRED");
                stage.refuses_bytes(eve, &request(eves), "CHAT_WRITE_FORBIDDEN");
            }
            "s" => {
                stage.refuses_bytes(bob, &request(bobs), "CHAT_ADMIN_REQUIRED");
                let anns = stage.channel(ann, broadcast);
                stage.refuses_bytes(ann, &request(anns), "CHAT_ID_INVALID");
            }
            "b" => {
                stage.refuses_bytes(bob, &request(bobs), "CHAT_ADMIN_REQUIRED");
                let anns = stage.channel(ann, private);
                stage.refuses_bytes(ann, &request(anns), "CHAT_ID_INVALID");
            }
            _ => {}
        }
    }
    let chat = stage.basic(ann, &[bob]);
    for request in on_group() {
        let anns = stage.peer(ann, private);
        stage.refuses_bytes(bob, &request(anns), "CHANNEL_INVALID");
        let eves = stage.peer(eve, private);
        stage.refuses_bytes(eve, &request(eves), "CHANNEL_PRIVATE");
        stage.refuses_bytes(ann, &request(peer_by_no_message()), "MSG_ID_INVALID");
        stage.refuses_bytes(ann, &request(enums::InputPeer::Empty), "PEER_ID_INVALID");
        stage.refuses_bytes(
            ann,
            &request(types::InputPeerChat { chat_id: 1 }.into()),
            "CHAT_ID_INVALID",
        );
        let eves = stage.peer(eve, public);
        stage.refuses_bytes(eve, &request(eves), "CHAT_WRITE_FORBIDDEN");
        for id in [private.into(), crate::world::PeerId::Chat(chat)] {
            let bobs = stage.peer(bob, id);
            stage.refuses_bytes(bob, &request(bobs), "CHAT_ADMIN_REQUIRED");
        }
    }
    stage.refuses(ann, &messages::GetFullChat { chat_id: 1 }, "CHAT_ID_INVALID");
    stage.refuses(eve, &messages::GetFullChat { chat_id: chat.0 }, "PEER_ID_INVALID");
    let common = |user_id| messages::GetCommonChats { user_id, max_id: 0, limit: 10 };
    let not_anns = stage.user(bob, eve);
    stage.refuses(ann, &common(not_anns), "USER_ID_INVALID");
    stage.refuses(ann, &common(enums::InputUser::UserSelf), "USER_ID_INVALID");
    stage.refuses(ann, &common(super::user_by_no_message()), "MSG_ID_INVALID");
}
