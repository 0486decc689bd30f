"""Switches a test may turn."""

from dataclasses import dataclass


@dataclass
class Settings:
    """Switches a test may turn."""

    dialect: str = "new"  # "old": bodies as they were before 2026-09-18
    latency_ms: float = 0.0
    plan: str = "organization"
    async_seconds: float = 2.0  # sandbox time until asynchronous enrichment, exports and assistant tasks are done
    job_seconds: float = 2.0  # until an entity_progress_job is done; its records change one by one on the way
    email_seconds: float = 2.0  # from send_now to the delivery
    retry_after_seconds: int = 10  # what "not ready yet" recommends
    bill_on: str = "accept"  # "deliver": asynchronous credits are booked with the result (Apollo's moment is unknown)
    webhook_retries: tuple[float, ...] = (1.0, 5.0, 30.0)  # waits after failed deliveries; Apollo's are unpublished
    contact_deals_by_token: str = "allowed"  # "refused": no scope grants them (sources disagree)
    search_lag: float = 0.0  # seconds a new record stays invisible to searches
    custom_field_errors: str = "told"  # "silent": ids of no field are dropped without a word (both made up)
    strange: int = 0  # a seed makes answers odd (see strange.py), 0 does not
    strange_share: float = 0.3  # how often each oddity is drawn
    strange_kinds: tuple[str, ...] = ()  # the oddities that may be drawn; none: all of them
    page_repeats: float = 0.0  # share of the rows after page 1 that repeat a row of the page before
