//! Typing, received, marks, the action bar.
use grammers_tl_types::functions::messages as f;
use grammers_tl_types::{enums, types};

use super::{Town, names};
use crate::world::ChatId;

#[test]
fn typing_is_shown_to_the_others_and_leaves_no_trace() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    let chat = ChatId(town.group("G", &[bob]));
    town.outbox.clear();
    let peer = town.peer(bob, chat);
    let typing = enums::SendMessageAction::SendMessageTypingAction;
    let request = f::SetTyping { peer, top_msg_id: None, action: typing.clone() };
    assert!(town.call(bob, request).unwrap());
    assert_eq!(names(&town.pushed(alice)), ["ChatUserTyping"]);
    assert!(town.outbox.is_empty());
    let stranger = f::SetTyping { peer: town.peer(carol, chat), top_msg_id: None, action: typing };
    let error = town.call(carol, stranger).unwrap_err();
    assert_eq!((error.code, error.name.as_str()), (406, "PEER_ID_INVALID"));
}

#[test]
fn strangers_who_write_bring_up_the_action_bar() {
    let mut town = Town::new();
    let (alice, bob) = (town.alice, town.bob);
    town.say(alice, bob, "hi").unwrap();
    let request = f::GetPeerSettings { peer: town.peer(bob, alice) };
    let enums::messages::PeerSettings::Settings(answer) = town.call(bob, request).unwrap();
    let enums::PeerSettings::Settings(settings) = answer.settings;
    assert!(settings.report_spam && settings.add_contact && settings.block_contact);
    let received = town.call(bob, f::ReceivedMessages { max_id: 10 }).unwrap();
    assert_eq!(received, [types::ReceivedNotifyMessage { id: 1, flags: 0 }.into()]);
}

#[test]
fn a_conversation_is_marked_and_pinned() {
    let mut town = Town::new();
    let (alice, bob, carol) = (town.alice, town.bob, town.carol);
    town.say(alice, bob, "hi").unwrap();
    let peer = |town: &Town, who| types::InputDialogPeer { peer: town.peer(alice, who) }.into();
    let mark = f::MarkDialogUnread { unread: true, parent_peer: None, peer: peer(&town, bob) };
    assert!(town.call(alice, mark).unwrap());
    let pin = f::ToggleDialogPin { pinned: true, peer: peer(&town, bob) };
    assert!(town.call(alice, pin.clone()).unwrap());
    let enums::messages::PeerDialogs::Dialogs(pinned) =
        town.call(alice, f::GetPinnedDialogs { folder_id: 0 }).unwrap();
    let enums::Dialog::Dialog(dialog) = &pinned.dialogs[0] else { panic!() };
    assert!(dialog.pinned && dialog.unread_mark);
    let nothing_said = f::ToggleDialogPin { pinned: true, peer: peer(&town, carol) };
    assert_eq!(town.refused(alice, nothing_said), "PEER_HISTORY_EMPTY");
    town.world.limits.pinned_dialogs = 0;
    assert_eq!(town.refused(alice, pin), "PINNED_DIALOGS_TOO_MUCH");
}
