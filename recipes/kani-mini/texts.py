#!/usr/bin/env python3
"""texts.py - stage 1 of the recipe: the sentences that teachers speak, and those that are never trained on.

    texts.py --out FOLDER [--seed N] [--templates 0.2]

The same seed gives the same bytes.  Held-out lists are drawn first: everyday sentences no two neighbouring words of which
stand together in the same template of a training sentence, general ones (WordNet) and Spanish ones.  A development list is
drawn last: everyday sentences of the same kind, for choices (how long, how warm) that must not be made on the held-out ones.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections.abc import Callable, Iterable
from pathlib import Path

from sources import reina_valera_sentences, wordnet_sentences
from templates import Drawn, Grammar, capital

HERE = Path(__file__).resolve().parent
QUESTION_WORDS = ("what", "who", "how", "can", "could", "will", "would", "where", "why", "when", "do", "does", "is", "are")


def finished(sentence: str, question: bool = False) -> str:
    """As it would be printed: a capital in front, a mark behind."""
    sentence = capital(sentence)
    return sentence if sentence[-1] in ".!?" else sentence + ("?" if question else ".")


def is_english_question(sentence: str) -> bool:
    words = sentence.lower().split()
    # "what a day" and "when he came" are none; two words tell most of them.
    inverted = {"is", "are", "do", "does", "did", "can", "could", "will", "would", "was", "were", "you", "he", "she", "they"}
    return words[0] in QUESTION_WORDS and words[1] in inverted and words[0] != "when"


def styled(sentence: str, source: random.Random, question: bool = False) -> str:
    """Mostly as printed, sometimes as people type: so that neither capitals nor marks are needed to be understood."""
    draw = source.random()
    if draw < 0.8:
        return finished(sentence, question)
    return sentence.lower().rstrip(".!?") if draw < 0.9 and "¿" not in sentence and "¡" not in sentence else sentence


class Everyday:
    """Sentences of one grammar.  What was held out keeps its pairs of words to itself."""

    def __init__(self, path: Path, source: random.Random) -> None:
        self.grammar = Grammar(path)
        self.source = source
        self.seen: set[str] = set()
        self.held: set[tuple[str, ...]] = set()
        self.trained: set[tuple[str, ...]] = set()

    def draw(self, count: int, wanted: Callable[[Drawn], bool]) -> list[Drawn]:
        drawn: list[Drawn] = []
        for _ in range(200 * count + 1000):
            if len(drawn) == count:
                return drawn
            one = self.grammar.draw(self.source)
            if one.text not in self.seen and wanted(one):
                self.seen.add(one.text)
                drawn.append(one)
        raise ValueError(f"the templates give {len(drawn)} sentences, expected {count}; ask for fewer")

    def held_out(self, count: int) -> list[str]:
        drawn = self.draw(count, lambda one: 3 <= len(one.text.split()) <= 12 and len(one.pairs) > 0)
        self.held = {pair for one in drawn for pair in one.pairs if len(pair) > 2}
        return [one.text for one in drawn]

    def training(self, count: int) -> list[str]:
        drawn = self.draw(count, lambda one: not self.held & one.pairs)
        self.trained |= {pair for one in drawn for pair in one.pairs}
        return [one.text for one in drawn]

    def development(self, count: int, source: random.Random) -> list[str]:
        """By a generator of its own, so that the other lists are what they are without it."""
        self.source = source
        known = self.held | self.trained
        return [one.text for one in self.draw(count, lambda one: 3 <= len(one.text.split()) <= 12 and not known & one.pairs)]


def write_list(folder: Path, name: str, language: str, kinds: Iterable[tuple[str, str]]) -> int:
    """NAME.jsonl and NAME.txt; a line a sentence, whole or not at all."""
    rows = [{"id": f"{name}-{i:06d}", "language": language, "text": text, "kind": kind} for i, (text, kind) in enumerate(kinds)]
    for ending, lines in (
        ("jsonl", [json.dumps(row, ensure_ascii=False) for row in rows]),
        ("txt", [str(row["text"]) for row in rows]),
    ):
        path = folder / f"{name}.{ending}"
        half = path.with_name(path.name + ".part")
        half.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        os.replace(half, path)
    print(f"{name}: {len(rows)} sentences, {sum(len(str(row['text']).split()) for row in rows)} words")
    return len(rows)


def mixed(parts: dict[str, list[str]], source: random.Random) -> list[tuple[str, str]]:
    rows = [
        (styled(text, source, kind == "wordnet" and is_english_question(text)), kind)
        for kind, texts in parts.items()
        for text in texts
    ]
    source.shuffle(rows)
    return rows


def write_english(folder: Path, seed: int, share: float) -> None:
    source = random.Random(f"english {seed}")
    examples = wordnet_sentences()
    source.shuffle(examples)
    everyday = Everyday(HERE / "english.txt", source)
    write_list(folder, "heldout-everyday", "en", ((text, "template") for text in everyday.held_out(100)))
    sentences = [one for one in examples if 4 <= len(one.split()) <= 11][:100]
    general = [(finished(text, is_english_question(text)), "wordnet") for text in sentences]
    write_list(folder, "heldout-general", "en", general)
    held = set(sentences)
    rest = [text for text in examples if text not in held]
    drawn = everyday.training(round(len(rest) * share / (1 - share)))
    write_list(folder, "train-en", "en", mixed({"wordnet": rest, "template": drawn}, source))
    chosen = everyday.development(100, random.Random(f"development {seed}"))
    write_list(folder, "development-everyday", "en", ((text, "template") for text in chosen))


def write_spanish(folder: Path, seed: int) -> None:
    source = random.Random(f"spanish {seed}")
    clauses = reina_valera_sentences()
    source.shuffle(clauses)
    everyday = Everyday(HERE / "spanish.txt", source)
    held = [(text, "template") for text in everyday.held_out(30)]
    held += [(finished(text), "clause") for text in clauses[:20]]
    write_list(folder, "heldout-spanish", "es", held)
    # Half and half: the templates are today's language, the clauses bring the words.
    drawn = everyday.training(6000)
    write_list(folder, "train-es", "es", mixed({"clause": clauses[20:6020], "template": drawn}, source))


def main() -> None:
    parser = argparse.ArgumentParser(description="writes the sentences that teachers speak")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--seed", type=int, default=11, metavar="N")
    parser.add_argument("--templates", type=float, default=0.2, metavar="SHARE", help="of the English sentences (0.2)")
    options = parser.parse_args()
    if not 0 <= options.templates <= 0.5:
        parser.error(f"--templates is {options.templates}, must be 0 to 0.5")
    options.out.mkdir(parents=True, exist_ok=True)
    write_english(options.out, options.seed, options.templates)
    write_spanish(options.out, options.seed)


if __name__ == "__main__":
    main()
