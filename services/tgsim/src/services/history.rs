//! Reading messages: history, search, by id.
//!
//! Paging is Telegram's: <https://core.telegram.org/api/offsets>. Ids fall along the list; `offset_id` is where to
//! begin, `add_offset` shifts, `max_id`/`min_id` bound.
use grammers_tl_types::functions::messages;
use grammers_tl_types::{enums, types};

use crate::cx::Cx;
use crate::rpc_error::{Reply, bad, not_simulated};
use crate::world::{Body, Cast, ChannelId, Message, PeerId};

crate::requests! {
    messages::GetHistory => get_history {
        400 "CHANNEL_INVALID", 406 "CHANNEL_PRIVATE", 400 "CHAT_ID_INVALID", 400 "CHAT_NOT_MODIFIED" scripted,
        400 "MSG_ID_INVALID", 400 "PEER_ID_INVALID", 400 "FROZEN_PARTICIPANT_MISSING" scripted,
        400 "TAKEOUT_INVALID" scripted,
    }
    messages::Search => search {
        400 "CHANNEL_INVALID", 400 "CHANNEL_PRIVATE", 403 "CHAT_ADMIN_REQUIRED" scripted, 400 "CHAT_ID_INVALID",
        400 "FROM_PEER_INVALID", 400 "INPUT_FILTER_INVALID" scripted, 400 "INPUT_USER_DEACTIVATED" scripted, 400 "MSG_ID_INVALID",
        400 "PEER_ID_INVALID", 400 "SEARCH_QUERY_EMPTY" scripted, 400 "USER_ID_INVALID" scripted,
        400 "PEER_ID_NOT_SUPPORTED" scripted, 400 "TAKEOUT_INVALID" scripted,
    }
    messages::GetMessages => get_messages { 400 "MESSAGE_ID_INVALID" scripted, 400 "MSG_ID_INVALID" scripted }
}

/// Where a page begins and ends.
struct Window {
    offset_id: i32,
    offset_date: i32,
    add_offset: i32,
    limit: i32,
    max_id: i32,
    min_id: i32,
}

/// `messages.getHistory`.
fn get_history(cx: &mut Cx<'_>, r: messages::GetHistory) -> Reply<enums::messages::Messages> {
    let peer = cx.input_peer(&r.peer)?;
    let window = Window {
        offset_id: r.offset_id,
        offset_date: r.offset_date,
        add_offset: r.add_offset,
        limit: r.limit,
        max_id: r.max_id,
        min_id: r.min_id,
    };
    let all: Vec<&Message> = conversation(cx, peer)?;
    Ok(page(cx, peer, all, &window))
}

/// `messages.search`: texts that contain the words, from somebody, between dates. Only filters that text can answer.
fn search(cx: &mut Cx<'_>, r: messages::Search) -> Reply<enums::messages::Messages> {
    let peer = cx.input_peer(&r.peer)?;
    let by = match &r.from_id {
        Some(from) => Some(cx.input_peer(from).map_err(|_| bad("FROM_PEER_INVALID"))?),
        None => None,
    };
    let pinned = match r.filter {
        enums::MessagesFilter::InputMessagesFilterEmpty => false,
        enums::MessagesFilter::InputMessagesFilterPinned => true,
        _ => return Err(not_simulated("filter")),
    };
    if r.saved_peer_id.is_some() || r.top_msg_id.is_some() {
        return Err(not_simulated("saved_peer_id"));
    }
    let words = r.q.to_lowercase();
    let mut found = conversation(cx, peer)?;
    found.retain(|m| {
        let text_fits = match &m.body {
            Body::Text { text, .. } => text.to_lowercase().contains(&words),
            Body::Service(_) => words.is_empty(),
        };
        text_fits
            && by.is_none_or(|by| m.from == by)
            && (!pinned || m.pinned)
            && (r.min_date == 0 || m.date > r.min_date)
            && (r.max_date == 0 || m.date < r.max_date)
    });
    let window = Window {
        offset_id: r.offset_id,
        offset_date: 0,
        add_offset: r.add_offset,
        limit: r.limit,
        max_id: r.max_id,
        min_id: r.min_id,
    };
    Ok(page(cx, peer, found, &window))
}

