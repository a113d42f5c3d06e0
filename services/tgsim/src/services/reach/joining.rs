//! Joining, leaving, making, deleting.
use grammers_tl_types::functions::channels;
use grammers_tl_types::{enums, types};

use super::Stage;
use super::basics::creation;

pub(super) fn play(stage: &mut Stage) {
    let (ann, bob, eve) = (stage.person("Ann"), stage.person("Bob"), stage.person("Eve"));
    stage.world.limits.channels = 500;
    let id = stage.supergroup(ann, &[bob]);
    stage.publish(ann, id, "come_in_here");

    let leave = channels::LeaveChannel { channel: stage.channel(ann, id) };
    stage.refuses(ann, &leave, "USER_CREATOR");
    let leave = channels::LeaveChannel { channel: stage.channel(eve, id) };
    stage.refuses(eve, &leave, "USER_NOT_PARTICIPANT");

    let join = channels::JoinChannel { channel: stage.channel(eve, id) };
    stage.world.limits.megagroup_members = 1;
    stage.refuses(eve, &join, "USERS_TOO_MUCH");
    stage.world.limits.megagroup_members = 200_000;
    stage.world.limits.channels = 0;
    stage.refuses(eve, &join, "CHANNELS_TOO_MUCH");
    stage.refuses(eve, &creation("x", "", true), "CHANNELS_TOO_MUCH");
    stage.world.limits.channels = 500;
    let on_approval = channels::ToggleJoinRequest {
        apply_to_invites: false,
        channel: stage.channel(ann, id),
        enabled: true,
        guard_bot: None,
    };
    stage.does(ann, &on_approval);
    stage.refuses(eve, &join, "INVITE_REQUEST_SENT");
    assert_eq!(stage.kinds(), ["chat.join_requested"]);
    stage.refuses(eve, &join, "INVITE_REQUEST_SENT");
    assert!(stage.effects.is_empty(), "asking twice leaves one request");

    stage.refuses(ann, &creation("  ", "", true), "CHAT_TITLE_EMPTY");
    stage.refuses(ann, &creation("x", &"y".repeat(256), true), "CHAT_ABOUT_TOO_LONG");
    let with_ttl = channels::CreateChannel { ttl_period: Some(5), ..creation("x", "", true) };
    stage.refuses(ann, &with_ttl, "TTL_PERIOD_INVALID");
    let geo_point = Some(enums::InputGeoPoint::Point(types::InputGeoPoint {
        lat: 1.0,
        long: 1.0,
        accuracy_radius: None,
    }));
    let nowhere =
        channels::CreateChannel { geo_point, address: Some(" ".into()), ..creation("x", "", true) };
    stage.refuses(ann, &nowhere, "ADDRESS_INVALID");

    let delete = channels::DeleteChannel { channel: stage.channel(ann, id) };
    stage.world.limits.deletable_members = 1;
    stage.refuses(ann, &delete, "CHANNEL_TOO_LARGE");
    stage.world.limits.deletable_members = 1000;
    stage.does(ann, &delete);
    assert_eq!(stage.kinds(), ["chat.deleted"]);
    assert!(!stage.world.usernames.contains_key("come_in_here"), "the name is free again");
}
