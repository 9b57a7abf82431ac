"""templates.py - sentences from a file of words and templates (english.txt says the form), drawn by a seeded generator.

A drawn sentence knows which words stand side by side in it; those pairs keep held-out and training sentences apart.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

SLOT = re.compile(r"\{(\w+)(?:\.\d)?\}")


@dataclass(frozen=True)
class Drawn:
    text: str
    # (template, place, word, next word) for each two neighbouring slots; (template, word) where there is one slot only.
    pairs: frozenset[tuple[str, ...]]


def capital(sentence: str) -> str:
    """The first letter large, behind an opening mark too."""
    for index, letter in enumerate(sentence):
        if letter.isalpha():
            return sentence[:index] + letter.upper() + sentence[index + 1 :]
    return sentence


class Grammar:
    def __init__(self, path: Path) -> None:
        self.words: dict[str, list[str]] = {}
        self.templates: list[str] = []
        weights: list[int] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            if line.startswith("@"):
                kind, words = line[1:].split(":", 1)
                self.words[kind] = [word.strip() for word in words.split("|")]
                continue
            count, star, template = line.partition("* ")
            self.templates.append(template if star else line)
            weights.append(int(count) if star else 1)
        self.weights = weights
        for line in self.templates + [word for words in self.words.values() for word in words]:
            for kind in SLOT.findall(line):
                if kind not in self.words:
                    raise ValueError(f'{path}: "{line}" names the kind "{kind}", which has no line "@{kind}: ..."')

    def vocabulary(self) -> set[str]:
        lines = self.templates + [word for words in self.words.values() for word in words]
        return {word for line in lines for word in re.findall(r"[^\W\d_]+", SLOT.sub(" ", line).lower())}

    def draw(self, source: random.Random) -> Drawn:
        template = source.choices(self.templates, self.weights)[0]
        slots: list[str] = []
        used: dict[str, set[str]] = {}

        def fill(match: re.Match[str]) -> str:
            kind = match.group(1)
            taken = used.setdefault(kind, set())
            word = source.choice([word for word in self.words[kind] if word not in taken])
            taken.add(word)
            word = SLOT.sub(fill, word)
            slots.append(word)
            return word

        text = SLOT.sub(fill, template)
        if len(slots) < 2:
            pairs = {(template, *slots)}
        else:
            pairs = {(template, str(i), slots[i], slots[i + 1]) for i in range(len(slots) - 1)}
        return Drawn(capital(text), frozenset(pairs))
