"""The phone's witness: Telethon, logged in, scans the QR code of a login that is not its own.

Arguments: the link of the QR code. Prints the number of the account that it was, or `stale` where
the code ran out before this phone was ready to scan it.
"""

import base64
import sys

from telethon import errors, functions, types

from stage import Person, login, ok, run, same


async def main():
    """Scans the code, once."""
    person = Person("Tess")
    phone = await login(person)
    text = sys.argv[1].removeprefix("tg://login?token=")
    token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    try:
        device = await phone(functions.auth.AcceptLoginTokenRequest(token))
    except (errors.AuthTokenExpiredError, errors.AuthTokenInvalidError):
        ok("stale")
        await phone.disconnect()
        return
    assert isinstance(device, types.Authorization), device
    same(device.current, False, "whose device it is")
    # The login may have ended by now, and its token with it.
    try:
        await phone(functions.auth.AcceptLoginTokenRequest(token))
        raise AssertionError("a code was accepted twice")
    except (errors.AuthTokenAlreadyAcceptedError, errors.AuthTokenInvalidError):
        pass
    ok(f"scanned by {person.id}")
    await phone.disconnect()


run(main)
