"""The closed lists of the log: which events there are, and which fields a line may have. Nothing else is written."""

import logging
from dataclasses import dataclass
from enum import Enum

DEBUG, INFO, WARNING, ERROR = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` is `area.what`; the area is the logger under `workflow_host`. `text` is for the documents."""

    name: str
    level: int
    text: str


class LogEvent(Enum):
    REQUEST_SENT = Kind("request.sent", DEBUG, "A request is about to leave")
    REQUEST_ANSWERED = Kind("request.answered", INFO, "Its answer was read; also one that says `pending`")
    REQUEST_REFUSED = Kind("request.refused", WARNING, "The service answered with an error")
    REQUEST_FAILED = Kind("request.failed", WARNING, "No answer that can be read came")
    REQUEST_HELD = Kind(
        "request.held", INFO, "Not sent: a quota, a budget, a missing right, a lost lease, a cancelled run"
    )
    REQUEST_RETRIED = Kind("request.retried", INFO, "It is tried again after a pause")
    REQUEST_IN_DOUBT = Kind("request.in_doubt", WARNING, "It was sent and its answer was lost")
    REQUEST_FOUND = Kind("request.found", INFO, "A create in doubt had worked: its record was found")
    REQUEST_UNKNOWN = Kind("request.unknown", ERROR, "Whether it took effect is unknown, and it isn't repeated")
    REFRESH_DONE = Kind("refresh.done", INFO, "The service gave a new pair of tokens")
    REFRESH_FAILED = Kind("refresh.failed", WARNING, "A refresh was refused or got no answer")
    CONNECTION_CHANGED = Kind(
        "connection.changed", INFO, "Linked, tested, refreshed, or another status; `to` says which"
    )
    LEASE_TAKEN = Kind("lease.taken", INFO, "A lease whose owner died or fell silent was taken over")
    LEASE_LOST = Kind("lease.lost", WARNING, "A lease was lost; its owner stops")
    QUOTA_WAITED = Kind("quota.waited", INFO, "Requests wait for a quota window, `pause_s` long")
    RUN_CHANGED = Kind("run.changed", INFO, "A run is in another state")
    RUN_STEP = Kind("run.step", INFO, "A step of a run is in another state")
    RUN_CRASHED = Kind("run.crashed", ERROR, "A fault of the host stopped a run; please report it")
    WORKER_BEGAN = Kind("worker.began", INFO, "A worker is ready")
    WORKER_ENDED = Kind("worker.ended", INFO, "A worker was told to end, and has")
    WORKER_TOOK_OVER = Kind("worker.took_over", INFO, "A worker goes on with a run whose process is no more")
    TRIGGER_LOOKED = Kind("trigger.looked", INFO, "A trigger's source was looked at, or a schedule's time came")
    TRIGGER_FAILED = Kind("trigger.failed", WARNING, "A look failed; the next one comes later")
    CALLBACK_RECEIVED = Kind("callback.received", INFO, "A late result was delivered; `status` is what was answered")


FIELDS = {
    "run": "the run's id",
    "step": "the step's id in its workflow file",
    "item": "the request's place in the step",
    "attempt": "which attempt of the request; only for those that are journaled",
    "connection": "the connection's id, never its name",
    "subscription": "the id of an enabled workflow",
    "connector": "the connector's id",
    "action": "the action's id, or the trigger's or option source's that asks",
    "effect": "what repeating the request would do",
    "lease": "the lease's name, such as `run:ID`",
    "request": "an id of our own, new for every request",
    "request_id": "the service's id of the request, where it names one (`x-request-id`)",
    "status": "the HTTP status",
    "ms": "milliseconds until the answer was there",
    "left": "what is left of each quota window, as the answer told it",
    "credits": "credits spent, where the answer told",
    "error": "the stable code of the error, never its text",
    "pause_s": "seconds until the next try",
    "window": "the quota window: minute, hour or day",
    "to": "the new state",
    "requests": "requests sent",
    "events": "records that were events",
    "queued": "runs queued",
}
