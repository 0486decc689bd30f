"""The numbers in docs/security.md are those of the code; its threats are looked at in tests/docs/test_promises.py."""

from pathlib import Path

TEXT = (Path(__file__).parent.parent.parent / "docs" / "security.md").read_text("utf-8")


def test_the_limits_are_those_of_the_code() -> None:
    """The numbers in the document are what the code says."""
    from apollo_component.connector import auth, client, reading
    from apollo_component.contract import keywords, located
    from apollo_component.host import callbacks
    from apollo_component.host.workflow import bounds, schedules

    limits = TEXT.partition("## Limits")[2].partition("\n## ")[0].replace("\n", " ")
    for text in (
        f"{client.LIMIT >> 20} MB for an answer", f"{reading.DEPTH} levels of JSON",
        f"{callbacks.MAX_BODY >> 20} MB and {callbacks.BODY_SECONDS:g} seconds", f"{callbacks.CONNECTIONS} connections",
        f"{located._SIZE // 1_000_000} MB, {located._NODES:,} parts and {located._DEPTH} levels", f"{located._KEY} characters for a key",
        f"{bounds.LONGEST:,} for an expression", f"{bounds.GROWTH} times over", f"{bounds.WORK // 1_000_000} million pieces",
        f"{bounds.VALUES // 1_000_000} million values", f"{keywords.LONGEST:,} characters for a text",
        f"{schedules.LONGEST} for a cron time", f"{auth.LONGEST_TOKEN:,} for a token",
    ):  # fmt: skip
        assert text in limits, text
