"""Another program's login, which an instance is imported from: Telethon makes it, and looks after it.

`make [PASSWORD]` makes an account with a login and prints its number and session string; `check STRING`
uses the login once more; `end STRING` logs it out. Nobody is connected in between.
"""

import sys

from telethon.errors import SessionPasswordNeededError
from telethon.sessions import StringSession

from stage import Person, client, ok, run


async def make(password=None):
    """An account, logged in as another program would be."""
    options = {} if password is None else {"password": password}
    person = Person("Tess", **options)
    telethon = client(session=StringSession())
    await telethon.connect()
    await telethon.send_code_request(person.phone)
    try:
        await telethon.sign_in(person.phone, person.code())
    except SessionPasswordNeededError:
        await telethon.sign_in(password=password)
    await telethon.disconnect()
    ok(f"{person.id} {telethon.session.save()}")


async def check(text):
    """The login is as good as before."""
    telethon = client(session=StringSession(text))
    await telethon.connect()
    me = await telethon.get_me()
    assert me is not None, "logged out"
    await telethon.disconnect()
    ok(f"{me.id}")


async def end(text):
    """The login is ended by its owner."""
    telethon = client(session=StringSession(text))
    await telethon.connect()
    await telethon.log_out()
    ok("ended")


async def main():
    """What the first argument says."""
    what, *rest = sys.argv[1:]
    await {"make": make, "check": check, "end": end}[what](*rest)


run(main)
