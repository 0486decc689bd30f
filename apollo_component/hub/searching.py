"""Finding actions and triggers by words: the best first, typing errors forgiven."""

import re
from collections.abc import Iterable, Sequence

from .nodes import Node

_WORD = re.compile(r"[a-z0-9]+")
MOST_WORDS = 8
"""Words of a search that are looked at."""
TITLE, ID, HEADING, NEEDS, ABOUT = 10.0, 8.0, 4.0, 3.0, 2.0
EXACT, BEGINS, INSIDE, TYPO = 1.0, 0.9, 0.5, 0.6

Weights = dict[str, float]
"""The words of a node, each with the weight of the best place where it stands."""


def ranked(nodes: Sequence[Node], query: str) -> list[Node]:
    """Those with every word of the search, the best first; those with some of them where none has all."""
    words = _WORD.findall(query.lower())[:MOST_WORDS]
    if not words:
        return list(nodes) if not query.strip() else []
    weights = [_weights(node) for node in nodes]
    everything = {word for found in weights for word in found}
    likeness = [_alike(word, everything) for word in words]
    scores = [[_score(found, alike) for alike in likeness] for found in weights]
    whole = [min(each) > 0 for each in scores]
    fits = whole if any(whole) else [max(each) > 0 for each in scores]
    found = [(-sum(score) - _named(nodes[place], query), place) for place, score in enumerate(scores) if fits[place]]
    return [nodes[place] for _, place in sorted(found)]


def _named(node: Node, query: str) -> float:
    """What is named exactly comes first."""
    return 50.0 if query.strip() in (node.id, node.name, node.title, *node.keys, *node.scopes) else 0.0


def _weights(node: Node) -> Weights:
    places = [(ABOUT, node.about), (NEEDS, " ".join((*node.keys, *node.scopes))), (HEADING, node.heading)]
    found: Weights = {}
    for weight, text in (*places, (ID, node.id), (TITLE, node.title)):
        found |= dict.fromkeys(_WORD.findall(text.lower()), weight)
    return found


def _score(weights: Weights, alike: Weights) -> float:
    return max((weights[word] * alike[word] for word in alike.keys() & weights.keys()), default=0.0)


def _alike(typed: str, words: Iterable[str]) -> Weights:
    """How much each word is what was typed. Only what stands nowhere is taken for a typing error."""
    words = set(words)
    sure = {word: EXACT if word == typed else BEGINS for word in words if word.startswith(typed)}
    if len(typed) > 2:
        sure |= {word: INSIDE for word in words - sure.keys() if typed in word}
    if sure:
        return sure
    allowed = 0 if len(typed) < 4 else 1 if len(typed) < 6 else 2
    near = (word for word in words if len({*typed} - {*word}) <= allowed)
    errors = {word: mistakes(typed, word, allowed) for word in near}
    least = min(errors.values(), default=allowed + 1)
    return {word: TYPO for word, count in errors.items() if count == least <= allowed}


def mistakes(typed: str, word: str, most: int) -> int:
    """The letters to add, drop, change or swap until `word` begins with what was typed; counted up to `most` + 1."""
    word = word[: len(typed) + most]
    before: list[int] = []
    row = list(range(len(word) + 1))
    for at, letter in enumerate(typed, 1):
        before, above = row, before
        row = [at]
        for to, other in enumerate(word, 1):
            best = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (letter != other))
            if at > 1 and to > 1 and (letter, typed[at - 2]) == (word[to - 2], other):
                best = min(best, above[to - 2] + 1)
            row.append(best)
        if min(row) > most and at > 1 and min(before) > most:
            return most + 1
    return min(*row, most + 1)
