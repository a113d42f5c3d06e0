"""Invite links of every kind, in both kinds of group, and what people do with them."""

from telethon.tl import types
from telethon.tl.functions import channels, messages

from parts.basic import chat_of
from parts.supergroup import channel_of, known_channel, peer_as_peer, peer_of
from stage import admin, ok, refused, same


def hash_of(invite):
    assert invite.link.startswith("https://t.me/+"), invite.link
    return invite.link.removeprefix("https://t.me/+")


async def export(client, peer, **options):
    return await client(messages.ExportChatInviteRequest(peer, **options))


async def links_of(client, peer, admin_id, revoked=False, **page):
    options = {"limit": 100, **page}
    return (await client(messages.GetExportedChatInvitesRequest(
        peer, admin_id, revoked=revoked, **options))).invites


async def play(cast):
    bob = await cast.seen(cast.bob)
    made = await cast.as_ann(messages.CreateChatRequest([bob], "Links, basic"))
    basic = chat_of(made.updates)
    await kinds(cast, types.InputPeerChat(basic.id), "basic group")
    made = await cast.as_ann(channels.CreateChannelRequest("Links, super", "", megagroup=True))
    await kinds(cast, peer_as_peer(peer_of(channel_of(made))), "supergroup")
    await full_and_barred(cast)


