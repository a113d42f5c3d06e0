"""What others hear, at once and after having been away."""

from telethon.tl import types
from telethon.tl.functions import channels, messages, updates

from telethon import events

from parts.basic import chat_of
from parts.supergroup import channel_of, peer_of
from stage import ok, refused, same, until


def actions_of(seen):
    new = (types.UpdateNewMessage, types.UpdateNewChannelMessage)
    return [u.message.action for u in seen
            if isinstance(u, new) and isinstance(u.message, types.MessageService)]


def has(seen, kind, **fields):
    """Whether a service message of this kind was seen."""
    return any(isinstance(a, kind) and all(getattr(a, k) == v for k, v in fields.items())
               for a in actions_of(seen))


async def play(cast):
    ann, bob_client = cast.as_ann, cast.as_bob
    bob, carol = await cast.all_seen(cast.bob, cast.carol)
    seen = []

    async def hear(update):
        seen.append(update)

    bob_client.add_event_handler(hear, events.Raw())

    made = chat_of((await ann(messages.CreateChatRequest([bob], "Heard"))).updates)
    await until(lambda: has(seen, types.MessageActionChatCreate, title="Heard"), "the new group")
    await ann(messages.EditChatTitleRequest(made.id, "Heard 2"))
    await until(lambda: has(seen, types.MessageActionChatEditTitle, title="Heard 2"), "new title")
    await ann(messages.AddChatUserRequest(made.id, carol, 0))
    await until(lambda: has(seen, types.MessageActionChatAddUser, users=[cast.carol.id]), "new member")
    ok("updates of a basic group arrive at another client")

    channel = channel_of(await ann(channels.CreateChannelRequest("Heard 3", "", megagroup=True)))
    peer = peer_of(channel)
    await ann(channels.InviteToChannelRequest(peer, [bob]))
    await until(lambda: any(isinstance(u, types.UpdateChannel) and u.channel_id == channel.id
                            for u in seen), "the channel")
    await ann(channels.EditTitleRequest(peer, "Heard 4"))
    await until(lambda: has(seen, types.MessageActionChatEditTitle, title="Heard 4"), "new title")
    ok("updates of a supergroup arrive at another client")

    state = await bob_client(updates.GetStateRequest())
    entity = await bob_client.get_input_entity(types.PeerChannel(channel.id))
    bobs = types.InputChannel(entity.channel_id, entity.access_hash)
    pts = (await bob_client(channels.GetFullChannelRequest(bobs))).full_chat.pts
    seen.clear()
    text = types.InputPeerChat(made.id)
    sent = await ann.send_message(text, "while away")
    await ann(messages.EditChatTitleRequest(made.id, "Heard 5"))
    await ann(channels.EditTitleRequest(peer, "Heard 6"))
    missed = await bob_client(updates.GetDifferenceRequest(state.pts, state.date, state.qts))
    words = [getattr(m, "message", None) for m in missed.new_messages]
    titles = [m.action.title for m in missed.new_messages if isinstance(m, types.MessageService)]
    assert "while away" in words and "Heard 5" in titles, missed
    same(missed.state.pts - state.pts, 2, "steps of the box")
    nothing = await bob_client(updates.GetDifferenceRequest(
        missed.state.pts, missed.state.date, missed.state.qts))
    # What has no place in the box's order may come once more within the same second.
    assert not getattr(nothing, "new_messages", []), nothing
    ok("updates.getDifference")

    missed = await bob_client(updates.GetChannelDifferenceRequest(
        bobs, types.ChannelMessagesFilterEmpty(), pts, 100))
    titles = [m.action.title for m in missed.new_messages if isinstance(m, types.MessageService)]
    same((titles, missed.pts, missed.final), (["Heard 6"], pts + 1, True), "channel difference")
    ok("updates.getChannelDifference")

    with refused("RANDOM_ID_DUPLICATE", 500):
        for _ in range(2):
            # Below the client's own retries, which take every 500 for a passing fault.
            await ann._sender.send(messages.SendMessageRequest(text, "once", random_id=424242))
    history = await ann.get_messages(text, limit=10)
    same([m.message for m in history].count("once"), 1, "messages of one random_id")
    assert sent.id in [m.id for m in history]
    ok("messages.sendMessage with a random_id used twice")
    bob_client.remove_event_handler(hear)
