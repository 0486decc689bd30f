"""Every named shape of the OpenAPI document."""

from .shapes import (
    ANY,
    FREE,
    MOMENT,
    NUMBER,
    TEXT,
    TRUTH,
    WHOLE,
    Shape,
    listed,
    mapped,
    obj,
    or_null,
    ref,
    text,
)

SERVERS: dict[str, Shape] = {
    "servers": {
        **or_null(mapped(TEXT)),
        "description": "Scheme, host and port of each server that it was stored for, by the server's name: it is used "
        "at no other. Null while that isn't known; then it is used nowhere.",
    },
    "sandbox": {**TRUTH, "description": "Whether that is a server on this computer rather than the service."},
}
TITLED = obj({"id": TEXT, "title": TEXT})
REQUIRES = obj(
    {},
    {
        "key_endpoint": TEXT,
        "oauth_scope": TEXT,
        "key_endpoints": listed(TEXT),
        "oauth_scopes": listed(TEXT),
        "master_key": TRUTH,
        "open": TRUTH,
    },
    "What a credential needs; the plural names are of actions that are made of several.",
)
SHORT_ACTION = obj(
    {
        **TITLED["properties"],
        "group": TEXT,
        "credits": {**or_null(NUMBER), "description": "Of one request at most; null where no limit is known."},
        "credits_each": {**TRUTH, "description": "Whether each item of a list costs."},
        "credits_more": {**TRUTH, "description": "Whether inputs can add to it."},
        "requires": REQUIRES,
    }
)
COST = obj(
    {
        "base": NUMBER,
        "per": listed(TEXT),
        "flags": mapped(NUMBER, "What an input adds when it is true."),
        "unbounded": {**listed(TEXT), "description": "Inputs whose cost has no known limit."},
        "variable": {**TRUTH, "description": "Whether the service states no limit at all."},
        "stated_by": {**or_null(TEXT), "description": "The input in which a person states the cost."},
    },
    text="Credits of one request at most: `base` and the flags, for each item of the lists `per` where there are any.",
)
GUIDE_STEP = obj(
    {
        "title": TEXT,
        "text": TEXT,
        "show": {
            **or_null(TEXT),
            "description": "List here: `key_endpoints`, `oauth_scopes`, `redirect_uri` or `name` (of the key or app).",
        },
        "fields": {**listed(TEXT), "description": "The fields of the form that the step explains."},
    }
)
ACCOUNT = obj({"id": TEXT, "team_id": TEXT, "name": TEXT, "email": TEXT}, text="Whose account it is, as far as known.")
CHECK = obj(
    {
        "name": TEXT,
        "outcome": text(enum=["passed", "missed", "untested", "failed"]),
        "text": TEXT,
        "missing": FREE,
    }
)
COUNT = or_null(NUMBER)
USAGE_PART = {"problem": text("Why nothing is told, else empty."), "start": TEXT, "end": TEXT}
CHOICE = obj(
    {"label": TEXT, "value": TEXT, "type": text("What its values are, where the choice is a field; else empty.")},
    {"choices": listed(ref("Choice"))},
)
CREDITS = obj(
    {
        "spent": {**NUMBER, "description": "As the answers told, else the worst."},
        "reserved": {**NUMBER, "description": "For requests that are open or in doubt."},
        "paid_twice": {**NUMBER, "description": "What repeats of lost answers may have paid once more, at most."},
    }
)
IN_DOUBT = obj(
    {"step": TEXT, "item": TEXT, "action": TEXT, "outcome": TEXT},
    text="A request that was sent and whose answer was lost, or was told by a person.",
)
TOTAL = {**or_null(WHOLE), "description": "How many match in all, where the service told."}
FIRST_PAGE = {**TRUTH, "description": "Whether one page of several was read, as was wanted."}
WARNINGS = {**listed(TEXT), "description": "What the service said, and what is missing in its answers."}
MISS = obj(
    {
        "item": text("How it was asked for; empty where nothing tells which one it is."),
        "reason": text("Why, in the service's words; empty where it gave none."),
    },
    {"field": text("The record did come, but without this part of what was asked.")},
    "Something that was asked for and that the answer doesn't bring.",
)
MISSES = {**listed(MISS), "description": "The first 1,000 misses: `{item, reason, field?}`."}
ACCOUNTS = {
    "asked": {**WHOLE, "description": "How many items the answers had to account for."},
    "given": {**WHOLE, "description": "How many of them came, or of a search how many records did."},
    "not_found": {**WHOLE, "description": "How many were asked for and not found."},
    "missed": {**WHOLE, "description": "How many are misses without a `field`."},
    "misses": MISSES,
}
DETAIL = obj(
    {},
    {
        "records": WHOLE,
        "pages": WHOLE,
        "total": TOTAL,
        "first_page": FIRST_PAGE,
        "warnings": WARNINGS,
        **ACCOUNTS,
        "error": {**FREE, "description": "What ended it, or what it waits for."},
        "reason": TEXT,
        "step": text("Where a workflow's run stands still."),
    },
    "Of an action's run what it was asked for and gave; a search has none of `asked` to `misses`. Of a workflow's run "
    "where it stands still.",
)
STEP = obj(
    {"id": TEXT, "status": TEXT},
    {
        "action": TEXT,
        "requests": WHOLE,
        "records": WHOLE,
        "planned": {**WHOLE, "description": "How many requests are known to be needed."},
        "failed": {**WHOLE, "description": "How many requests were refused."},
        "errors": {**listed(FREE), "description": "With `on_error: collect`: `{item, error}`."},
        "warnings": WARNINGS,
        **ACCOUNTS,
        "late": {**listed(FREE), "description": "Inputs that fetch what came too late or wasn't waited for."},
        "spent": NUMBER,
        "reserved": NUMBER,
    },
    "A search has none of `asked` to `misses`.",
)
LOOKED = obj(
    {
        "requests": WHOLE,
        "seen": {**WHOLE, "description": "Records that were read: known, filtered, undated and started together."},
        "known": {**WHOLE, "description": "Those seen before, or older than the beginning."},
        "filtered": {**WHOLE, "description": "Those that the trigger isn't about, or its `when` leaves out."},
        "undated": {**WHOLE, "description": "Those without the time that the trigger goes by."},
        "started": {**WHOLE, "description": "Those that started a run each."},
        "warnings": WARNINGS,
    },
    text="What the last look of a trigger saw that got through.",
)
SESSION = {
    "id": TEXT,
    "owner": TEXT,
    "name": TEXT,
    "connector": TEXT,
    "types": listed(TEXT),
    "actions": listed(TEXT),
    "return_url": TEXT,
    "status": text(enum=["waiting", "opened", "linked", "revoked", "expired"]),
    "created_at": MOMENT,
    "expires_at": MOMENT,
    "opened_at": or_null(MOMENT),
    "connection": {**or_null(TEXT), "description": "The id of the account that was linked."},
}
SHORT_RUN = {
    "id": TEXT,
    "kind": text(enum=["action", "workflow"]),
    "title": TEXT,
    "status": TEXT,
    "budget": COUNT,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "ended_at": or_null(MOMENT),
}