async def kinds(cast, peer, what):
    ann, carol = cast.as_ann, cast.as_carol
    carol_user = await cast.seen(cast.carol)
    now = int((await export(ann, peer, title="clock")).date.timestamp())

    primary = await export(ann, peer, legacy_revoke_permanent=True)
    assert primary.permanent and not primary.revoked, primary
    shown = await ann(messages.GetExportedChatInviteRequest(peer, primary.link))
    same(shown.invite.link, primary.link, "the primary link")
    checked = await carol(messages.CheckChatInviteRequest(hash_of(primary)))
    assert isinstance(checked, types.ChatInvite) and not checked.request_needed, checked
    same(checked.title, f"Links, {'basic' if what == 'basic group' else 'super'}", "checked title")
    joined = await carol(messages.ImportChatInviteRequest(hash_of(primary)))
    actions = [u.message.action for u in joined.updates.updates if hasattr(u, "message")]
    same([type(a) for a in actions], [types.MessageActionChatJoinedByLink], "joined by link")
    with refused("USER_ALREADY_PARTICIPANT"):
        await carol(messages.ImportChatInviteRequest(hash_of(primary)))
    inside = await carol(messages.CheckChatInviteRequest(hash_of(primary)))
    assert isinstance(inside, types.ChatInviteAlready), inside
    used = (await ann(messages.GetExportedChatInviteRequest(peer, primary.link))).invite
    same(used.usage, 1, "uses")
    came = await ann(messages.GetChatInviteImportersRequest(
        peer, 0, types.InputUserEmpty(), 100, link=primary.link))
    same([i.user_id for i in came.importers], [cast.carol.id], "importers")
    ok(f"{what}: primary link, check, import, importers")

    await remove(ann, peer, carol_user)
    again = await carol(messages.ImportChatInviteRequest(hash_of(primary)))
    assert again.updates, "who was taken out but not banned comes back by the link"
    await remove(ann, peer, carol_user)
    ok(f"{what}: back by the link")

    once = await export(ann, peer, usage_limit=1, title="only one")
    same((once.usage_limit, once.title, once.permanent), (1, "only one", False), "limited link")
    await carol(messages.ImportChatInviteRequest(hash_of(once)))
    with refused("INVITE_HASH_EXPIRED", 406):
        await cast.as_eve(messages.ImportChatInviteRequest(hash_of(once)))
    await ann(messages.EditExportedChatInviteRequest(peer, once.link, usage_limit=2))
    await cast.as_eve(messages.ImportChatInviteRequest(hash_of(once)))
    for user in (carol_user, await cast.seen(cast.eve)):
        await remove(ann, peer, user)
    shown = (await ann(messages.GetExportedChatInviteRequest(peer, once.link))).invite
    same((shown.usage_limit, shown.usage), (2, None), "places that are free again")
    for bad in ({"usage_limit": 100_000}, {"usage_limit": 3, "request_needed": True}):
        with refused("USAGE_LIMIT_INVALID"):
            await export(ann, peer, **bad)
    ok(f"{what}: link with a usage limit")

    with refused("EXPIRE_DATE_INVALID"):
        await export(ann, peer, expire_date=now - 10)
    soon = await export(ann, peer, expire_date=now + 3600)
    assert isinstance(await carol(messages.CheckChatInviteRequest(hash_of(soon))), types.ChatInvite)
    admin("POST", "/clock", {"advance_s": 3700})
    for request in (messages.CheckChatInviteRequest, messages.ImportChatInviteRequest):
        with refused("INVITE_HASH_EXPIRED", 406):
            await carol(request(hash_of(soon)))
    ok(f"{what}: link with an expiry, by the simulated clock")

    await approval(cast, peer, what)

    revoked = await ann(messages.EditExportedChatInviteRequest(peer, once.link, revoked=True))
    assert isinstance(revoked, types.messages.ExportedChatInvite) and revoked.invite.revoked
    with refused("INVITE_HASH_EXPIRED", 406):
        await carol(messages.CheckChatInviteRequest(hash_of(once)))
    with refused("CHAT_INVITE_PERMANENT"):
        await ann(messages.EditExportedChatInviteRequest(peer, primary.link, usage_limit=5))
    replaced = await ann(messages.EditExportedChatInviteRequest(peer, primary.link, revoked=True))
    assert isinstance(replaced, types.messages.ExportedChatInviteReplaced), replaced
    assert replaced.invite.revoked and replaced.new_invite.permanent
    with refused("INVITE_HASH_EXPIRED", 406):
        await carol(messages.ImportChatInviteRequest(hash_of(primary)))
    ok(f"{what}: revoke, and the new primary link")

    open_links = [i.link for i in await links_of(ann, peer, types.InputUserSelf())]
    assert replaced.new_invite.link in open_links and primary.link not in open_links
    dead = await links_of(ann, peer, types.InputUserSelf(), revoked=True)
    assert {once.link, primary.link} <= {i.link for i in dead}, dead
    paged, after = [], {}
    while page := await links_of(ann, peer, types.InputUserSelf(), revoked=True, limit=1, **after):
        paged += page
        after = {"offset_date": page[-1].date, "offset_link": page[-1].link}
    same([i.link for i in paged], [i.link for i in dead], "paged links")
    with refused("INVITE_REVOKED_MISSING"):
        await ann(messages.DeleteExportedChatInviteRequest(peer, replaced.new_invite.link))
    assert await ann(messages.DeleteExportedChatInviteRequest(peer, once.link))
    with refused("INVITE_HASH_EXPIRED"):
        await ann(messages.GetExportedChatInviteRequest(peer, once.link))
    counted = (await ann(messages.GetAdminsWithInvitesRequest(peer))).admins
    same([a.admin_id for a in counted], [cast.ann.id], "admins with links")
    same(counted[0].invites_count, len(open_links), "count of links")
    assert await ann(messages.DeleteRevokedExportedChatInvitesRequest(peer, types.InputUserSelf()))
    same(await links_of(ann, peer, types.InputUserSelf(), revoked=True), [], "revoked links")
    ok(f"{what}: lists of links, paged; delete revoked ones; admins with links")

    with refused("INVITE_HASH_EMPTY"):
        await carol(messages.ImportChatInviteRequest(""))
    with refused("INVITE_HASH_INVALID"):
        await carol(messages.CheckChatInviteRequest("not/a hash"))
    ok(f"{what}: hashes that never were one")


