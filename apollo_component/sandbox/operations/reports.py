"""Reports: flat, grouped and pivoted counts over a window of time.

Metrics with an emulation are in report_facts; the other documented ones are answered with 0.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .. import params as read
from ..errors import Refusal
from ..operation import Answer, Call, Operation
from ..report_facts import METRICS, RATIOS, Fact, facts_of
from ..searching import moment
from ..word_list import words

Record = dict[str, Any]
Params = Mapping[str, Any]

REQUIRED = (
    "metrics", "group_by", "sorts", "filters", "group_by_totals_selected", "pivot_group_by_totals_selected",
    "date_ranges",
)  # fmt: skip
OTHER_METRICS = frozenset(
    words(
        """num_phone_calls_connect_positive num_phone_calls_connect_negative num_phone_calls_connect_neutral
        avg_phone_call_duration num_all_meetings_scheduled num_meetings_held num_all_meetings_rescheduled
        num_calendar_events_scheduled num_calendar_events_cancelled num_all_meetings_scheduled_via_email
        num_all_meetings_scheduled_via_call num_tasks_completed_on_time percent_tasks_completed_on_time overdue_tasks
        unfinished_overdue_tasks percent_unfinished_overdue_tasks num_contacts_touched num_accounts_touched
        num_net_new_people num_net_new_companies num_contacts_with_job_change revenue_amount avg_salescycle_days
        num_contacts_added_to_sequence num_contacts_remove_from_sequence num_conversations_listened avg_talk_ratio
        avg_question_rate avg_longest_monologue speaker_switches num_linkedin_tasks_scheduled
        num_linkedin_tasks_completed num_linkedin_tasks_skipped percent_linkedin_tasks_completed"""
    )
)
DATE_REFERENCES = {"activity_datetime", "emailer_message__sent_at", "smart_datetime_range"}
USER_REFERENCES = {"user_id", "emailer_message__user_id", "smart_user_id"}
FILTERS = {
    "smart_user_id": "smart_user_id",
    "emailer_campaign_ids": "emailer_campaign_id",
    "contact_stage_ids": "contact_stage_id",
    "account_stage_ids": "account_stage_id",
    "opportunity_stage_ids": "opportunity_stage_id",
    "email_account_ids": "email_account_id",
}
DATES: dict[str, Callable[[datetime], tuple[str, str]]] = {
    "smart_datetime_day": lambda at: (f"{at:%Y-%m-%d}", f"{at:%b %d, %Y}"),
    "smart_datetime_week": lambda at: (f"{at - timedelta(at.weekday()):%Y-%m-%d}", f"Week {at:%W, %Y}"),
    "smart_datetime_month": lambda at: (f"{at:%Y-%m}-01", f"{at:%b %Y}"),
    "smart_datetime_year": lambda at: (f"{at:%Y}-01-01", f"{at:%Y}"),
    "smart_datetime_day_of_week": lambda at: (f"{at:%w}", f"{at:%A}"),
    "smart_datetime_hour_of_day": lambda at: (f"{at:%H}", f"{at:%H}:00"),
}
DAYS = {
    "last_7_days": 7, "last_2_weeks": 14, "last_30_days": 30, "last_3_months": 91, "last_6_months": 182,
    "last_12_months": 365, "last_4_quarters": 365, "last_2_years": 730,
}  # fmt: skip


def sync_report(call: Call) -> Answer:
    """Counts over the team's activity; every one of the seven keys must be there, empty or not."""
    params = call.params
    for name in REQUIRED:
        if params.get(name) is None:
            raise Refusal(400, {"error": f"param is missing or the value is empty: {name}"})
    metrics = [_metric(entry) for entry in _objects(params, "metrics")]
    wanted = _chosen(call)
    facts = [fact for fact in facts_of(call.state.world) if wanted(fact)]
    rows, columns = _dimension(params, "group_by"), _dimension(params, "pivot_group_by")
    table, by_row, by_column = _table(call, facts, metrics, rows, columns)
    answer = {"table_response": table, "group_by_total_response": {}, "pivot_group_by_total_response": {}}
    if rows and read.flag(params, "group_by_totals_selected"):
        answer["group_by_total_response"] = by_row
    if columns and read.flag(params, "pivot_group_by_totals_selected"):
        answer["pivot_group_by_total_response"] = by_column
    return {"response": answer, "incompatible_filters": {}, "goals": []}


