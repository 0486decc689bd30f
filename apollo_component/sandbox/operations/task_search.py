"""Finding tasks."""

from collections import Counter
from typing import Any

from .. import params as read
from ..errors import unprocessable
from ..operation import Answer, Call, Operation
from ..operations.tasks import row
from ..paging import MAX_PER_PAGE, page_of, pagination
from ..searching import cut, visible
from ..word_list import words

Record = dict[str, Any]

RANKS = {"high": 0, "medium": 1, "low": 2}
# seen in a live-tested client, documented nowhere
UNDOCUMENTED_FILTERS = {"contact_ids": "contact_id", "user_ids": "user_id", "task_type_cds": "type"}
FACETS = words(
    """playbook_step person_function person_seniority normalized_person_title organization_ids
    organization_ids_in_query person_persona organization_keywords linkedin_industry num_employees revenues
    currently_using_any_of_technology_uids currently_using_all_of_technology_uids
    currently_not_using_any_of_technology_uids added_technology_uids dropped_technology_uids latest_funding_stage
    organization_trading_status person_city person_state person_country organization_hq_city organization_hq_state
    organization_hq_country organization_intent_scoring forecast_category"""
)


def matching(call: Call) -> list[Record]:
    """All tasks of the team, the newest first, or as sorted; the directions are unverified."""
    sets = {key: set(read.texts(call.params, name)) for name, key in UNDOCUMENTED_FILTERS.items()}
    found = [
        task
        for task in reversed(call.state.world.tasks.values())
        if all(not wanted or task[key] in wanted for key, wanted in sets.items())
    ]
    field = read.text(call.params, "sort_by_field")
    if field == "task_due_at":
        found.sort(key=lambda task: str(task["due_at"]))
    elif field == "task_priority":
        found.sort(key=lambda task: RANKS.get(task["priority"], 9))
    return found


def search(call: Call) -> Answer:
    factors = call.params.get("open_factor_names")
    if isinstance(factors, str):  # what leads to this documented fault is unverified
        raise unprocessable("Something's wrong with your API request. undefined method `[]' for nil")
    asked = read.integer(call.params.get("per_page"), 1) or 0
    if not 0 < asked <= MAX_PER_PAGE:
        raise unprocessable("Per page not supported")
    page, found, world = page_of(call.params), visible(call, matching(call)), call.state.world
    facets: dict[str, Any] = {f"{name}_facets": [] for name in FACETS}
    if "task_types" in read.texts(call.params, "open_factor_names"):
        counts = Counter(task["type"] for task in found)
        facets["task_types_facets"] = [
            {"value": kind, "display_name": kind, "count": number} for kind, number in counts.items()
        ]
    rows = [row(world, task) for task in cut(call, page, found)]
    return {
        "tasks": rows,
        "breadcrumbs": [],
        "pagination": pagination(page, len(found)),
        "faceting": facets,
        "pipeline_total": len(found),
        "num_fetch_result": None,
    }


TASK_SEARCH = (
    Operation(
        "tasks_search", "POST", "/tasks/search", "api/v1/tasks/search", "tasks_list", search,
        ("sort_by_field", "open_factor_names", *UNDOCUMENTED_FILTERS, "page", "per_page"), also=("GET",),
    ),
)  # fmt: skip
