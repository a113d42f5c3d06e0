"""Supergroups: make, rename, invite, promote, restrict, ban, leave, join, delete."""

from telethon.tl import types
from telethon.tl.functions import channels, messages

from parts.basic import actions_of
from stage import TAG, ok, refused, same, until


def channel_of(updates):
    """The one channel that an answer speaks of."""
    (channel,) = [c for c in updates.chats if isinstance(c, types.Channel)]
    return channel


def peer_of(channel):
    return types.InputChannel(channel.id, channel.access_hash)


def no_rights(**but):
    return types.ChatAdminRights(**but)


async def status_of(client, peer, user):
    got = await client(channels.GetParticipantRequest(peer, user))
    return got.participant


async def listed(client, peer, kind):
    got = await client(channels.GetParticipantsRequest(peer, kind, 0, 100, 0))
    return [getattr(p, "user_id", None) or p.peer.user_id for p in got.participants]


async def play(cast):
    ann = cast.as_ann
    bob, carol, dave, eve = await cast.all_seen(cast.bob, cast.carol, cast.dave, cast.eve)
    helper = await cast.seen(cast.help)

    made = await ann(channels.CreateChannelRequest("Deal 2", "about two", megagroup=True))
    channel = channel_of(made)
    peer = peer_of(channel)
    assert channel.megagroup and channel.creator and not channel.broadcast and channel.access_hash
    same(type(actions_of(made)[0]), types.MessageActionChannelCreate, "service message")
    with refused("CHAT_TITLE_EMPTY"):
        await ann(channels.CreateChannelRequest(" ", "", megagroup=True))
    with refused("CHAT_ABOUT_TOO_LONG"):
        await ann(channels.CreateChannelRequest("x", "y" * 256, megagroup=True))
    ok("channels.createChannel")

    renamed = await ann(channels.EditTitleRequest(peer, "Deal 2b"))
    same(actions_of(renamed)[0].title, "Deal 2b", "new title")
    with refused("CHAT_NOT_MODIFIED"):
        await ann(channels.EditTitleRequest(peer, "Deal 2b"))
    assert await ann(messages.EditChatAboutRequest(peer_as_peer(peer), "about three"))
    full = (await ann(channels.GetFullChannelRequest(peer))).full_chat
    same((full.about, full.participants_count, full.can_view_participants),
         ("about three", 1, True), "full")
    ok("channels.editTitle, messages.editChatAbout, channels.getFullChannel")

    for wrong in (types.InputChannel(peer.channel_id, peer.access_hash ^ 1),
                  types.InputChannel(peer.channel_id + 1, peer.access_hash)):
        with refused("CHANNEL_INVALID"):
            await ann(channels.GetFullChannelRequest(wrong))
    with refused("CHANNEL_INVALID"):
        await cast.as_bob(channels.GetChannelsRequest([peer]))
    ok("another account's channel hash is refused")

    invited = await ann(channels.InviteToChannelRequest(peer, [bob, carol, dave, eve, helper]))
    same([m.user_id for m in invited.missing_invitees], [cast.eve.id], "missing invitees")
    same(set(actions_of(invited.updates)[0].users),
         {cast.bob.id, cast.carol.id, cast.dave.id, cast.help.id}, "invited")
    again = await ann(channels.InviteToChannelRequest(peer, [bob]))
    same((again.updates.updates, again.missing_invitees), ([], []), "invited again")
    same(set(await listed(ann, peer, types.ChannelParticipantsRecent())),
         {cast.ann.id, cast.bob.id, cast.carol.id, cast.dave.id, cast.help.id}, "members")
    same(await listed(ann, peer, types.ChannelParticipantsBots()), [cast.help.id], "bots")
    same(await listed(ann, peer, types.ChannelParticipantsSearch("caro")), [cast.carol.id], "search")
    ok("channels.inviteToChannel, getParticipants")

    bobs = await known_channel(cast.as_bob, channel.id)
    assert bobs.access_hash != peer.access_hash
    with refused("CHAT_ADMIN_REQUIRED", 403):
        await cast.as_bob(channels.EditAdminRequest(
            bobs, await cast.seen(cast.carol, by=cast.as_bob), no_rights(ban_users=True), ""))
    await ann(channels.EditAdminRequest(
        peer, bob, no_rights(ban_users=True, add_admins=True, other=True), "deputy"))
    admin = await status_of(ann, peer, bob)
    same((type(admin), admin.rank, admin.promoted_by),
         (types.ChannelParticipantAdmin, "deputy", cast.ann.id), "admin")
    same(set(await listed(ann, peer, types.ChannelParticipantsAdmins())),
         {cast.ann.id, cast.bob.id}, "admins")
    with refused("USER_PRIVACY_RESTRICTED", 403):
        await ann(channels.EditAdminRequest(peer, eve, no_rights(ban_users=True), ""))
    with refused("USER_CREATOR"):
        await cast.as_bob(channels.EditAdminRequest(
            bobs, await cast.seen(cast.ann, by=cast.as_bob), no_rights(ban_users=True), ""))
    ok("channels.editAdmin")

    await ban(ann, peer, carol)
    same((await status_of(ann, peer, carol)).left, True, "banned")
    same(await listed(ann, peer, types.ChannelParticipantsKicked("")), [cast.carol.id], "kicked")
    carols = await known_channel(cast.as_carol, channel.id)
    (seen,) = (await cast.as_carol(channels.GetChannelsRequest([carols]))).chats
    assert isinstance(seen, types.ChannelForbidden), seen
    with refused("CHANNEL_PRIVATE", 406):
        await cast.as_carol(channels.GetFullChannelRequest(carols))
    await ban(ann, peer, carol, lift=True)
    with refused("USER_NOT_PARTICIPANT"):
        await status_of(ann, peer, carol)
    await ann(channels.InviteToChannelRequest(peer, [carol]))
    await ann(channels.EditBannedRequest(peer, carol, types.ChatBannedRights(None, send_media=True)))
    same(await listed(ann, peer, types.ChannelParticipantsBanned("")), [cast.carol.id], "restricted")
    with refused("USER_ADMIN_INVALID"):
        await ban(cast.as_bob, bobs, await cast.seen(cast.ann, by=cast.as_bob))
    ok("channels.editBanned: ban, lift, restrict; getParticipant")

    await cast.as_bob(channels.LeaveChannelRequest(bobs))
    with refused("CHANNEL_PRIVATE", 406):
        await cast.as_bob(channels.LeaveChannelRequest(bobs))
    with refused("USER_NOT_PARTICIPANT"):
        await status_of(ann, peer, bob)
    ok("channels.leaveChannel")

    assert await ann(channels.UpdateUsernameRequest(peer, f"open_house_{TAG}"))
    with refused("USER_NOT_PARTICIPANT"):
        await cast.as_bob(channels.LeaveChannelRequest(bobs))
    await cast.as_bob(channels.JoinChannelRequest(bobs))
    same((await status_of(ann, peer, bob)).user_id, cast.bob.id, "joined")
    ok("channels.updateUsername, joinChannel")

    with refused("CHAT_ADMIN_REQUIRED"):
        await cast.as_bob(channels.DeleteChannelRequest(bobs))
    await ann(channels.DeleteChannelRequest(peer))
    with refused("CHANNEL_PRIVATE", 406):
        await cast.as_bob(channels.GetFullChannelRequest(bobs))
    ok("channels.deleteChannel")


def peer_as_peer(channel):
    return types.InputPeerChannel(channel.channel_id, channel.access_hash)


async def known_channel(client, channel_id):
    """A channel by the access hash that came with an update."""

    async def look():
        try:
            found = await client.get_input_entity(types.PeerChannel(channel_id))
        except ValueError:
            return None
        return types.InputChannel(found.channel_id, found.access_hash)

    return await until(look, "the channel's access hash")


async def ban(client, peer, user, lift=False):
    rights = types.ChatBannedRights(None, view_messages=not lift)
    return await client(channels.EditBannedRequest(peer, user, rights))