COMPONENTS: dict[str, Shape] = {
    "Error": obj(
        {
            "error": obj(
                {"code": text("Stable, for programs."), "message": text("One sentence for people.")},
                {
                    "hint": text("What to do next."),
                    "request_id": text("The service's own id of the request."),
                    "exit_code": WHOLE,
                    "problems": listed(
                        obj(
                            {"text": TEXT},
                            {"path": text("Where, such as `fields.api_key`."), "line": WHOLE, "file": TEXT},
                        )
                    ),
                    "retry_after": {**NUMBER, "description": "Seconds."},
                    "resets_at": MOMENT,
                    "window": TEXT,
                    "needed": NUMBER,
                    "missing": {**FREE, "description": "Which right is missing."},
                },
            )
        }
    ),
    "Connector": obj(
        {
            **TITLED["properties"],
            "version": TEXT,
            "description": TEXT,
            "actions": {**WHOLE, "description": "How many."},
            "triggers": {**WHOLE, "description": "How many."},
        }
    ),
    "PaletteEntry": obj(
        {
            **TITLED["properties"],
            "version": TEXT,
            "description": TEXT,
            "groups": listed(TITLED),
            "actions": listed(SHORT_ACTION),
            "triggers": listed(
                obj(
                    {
                        **TITLED["properties"],
                        "group": TEXT,
                        "style": TEXT,
                        "interval": {**WHOLE, "description": "Seconds."},
                    }
                )
            ),
            "connection_types": listed(ref("ConnectionType")),
        }
    ),
    "ConnectionType": obj(
        {
            **TITLED["properties"],
            "description": TEXT,
            "kind": text(enum=["key", "authorization_code"]),
            "fields": {**FREE, "description": "The form, as JSON Schema; `secret` marks what must be hidden."},
            "guide": listed(GUIDE_STEP),
            "removal": text("What stays at the service when a connection is removed."),
        }
    ),
    "Action": obj(
        {
            **TITLED["properties"],
            "connector": TEXT,
            "group": TEXT,
            "description": TEXT,
            "effect": text("What a repeat would do.", enum=["read", "upsert", "create", "bill", "send"]),
            "may_mail": {**TRUTH, "description": "Whether real people may get mail; then it needs `confirm`."},
            "cost": COST,
            "requires": REQUIRES,
            "paged": TRUTH,
            "bulk": or_null(obj({"items": listed(TEXT), "max": WHOLE})),
            "deprecated": or_null(TEXT),
            "example": FREE,
            "input": {**FREE, "description": "JSON Schema; `x-options` names what fills a field's drop-down."},
            "output": {**FREE, "description": "JSON Schema of a record, or of the whole answer."},
        }
    ),
    "Trigger": obj(
        {
            **TITLED["properties"],
            "connector": TEXT,
            "group": TEXT,
            "description": TEXT,
            "style": TEXT,
            "interval": {**WHOLE, "description": "Seconds."},
            "input": FREE,
            "record": or_null(FREE),
        }
    ),
    "Requirements": obj(
        {
            "key_endpoints": {**listed(TEXT), "description": "What to tick on a key."},
            "oauth_scopes": listed(TEXT),
            "master_key": TRUTH,
            "credits": mapped(FREE, "What those that can cost do cost."),
            "late": mapped(obj({"when": listed(TEXT), "needs": TEXT}), "Which action asks for what comes later."),
            "custom_fields": mapped(listed(TEXT), "Which actions list the fields that an action takes by name."),
        }
    ),
    "Connection": obj(
        {
            "id": TEXT,
            "name": TEXT,
            "connector": TEXT,
            "type": TEXT,
            **SERVERS,
            "status": text("`active`, `needs_reauthorization`, or another reason why it rests."),
            "reason": TEXT,
            "since": MOMENT,
            "scopes": or_null(listed(TEXT)),
            "expires_at": or_null(MOMENT),
            "account": ACCOUNT,
            "missed": {**FREE, "description": "The rights that were found missing, by action."},
            "tested_at": or_null(MOMENT),
        },
        {"owner": text("For whom it was linked, else empty.")},
        "A linked account. Its secret is in no answer.",
    ),
    "TestReport": obj(
        {
            "verdict": text(enum=["connected", "limited", "refused", "unreachable"]),
            "text": TEXT,
            "hint": TEXT,
            "account": or_null(ACCOUNT),
            "checks": listed(CHECK),
        }
    ),
    "Linked": obj({"connection": ref("Connection"), "test": ref("TestReport")}),
    "Usage": obj(
        {
            "credits": obj(
                {
                    "rows": listed(
                        obj({"pool": TEXT, "title": TEXT, "note": TEXT, "limit": COUNT, "used": COUNT, "left": COUNT})
                    ),
                    **USAGE_PART,
                }
            ),
            "requests": obj(
                {
                    "rows": listed(obj({"name": TEXT, "window": TEXT, "limit": COUNT, "used": COUNT, "left": COUNT})),
                    **USAGE_PART,
                }
            ),
            "learnt": listed(
                obj({"operation": TEXT, "window": TEXT, "limit": COUNT, "left": COUNT, "resets_at": MOMENT})
            ),
        }
    ),
    "Event": obj({"at": MOMENT, "event": TEXT, "text": TEXT}),
    "Choice": CHOICE,
    "App": obj(
        {
            "name": TEXT,
            "connector": TEXT,
            "client_id": TEXT,
            **SERVERS,
            "redirect_uris": listed(TEXT),
            "connections": {**listed(TEXT), "description": "The names of those that use it."},
        },
        text="An OAuth client registered at a service. Its secret is in no answer.",
    ),
    "ConnectSession": obj(SESSION),
    "NewConnectSession": obj({**SESSION, "url": text("Lead the end user there. It is told this once.")}),
    "Ran": obj({}, {"result": ref("Result"), "plan": ref("Plan")}, "`result`, or with `dry_run` `plan`."),
    "Result": obj(
        {
            "run": text("The run's id."),
            "status": text("`done`, `failed` or `cancelled`."),
            "records": {**listed(ANY), "description": "null stands for one that was asked for and not found."},
            "value": {"description": "The answer of an action that gives no list."},
            "total": TOTAL,
            "first_page": FIRST_PAGE,
            **ACCOUNTS,
            "asked": {**or_null(WHOLE), "description": "How many items it had to account for; null for a search."},
            "warnings": WARNINGS,
            "credits": CREDITS,
            "in_doubt": {**listed(IN_DOUBT), "description": "Requests whose answer was lost."},
        },
        {"error": {**FREE, "description": "What ended it before all was there."}},
    ),
    "Plan": obj(
        {
            "action": TEXT,
            "method": TEXT,
            "path": TEXT,
            "inputs": mapped(TEXT, "Where each goes."),
            "effect": TEXT,
            "requests": {**or_null(WHOLE), "description": "null where only the first answer tells."},
            "worst_credits": COUNT,
        },
        {
            "request": obj({"method": TEXT, "path": TEXT, "query": listed(listed(TEXT)), "body": ANY}),
            "parts": listed(FREE),
            "budget": NUMBER,
            "covered": {**TRUTH, "description": "Whether the budget is enough for the worst case."},
            "split": FREE,
        },
        "What would be sent.",
    ),
    "Workflow": obj(
        {
            "name": TEXT,
            "can_start": TRUTH,
            "problems": listed(FREE),
            "enabled": TRUTH,
            "runs": {**WHOLE, "description": "How many there were."},
            "inputs": mapped(FREE, "By name; one without a default is required."),
            "connections": mapped(TEXT, "The connector of each alias."),
            "starts_by_itself": TRUTH,
            "looked": {**or_null(LOOKED), "description": "What its trigger saw at the last look; null before any."},
        }
    ),
    "ShortRun": obj({**SHORT_RUN, "workflow": TEXT, "spent": NUMBER, "reserved": NUMBER}),
    "Run": obj(
        {
            **SHORT_RUN,
            "started_by": ANY,
            "inputs": FREE,
            "detail": DETAIL,
            "credits": CREDITS,
            "steps": listed(STEP),
            "in_doubt": listed(IN_DOUBT),
        }
    ),
}
