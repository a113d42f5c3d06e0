"""The phone's witness: Telethon, logged in, scans the QR code of a login that is not its own.

Arguments: the link of the QR code. Prints the number of the account that it was.
"""

import base64
import sys

from telethon import functions, types

from stage import Person, login, ok, refused, run, same


async def main():
    """Scans the code, once."""
    person = Person("Tess")
    phone = await login(person)
    text = sys.argv[1].removeprefix("tg://login?token=")
    token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    device = await phone(functions.auth.AcceptLoginTokenRequest(token))
    assert isinstance(device, types.Authorization), device
    same(device.current, False, "whose device it is")
    with refused("AUTH_TOKEN_ALREADY_ACCEPTED"):
        await phone(functions.auth.AcceptLoginTokenRequest(token))
    ok(f"scanned by {person.id}")
    await phone.disconnect()


run(main)