/// `messages.getMessages`: from the caller's own box; an id with nothing behind it gives `messageEmpty`.
fn get_messages(cx: &mut Cx<'_>, r: messages::GetMessages) -> Reply<enums::messages::Messages> {
    let mut cast = Cast::default();
    let mut found = vec![];
    for input in &r.id {
        let me = cx.user(cx.me)?;
        let (id, message) = match input {
            enums::InputMessage::Id(m) => (m.id, me.mailbox.messages.get(&m.id)),
            enums::InputMessage::ReplyTo(m) => {
                let answer = me.mailbox.messages.get(&m.id).and_then(|m| m.reply_to);
                (m.id, answer.and_then(|id| me.mailbox.messages.get(&id)))
            }
            _ => return Err(not_simulated("input_message")),
        };
        found.push(show(cx, id, message, &mut cast));
    }
    let (users, chats) = cast.render(cx.world, cx.me);
    Ok(types::messages::Messages { messages: found, topics: vec![], chats, users }.into())
}

impl Cx<'_> {
    /// A message that the caller can read, by its id in that conversation.
    pub fn readable(&self, peer: PeerId, id: i32) -> Option<&Message> {
        match peer {
            PeerId::Channel(channel) => {
                let hidden = self.hidden_up_to(channel);
                let channel = self.world.channels.get(&channel)?;
                channel.history.messages.get(&id).filter(|m| m.id > hidden)
            }
            PeerId::User(_) | PeerId::Chat(_) => {
                let message = self.world.users.get(&self.me)?.mailbox.messages.get(&id)?;
                (message.peer == peer).then_some(message)
            }
        }
    }

    /// Messages of a channel that the caller can't see: from before they came, or cleared.
    pub fn hidden_up_to(&self, channel: ChannelId) -> i32 {
        let Some(channel) = self.world.channels.get(&channel) else { return 0 };
        channel.members.get(&self.me).map_or(0, |m| m.available_min_id)
    }
}

/// The whole conversation as the caller sees it, newest first.
fn conversation<'w>(cx: &'w Cx<'_>, peer: PeerId) -> Reply<Vec<&'w Message>> {
    Ok(match peer {
        PeerId::Channel(id) => {
            let hidden = cx.hidden_up_to(id);
            cx.channel(id)?.history.messages.values().rev().filter(|m| m.id > hidden).collect()
        }
        PeerId::User(_) | PeerId::Chat(_) => cx.user(cx.me)?.mailbox.with_peer(peer).collect(),
    })
}

fn page(cx: &Cx<'_>, peer: PeerId, all: Vec<&Message>, w: &Window) -> enums::messages::Messages {
    let total = all.len();
    let start = all
        .iter()
        .position(|m| {
            (w.offset_id == 0 || m.id < w.offset_id)
                && (w.offset_date == 0 || m.date < w.offset_date)
        })
        .unwrap_or(total);
    let from = (start as i64 + i64::from(w.add_offset)).clamp(0, total as i64) as usize;
    let limit = (w.limit.max(0) as usize).min(cx.world.limits.page);
    // A negative shift shows newer messages too; the page still ends where it would have.
    let chosen: Vec<&Message> = all
        .into_iter()
        .skip(from)
        .take(limit)
        .filter(|m| (w.max_id <= 0 || m.id < w.max_id) && (w.min_id <= 0 || m.id > w.min_id))
        .collect();
    let mut cast: Cast = chosen.iter().flat_map(|m| m.peers()).collect();
    cast.add(peer);
    let messages: Vec<_> = chosen.iter().map(|m| cx.world.message_view(cx.me, m)).collect();
    let (users, chats) = cast.render(cx.world, cx.me);
    let (topics, whole, count) = (vec![], messages.len() == total, count(total));
    if let PeerId::Channel(id) = peer {
        let pts = cx.world.channels.get(&id).map_or(0, |c| c.history.pts);
        let offset_id_offset = Some(self::count(from));
        let inexact = false;
        return types::messages::ChannelMessages {
            inexact,
            pts,
            count,
            offset_id_offset,
            messages,
            topics,
            chats,
            users,
        }
        .into();
    }
    if whole {
        return types::messages::Messages { messages, topics, chats, users }.into();
    }
    types::messages::MessagesSlice {
        inexact: false,
        count,
        next_rate: None,
        offset_id_offset: Some(self::count(from)),
        search_flood: None,
        messages,
        topics,
        chats,
        users,
    }
    .into()
}

fn show(cx: &Cx<'_>, id: i32, message: Option<&Message>, cast: &mut Cast) -> enums::Message {
    match message {
        Some(m) => {
            cast.extend(m.peers());
            cx.world.message_view(cx.me, m)
        }
        None => types::MessageEmpty { id, peer_id: None }.into(),
    }
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