def _objects(params: Params, name: str) -> list[Record]:
    sent = params.get(name)
    return [entry for entry in sent if isinstance(entry, dict)] if isinstance(sent, list) else []


def _metric(entry: Record) -> tuple[str, bool]:
    """The name of a metric, and whether its references are right: wrong ones give empty data."""
    name = read.text(entry, "value")
    known = name in METRICS or name in RATIOS or name in OTHER_METRICS or name.startswith("custom_metric_")
    if not known:
        raise Refusal(400, {"error": "Invalid metric type"})
    date, user = read.text(entry, "smart_datetime_reference"), read.text(entry, "smart_user_id_reference")
    return name, date in DATE_REFERENCES and user in USER_REFERENCES


def _chosen(call: Call) -> Callable[[Fact], bool]:
    """The test of the filters and the window of time."""
    sent = call.params["filters"]
    filters: Params = sent if isinstance(sent, dict) else {}
    low, high = _window(call, filters)
    sets = {
        group: {call.caller.user_id if own == "current" else own for own in ids}
        for name, group in FILTERS.items()
        if (ids := read.texts(filters, name))
    }

    def wanted(fact: Fact) -> bool:
        if any(fact.groups.get(group) not in ids for group, ids in sets.items()):
            return False
        return low is None or (fact.at is not None and low <= fact.at and (high is None or fact.at < high))

    return wanted


