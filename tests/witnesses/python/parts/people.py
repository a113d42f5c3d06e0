"""Finding people: username, phone, contacts; and access hashes, which are each account's own."""

from telethon.tl import types
from telethon.tl.functions import contacts, messages, users

from stage import Person, ok, refused, same


async def play(cast):
    ann = cast.as_ann
    found = await ann(contacts.ResolveUsernameRequest(cast.bob.username))
    same((found.peer.user_id, found.users[0].username), (cast.bob.id, cast.bob.username), "resolved user")
    found = await ann(contacts.ResolveUsernameRequest(cast.bob.username.upper()))
    same(found.peer.user_id, cast.bob.id, "resolved in capitals")
    with refused("USERNAME_NOT_OCCUPIED"):
        await ann(contacts.ResolveUsernameRequest("w_nobody_here"))
    with refused("USERNAME_INVALID"):
        await ann(contacts.ResolveUsernameRequest("no spaces allowed"))
    ok("contacts.resolveUsername")

    found = await ann(contacts.ResolvePhoneRequest(cast.dave.phone))
    same(found.peer.user_id, cast.dave.id, "resolved phone")
    with refused("PHONE_NOT_OCCUPIED"):
        await ann(contacts.ResolvePhoneRequest("+79990000001"))
    ok("contacts.resolvePhone")

    stranger = Person("Sue")
    book = [
        types.InputPhoneContact(7, stranger.phone, "Susan", "Customer"),
        types.InputPhoneContact(8, "+79990000002", "No", "Body"),
    ]
    made = await ann(contacts.ImportContactsRequest(book))
    same([(i.user_id, i.client_id) for i in made.imported], [(stranger.id, 7)], "imported")
    sue = made.users[0]
    same((sue.first_name, sue.last_name, sue.contact), ("Susan", "Customer", True), "contact")
    listed = await ann(contacts.GetContactsRequest(hash=0))
    assert stranger.id in [c.user_id for c in listed.contacts]
    await ann(contacts.DeleteContactsRequest([types.InputUser(sue.id, sue.access_hash)]))
    listed = await ann(contacts.GetContactsRequest(hash=0))
    assert stranger.id not in [c.user_id for c in listed.contacts]
    ok("contacts.importContacts, getContacts, deleteContacts")

    bob = await cast.seen(cast.bob)
    bob_for_carol = await cast.seen(cast.bob, by=cast.as_carol)
    assert bob.access_hash != bob_for_carol.access_hash, "each account has a hash of its own"
    (me, again) = await ann(users.GetUsersRequest([types.InputUserSelf(), bob]))
    same((me.id, me.is_self, again.id), (cast.ann.id, True, cast.bob.id), "getUsers")
    for wrong in (bob_for_carol, types.InputUser(bob.user_id, bob.access_hash ^ 1)):
        with refused("USER_ID_INVALID"):
            await ann(messages.GetCommonChatsRequest(wrong, 0, 10))
        with refused("USER_ID_INVALID"):
            await ann(users.GetFullUserRequest(wrong))
    ok("a wrong access hash is refused")
