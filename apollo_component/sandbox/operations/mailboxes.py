"""The team's linked mailboxes."""

from ..operation import Answer, Call, Operation


def listing(call: Call) -> Answer:
    return {"email_accounts": call.state.world.mailboxes}


MAILBOXES = (
    Operation(
        "email_accounts_list",
        "GET",
        "/email_accounts",
        "api/v1/email_accounts/index",
        "email_accounts_list",
        listing,
    ),
)
