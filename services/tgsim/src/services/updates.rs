//! State and differences: what a client asks to learn what it missed.
//!
//! Source: <https://core.telegram.org/api/updates#recovering-gaps>.
use grammers_tl_types::functions::updates as f;
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::rpc_error::{Reply, bad};
use crate::world::{Cast, Change, Event, Message, MessageBox, PeerId};

crate::requests! {
    updates::GetState => get_state {}
    updates::GetDifference => get_difference {
        400 "DATE_EMPTY", 400 "PERSISTENT_TIMESTAMP_EMPTY", 400 "PERSISTENT_TIMESTAMP_INVALID",
        400 "CDN_METHOD_INVALID" scripted, 400 "CHANNEL_INVALID" scripted, 400 "CHANNEL_PRIVATE" scripted,
        400 "CHAT_NOT_MODIFIED" scripted, 403 "CHAT_WRITE_FORBIDDEN" scripted, 400 "MSG_ID_INVALID" scripted,
        500 "RANDOM_ID_DUPLICATE" scripted, 400 "USERNAME_INVALID" scripted,
        400 "USER_NOT_PARTICIPANT" scripted,
    }
    updates::GetChannelDifference => get_channel_difference {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 400 "MSG_ID_INVALID", 400 "PERSISTENT_TIMESTAMP_EMPTY",
        400 "PERSISTENT_TIMESTAMP_INVALID", 400 "RANGES_INVALID", 403 "CHANNEL_PUBLIC_GROUP_NA" scripted,
        400 "CHAT_NOT_MODIFIED" scripted, 403 "CHAT_WRITE_FORBIDDEN" scripted,
        400 "FROM_MESSAGE_BOT_DISABLED" scripted, 400 "FROZEN_PARTICIPANT_MISSING" scripted,
        500 "PERSISTENT_TIMESTAMP_OUTDATED" scripted, 400 "PINNED_DIALOGS_TOO_MUCH" scripted,
        400 "USER_BANNED_IN_CHANNEL" scripted,
        400 "PEER_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
        400 "CHAT_ID_INVALID" @ "https://core.telegram.org/method/messages.getHistory",
    }
}

/// `updates.getState`.
fn get_state(cx: &mut Cx<'_>, _: f::GetState) -> Reply<enums::updates::State> {
    Ok(cx.state())
}

/// `updates.getDifference`: events after `pts`, a slice if they are many; updates without `pts` since `date`; and for
/// each channel in which something happened since then, that its own difference has to be asked for.
fn get_difference(cx: &mut Cx<'_>, r: f::GetDifference) -> Reply<enums::updates::Difference> {
    let mailbox = &cx.user(cx.me)?.mailbox;
    check_pts(mailbox, r.pts)?;
    if r.date <= 0 {
        return Err(bad("DATE_EMPTY"));
    }
    let too_far = r.pts_total_limit.is_some_and(|limit| limit > 0 && mailbox.pts - r.pts > limit);
    if r.pts < mailbox.forgotten_pts || too_far {
        return Ok(types::updates::DifferenceTooLong { pts: mailbox.pts }.into());
    }
    let limit = match r.pts_limit {
        Some(n) if n > 0 => (n as usize).min(cx.world.limits.difference),
        _ => cx.world.limits.difference,
    };
    let events: Vec<&Event> = mailbox.log.iter().filter(|e| e.pts > r.pts).collect();
    let sliced = events.len() > limit;
    let last_pts =
        events.get(limit.wrapping_sub(1)).filter(|_| sliced).map_or(mailbox.pts, |e| e.pts);
    let mut cast = Cast::default();
    let (new_messages, mut other_updates) =
        told(cx, mailbox, events.into_iter().take(limit), &mut cast);
    if sliced {
        let (users, chats) = cast.render(cx.world, cx.me);
        let enums::updates::State::State(state) = cx.state();
        let intermediate_state =
            types::updates::State { pts: last_pts, date: r.date, ..state }.into();
        let new_encrypted_messages = vec![];
        return Ok(types::updates::DifferenceSlice {
            new_messages,
            new_encrypted_messages,
            other_updates,
            chats,
            users,
            intermediate_state,
        }
        .into());
    }
    for notice in mailbox.notices.iter().filter(|n| n.date >= r.date) {
        other_updates.push(notice.update.clone());
        cast.extend(notice.peers.iter().copied());
    }
    for id in &cx.user(cx.me)?.channels {
        let Some(channel) = cx.world.channels.get(id) else { continue };
        if channel.history.log.back().is_some_and(|e| e.date >= r.date) {
            let pts = Some(channel.history.pts);
            other_updates.push(types::UpdateChannelTooLong { channel_id: id.0, pts }.into());
            cast.add(*id);
        }
    }
    if new_messages.is_empty() && other_updates.is_empty() && last_pts == r.pts {
        return Ok(types::updates::DifferenceEmpty { date: cx.now, seq: mailbox.seq }.into());
    }
    let (users, chats) = cast.render(cx.world, cx.me);
    let (state, new_encrypted_messages) = (cx.state(), vec![]);
    Ok(types::updates::Difference {
        new_messages,
        new_encrypted_messages,
        other_updates,
        chats,
        users,
        state,
    }
    .into())
}

