"""The world's witness: every request behind the eight methods, asked by Telethon."""

from parts import basic, common, doors, links, people, supergroup, updates
from parts.cast import Cast
from stage import run


async def main():
    cast = await Cast().enter()
    try:
        for part in (people, basic, supergroup, links, doors, updates, common):
            await part.play(cast)
    finally:
        await cast.leave()


run(main)
