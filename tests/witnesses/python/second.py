"""A second, unrelated library: Kurigram connects, logs in, makes a group, adds a member, reads the update.

It has its own key exchange, transports and TL code; nothing is shared with Telethon.
"""

import logging

import rsa as pkcs1
from pyrogram import Client, errors, filters, handlers, raw, types
from pyrogram.connection import Connection
from pyrogram.connection.transport import (
    TCPAbridged, TCPAbridgedO, TCPFull, TCPIntermediate, TCPIntermediateO, TCPIntermediatePadded,
)
from pyrogram.crypto import rsa

import stage
from stage import API_HASH, API_ID, HOST, PORT, Person, admin, ok, run, same, until

logging.getLogger("pyrogram").setLevel(logging.CRITICAL)


def _only_our_key():
    """Kurigram knows Telegram's own keys: here only tgsim's is good."""
    with open(stage.os.environ["TGSIM_PUBLIC_KEY"], "rb") as pem:
        key = pkcs1.PublicKey.load_pkcs1(pem.read())
    rsa.server_public_keys.clear()
    numbers = [n.to_bytes((n.bit_length() + 7) // 8, "big") for n in (key.n, key.e)]
    serialized = b"".join(raw.core.Bytes(number) for number in numbers)
    digest = stage.rsa.sha1(serialized).digest()
    fingerprint = int.from_bytes(digest[-8:], "little", signed=True)
    rsa.server_public_keys[fingerprint] = rsa.PublicKey(key.n, key.e)


class OnlyTgsim(Connection):
    """Kurigram begins at an address of Telegram's; every other one came from tgsim itself."""

    def __init__(self, *, server_address, port, **options):
        if not server_address.startswith("127."):
            server_address, port = HOST, int(PORT)
        super().__init__(server_address=server_address, port=port, **options)


def client(protocol):
    return Client(
        "witness", api_id=API_ID, api_hash=API_HASH, in_memory=True, no_updates=False,
        connection_factory=OnlyTgsim, protocol_factory=protocol, sleep_threshold=0,
    )


async def login(person, protocol=TCPAbridged, password=None):
    """Connects, makes an auth key, logs in."""
    app = client(protocol)
    await app.connect()
    sent = await app.send_code(person.phone)
    try:
        await app.sign_in(person.phone, sent.phone_code_hash, "00000")
        raise AssertionError("logged in with a wrong code")
    except errors.PhoneCodeInvalid:
        pass
    try:
        await app.sign_in(person.phone, sent.phone_code_hash, person.code())
    except errors.SessionPasswordNeeded:
        assert password, "no password was set"
        try:
            await app.check_password("not it")
            raise AssertionError("logged in with a wrong password")
        except errors.PasswordHashInvalid:
            pass
        await app.check_password(password)
    await app.invoke(raw.functions.updates.GetState())
    await app.initialize()
    app.me = await app.get_me()
    same(app.me.id, person.id, "who logged in")
    return app


async def leave(app):
    await app.terminate()
    await app.disconnect()


async def groups():
    ann, bob = Person("Ann", username="k_ann"), Person("Bob", username="k_bob")
    carol = Person("Carol", username="k_carol", password="swordfish")
    as_ann, as_bob = await login(ann), await login(bob)
    as_carol = await login(carol, password="swordfish")
    ok("login by code, and with a password")

    seen = {"bob": [], "carol": []}

    def watch(app, name):
        async def note(_, message: types.Message):
            seen[name].append(message)

        app.add_handler(handlers.MessageHandler(note, filters.group))

    watch(as_bob, "bob")
    watch(as_carol, "carol")

    group = await as_ann.create_group("Kurigram's deal", ["k_bob"])
    same(group.title, "Kurigram's deal", "title")
    await until(lambda: any(m.group_chat_created for m in seen["bob"]), "the new group at Bob's")
    same(await as_ann.add_chat_members(group.id, "k_carol") is not False, True, "added")
    # The update of it reaches both: the one who was there, and the one who came.
    for name in ("bob", "carol"):
        added = await until(
            lambda: [m for m in seen[name] if m.new_chat_members], f"Carol's coming at {name}'s"
        )
        same([user.id for user in added[0].new_chat_members], [carol.id], "who came")
    ok("a group is created, a member added, the update read")

    await as_ann.send_message(group.id, "Welcome")
    await until(lambda: any(m.text == "Welcome" for m in seen["carol"]), "the message at Carol's")
    members = [member.user.id async for member in as_carol.get_chat_members(group.id)]
    same(sorted(members), sorted([ann.id, bob.id, carol.id]), "members")
    state = admin("GET", f"/groups/{group.id}")
    same(sorted(m["user_id"] for m in state["members"]), sorted(members), "members in tgsim")
    ok("members as tgsim has them, a message read")

    team = await as_ann.create_supergroup("Kurigram's team", "About it")
    link = await as_ann.export_chat_invite_link(team.id)
    joined = await as_bob.join_chat(link)
    same(getattr(joined, "id", None) or joined.chat.id, team.id, "joined by link")
    await until(
        lambda: any(m["user_id"] == bob.id for m in admin("GET", f"/groups/{team.id}")["members"]),
        "Bob in the supergroup",
    )
    ok("a supergroup is created and joined by its link")
    for app in (as_ann, as_bob, as_carol):
        await leave(app)


async def transports():
    for protocol in (TCPFull, TCPIntermediate, TCPIntermediatePadded, TCPIntermediateO, TCPAbridgedO):
        app = await login(Person("Dan"), protocol)
        await leave(app)
        ok(f"{protocol.__name__}: own auth key, login by code")


async def main():
    _only_our_key()
    await groups()
    await transports()


if __name__ == "__main__":
    run(main)
