"""Common chats, more of them than one page holds."""

from telethon.tl import types
from telethon.tl.functions import channels, messages

from parts.basic import chat_of
from parts.supergroup import channel_of, peer_of
from stage import ok, same


async def play(cast):
    ann = cast.as_ann
    dave = await cast.seen(cast.dave)
    expected = set()
    for number in range(104):
        made = await ann(messages.CreateChatRequest([dave], f"Common {number}"))
        expected.add(chat_of(made.updates).id)
    made = channel_of(await ann(channels.CreateChannelRequest("Common super", "", megagroup=True)))
    await ann(channels.InviteToChannelRequest(peer_of(made), [dave]))
    expected.add(made.id)

    found, max_id = [], 0
    while True:
        page = await ann(messages.GetCommonChatsRequest(dave, max_id, 100))
        found += page.chats
        if len(page.chats) < 100:
            break
        max_id = page.chats[-1].id
    ids = [chat.id for chat in found]
    same(len(ids), len(set(ids)), "each once")
    assert expected <= set(ids), f"{len(expected - set(ids))} common chats are missing"
    assert any(isinstance(chat, types.Channel) for chat in found)
    ok(f"messages.getCommonChats: {len(ids)} in pages of 100")

    dialogs = await ann.get_dialogs(limit=None)
    assert expected <= {d.entity.id for d in dialogs}, "every group is a dialog"
    ok("messages.getDialogs, past one page")
