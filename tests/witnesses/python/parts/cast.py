"""The people of the play: who they are, and a logged-in client for those who act."""

from telethon import utils
from telethon.tl.functions.contacts import ResolveUsernameRequest

from stage import TAG, Person, login


class Cast:
    """Ann runs groups; Bob, Carol and Dave are in them; Eve lets nobody invite her; Help is a bot."""

    async def enter(self):
        self.ann = Person("Ann", username=f"w{TAG}_ann")
        self.bob = Person("Bob", username=f"w{TAG}_bob")
        self.carol = Person("Carol", username=f"w{TAG}_carol")
        self.dave = Person("Dave", username=f"w{TAG}_dave")
        self.eve = Person("Eve", username=f"w{TAG}_eve", privacy={"invite": "nobody"})
        self.help = Person("Help", username=f"w{TAG}_help_bot", bot=True)
        self.as_ann = await login(self.ann)
        self.as_bob = await login(self.bob)
        self.as_carol = await login(self.carol)
        self.as_eve = await login(self.eve)
        return self

    async def leave(self):
        for telethon in (self.as_ann, self.as_bob, self.as_carol, self.as_eve):
            await telethon.disconnect()

    async def seen(self, person, by=None):
        """`person` as an InputUser that is right for the one who asks (Ann, if not said)."""
        found = await (by or self.as_ann)(ResolveUsernameRequest(person.username))
        return utils.get_input_user(found.users[0])

    async def all_seen(self, *people):
        return [await self.seen(person) for person in people]