async def approval(cast, peer, what):
    """A link that needs an admin's yes."""
    ann, carol = cast.as_ann, cast.as_carol
    carol_user = await cast.seen(cast.carol)
    asked = await export(ann, peer, request_needed=True, title="ask first")
    checked = await carol(messages.CheckChatInviteRequest(hash_of(asked)))
    assert checked.request_needed, checked
    for _ in range(2):
        with refused("INVITE_REQUEST_SENT"):
            await carol(messages.ImportChatInviteRequest(hash_of(asked)))
    waiting = await ann(messages.GetChatInviteImportersRequest(
        peer, 0, types.InputUserEmpty(), 100, requested=True))
    same([(i.user_id, i.requested) for i in waiting.importers], [(cast.carol.id, True)], "waiting")
    same((await ann(messages.GetExportedChatInviteRequest(peer, asked.link))).invite.requested, 1,
         "requests of the link")
    await ann(messages.HideChatJoinRequestRequest(peer, carol_user, approved=False))
    with refused("HIDE_REQUESTER_MISSING"):
        await ann(messages.HideChatJoinRequestRequest(peer, carol_user, approved=True))
    with refused("INVITE_REQUEST_SENT"):
        await carol(messages.ImportChatInviteRequest(hash_of(asked)))
    let_in = await ann(messages.HideChatJoinRequestRequest(peer, carol_user, approved=True))
    actions = [u.message.action for u in let_in.updates if hasattr(u, "message")]
    same([type(a) for a in actions], [types.MessageActionChatJoinedByRequest], "let in")
    came = await ann(messages.GetChatInviteImportersRequest(
        peer, 0, types.InputUserEmpty(), 100, link=asked.link))
    same([(i.user_id, i.approved_by) for i in came.importers], [(cast.carol.id, cast.ann.id)],
         "who was let in, and by whom")
    await remove(ann, peer, carol_user)
    ok(f"{what}: link with approval: ask, decline, ask again, approve")


async def full_and_barred(cast):
    """A banned one finds the link dead; each admin has links of their own."""
    ann, carol = cast.as_ann, cast.as_carol
    bob, carol_user = await cast.all_seen(cast.bob, cast.carol)
    made = await ann(channels.CreateChannelRequest("Barred", "", megagroup=True))
    channel = peer_of(channel_of(made))
    peer = peer_as_peer(channel)
    primary = (await ann(channels.GetFullChannelRequest(channel))).full_chat.exported_invite
    assert primary.permanent
    await ann(channels.EditBannedRequest(
        channel, carol_user, types.ChatBannedRights(None, view_messages=True)))
    for request in (messages.CheckChatInviteRequest, messages.ImportChatInviteRequest):
        with refused("INVITE_HASH_EXPIRED", 406):
            await carol(request(hash_of(primary)))
    ok("supergroup: a banned one can't use a link")

    await ann(channels.InviteToChannelRequest(channel, [bob]))
    bobs_channel = await known_channel(cast.as_bob, channel.channel_id)
    bobs = peer_as_peer(bobs_channel)
    with refused("CHAT_ADMIN_REQUIRED"):
        await export(cast.as_bob, bobs)
    await ann(channels.EditAdminRequest(
        channel, bob, types.ChatAdminRights(invite_users=True), "door"))
    own = (await cast.as_bob(channels.GetFullChannelRequest(bobs_channel))).full_chat.exported_invite
    assert own.link != primary.link and own.admin_id == cast.bob.id, own
    with refused("CHAT_ADMIN_REQUIRED"):
        await cast.as_bob(messages.EditExportedChatInviteRequest(bobs, primary.link, revoked=True))
    ended = await ann(messages.EditExportedChatInviteRequest(peer, own.link, revoked=True))
    same(ended.invite.admin_id, cast.bob.id, "whose link")
    ok("supergroup: each admin has an own primary link; the creator may end it")


async def remove(client, peer, user):
    """Out, but free to come back."""
    if isinstance(peer, types.InputPeerChat):
        await client(messages.DeleteChatUserRequest(peer.chat_id, user))
        return
    channel = types.InputChannel(peer.channel_id, peer.access_hash)
    for rights in (types.ChatBannedRights(None, view_messages=True), types.ChatBannedRights(None)):
        await client(channels.EditBannedRequest(channel, user, rights))
