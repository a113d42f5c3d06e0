"""What every witness needs: where tgsim is, its admin port, and a Telethon client that is logged in.

A witness is a client that is not ours: it makes its own auth key, logs in by code and asks for
things as any program on Telegram would. The environment says where:
TGSIM_ADDRESS, TGSIM_DC, TGSIM_ADMIN, TGSIM_PUBLIC_KEY (a PEM file).
A witness prints one line `ok <what>` per thing seen and ends with 0 only if all were seen.
"""

import asyncio
import itertools
import json
import os
import sys
import traceback
import urllib.error
import urllib.request

from telethon import TelegramClient, errors
from telethon.crypto import rsa
from telethon.network import mtprotosender
from telethon.sessions import MemorySession

API_ID, API_HASH = 4242, "0123456789abcdef0123456789abcdef"
ADDRESS = os.environ["TGSIM_ADDRESS"]
DC = int(os.environ["TGSIM_DC"])
ADMIN = os.environ["TGSIM_ADMIN"]
with open(os.environ["TGSIM_PUBLIC_KEY"], encoding="ascii") as pem:
    rsa.add_key(pem.read(), old=False)

# Telethon knows Telegram's own keys too; a witness must never meet Telegram by mistake.
HOST, PORT = ADDRESS.rsplit(":", 1)
assert HOST.startswith("127.") or HOST == "localhost", "witnesses only talk to a loopback server"

# Own block of numbers and names, so that several witnesses can share one tgsim.
TAG = os.getpid() % 100_000
_numbers = itertools.count(79_110_000_000 + TAG * 1000)


def admin(method, path, body=None):
    """One call on the admin port; the answer as Python data."""
    data = None if body is None else json.dumps(body).encode()
    base = ADMIN if "://" in ADMIN else f"http://{ADMIN}"
    request = urllib.request.Request(
        base + path, data=data, method=method, headers={"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refused:
        raise AssertionError(f"{method} {path}: {refused.code} {refused.read()!r}") from None


class Person:
    """An account of the simulated world, as its owner knows it."""

    def __init__(self, first_name, **options):
        self.phone = f"+{next(_numbers)}"
        self.first_name = first_name
        self.username = options.get("username")
        made = admin("POST", "/users", {"phone": self.phone, "first_name": first_name, **options})
        self.id = made["id"]

    def code(self):
        """The login code just sent to this account."""
        return admin("GET", f"/users/{self.id}/code")["code"]


def client(session=None, **options):
    """A client that knows only tgsim."""
    session = session or MemorySession()
    session.set_dc(DC, HOST, int(PORT))
    return TelegramClient(
        session, API_ID, API_HASH, timeout=5, request_retries=1, connection_retries=1,
        flood_sleep_threshold=0, **options
    )


async def login(person, **options):
    """Connects and logs in by phone code."""
    telethon = client(**options)
    await telethon.connect()
    await telethon.send_code_request(person.phone)
    await telethon.sign_in(person.phone, person.code())
    return telethon


def ok(what):
    """One thing was seen."""
    print(f"ok {what}", flush=True)


def same(left, right, what):
    """Fails unless both are equal."""
    assert left == right, f"{what}: {left!r} is not {right!r}"


class refused:
    """`with refused("USER_ID_INVALID", 400):` — the request inside must get exactly this answer."""

    def __init__(self, name, code=400):
        self.name, self.code = name, code

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        assert error is not None, f"{self.name} was expected, the request was answered"
        if not isinstance(error, errors.RPCError):
            return False
        same(error.raw, (self.code, self.name), "error")
        return True


def _keep_raw_errors():
    """Telethon maps names to classes of its own and forgets the code: keep what really came."""
    convert = mtprotosender.rpc_message_to_error

    def keep(rpc_error, request):
        error = convert(rpc_error, request)
        error.raw = (rpc_error.error_code, rpc_error.error_message)
        return error

    mtprotosender.rpc_message_to_error = keep


_keep_raw_errors()


async def until(condition, what, seconds=10):
    """Waits for a condition, at most so long."""
    deadline = asyncio.get_running_loop().time() + seconds

    async def look():
        seen = condition()
        return await seen if asyncio.iscoroutine(seen) else seen

    while not (found := await look()):
        assert asyncio.get_running_loop().time() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.02)
    return found


def run(main):
    """Runs a witness, with a bound on all of it."""

    async def bounded():
        await asyncio.wait_for(main(), 240)

    try:
        asyncio.run(bounded())
    except BaseException:
        traceback.print_exc()
        print("not ok", flush=True)
        sys.exit(1)
