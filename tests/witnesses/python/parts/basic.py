"""Basic groups: make, rename, add, remove, promote, describe, delete, migrate."""

from telethon.tl import types
from telethon.tl.functions import channels, messages

from stage import ok, refused, same


def chat_of(updates):
    """The one basic group that an answer speaks of."""
    (chat,) = [c for c in updates.chats if isinstance(c, (types.Chat, types.ChatForbidden))]
    return chat


def actions_of(updates):
    """The service actions of the new messages in an answer."""
    new = (types.UpdateNewMessage, types.UpdateNewChannelMessage)
    return [u.message.action for u in updates.updates if isinstance(u, new)]


async def members_of(client, chat_id):
    full = (await client(messages.GetFullChatRequest(chat_id))).full_chat
    return {p.user_id: type(p) for p in full.participants.participants}


async def play(cast):
    ann = cast.as_ann
    bob, carol, dave, eve = await cast.all_seen(cast.bob, cast.carol, cast.dave, cast.eve)
    helper = await cast.seen(cast.help)

    made = await ann(messages.CreateChatRequest(users=[bob, eve], title="Deal 1"))
    chat = chat_of(made.updates)
    same([m.user_id for m in made.missing_invitees], [cast.eve.id], "missing invitees")
    same((chat.title, chat.creator, chat.participants_count), ("Deal 1", True, 2), "new group")
    (action,) = actions_of(made.updates)
    same((type(action), action.title), (types.MessageActionChatCreate, "Deal 1"), "service message")
    with refused("CHAT_TITLE_EMPTY"):
        await ann(messages.CreateChatRequest(users=[bob], title=""))
    ok("messages.createChat, with one whom privacy keeps out")

    renamed = await ann(messages.EditChatTitleRequest(chat.id, "Deal 1b"))
    same(actions_of(renamed)[0].title, "Deal 1b", "new title")
    with refused("CHAT_NOT_MODIFIED"):
        await ann(messages.EditChatTitleRequest(chat.id, "Deal 1b"))
    assert await ann(messages.EditChatAboutRequest(types.InputPeerChat(chat.id), "All about it"))
    full = await ann(messages.GetFullChatRequest(chat.id))
    same(full.full_chat.about, "All about it", "about")
    ok("messages.editChatTitle, editChatAbout, getFullChat")

    added = await ann(messages.AddChatUserRequest(chat.id, carol, fwd_limit=10))
    same((added.missing_invitees, actions_of(added.updates)[0].users), ([], [cast.carol.id]), "add")
    with refused("USER_ALREADY_PARTICIPANT"):
        await ann(messages.AddChatUserRequest(chat.id, carol, fwd_limit=10))
    kept_out = await ann(messages.AddChatUserRequest(chat.id, eve, fwd_limit=10))
    same([m.user_id for m in kept_out.missing_invitees], [cast.eve.id], "kept out")
    await ann(messages.AddChatUserRequest(chat.id, helper, fwd_limit=0))
    same(set(await members_of(ann, chat.id)),
         {cast.ann.id, cast.bob.id, cast.carol.id, cast.help.id}, "members")
    ok("messages.addChatUser: a person, a bot, one who is in, one whom privacy keeps out")

    assert await ann(messages.EditChatAdminRequest(chat.id, bob, True))
    same((await members_of(ann, chat.id))[cast.bob.id], types.ChatParticipantAdmin, "admin")
    with refused("CHAT_ADMIN_REQUIRED"):
        seen = await cast.seen(cast.carol, by=cast.as_bob)
        await cast.as_bob(messages.EditChatAdminRequest(chat.id, seen, True))
    ok("messages.editChatAdmin")

    gone = await ann(messages.DeleteChatUserRequest(chat.id, carol))
    same(actions_of(gone)[0].user_id, cast.carol.id, "removed")
    with refused("USER_NOT_PARTICIPANT"):
        await ann(messages.DeleteChatUserRequest(chat.id, carol))
    (seen,) = (await cast.as_carol(messages.GetChatsRequest([chat.id]))).chats
    assert isinstance(seen, types.ChatForbidden), seen
    ok("messages.deleteChatUser, and what the removed one sees")

    await ann.send_message(types.InputPeerChat(chat.id), "hello")
    newest = (await ann.get_messages(types.InputPeerChat(chat.id), limit=1))[0]
    same((newest.message, newest.sender_id), ("hello", cast.ann.id), "history")
    dialogs = await ann.get_dialogs()
    same((dialogs[0].entity.id, dialogs[0].message.message), (chat.id, "hello"), "newest dialog")
    ok("messages.sendMessage, getHistory, getDialogs")

    moved = await ann(messages.MigrateChatRequest(chat.id))
    (supergroup,) = [c for c in moved.chats if isinstance(c, types.Channel)]
    (old,) = [c for c in moved.chats if isinstance(c, types.Chat)]
    same(old.migrated_to.channel_id, supergroup.id, "where it went")
    assert old.deactivated and supergroup.megagroup and supergroup.creator
    peer = types.InputChannel(supergroup.id, supergroup.access_hash)
    there = await ann(channels.GetParticipantsRequest(
        peer, types.ChannelParticipantsRecent(), 0, 100, 0))
    same({u.id for u in there.users}, {cast.ann.id, cast.bob.id, cast.help.id}, "moved members")
    about = (await ann(channels.GetFullChannelRequest(peer))).full_chat
    same(about.migrated_from_chat_id, chat.id, "where it came from")
    with refused("CHAT_ID_INVALID"):
        await ann(messages.EditChatTitleRequest(chat.id, "too late"))
    ok("messages.migrateChat")

    short = chat_of((await ann(messages.CreateChatRequest([bob], "Short"))).updates)
    with refused("CHAT_ADMIN_REQUIRED"):
        await cast.as_bob(messages.DeleteChatRequest(short.id))
    assert await ann(messages.DeleteChatRequest(short.id))
    (seen,) = (await cast.as_bob(messages.GetChatsRequest([short.id]))).chats
    assert getattr(seen, "deactivated", True), seen
    ok("messages.deleteChat")
