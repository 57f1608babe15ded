"""How well a name fits what somebody typed: whole words first, then beginnings, then parts, then letters in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")
LONGEST: Final = 200
"""So much of a name is looked at."""
_WHOLE, _START, _WORD, _WORD_START, _PART, _LETTERS = 100, 80, 70, 60, 30, 10


def words_of(typed: str) -> list[str]:
    """What was typed as words without case."""
    return typed.casefold().split()


def score(word: str, text: str) -> int:
    """How well one word fits a text without case; 0 when it does not."""
    at = text.find(word)
    if at < 0:
        return _LETTERS if len(word) > 1 and _in_order(word, text) else 0
    if at == 0:
        return _WHOLE if len(text) == len(word) else _START if _ends_word(text, len(word)) else _START - 5
    while at >= 0:
        if not text[at - 1].isalnum():
            return _WORD if _ends_word(text, at + len(word)) else _WORD_START
        at = text.find(word, at + 1)
    return _PART if len(word) > 1 else 0


def score_all(words: Sequence[str], text: str, also: str = "") -> int:
    """How well a text fits every word; `also` has other words for it, that count a little less. 0 when one is missing.

    Of two that fit the same, the shorter is better.
    """
    text, also = text[:LONGEST].casefold(), also[:LONGEST].casefold()
    total = 0
    for word in words:
        found = max(score(word, text), score(word, also) - 5 if word in also else 0)
        if found <= 0:
            return 0
        total += found
    return total * 1000 // max(1, len(words)) - len(text)


def best(words: Sequence[str], scored: Iterable[tuple[int, T]], most: int) -> list[T]:
    """The best of them, those with 0 or less left out; equals stay in their order."""
    if not words:
        return [item for _points, item in scored][:most]
    found = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])
    return [item for _points, item in found[:most]]


def _ends_word(text: str, at: int) -> bool:
    return at >= len(text) or not text[at].isalnum()


def _in_order(word: str, text: str) -> bool:
    """Whether the letters of a word stand in a text in their order, the first of them at the start of a word."""
    start = text.find(word[0])
    while start >= 0:
        if start == 0 or not text[start - 1].isalnum():
            at = start
            for letter in word[1:]:
                at = text.find(letter, at + 1)
                if at < 0:
                    return False
            return True
        start = text.find(word[0], start + 1)
    return False
