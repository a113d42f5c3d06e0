"""The login's witness: Telethon makes its own keys, logs in every way there is, and gets updates.

Played over each of the TCP transports, with `TGSIM_DC` as home of some and another DC as home of others.
"""

import asyncio

from telethon import events, functions, types
from telethon.errors import SessionPasswordNeededError
from telethon.network import (
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
    ConnectionTcpObfuscated,
)
from telethon.sessions import MemorySession

from stage import (
    API_HASH, API_ID, DC, Person, admin, client, login, ok, refused, run, same, until,
)

OTHER_DC = next(dc["id"] for dc in admin("GET", "/dcs")["dcs"] if dc["id"] != DC)


async def by_code(how):
    """A wrong code, no code, a code of another number's hash, the right one; once only."""
    person = Person("Ann")
    telethon = client(connection=how)
    await telethon.connect()
    same(await telethon.is_user_authorized(), False, "logged in before login")
    with refused("AUTH_KEY_UNREGISTERED", 401):
        await telethon(functions.updates.GetStateRequest())
    with refused("PHONE_NUMBER_INVALID", 406):
        await telethon.send_code_request("+12")
    with refused("API_ID_INVALID", 400):
        settings = types.CodeSettings()
        await telethon(functions.auth.SendCodeRequest(person.phone, 0, API_HASH, settings))
    sent = await telethon.send_code_request(person.phone)
    assert isinstance(sent.type, types.auth.SentCodeTypeSms), sent.type

    def sign_in(code, code_hash=sent.phone_code_hash):
        return telethon(functions.auth.SignInRequest(person.phone, code_hash, code))

    wrong = "00000" if person.code() != "00000" else "00001"
    with refused("PHONE_CODE_INVALID"):
        await sign_in(wrong)
    with refused("PHONE_CODE_EMPTY"):
        await sign_in("")
    with refused("PHONE_CODE_EXPIRED"):
        await sign_in(person.code(), "no such hash")
    code = person.code()
    me = (await sign_in(code)).user
    same((me.id, me.is_self, "+" + me.phone), (person.id, True, person.phone), "who logged in")
    with refused("PHONE_CODE_EXPIRED"):
        await sign_in(code)
    return person, telethon


async def by_password(how):
    """The code is not enough; a wrong password is not either."""
    person = Person("Pat", password="correct horse", hint="a horse")
    telethon = client(connection=how)
    await telethon.connect()
    await telethon.send_code_request(person.phone)
    try:
        await telethon.sign_in(person.phone, person.code())
        raise AssertionError("logged in without the password")
    except SessionPasswordNeededError as needed:
        same(needed.raw, (401, "SESSION_PASSWORD_NEEDED"), "error")
    question = await telethon(functions.account.GetPasswordRequest())
    same((question.has_password, question.hint), (True, "a horse"), "question")
    with refused("PASSWORD_HASH_INVALID"):
        await telethon.sign_in(password="incorrect horse")
    with refused("SRP_ID_INVALID"):
        proof = types.InputCheckPasswordSRP(srp_id=1, A=b"\1" * 256, M1=b"\1" * 32)
        await telethon(functions.auth.CheckPasswordRequest(proof))
    me = await telethon.sign_in(password="correct horse")
    same(me.id, person.id, "who logged in")
    await change_password(person, telethon, how)
    await telethon.disconnect()


async def change_password(person, telethon, how):
    """Telethon makes a new verifier; the old password is over, and then there is none."""
    await telethon.edit_2fa("correct horse", "battery staple", hint="a staple")
    again = client(connection=how)
    await again.connect()
    await again.send_code_request(person.phone)
    try:
        await again.sign_in(person.phone, person.code())
    except SessionPasswordNeededError:
        pass
    with refused("PASSWORD_HASH_INVALID"):
        await again.sign_in(password="correct horse")
    await again.sign_in(password="battery staple")
    await telethon.edit_2fa("battery staple", None)
    same(admin("GET", f"/users/{person.id}")["has_password"], False, "has a password")
    await again.disconnect()


