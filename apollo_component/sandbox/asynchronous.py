"""The asynchronous half of enrichment: promised when a request comes in, ready a little later, then delivered.

Results become ready `async_seconds` of sandbox time after the request; they can be polled from then on for 30 days
and are posted to the webhook, if there is one. Credits are booked when the request is accepted or when the result
is there (setting `bill_on`; the moment is unverified). One request that asks for a native phone reveal and for a
waterfall gets one id and one payload, that of the waterfall (unverified).
"""

from collections.abc import Mapping
from typing import Any

from . import params as read
from .clock import stamp
from .courier import NAME, acceptable
from .errors import Refusal
from .ids import object_id, signed_int64
from .operation import Call
from .world.directory import Person

TRIGGERS = ("reveal_phone_number", "run_waterfall_email", "run_waterfall_phone")
ACCEPTED = "Waterfall enrichment request accepted. Results will be sent to the provided webhook URL."
PENDING = "Phone numbers are being looked up and will be delivered asynchronously."  # unverified text
SKIPPED = "No person was found."  # unverified text
MOBILE, WATERFALL_EMAIL, WATERFALL_PHONE = 8, 2, 10  # credits; of a waterfall only the usual span is documented
KEPT_SECONDS = 30 * 86_400

Payload = dict[str, Any]


def asked(params: Mapping[str, Any]) -> list[str]:
    return [name for name in TRIGGERS if read.flag(params, name)]


def has_waterfall(params: Mapping[str, Any]) -> bool:
    return any(name.startswith("run_waterfall") for name in asked(params))


def check_async(params: Mapping[str, Any]) -> None:
    """Refuses an asynchronous request that names no way to deliver its result, or two."""
    triggers, url = asked(params), read.text(params, "webhook_url")
    poll_only = read.flag(params, "poll_only")
    if poll_only and url:
        raise Refusal(400, {"error_code": "WEBHOOK_URL_WITH_POLL_ONLY"})
    # Only the form of the address is looked at; plain http is let through for receivers on this machine.
    if triggers and not poll_only and not acceptable(url):
        text = f"Please add a valid 'webhook_url' parameter when using '{triggers[0]}'"
        raise Refusal(400, {"error": text})


def price(params: Mapping[str, Any], people: list[Person]) -> int:
    """What the asynchronous part of a request will cost: finds are billed, misses are not (unverified)."""
    triggers = asked(params)
    mobiles = sum(person.direct_phone for person in people)
    mails = sum(person.email is not None for person in people)
    cost = MOBILE * mobiles if "reveal_phone_number" in triggers else 0
    cost += WATERFALL_PHONE * mobiles if "run_waterfall_phone" in triggers else 0
    return cost + (WATERFALL_EMAIL * mails if "run_waterfall_email" in triggers else 0)


def async_parts(call: Call, people: list[Person]) -> dict[str, Any]:
    """The request id and the promises, with the result put on the agenda."""
    triggers = asked(call.params)
    if not triggers:
        return {}
    number = _promise(call, people, triggers)
    parts: dict[str, Any] = {"request_id": number}
    if "reveal_phone_number" in triggers:
        status = "pending" if people else "skipped"
        message = PENDING if people else SKIPPED
        parts["phone_enrichment"] = {"request_id": number, "status": status, "message": message}
    if has_waterfall(call.params):
        parts["waterfall"] = {"status": "accepted", "message": ACCEPTED, "unprocessed_attributes": []}
    return parts


def _promise(call: Call, people: list[Person], triggers: list[str]) -> int:
    state, world = call.state, call.state.world
    number, ids = signed_int64(world.seed, len(world.reveals)), [person.id for person in people]
    own, url = str(number), read.text(call.params, "webhook_url")
    ready = call.now + state.settings.async_seconds
    world.reveals[own] = entry = {
        "people": ids,
        "asked": triggers,
        "webhook_url": url,
        "at": call.now,
        "ready": ready,
        "status": "pending",
        "result": None,
    }
    bill_later = state.settings.bill_on == "deliver"
    cost = price(call.params, people)
    state.courier.expected += bool(url)

    def finish(moment: float) -> None:
        fault = state.faults.pick(f"{NAME}_result", exactly=True)
        failed = fault is not None and fault.kind == "fail"
        if bill_later and not failed:
            state.ledger.bill_later(call, cost, ids)
        result = _payload(call, own, people, 0 if failed else cost, moment)
        entry.update(status="failed" if failed else "success", result=result, finished=moment)
        if url:
            state.courier.expected -= 1
            state.courier.add(own, url, result, moment)

    state.agenda.at(ready, finish)
    return number


