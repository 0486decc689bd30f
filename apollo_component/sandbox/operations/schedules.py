"""When sequences may send."""

from ..operation import Answer, Call, Operation


def listing(call: Call) -> Answer:
    return {"emailer_schedules": list(call.state.world.schedules.values())}


SCHEDULES = (
    Operation(
        "emailer_schedules_list", "GET", "/emailer_schedules", "api/v1/emailer_schedules/index",
        "emailer_schedules_list", listing,
    ),
)  # fmt: skip
