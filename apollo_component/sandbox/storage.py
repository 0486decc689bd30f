"""The signed storage that exports are fetched from."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from .http import Reply, Scope, Send, json_reply, send_reply

if TYPE_CHECKING:
    from .state import State

PREFIX = "/_storage"


async def serve(state: "State", scope: Scope, send: Send) -> None:
    """The gzipped file of an export, for whoever has the signature."""
    own = scope["path"].removeprefix(f"{PREFIX}/").partition(".")[0]
    signature = parse_qs(scope["query_string"].decode("latin-1")).get("signature", [""])[0]
    found = state.world.exports.get(own)
    if found is None or signature != found["signature"]:
        return await send_reply(send, json_reply({"error": "SignatureDoesNotMatch"}, 403))
    return await send_reply(send, Reply(200, found["body"], "application/gzip"))