def _payload(call: Call, own: str, people: list[Person], cost: int, moment: float) -> Payload:
    if has_waterfall(call.params):
        return _waterfall(call, own, people, cost, moment)
    return phone_payload(people, cost)


def phone_payload(people: list[Person], cost: int) -> Payload:
    """The result of a native phone reveal."""
    return {
        "status": "success",
        "total_requested_enrichments": len(people),
        "unique_enriched_records": len({person.id for person in people if person.direct_phone}),
        "missing_records": sum(not person.direct_phone for person in people),
        "credits_consumed": cost,
        "people": [
            {"id": person.id, "status": "success", "phone_numbers": [_phone(person)] if person.direct_phone else []}
            for person in people
        ],
    }


def _phone(person: Person) -> Payload:
    own, line = object_id(person.number, "phone", 0), f"555-{555}-{person.number % 10_000:04d}"
    return {
        "_id": own,
        "id": own,
        "key": own,
        "raw_number": f"+1 {line}",
        "sanitized_number": f"+1{line.replace('-', '')}",
        "position": 0,
        "status_cd": "valid_number",
        "type_cd": "mobile",
        "confidence_cd": "high",
        "direct_dial_source_cd": "contact_trusted",
        "dnc_status_cd": "not_found",
        "dnc_status_updated_at": "2023-08-15T20:57:53.108+00:00",
        "dnc_other_info": {"country": person.city.country},
        "created_at": None,
        "updated_at": None,
    }


def _waterfall(call: Call, own: str, people: list[Person], cost: int, moment: float) -> Payload:
    triggers = asked(call.params)
    mails, phones = "run_waterfall_email" in triggers, len(triggers) > ("run_waterfall_email" in triggers)
    found_mails = sum(person.email is not None for person in people) if mails else 0
    found_phones = sum(person.direct_phone for person in people) if phones else 0
    enriched = sum(bool((mails and person.email) or (phones and person.direct_phone)) for person in people)
    return {
        "status": "success",
        "total_requested_enrichments": len(people),
        "target_fields": [name for name, on in (("emails", mails), ("phone_numbers", phones)) if on],
        "records_enriched": enriched,
        "email_records_enriched": found_mails,
        "mobile_records_enriched": found_phones,
        "enrichment_not_found": len(people) - enriched,
        "email_records_not_found": len(people) - found_mails if mails else 0,
        "mobile_records_not_found": len(people) - found_phones if phones else 0,
        "credits_consumed": cost,
        "request_id": own,
        "request_initiated": _short(call.now - call.state.settings.async_seconds),
        "request_completed": _short(moment),
        "people": [_waterfall_person(person, moment, mails=mails, phones=phones) for person in people],
    }


def _short(moment: float) -> str:
    return stamp(moment)[:-5] + "Z"


def _waterfall_person(person: Person, moment: float, *, mails: bool, phones: bool) -> Payload:
    emails = [person.email] if mails and person.email else []
    numbers = [_phone(person)] if phones and person.direct_phone else []
    vendors: Payload = {}
    if mails:
        vendors["emails"] = [{"vendors": [_vendor("vendor_single_email_search", "emails", emails)]}]
    if phones:
        raw = [number["raw_number"] for number in numbers]
        vendors["phone_numbers"] = [{"vendors": [_vendor("vendor_mobile_finder", "phone_numbers", raw)]}]
    vendor_null = ("confidence_cd", "dnc_status_cd", "dnc_status_updated_at", "type_cd")
    shown = ("_id", "id", "key", "raw_number", "sanitized_number")
    return {
        "id": person.id,
        "waterfall": vendors,
        "emails": [_email(email, moment) for email in emails],
        "phone_numbers": [
            {name: number[name] for name in shown}
            | dict.fromkeys(vendor_null)
            | {"dnc_other_info": {}, "status_cd": "no_status"}
            for number in numbers
        ],
    }


def _vendor(own: str, name: str, found: list[str]) -> Payload:
    return {
        "id": f"{own}-1",
        "name": "Vendor",
        "status": "UNVERIFIED" if found else "NOT_FOUND",  # what a miss is called is unverified
        name: found,
        "usedForVerification": False,
        "statusCode": None,
        "statusMessage": None,
        "authMechanism": "native",
    }


def _email(email: str, moment: float) -> Payload:
    return {
        "email": email,
        "email_source_cd": None,
        "position": 0,
        "email_status_cd": "Verified",
        "extrapolated_email_confidence": None,
        "third_party_data_provider_id": "vendor_single_email_search",
        "waterfall_enriched_at": stamp(moment),
        "vendor_validation_statuses": [],
    }