async def by_qr(how, person, accepted_by):
    """A new device shows a token, the logged-in one accepts it."""
    device = client(connection=how)
    await device.connect()
    shown = await device.qr_login()
    with refused("AUTH_TOKEN_INVALID"):
        await accepted_by(functions.auth.AcceptLoginTokenRequest(b"not a token"))
    waiting = asyncio.create_task(shown.wait(10))
    await asyncio.sleep(0)
    login = await accepted_by(functions.auth.AcceptLoginTokenRequest(shown.token))
    assert isinstance(login, types.Authorization), login
    me = await waiting
    same(me.id, person.id, "who logged in")
    with refused("AUTH_TOKEN_INVALID"):
        await accepted_by(functions.auth.AcceptLoginTokenRequest(shown.token))
    await device.disconnect()


async def by_qr_scanned(how):
    """The phone that scans is played by the admin port; the account has a password and lives elsewhere."""
    person = Person("Quinn", password="xyzzy", dc=OTHER_DC)
    device = client(connection=how)
    await device.connect()
    shown = await device.qr_login()
    waiting = asyncio.create_task(shown.wait(10))
    await asyncio.sleep(0)
    admin("POST", f"/users/{person.id}/scan", {"token": shown.url})
    try:
        await waiting
        raise AssertionError("logged in without the password")
    except SessionPasswordNeededError:
        pass
    me = await device.sign_in(password="xyzzy")
    same((me.id, device.session.dc_id), (person.id, OTHER_DC), "who logged in, and where")
    await device.disconnect()


async def by_code_elsewhere(how):
    """The account lives on another DC: `PHONE_MIGRATE_X`, a key there, login there."""
    person = Person("Max", dc=OTHER_DC)
    telethon = client(connection=how)
    await telethon.connect()
    with refused(f"PHONE_MIGRATE_{OTHER_DC}", 303):
        settings = types.CodeSettings()
        request = functions.auth.SendCodeRequest(person.phone, API_ID, API_HASH, settings)
        # Underneath the client, which would follow at once.
        await telethon._sender.send(request)
    await telethon.disconnect()
    telethon = await login(person, connection=how)
    same(telethon.session.dc_id, OTHER_DC, "home")
    same((await telethon.get_me()).id, person.id, "who logged in")
    # The login is carried to the first DC for files; only the home DC answers for the account.
    sender = await telethon._borrow_exported_sender(DC)
    with refused(f"USER_MIGRATE_{OTHER_DC}", 303):
        await sender.send(functions.updates.GetStateRequest())
    await telethon._return_exported_sender(sender)
    await telethon.disconnect()


async def updates(how, ann, as_ann):
    """What one client does arrives at another's."""
    bob = Person("Bob", contacts=[ann.phone])
    as_bob = await login(bob, connection=how)
    titles, texts = [], []

    @as_ann.on(events.ChatAction)
    async def _(event):
        titles.append(event.new_title)

    @as_ann.on(events.NewMessage(incoming=True))
    async def _(event):
        texts.append(event.raw_text)

    contact = (await as_bob(functions.contacts.GetContactsRequest(0))).users[0]
    same(contact.id, ann.id, "contact")
    await as_bob(functions.messages.CreateChatRequest([contact], "Deal 77"))
    await until(lambda: "Deal 77" in titles, "the group's message")
    await as_bob.send_message(contact, "hello")
    await until(lambda: "hello" in texts, "the private message")
    await as_bob.disconnect()