def _window(call: Call, filters: Params) -> tuple[datetime | None, datetime | None]:
    """The window of time; a quarter is three months of the calendar, a week begins on Monday."""
    ranges = _objects(call.params, "date_ranges")
    name = read.text(ranges[0], "modality") if ranges else "all_time"
    now = datetime.fromtimestamp(call.now, UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    if name == "custom_range":
        sent = filters.get("smart_datetime_range")
        bounds = sent if isinstance(sent, dict) else {}
        low, high = moment(bounds.get("min") or ""), moment(bounds.get("max") or "")
        return low, high + day if high else None
    if name in DAYS:
        return today - DAYS[name] * day, today + day
    if name in ("today", "yesterday"):
        start = today if name == "today" else today - day
        return start, start + day
    which, _, unit = name.partition("_")
    starts = {
        "week": today - timedelta(today.weekday()),
        "month": today.replace(day=1),
        "quarter": today.replace(day=1, month=today.month - (today.month - 1) % 3),
        "year": today.replace(day=1, month=1),
    }
    if which not in ("current", "previous") or unit not in starts:
        return None, None
    if which == "current":
        return starts[unit], today + day
    return _start_before(starts[unit], unit), starts[unit]


def _start_before(start: datetime, unit: str) -> datetime:
    if unit == "week":
        return start - timedelta(days=7)
    if unit == "year":
        return start.replace(year=start.year - 1)
    months = start.year * 12 + start.month - 1 - (3 if unit == "quarter" else 1)
    return start.replace(year=months // 12, month=months % 12 + 1)


def _dimension(params: Params, name: str) -> tuple[str, int | None] | None:
    entries = _objects(params, name)
    return (read.text(entries[0], "name"), read.integer(entries[0].get("limit"))) if entries else None


Table = tuple[Record, Record, Record]


def _table(
    call: Call,
    facts: list[Fact],
    metrics: list[tuple[str, bool]],
    rows: tuple[str, int | None] | None,
    columns: tuple[str, int | None] | None,
) -> Table:
    """The table and its totals; in a pivot the column's buckets are outside, as in the official example."""
    total = {"key": "total", "readable_key": "Total"} | values(facts, metrics)
    if rows is None:
        return values(facts, metrics), {}, {}
    buckets = _buckets(call, facts, metrics, rows)
    by_row = {rows[0]: {"buckets": [total]}}
    if columns is None:
        return {rows[0]: {"buckets": [bucket for bucket, _ in buckets]}}, by_row, {}
    outer = []
    for bucket, members in _buckets(call, facts, metrics, columns):
        inner = [row for row, _ in _buckets(call, members, metrics, rows)]
        outer.append({name: bucket[name] for name in ("key", "readable_key")} | {rows[0]: {"buckets": inner}})
    return {columns[0]: {"buckets": outer}}, by_row, {columns[0]: {"buckets": [total]}}


def values(facts: list[Fact], metrics: list[tuple[str, bool]]) -> Record:
    """Every metric as a number; ratios come with their denominator."""
    found: Record = {}
    for name, readable in metrics:
        if name in RATIOS:
            above, below = (METRICS[part](facts) if readable else 0 for part in RATIOS[name])
            found[name] = round(above / below, 4) if below else 0
            found[f"{name}_denominator"] = below
        else:
            found[name] = METRICS[name](facts) if readable and name in METRICS else 0
    return found


def _buckets(
    call: Call, facts: list[Fact], metrics: list[tuple[str, bool]], dimension: tuple[str, int | None]
) -> list[tuple[Record, list[Fact]]]:
    name, limit = dimension
    skipped = set(read.texts(call.params, "skip_group_by_values"))
    groups: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        if (bucket := _key(call, fact, name)) and bucket[0] not in skipped:
            groups.setdefault(bucket, []).append(fact)
    least = read.integer(call.params.get("min_ratio_denominator"), 0) or 0
    found: list[tuple[Record, list[Fact]]] = []
    for (key, readable), members in sorted(groups.items()):
        numbers = values(members, metrics)
        denominators = [number for title, number in numbers.items() if title.endswith("_denominator")]
        counted = [number for title, number in numbers.items() if number]
        if counted and (not least or not denominators or min(denominators) >= least):
            found.append(({"key": key, "readable_key": readable} | numbers, members))
    if sorts := _objects(call.params, "sorts"):
        metric = sorts[0].get("metric")
        title = read.text(metric, "value") if isinstance(metric, dict) else ""
        found.sort(key=lambda pair: pair[0].get(title, 0), reverse=not read.flag(sorts[0], "asc"))
    return found[:limit]


def _key(call: Call, fact: Fact, name: str) -> tuple[str, str] | None:
    """The bucket of a fact: its key and its name for people."""
    if name in DATES:
        return DATES[name](fact.at) if fact.at else None
    own = fact.groups.get(name)
    if own is None:
        return None
    world = call.state.world
    named: dict[str, Callable[[], str | None]] = {
        "smart_user_id": lambda: next((user["name"] for user in world.users if user["id"] == own), None),
        "emailer_campaign_id": lambda: world.sequences.get(own, {}).get("name"),
        "contact_stage_id": lambda: next((one["name"] for one in world.contact_stages if one["id"] == own), None),
        "account_stage_id": lambda: next((one["name"] for one in world.account_stages if one["id"] == own), None),
        "opportunity_stage_id": lambda: next((one["name"] for one in world.deal_stages if one["id"] == own), None),
        "account_id": lambda: world.accounts.get(own, {}).get("name"),
        "phone_call_outcome_id": lambda: world.call_outcomes.get(own),
        "phone_call_purpose_id": lambda: world.call_purposes.get(own),
    }
    return own, named.get(name, lambda: None)() or own


REPORTS = (
    Operation(
        "reports_sync_report", "POST", "/reports/sync_report", "api/v1/reports/sync_report", "report_sync",
        sync_report, (*REQUIRED, "pivot_group_by", "skip_group_by_values", "min_ratio_denominator"),
        quota_class="sync_report",
    ),
)  # fmt: skip
