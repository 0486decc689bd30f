"""The assistant: a task is started, polled and continued; only the gist of its page is known (unverified)."""

from typing import Any

from .. import params as read
from ..errors import unprocessable
from ..operation import Answer, Call, Operation

Record = dict[str, Any]

COST = 1  # "variable" is all that is documented


def task(call: Call) -> Answer:
    """Starts a task with an instruction, polls it by its id, continues it with both."""
    own, instruction = read.text(call.params, "task_id"), read.text(call.params, "instruction")
    known = call.state.world.agent_tasks.get(own)
    if own and known is None:
        return {"task_id": own, "status": "not_found", "next_action": "start"}  # always 200, they say
    if not own and not instruction:
        raise unprocessable("Required parameter 'instruction' missing")  # unverified
    found = known or {"task_id": f"t{len(call.state.world.agent_tasks) + 1}", "messages": [], "status": "running"}
    if instruction:
        call.state.ledger.bill(call, more=COST)
        call.state.world.agent_tasks[found["task_id"]] = found
        _begin(call, found, instruction)
    if found["status"] == "running":
        return {name: found[name] for name in ("task_id", "status")} | {"next_action": "poll"}
    latest = found["messages"][-1]["seq_num"]
    return found | {"next_action": "none", "latest_seq_num": latest}


def _begin(call: Call, found: Record, instruction: str) -> None:
    messages = found["messages"]
    messages.append({"seq_num": len(messages) + 1, "role": "user", "text": instruction})
    found["status"] = "running"

    def finish(_: float) -> None:
        messages.append({"seq_num": len(messages) + 1, "role": "assistant", "text": f"Done: {instruction}"})
        found["status"] = "completed"

    call.state.agenda.at(call.now + call.state.settings.async_seconds, finish)


AGENTS = (
    Operation(
        "agents_task", "POST", "/agents/task", "api/v1/agents/task", "agent_task", task, ("instruction", "task_id")
    ),
)
