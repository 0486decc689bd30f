"""The documents as tests read them: files, code blocks, headings, and the script that makes the generated parts."""

import importlib.util
import re
import textwrap
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def blocks(path: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return [textwrap.dedent(body) for found, body in _FENCE.findall(text(path)) if found == language]


def named_files(path: str) -> dict[str, str]:
    """Blocks that follow a line such as `connector.yaml`: - the name and the content."""
    return dict(re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", text(path), re.DOTALL | re.MULTILINE))


def without_code(path: str) -> str:
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text(path)))


def anchors(path: str) -> set[str]:
    """The anchors GitHub makes from headings."""
    titles = re.findall(r"^#+ +(.+)$", _FENCE.sub("", text(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@cache
def generator() -> ModuleType:
    """docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs/generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
