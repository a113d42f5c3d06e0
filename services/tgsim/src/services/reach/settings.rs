//! Titles, switches and public names.
use grammers_tl_types::enums;
use grammers_tl_types::functions::channels;

use super::Stage;

pub(super) fn play(stage: &mut Stage) {
    let ann = stage.person("Ann");
    let (id, broadcast) = (stage.supergroup(ann, &[]), stage.broadcast(ann, &[]));
    let channel = stage.channel(ann, id);
    let title =
        |title: &str| channels::EditTitle { channel: channel.clone(), title: title.to_owned() };
    stage.refuses(ann, &title("Group"), "CHAT_NOT_MODIFIED");
    stage.refuses(ann, &title("   "), "CHAT_TITLE_EMPTY");
    stage.does(ann, &title("Team"));
    assert_eq!(stage.kinds(), ["chat.renamed"]);

    let hide = |enabled| channels::TogglePreHistoryHidden { channel: channel.clone(), enabled };
    let ask = |enabled| channels::ToggleJoinRequest {
        apply_to_invites: false,
        channel: channel.clone(),
        enabled,
        guard_bot: None,
    };
    let to_send = channels::ToggleJoinToSend { channel: channel.clone(), enabled: false };
    let slow = |seconds| channels::ToggleSlowMode { channel: channel.clone(), seconds };
    let members =
        |enabled| channels::ToggleParticipantsHidden { channel: channel.clone(), enabled };
    let sign = channels::ToggleSignatures {
        signatures_enabled: false,
        profiles_enabled: false,
        channel: stage.channel(ann, broadcast),
    };
    stage.refuses(ann, &hide(false), "CHAT_NOT_MODIFIED");
    stage.refuses(ann, &ask(false), "CHAT_NOT_MODIFIED");
    stage.refuses(ann, &ask(true), "CHAT_PUBLIC_REQUIRED");
    stage.refuses(ann, &to_send, "CHAT_NOT_MODIFIED");
    stage.refuses(ann, &slow(0), "CHAT_NOT_MODIFIED");
    stage.refuses(ann, &slow(7), "SECONDS_INVALID");
    stage.refuses(ann, &members(false), "CHAT_NOT_MODIFIED");
    stage.refuses(ann, &members(true), "PARTICIPANTS_TOO_FEW");
    stage.refuses(ann, &sign, "CHAT_NOT_MODIFIED");
    stage.does(ann, &slow(30));
    assert_eq!(stage.kinds(), ["chat.setting_edited"]);
    stage.world.channels.get_mut(&id).unwrap().forum = true;
    stage.refuses(ann, &hide(true), "FORUM_ENABLED");
    stage.world.channels.get_mut(&id).unwrap().forum = false;

    let name = |username: &str| channels::UpdateUsername {
        channel: channel.clone(),
        username: username.to_owned(),
    };
    let check = |channel: enums::InputChannel, username: &str| channels::CheckUsername {
        channel,
        username: username.to_owned(),
    };
    stage.publish(ann, broadcast, "name_taken");
    stage.refuses(ann, &name(""), "USERNAME_NOT_MODIFIED");
    stage.refuses(ann, &name("1st"), "USERNAME_INVALID");
    stage.refuses(ann, &name("Name_Taken"), "USERNAME_OCCUPIED");
    stage.refuses(ann, &check(enums::InputChannel::Empty, "1st"), "USERNAME_INVALID");
    stage.refuses(ann, &check(enums::InputChannel::Empty, "Name_Taken"), "USERNAME_OCCUPIED");
    stage.world.limits.public_channels = 1;
    stage.refuses(ann, &name("still_free"), "CHANNELS_ADMIN_PUBLIC_TOO_MUCH");
    stage.refuses(
        ann,
        &check(enums::InputChannel::Empty, "still_free"),
        "CHANNELS_ADMIN_PUBLIC_TOO_MUCH",
    );
    let mine = channels::GetAdminedPublicChannels {
        by_location: false,
        check_limit: true,
        for_personal: false,
        for_community_peer: false,
    };
    stage.refuses(ann, &mine, "CHANNELS_ADMIN_PUBLIC_TOO_MUCH");
    stage.world.limits.public_channels = 10;
    stage.does(ann, &name("still_free"));
    stage.refuses(ann, &hide(true), "CHAT_LINK_EXISTS");
}
