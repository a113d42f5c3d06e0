//! What the world looks like afterwards, from each side.
use std::collections::BTreeSet;

use grammers_tl_types::functions::{channels, messages};
use grammers_tl_types::{enums, types};

use super::{Stage, links, members};
use crate::world::{PeerId, UserId, rights};

#[test]
fn common_chats_come_in_pages_past_a_hundred() {
    let mut stage = Stage::new();
    let (ann, bob, carol) = (stage.person("Ann"), stage.person("Bob"), stage.person("Carol"));
    let mut expected = BTreeSet::new();
    for _ in 0..150 {
        expected.insert(stage.basic(ann, &[bob, carol]).0);
        expected.insert(stage.supergroup(ann, &[bob]).0);
        stage.basic(ann, &[carol]);
    }
    stage.broadcast(ann, &[bob]);
    let (mut found, mut max_id) = (vec![], 0);
    loop {
        let user_id = stage.user(ann, bob);
        let page = stage.does(ann, &messages::GetCommonChats { user_id, max_id, limit: 100 });
        let (count, chats) = match page {
            enums::messages::Chats::Chats(page) => (page.chats.len(), page.chats),
            enums::messages::Chats::Slice(page) => {
                (usize::try_from(page.count).unwrap(), page.chats)
            }
        };
        assert_eq!(count, 300, "each page says how many there are");
        if chats.is_empty() {
            break;
        }
        found.extend(chats.iter().map(enums::Chat::id));
        max_id = *found.last().unwrap();
    }
    assert_eq!(found.len(), 300, "each once");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn a_banned_one_sees_a_closed_door_and_can_come_back_only_when_the_ban_is_lifted() {
    let mut stage = Stage::new();
    let (ann, bob) = (stage.person("Ann"), stage.person("Bob"));
    let id = stage.supergroup(ann, &[bob]);
    let peer = stage.peer(ann, id);
    let link = links::link_of(stage.does(ann, &links::primary(peer)));
    let ban = members::ban(&stage, ann, id, bob);
    stage.does(ann, &ban);
    assert_eq!(stage.kinds(), ["chat.member_banned"]);
    assert_eq!(stage.effects[0]["until_date"], 0);
    let look = channels::GetChannels { id: vec![stage.channel(bob, id)] };
    let enums::messages::Chats::Chats(seen) = stage.does(bob, &look) else { panic!("a slice") };
    assert!(matches!(seen.chats[0], enums::Chat::ChannelForbidden(_)));
    stage.refuses(bob, &links::join(links::hash(&link)), "INVITE_HASH_EXPIRED");
    let lift = channels::EditBanned { banned_rights: rights::no_banned_rights().into(), ..ban };
    stage.does(ann, &lift);
    assert_eq!(stage.kinds(), ["chat.member_unbanned"]);
    stage.does(ann, &lift);
    assert!(stage.effects.is_empty(), "lifting nothing changes nothing");
    stage.does(bob, &links::join(links::hash(&link)));
    assert_eq!(stage.effects[0]["link"], link.link);
}

#[test]
fn a_ban_with_an_end_ends_by_the_clock() {
    let mut stage = Stage::new();
    let (ann, bob) = (stage.person("Ann"), stage.person("Bob"));
    let id = stage.supergroup(ann, &[bob]);
    stage.publish(ann, id, "open_to_all");
    let until = stage.world.clock.now() + 3600;
    let ban = channels::EditBanned {
        banned_rights: rights::full_ban(until).into(),
        ..members::ban(&stage, ann, id, bob)
    };
    stage.does(ann, &ban);
    assert_eq!(stage.effects[0]["until_date"], until);
    let join = channels::JoinChannel { channel: stage.channel(bob, id) };
    stage.refuses(bob, &join, "CHANNEL_PRIVATE");
    stage.world.clock.advance(3601);
    stage.does(bob, &join);
    assert_eq!(stage.kinds(), ["chat.member_joined"]);
}

#[test]
fn each_admin_has_an_own_primary_link_that_looking_makes_once() {
    let mut stage = Stage::new();
    let (ann, bob, carol) = (stage.person("Ann"), stage.person("Bob"), stage.person("Carol"));
    let id = stage.supergroup(ann, &[bob, carol]);
    let admin = channels::EditAdmin {
        admin_rights: types::ChatAdminRights { invite_users: true, ..rights::no_admin_rights() }
            .into(),
        ..members::promote(&stage, ann, id, bob, "")
    };
    stage.does(ann, &admin);
    let mut primary = |who: UserId| {
        let look = channels::GetFullChannel { channel: stage.channel(who, id) };
        let enums::messages::ChatFull::Full(full) = stage.does(who, &look);
        let enums::ChatFull::ChannelFull(full) = full.full_chat else { panic!("no channel") };
        let made = stage.kinds().iter().filter(|kind| **kind == "link.created").count();
        (full.exported_invite.map(|link| links::link_of(link).link), made)
    };
    let (anns, made) = primary(ann);
    assert_eq!(made, 1);
    let (bobs, _) = primary(bob);
    assert!(anns.is_some() && bobs.is_some() && anns != bobs);
    assert_eq!(primary(ann), (anns, 0), "looking again makes none");
    assert_eq!(primary(carol), (None, 0), "plain members have none");
}

#[test]
fn a_limit_counts_who_is_in_by_the_link_at_one_time() {
    let mut stage = Stage::new();
    let (ann, bob, eve) = (stage.person("Ann"), stage.person("Bob"), stage.person("Eve"));
    let id = stage.supergroup(ann, &[]);
    let peer = stage.peer(ann, id);
    let one = messages::ExportChatInvite { usage_limit: Some(1), ..links::export(peer) };
    let one = links::link_of(stage.does(ann, &one));
    stage.does(bob, &links::join(links::hash(&one)));
    stage.refuses(eve, &links::join(links::hash(&one)), "INVITE_HASH_EXPIRED");
    let leave = channels::LeaveChannel { channel: stage.channel(bob, id) };
    stage.does(bob, &leave);
    stage.does(eve, &links::join(links::hash(&one)));
    assert_eq!(stage.effects[0]["link"], one.link);
}

#[test]
fn lists_of_members_follow_their_filter_and_page() {
    let mut stage = Stage::new();
    let ann = stage.person("Ann");
    let people: Vec<UserId> = (0..250).map(|n| stage.person(&format!("Member{n}"))).collect();
    let id = stage.supergroup(ann, &people[..100]);
    let request = members::invite(&stage, ann, id, &people[100..200]);
    stage.does(ann, &request);
    let request = members::invite(&stage, ann, id, &people[200..]);
    stage.does(ann, &request);
    let mut list = |filter: enums::ChannelParticipantsFilter, offset, hash| {
        let channel = stage.channel(ann, id);
        let request = channels::GetParticipants { channel, filter, offset, limit: 200, hash };
        match stage.does(ann, &request) {
            enums::channels::ChannelParticipants::Participants(page) => Some((
                page.count,
                page.participants.len(),
                page.users.iter().map(enums::User::id).collect::<Vec<_>>(),
            )),
            enums::channels::ChannelParticipants::NotModified => None,
        }
    };
    use enums::ChannelParticipantsFilter as F;
    let (count, first, _) = list(F::ChannelParticipantsRecent, 0, 0).unwrap();
    let (_, second, _) = list(F::ChannelParticipantsRecent, 200, 0).unwrap();
    assert_eq!((count, first, second), (251, 200, 51));
    let search = |q: &str| F::from(types::ChannelParticipantsSearch { q: q.to_owned() });
    assert_eq!(list(search("member249"), 0, 0).unwrap().2, [people[249].0]);
    let hash = super::super::supergroup::participants::hash_of([people[249]].into_iter());
    assert_eq!(list(search("member249"), 0, hash), None, "nothing new");
    assert_eq!(list(F::ChannelParticipantsAdmins, 0, 0).unwrap().2, [ann.0]);
}

#[test]
fn a_supergroup_told_to_others_and_to_a_bot() {
    let mut stage = Stage::new();
    let (ann, bob) = (stage.person("Ann"), stage.person("Bob"));
    let robot = stage.bot(false);
    let id = stage.supergroup(ann, &[]);
    let request = members::promote(&stage, ann, id, robot, "");
    stage.does(ann, &request);
    let request = members::invite(&stage, ann, id, &[bob]);
    stage.does(ann, &request);
    let told = |to: UserId| -> Vec<enums::Update> {
        let to_them = stage.pushed.iter().filter(|push| push.to == to);
        to_them
            .flat_map(|push| match &push.updates {
                enums::Updates::Updates(u) => u.updates.clone(),
                other => panic!("{other:?}"),
            })
            .collect()
    };
    let to_bob = told(bob);
    assert!(to_bob.iter().any(|u| matches!(u, enums::Update::Channel(_))), "{to_bob:?}");
    assert!(to_bob.iter().any(|u| matches!(u, enums::Update::NewChannelMessage(_))), "{to_bob:?}");
    let to_robot = told(robot);
    assert!(
        to_robot.iter().any(
            |u| matches!(u, enums::Update::ChannelParticipant(p) if p.user_id == bob.0 && p.qts > 0)
        ),
        "{to_robot:?}"
    );
}

#[test]
fn links_of_an_admin_come_page_by_page_newest_first() {
    let mut stage = Stage::new();
    let (ann, bob) = (stage.person("Ann"), stage.person("Bob"));
    let chat = stage.basic(ann, &[bob]);
    let peer = stage.peer(ann, chat);
    let made: Vec<String> = (0..7)
        .map(|_| links::link_of(stage.does(ann, &links::export(peer.clone()))).link)
        .collect();
    let mut request = links::page(peer, enums::InputUser::UserSelf, false);
    request.limit = 3;
    let mut listed = vec![];
    loop {
        let enums::messages::ExportedChatInvites::Invites(page) = stage.does(ann, &request);
        assert_eq!(page.count, 7);
        let Some(last) = page.invites.last().cloned() else { break };
        listed.extend(page.invites.into_iter().map(|link| links::link_of(link).link));
        let last = links::link_of(last);
        (request.offset_date, request.offset_link) = (Some(last.date), Some(last.link));
    }
    listed.reverse();
    assert_eq!(listed, made);
}

#[test]
fn deleting_takes_the_group_from_everybody() {
    let mut stage = Stage::new();
    let (ann, bob) = (stage.person("Ann"), stage.person("Bob"));
    let id = stage.supergroup(ann, &[bob]);
    let delete = channels::DeleteChannel { channel: stage.channel(ann, id) };
    stage.does(ann, &delete);
    assert!(stage.world.users[&bob].channels.is_empty());
    let told: Vec<PeerId> = stage.pushed.iter().map(|push| PeerId::User(push.to)).collect();
    assert!(told.contains(&bob.into()), "{told:?}");
    let look = channels::GetFullChannel { channel: stage.channel(bob, id) };
    stage.refuses(bob, &look, "CHANNEL_PRIVATE");
}
