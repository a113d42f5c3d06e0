"""Reads sealed records by what docs/operations.md says of their bytes, with libsodium: an outsider's
reader.

    sealed.py vectors FILE         checks every vector of FILE, both ways
    sealed.py vault FOLDER KEYS    opens every record under FOLDER with one of the keys in the file KEYS
"""

import hashlib
import json
import sys
from pathlib import Path

from nacl import bindings
from nacl.exceptions import CryptoError

VERSION = b"\x01"


def key_id(key):
    return hashlib.sha256(b"queuegram vault key id v1" + key).digest()[:8]


def encrypt(key, nonce, text, additional):
    return bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(text, additional, nonce, key)


def decrypt(key, nonce, sealed, additional):
    return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, additional, nonce, key)


def slot(instance, kind):
    return f"{instance}|{kind}".encode()


def seal(key, record_key, key_nonce, nonce, instance, kind, content):
    head = VERSION + key_id(key)
    wrapped = encrypt(key, key_nonce, record_key, head + slot(instance, kind))
    text = encrypt(record_key, nonce, content, VERSION + slot(instance, kind))
    return head + key_nonce + wrapped + nonce + text


def unseal(key, instance, kind, sealed):
    if sealed[:1] != VERSION or sealed[1:9] != key_id(key):
        raise CryptoError("another version, or another key")
    record_key = decrypt(key, sealed[9:33], sealed[33:81], sealed[:9] + slot(instance, kind))
    return decrypt(record_key, sealed[81:105], sealed[105:], VERSION + slot(instance, kind))


def check_vectors(file):
    document = json.loads(Path(file).read_text())
    for vector in document["vectors"]:
        raw = {
            name: bytes.fromhex(vector[name])
            for name in ("key", "key_id", "record_key", "key_nonce", "nonce", "content", "sealed")
        }
        place = vector["instance"], vector["kind"]
        name = vector["name"]
        assert key_id(raw["key"]) == raw["key_id"], name
        sealed = seal(
            raw["key"], raw["record_key"], raw["key_nonce"], raw["nonce"], *place, raw["content"]
        )
        assert sealed == raw["sealed"], name
        assert unseal(raw["key"], *place, sealed) == raw["content"], name
    for vector in document["refused"]:
        try:
            unseal(
                bytes.fromhex(vector["key"]),
                vector["instance"],
                vector["kind"],
                bytes.fromhex(vector["sealed"]),
            )
        except CryptoError:
            continue
        raise AssertionError(f"opens: {vector['name']}")
    return len(document["vectors"]) + len(document["refused"])


def check_vault(folder, file):
    lines = [line.strip() for line in Path(file).read_text().splitlines()]
    keys = [bytes.fromhex(line) for line in lines if line and not line.startswith("#")]
    known = {key_id(key): key for key in keys}
    opened = 0
    for path in sorted(Path(folder).rglob("*")):
        if not path.is_file():
            continue
        instance, *kind = path.relative_to(folder).parts
        # A record's name is no part of its seal, a batch's is.
        kind = kind if instance == "_audit" else kind[:-1]
        sealed = path.read_bytes()
        unseal(known[sealed[1:9]], instance, "/".join(kind), sealed)
        opened += 1
    return opened


what, *arguments = sys.argv[1:]
print("ok", {"vectors": check_vectors, "vault": check_vault}[what](*arguments))
