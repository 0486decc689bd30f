"""Every page of the Hub: where it is among what `filled` made, who sees it, and what is done to see it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from playwright.sync_api import Page

Doing = Callable[[Page], None]
OPERATOR, GUEST, LINKED, NOBODY = "operator", "guest", "linked guest", "nobody"


@dataclass(frozen=True, slots=True)
class Seen:
    """`place` is the Hub's place that answers it; `address` has names of what was made. `then` is done on the page of
    the address. `statuses` are those that a browser's console may complain about. `section` is where docs/hub.md
    shows it, in `theme`; a page without one isn't shown there."""

    name: str
    place: str
    address: str
    then: Doing | None = None
    who: str = OPERATOR
    statuses: tuple[int, ...] = ()
    section: str = ""
    theme: str = "light"


def presses(button: str, fields: Mapping[str, str] | None = None) -> Doing:
    """Fills in fields by their labels and presses a button."""

    def done(page: Page) -> None:
        for label, value in (fields or {}).items():
            page.get_by_label(label, exact=True).fill(value)
        page.get_by_role("button", name=button, exact=True).first.click()

    return done


def removes(page: Page) -> None:
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name="Remove it").click()


def opens_dialog(page: Page) -> None:
    page.get_by_role("button", name="Remove", exact=True).click()


def shows_usage(page: Page) -> None:
    page.get_by_text("Credits", exact=True).wait_for()


def checks_and_opens(page: Page) -> None:
    """The form with an example, what it would send, and what is copied."""
    page.get_by_role("button", name="Fill in an example").click()
    page.get_by_label("It may spend the budget above.").wait_for()
    page.get_by_text("The request", exact=True).click()


def looks_once_more(page: Page) -> None:
    presses("Check", {"Email": "nobody"})(page)
    page.locator("#f-email-wrong").wait_for()


def asks_for_alert(page: Page) -> None:
    page.get_by_role("alert").wait_for()


def pastes_a_workflow(page: Page) -> None:
    page.locator("details.purpose summary").click()
    presses("Show what this file needs", {"Another workflow file": "name: Broken\nsteps: []\n"})(page)
    page.locator("#purpose-wrong").wait_for()


KEY = "/link?connector=apollo&type=api_key&for=people_api_search&for=people_match&for=contact_created"
OAUTH = "/link?connector=apollo&type=oauth2&for=people_api_search&for=people_match&for=contacts_create"
TICKED = "/?q=enrihc&pick=people_match&pick=contacts_upsert&pick=contact_created"
WRONG = "wrong-key-1234567890"

