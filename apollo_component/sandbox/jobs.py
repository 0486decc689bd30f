"""Background jobs: an entity_progress_job whose records change one by one as the sandbox's clock goes on."""

from collections.abc import Callable, Sequence
from typing import Any

from .clock import stamp
from .operation import Call

Record = dict[str, Any]


def start_job(call: Call, kind: str, ids: list[str], work: Sequence[Callable[[], object]], **params: Any) -> Record:
    """Starts a job and gives it as it is at its start; the control door shows how it goes."""
    world, agenda = call.state.world, call.state.agenda
    job: Record = {
        "id": world.new_id("job"),
        "user_id": call.caller.user_id,
        "job_type": kind,
        "status": "pending",
        "entity_ids": ids,
        "params": params,
        "progress": -1,
        "batch_size": None,
        "created_at": stamp(call.now),
        "updated_at": stamp(call.now),
    }
    world.jobs[job["id"]] = job
    seconds = call.state.settings.job_seconds

    def step(number: int) -> Callable[[float], None]:
        def go(at: float) -> None:
            work[number]()
            job.update(status="in_progress", progress=100 * (number + 1) // len(work), updated_at=stamp(at))

        return go

    def end(at: float) -> None:
        job.update(status="completed", progress=100, updated_at=stamp(at))

    for number in range(len(work)):
        agenda.at(call.now + seconds * (number + 1) / len(work), step(number))
    agenda.at(call.now + seconds, end)
    return dict(job)