/// `updates.getChannelDifference`: the same for one channel. Where its log doesn't reach back that far, the newest
/// messages and the dialog to begin anew from.
fn get_channel_difference(
    cx: &mut Cx<'_>,
    r: f::GetChannelDifference,
) -> Reply<enums::updates::ChannelDifference> {
    let id = cx.input_channel(&r.channel)?;
    let history = &cx.channel(id)?.history;
    check_pts(history, r.pts)?;
    if let enums::ChannelMessagesFilter::Filter(filter) = &r.filter {
        let wrong = |range: &enums::MessageRange| {
            let enums::MessageRange::Range(range) = range;
            range.min_id > range.max_id
        };
        if filter.ranges.iter().any(wrong) {
            return Err(bad("RANGES_INVALID"));
        }
    }
    let limit = r.limit.clamp(1, 100_000) as usize;
    let timeout = Some(30);
    if r.pts == history.pts {
        return Ok(
            types::updates::ChannelDifferenceEmpty { r#final: true, pts: r.pts, timeout }.into()
        );
    }
    let mut cast: Cast = [PeerId::Channel(id)].into_iter().collect();
    if r.pts < history.forgotten_pts {
        let hidden = cx.hidden_up_to(id);
        let newest = history.messages.values().rev().filter(|m| m.id > hidden).take(limit.min(100));
        let mut messages = vec![];
        for message in newest {
            cast.extend(message.peers());
            messages.push(cx.world.message_view(cx.me, message));
        }
        let dialog = cx.dialog_view(id.into()).into();
        let (users, chats) = cast.render(cx.world, cx.me);
        let r#final = true;
        return Ok(types::updates::ChannelDifferenceTooLong {
            r#final,
            timeout,
            dialog,
            messages,
            chats,
            users,
        }
        .into());
    }
    let events: Vec<&Event> = history.log.iter().filter(|e| e.pts > r.pts).collect();
    let r#final = events.len() <= limit;
    let pts =
        if r#final { history.pts } else { events.get(limit - 1).map_or(history.pts, |e| e.pts) };
    let (new_messages, other_updates) =
        told(cx, history, events.into_iter().take(limit), &mut cast);
    let (users, chats) = cast.render(cx.world, cx.me);
    Ok(types::updates::ChannelDifference {
        r#final,
        pts,
        timeout,
        new_messages,
        other_updates,
        chats,
        users,
    }
    .into())
}

impl Cx<'_> {
    /// Where the caller's box stands now.
    pub fn state(&self) -> enums::updates::State {
        let (pts, qts, seq, unread) = self.world.users.get(&self.me).map_or((1, 0, 1, 0), |u| {
            let read = |m: &Message| u.dialogs.get(&m.peer).map_or(0, |d| d.read_inbox_max_id);
            let unread = u.mailbox.messages.values().filter(|m| !m.out && m.id > read(m)).count();
            (u.mailbox.pts, u.mailbox.qts, u.mailbox.seq, unread)
        });
        let unread_count = i32::try_from(unread).unwrap_or(i32::MAX);
        types::updates::State { pts, qts, date: self.now, seq, unread_count }.into()
    }
}

fn check_pts(standing: &MessageBox, pts: i32) -> Reply<()> {
    match pts {
        ..=0 => Err(bad("PERSISTENT_TIMESTAMP_EMPTY")),
        pts if pts > standing.pts => Err(bad("PERSISTENT_TIMESTAMP_INVALID")),
        _ => Ok(()),
    }
}

/// Events as a difference tells them: new messages apart, the rest as updates. What no longer exists is left out.
fn told<'e>(
    cx: &Cx<'_>,
    history: &MessageBox,
    events: impl Iterator<Item = &'e Event>,
    cast: &mut Cast,
) -> (Vec<enums::Message>, Vec<enums::Update>) {
    let (mut new_messages, mut updates) = (vec![], vec![]);
    for event in events {
        let (pts, pts_count) = (event.pts, event.pts_count);
        match &event.change {
            Change::Update { update, peers } => {
                updates.push(update.clone());
                cast.extend(peers.iter().copied());
            }
            Change::New(id) | Change::Edited(id) => {
                let Some(m) = history.messages.get(id) else { continue };
                if matches!(m.peer, PeerId::Channel(c) if m.id <= cx.hidden_up_to(c)) {
                    continue;
                }
                cast.extend(m.peers());
                let message = cx.world.message_view(cx.me, m);
                match (&event.change, m.peer) {
                    (Change::New(_), _) => new_messages.push(message),
                    (_, PeerId::Channel(_)) => {
                        updates.push(
                            types::UpdateEditChannelMessage { message, pts, pts_count }.into(),
                        );
                    }
                    _ => updates.push(types::UpdateEditMessage { message, pts, pts_count }.into()),
                }
            }
        }
    }
    (new_messages, updates)
}