PAGES = (
    Seen("sign-in", "GET /sign-in", "/sign-in", who=NOBODY, section="Signing in"),
    Seen("sign-in-refused", "GET /sign-in", "/sign-in#used", asks_for_alert, NOBODY, (403,)),
    Seen("missing", "", "/nowhere", statuses=(404,), section="Signing in"),
    Seen("problem", "GET /accounts/{id}", "/accounts/nobody", statuses=(404,), section="Signing in"),
    Seen("palette", "GET /", "/", section="Palette"),
    Seen("palette-ticked", "GET /", TICKED, section="Palette"),
    Seen("palette-nothing", "GET /", "/?q=zzzzz"),
    Seen("connector", "GET /connectors/{connector}", "/connectors/apollo", section="Palette"),
    Seen(
        "action",
        "GET /connectors/{connector}/actions/{action}",
        "/connectors/apollo/actions/people_bulk_match",
        section="Palette",
    ),
    Seen(
        "trigger",
        "GET /connectors/{connector}/triggers/{trigger}",
        "/connectors/apollo/triggers/deal_stage_changed",
        section="Palette",
    ),
    Seen("link-key", "GET /link", KEY, section="Linking"),
    Seen("link-oauth", "GET /link", OAUTH, section="Linking"),
    Seen(
        "link-refused",
        "POST /link",
        KEY,
        presses("Test and connect", {"Name of the account": "Sales", "API key": WRONG}),
        statuses=(422,),
        section="Linking",
    ),
    Seen("link-workflow", "GET /link", f"{KEY.partition('&for')[0]}&workflow=Prospect+small+companies"),
    Seen(
        "link-workflow-refused",
        "POST /link/workflow",
        KEY,
        pastes_a_workflow,
        statuses=(422,),
        section="Linking",
    ),
    Seen("link-again", "GET /link", "/link?connection={oauth}"),
    Seen("attempt", "GET /link/attempts/{id}", "{waiting}", section="Linking"),
    Seen("attempt-denied", "GET /link/attempts/{id}", "{denied}", section="Linking"),
    Seen("linked", "GET /link/attempts/{id}", "{linked}", section="Linking"),
    Seen("linked-limited", "GET /link/attempts/{id}", "{linked_limited}", section="Linking"),
    Seen("callback-elsewhere", "GET /callback", "/callback?error=nothing", who=NOBODY, statuses=(422,)),
    Seen("guest-start", "GET /connect/start", "/connect/start", who=NOBODY, section="Links for your users"),
    Seen("guest", "GET /connect", "/connect", who=GUEST, section="Links for your users"),
    Seen(
        "guest-refused",
        "POST /connect",
        "/connect?type=api_key",
        presses("Test and connect", {"API key": WRONG}),
        GUEST,
        (422,),
    ),
    Seen("guest-linked", "GET /link/attempts/{id}", "{of_guest}", who=LINKED, section="Links for your users"),
    Seen("guest-over", "GET /connect", "/connect", who=LINKED, section="Links for your users"),
    Seen("accounts", "GET /accounts", "/accounts", section="Accounts"),
    Seen("accounts-nothing", "GET /accounts", "/accounts?q=zzzzz"),
    Seen("account", "GET /accounts/{id}", "/accounts/{work}", shows_usage, section="Accounts", theme="dark"),
    Seen("account-oauth", "GET /accounts/{id}", "/accounts/{oauth}", shows_usage),
    Seen("account-ended", "GET /accounts/{id}", "/accounts/{ended}", section="Accounts"),
    Seen("account-limited", "GET /accounts/{id}", "/accounts/{limited}"),
    Seen("account-tested", "POST /accounts/{id}/test", "/accounts/{limited}", presses("Test now"), section="Accounts"),
    Seen(
        "account-name-refused",
        "POST /accounts/{id}/name",
        "/accounts/{oauth}",
        presses("Rename", {"Name here": "Work"}),
        statuses=(422,),
    ),
    Seen("account-remove", "GET /accounts/{id}", "/accounts/{spare}", opens_dialog),
    Seen("account-removed", "POST /accounts/{id}/remove", "/accounts/{spare}", removes, section="Accounts"),
    Seen("account-usage", "GET /accounts/{id}/usage", "/accounts/{work}/usage", section="Accounts"),
    Seen("try", "GET /try/{connector}/{action}", "/try/apollo/people_match", checks_and_opens, section="Try it"),
    Seen(
        "try-refused",
        "POST /try/{connector}/{action}",
        "/try/apollo/people_match",
        looks_once_more,
        statuses=(422,),
        section="Try it",
    ),
    Seen("try-result", "GET /try/runs/{run}", "/try/runs/{tried}", section="Try it"),
    Seen("try-result-json", "GET /try/runs/{run}", "/try/runs/{tried}?view=json"),
    Seen("workflows", "GET /workflows", "/workflows", section="Workflows and runs"),
    Seen("workflow", "GET /workflows/{name:path}", "/workflows/{workflow}", section="Workflows and runs"),
    Seen("workflow-enabled", "GET /workflows/{name:path}", "/workflows/{enabled}", section="Workflows and runs"),
    Seen("workflow-broken", "GET /workflows/{name:path}", "/workflows/{broken}", section="Workflows and runs"),
    Seen(
        "workflow-start",
        "GET /workflows/{name:path}/start",
        "/workflows/{workflow}/start",
        section="Workflows and runs",
    ),
    Seen(
        "workflow-start-refused",
        "POST /workflows/{name:path}/start",
        "/workflows/{workflow}/start",
        presses("Start the run", {"Budget in credits": "lots"}),
        statuses=(422,),
    ),
    Seen(
        "workflow-enable",
        "GET /workflows/{name:path}/enable",
        "/workflows/{enabled}/enable",
        section="Workflows and runs",
    ),
    Seen(
        "workflow-enable-refused",
        "POST /workflows/{name:path}/enable",
        "/workflows/{enabled}/enable",
        presses("Enable", {"Budget in credits": "lots"}),
        statuses=(422,),
    ),
    Seen("runs", "GET /runs", "/runs", section="Workflows and runs"),
    Seen("runs-nothing", "GET /runs", "/runs?id=zzzzz"),
    Seen("run", "GET /runs/{run}", "/runs/{done}", section="Workflows and runs"),
    Seen("run-failed", "GET /runs/{run}", "/runs/{failed}", section="Workflows and runs", theme="dark"),
    Seen("run-waiting", "GET /runs/{run}", "/runs/{held}", section="Workflows and runs"),
    Seen("run-doubtful", "GET /runs/{run}", "/runs/{doubtful}", section="Workflows and runs"),
    Seen("run-of-an-action", "GET /runs/{run}", "/runs/{tried}"),
    Seen(
        "run-resume-refused",
        "POST /runs/{run}/resume",
        "/runs/{held}",
        presses("Go on", {"New budget": "lots"}),
        statuses=(422,),
    ),
    Seen("run-settle-refused", "POST /runs/{run}/settle", "/runs/{doubtful}", presses("Save"), statuses=(422,)),
    Seen("run-cancel", "GET /runs/{run}/cancel", "/runs/{held}/cancel", section="Workflows and runs"),
    Seen("run-step", "GET /runs/{run}/steps/{step}", "/runs/{done}/steps/contacts", section="Workflows and runs"),
    Seen(
        "run-record",
        "GET /runs/{run}/steps/{step}/records/{seq:int}",
        "/runs/{done}/steps/contacts/records/0",
        section="Workflows and runs",
    ),
    Seen("credits", "GET /credits", "/credits?by=hours", section="Workflows and runs", theme="dark"),
    Seen("settings", "GET /settings", "/settings", section="Settings"),
    Seen("apps", "GET /settings/apps", "/settings/apps", section="Settings"),
    Seen("apps-refused", "POST /settings/apps", "/settings/apps", presses("Store the app"), statuses=(422,)),
    Seen("links", "GET /settings/links", "/settings/links", section="Links for your users"),
    Seen(
        "link-made",
        "POST /settings/links",
        "/settings/links",
        presses("Make the link", {"For whom": "Dune Travel"}),
        section="Links for your users",
    ),
    Seen("tokens", "GET /settings/tokens", "/settings/tokens", section="Settings"),
    Seen(
        "token-made",
        "POST /settings/tokens",
        "/settings/tokens",
        presses("Make token", {"Name": "Reports"}),
        section="Settings",
    ),
)

