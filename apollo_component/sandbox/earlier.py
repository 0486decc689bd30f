"""What the team asked for the day before the sandbox began: a phone number that has come, an export that is ready.

So both can be fetched by an example. The ledger begins with the sandbox and knows nothing of what they cost.
"""

from .asynchronous import MOBILE, phone_payload
from .ids import signed_int64
from .operations.conversations import keep_export
from .world import World
from .world.people_records import DAY

EXPORTED = 5


def add_earlier(world: World, now: float) -> None:
    """Adds the results of one phone reveal and of one export of conversations."""
    asked = now - DAY
    person = next((person for person in world.directory.people if person.direct_phone), None)
    if person:
        world.reveals[str(signed_int64(world.seed, len(world.reveals)))] = {
            "people": [person.id],
            "asked": ["reveal_phone_number"],
            "webhook_url": "",
            "at": asked,
            "ready": asked,
            "status": "success",
            "result": phone_payload([person], MOBILE),
            "finished": asked,
            "earlier": True,
        }
    if world.conversations:
        keep_export(world, list(world.conversations.values())[-EXPORTED:], asked)
