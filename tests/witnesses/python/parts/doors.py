"""Join requests as the admins meet them, and the switches of a supergroup."""

from telethon import events
from telethon.tl import types
from telethon.tl.functions import channels, messages

from parts.links import export, hash_of
from parts.supergroup import channel_of, known_channel, peer_as_peer, peer_of
from stage import TAG, ok, refused, same, until


async def play(cast):
    ann = cast.as_ann
    bob = await cast.seen(cast.bob)
    heard = []

    async def hear(update):
        heard.append(update)

    ann.add_event_handler(hear, events.Raw(types.UpdatePendingJoinRequests))
    channel = peer_of(channel_of(await ann(channels.CreateChannelRequest("Door", "", megagroup=True))))
    peer = peer_as_peer(channel)
    asking = await export(ann, peer, request_needed=True)
    for client in (cast.as_carol, cast.as_eve):
        with refused("INVITE_REQUEST_SENT"):
            await client(messages.ImportChatInviteRequest(hash_of(asking)))
    await until(lambda: any(u.requests_pending == 2 for u in heard), "word of two requests")
    same(set(heard[-1].recent_requesters), {cast.carol.id, cast.eve.id}, "who asks")
    full = (await ann(channels.GetFullChannelRequest(channel))).full_chat
    same(full.requests_pending, 2, "requests in channelFull")
    ok("updatePendingJoinRequests")

    await ann(messages.HideAllChatJoinRequestsRequest(peer, approved=True, link=asking.link))
    there = await ann(channels.GetParticipantsRequest(
        channel, types.ChannelParticipantsRecent(), 0, 100, 0))
    same({u.id for u in there.users}, {cast.ann.id, cast.carol.id, cast.eve.id}, "let in")
    carols = await known_channel(cast.as_carol, channel.channel_id)
    mine = (await cast.as_carol(channels.GetParticipantRequest(carols, types.InputPeerSelf()))).participant
    assert mine.via_request, mine
    with refused("HIDE_REQUESTER_MISSING"):
        await ann(messages.HideAllChatJoinRequestsRequest(peer, approved=True))
    ok("messages.hideAllChatJoinRequests")

    await ann(channels.ToggleSlowModeRequest(channel, 30))
    await ann(channels.TogglePreHistoryHiddenRequest(channel, True))
    full = (await ann(channels.GetFullChannelRequest(channel))).full_chat
    same((full.slowmode_seconds, full.hidden_prehistory), (30, True), "switches")
    with refused("CHAT_NOT_MODIFIED"):
        await ann(channels.ToggleSlowModeRequest(channel, 30))
    await ann.send_message(peer, "before Bob")
    await ann(channels.InviteToChannelRequest(channel, [bob]))
    bobs = await known_channel(cast.as_bob, channel.channel_id)
    words = [m.message for m in await cast.as_bob.get_messages(peer_as_peer(bobs), limit=20)]
    assert "before Bob" not in words, words
    ok("channels.toggleSlowMode, togglePreHistoryHidden, and what a newcomer can't see")

    muted = types.ChatBannedRights(None, send_messages=True, send_plain=True)
    await ann(messages.EditChatDefaultBannedRightsRequest(peer, muted))
    with refused("CHAT_WRITE_FORBIDDEN", 403):
        await cast.as_bob.send_message(peer_as_peer(bobs), "may I?")
    ok("messages.editChatDefaultBannedRights")

    written = len(await ann.get_messages(peer, limit=50, from_user=cast.ann.id))
    gone = await ann(channels.DeleteParticipantHistoryRequest(channel, types.InputPeerSelf()))
    same(gone.pts_count, written, "steps of deleting all that Ann wrote")
    ok("channels.deleteParticipantHistory")

    await ann(channels.TogglePreHistoryHiddenRequest(channel, False))
    await ann(channels.UpdateUsernameRequest(channel, f"door_{TAG}"))
    await cast.as_bob(channels.LeaveChannelRequest(bobs))
    await ann(channels.ToggleJoinRequestRequest(channel, True))
    with refused("INVITE_REQUEST_SENT"):
        await cast.as_bob(channels.JoinChannelRequest(bobs))
    await ann(messages.HideChatJoinRequestRequest(peer, bob, approved=True))
    mine = (await cast.as_bob(channels.GetParticipantRequest(bobs, types.InputPeerSelf()))).participant
    same(mine.user_id, cast.bob.id, "let in")
    ok("channels.toggleJoinRequest, and joining on approval")
    ann.remove_event_handler(hear)