EMPTY = (
    Seen("palette-of-no-account", "GET /", "/"),
    Seen("try-without-account", "GET /try/{connector}/{action}", "/try/apollo/people_match"),
    Seen("start-without-account", "GET /workflows/{name:path}/start", "/workflows/Prospect%20small%20companies/start"),
    Seen("no-accounts", "GET /accounts", "/accounts"),
    Seen("no-links", "GET /settings/links", "/settings/links"),
    Seen("no-tokens", "GET /settings/tokens", "/settings/tokens"),
    Seen("no-runs", "GET /runs", "/runs"),
    Seen("no-credits", "GET /credits", "/credits"),
)
"""Pages before there is anything."""

NO_PAGE = {
    "GET /accounts/choices": "JSON",
    "GET /palette/search": "JSON",
    "GET /palette/plan": "JSON",
    "GET /connectors/{connector}/icon": "a picture",
    "GET /try": "leads to the palette",
    "GET /try/{connector}/{action}/options": "JSON",
    "GET /try/runs/{run}/result.json": "JSON",
    "GET /runs/{run}/now": "JSON",
    "GET /attempts/{id}": "JSON",
    "GET /attempts/{id}/go": "leads to the service",
    "POST /sign-in": "JSON",
    "POST /sign-out": "leads to the sign-in page",
    "POST /connect/start": "JSON",
    "POST /attempts/{id}/cancel": "leads to the attempt",
    "POST /settings/links/{id}/revoke": "leads to the links",
    "POST /settings/apps/remove": "leads to the apps",
    "POST /settings/tokens/{token}/remove": "leads to the tokens",
    "POST /workflows/{name:path}/disable": "leads to the workflow",
    "POST /runs/{run}/cancel": "leads to the run",
}
"""Places that answer no page of their own, and what they answer."""