async def devices(how, person, telethon):
    """A login code is written to the other devices; they are listed, and can be ended after a day."""
    codes = []

    @telethon.on(events.NewMessage(from_users=777000))
    async def _(event):
        codes.append(event.raw_text)

    second = client(connection=how)
    await second.connect()
    sent = await second.send_code_request(person.phone)
    assert isinstance(sent.type, types.auth.SentCodeTypeApp), sent.type
    await until(lambda: any(person.code() in text for text in codes), "the code in the app")
    await second.sign_in(person.phone, person.code())
    listed = (await telethon(functions.account.GetAuthorizationsRequest())).authorizations
    other = next(login for login in listed if not login.current)
    same((len(listed), other.device_model), (2, second._init_request.device_model), "devices")
    with refused("FRESH_RESET_AUTHORISATION_FORBIDDEN", 406):
        await telethon(functions.account.ResetAuthorizationRequest(other.hash))
    with refused("HASH_INVALID"):
        await telethon(functions.account.ResetAuthorizationRequest(1))
    return second, other.hash


async def kept(how, person):
    """A kept session needs no login, until it logs out."""
    session = MemorySession()
    first = await login(person, connection=how, session=session)
    await first.disconnect()
    second = client(session, connection=how)
    await second.connect()
    same((await second.get_me()).id, person.id, "who is logged in")
    auth_key = session.auth_key
    await second.log_out()
    third = client(connection=how)
    third.session.auth_key = auth_key
    await third.connect()
    same(await third.is_user_authorized(), False, "logged in after logging out")
    await third.disconnect()


async def sign_up(how):
    """A number without an account."""
    phone = f"+7999{str(abs(hash(how.__name__)) % 10**7).zfill(7)}"
    telethon = client(connection=how)
    await telethon.connect()
    sent = await telethon.send_code_request(phone)
    code = admin("GET", f"/codes/{phone.removeprefix('+')}")["code"]
    up = functions.auth.SignUpRequest(phone, sent.phone_code_hash, "New", "Comer")
    with refused("PHONE_CODE_INVALID"):
        await telethon(up)
    answer = await telethon(functions.auth.SignInRequest(phone, sent.phone_code_hash, code))
    assert isinstance(answer, types.auth.AuthorizationSignUpRequired), answer
    me = (await telethon(up)).user
    same((me.first_name, me.last_name, "+" + me.phone), ("New", "Comer", phone), "who signed up")
    await telethon.disconnect()


async def play(how):
    name = how.__name__.removeprefix("ConnectionTcp").lower()
    ann, as_ann = await by_code(how)
    ok(f"{name}: own auth key, login by code, wrong codes refused")
    await updates(how, ann, as_ann)
    ok(f"{name}: updates arrive")
    await by_password(how)
    ok(f"{name}: 2FA: wrong password refused, right one accepted, changed, removed")
    await by_qr(how, ann, as_ann)
    ok(f"{name}: QR login accepted by another client")
    await by_qr_scanned(how)
    ok(f"{name}: QR login with 2FA of an account on another DC")
    await by_code_elsewhere(how)
    ok(f"{name}: login by code on another DC, authorization carried over")
    second, _ = await devices(how, *await by_code(how))
    await second.disconnect()
    ok(f"{name}: the code reaches the other device; devices are listed")
    await kept(how, ann)
    ok(f"{name}: a kept session is logged in until it logs out")
    await sign_up(how)
    ok(f"{name}: sign-up")
    await as_ann.disconnect()


async def ending_others():
    """Once a login is a day old it can end others: those are told so."""
    person, telethon = await by_code(ConnectionTcpFull)
    second, second_hash = await devices(ConnectionTcpFull, person, telethon)
    admin("POST", "/clock", {"advance_s": 24 * 3600 + 1})
    await telethon(functions.account.ResetAuthorizationRequest(second_hash))
    with refused("SESSION_REVOKED", 401):
        await second(functions.updates.GetStateRequest())
    await telethon(functions.updates.GetStateRequest())
    await second.disconnect()
    await telethon.disconnect()
    ok("an older login ends a newer one")


async def main():
    for how in (
        ConnectionTcpFull,
        ConnectionTcpIntermediate,
        ConnectionTcpAbridged,
        ConnectionTcpObfuscated,
    ):
        await play(how)
    await ending_others()


if __name__ == "__main__":
    run(main)
