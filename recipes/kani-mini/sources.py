"""sources.py - sentences out of Debian packages: usage examples of WordNet 3.0, clauses of the Reina-Valera of 1909.

Both come back sorted and without repetition, so that a seed alone decides what follows.
"""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

WORDNET = Path("/usr/share/wordnet")  # package wordnet-base
LEXICON = Path("/usr/share/festival/dicts/cmu/cmudict-0.4.out")  # package festlex-cmu
REINA_VALERA = Path("/usr/share/sword/modules/texts/ztext/spaRV1909eb")  # package sword-text-sparv

ENGLISH_SENTENCE = re.compile(r"[A-Za-z][A-Za-z',;!? .-]+")
SPANISH_SENTENCE = re.compile(r"[a-záéíóúüñA-ZÁÉÍÓÚÜÑ, ¿¡?!]+")
LETTERS = re.compile(r"[^\W\d_]+")
# Examples that nobody should hear from a first model.
UNWANTED = re.compile(r"\b(rap(e|ed|ist)|whore|slut|fuck|shit|bitch|nigg|negro|jew|nazi|sex|suicide|semen|penis|fornic|ramera)")
# Words that were written with an accent in 1909 and are not now.
OLD_ACCENTS = re.compile(r"\b([áéóú])\b")
PLAIN = str.maketrans("áéóú", "aeou")


def known_words() -> set[str]:
    """The words that a dictionary knows how to say: a teacher guesses at others and teaches its errors."""
    found = re.findall(r'^\("([a-z\']+)"', LEXICON.read_text(encoding="latin-1"), re.MULTILINE)
    if len(found) < 50_000:
        raise ValueError(f"{LEXICON}: {len(found)} words found, expected over 50000; is festlex-cmu whole?")
    return set(found)


def is_speakable(sentence: str, known: set[str], shortest: int, longest: int) -> bool:
    words = sentence.lower().replace("-", " ").split()
    if not shortest <= len(words) <= longest or len(sentence) > 90:
        return False
    for word in words:
        bare = word.strip("',;!?.")
        if bare and bare not in known and bare.removesuffix("'s") not in known:
            return False
    # Capitals within a word are abbreviations, a word of one letter other than these is a symbol.
    if re.search(r"[A-Z]{2}|\w[A-Z]|\b[b-hj-zB-HJ-Z]\b(?!')", sentence.replace("'", "")):
        return False
    return ".." not in sentence and "--" not in sentence and not UNWANTED.search(sentence.lower())


def wordnet_sentences(shortest: int = 3, longest: int = 14) -> list[str]:
    known = known_words()
    found: dict[str, str] = {}
    files = sorted(WORDNET.glob("data.*"))
    if len(files) != 4:
        raise ValueError(f"{WORDNET}: {len(files)} files data.*, expected 4; install wordnet-base")
    for file in files:
        for line in file.read_text(encoding="latin-1").splitlines():
            _, bar, gloss = line.partition(" | ")
            for example in re.findall(r'"([^"]+)"', gloss) if bar else ():
                sentence = " ".join(example.split()).strip(" ,;-")
                # An example may carry its author behind: - Shakespeare.
                sentence = re.split(r"\s+-+\s*[A-Z]", sentence)[0]
                if ENGLISH_SENTENCE.fullmatch(sentence) and is_speakable(sentence, known, shortest, longest):
                    found.setdefault(sentence.lower().rstrip(".!?"), sentence)
    return sorted(found.values())


def sword_verses(folder: Path) -> list[str]:
    """The verses of a zText module.  .bzs: 12 bytes a block (offset, stored size, size) into .bzz; .bzv: 10 bytes a verse
    (block, offset, size)."""
    verses: list[str] = []
    for part in ("ot", "nt"):
        blocks = (folder / f"{part}.bzs").read_bytes()
        stored = (folder / f"{part}.bzz").read_bytes()
        index = (folder / f"{part}.bzv").read_bytes()
        whole = [zlib.decompress(stored[at : at + size]) for at, size, _ in struct.iter_unpack("<III", blocks)]
        for block, at, size in struct.iter_unpack("<IIH", index):
            if size and block < len(whole):
                verses.append(whole[block][at : at + size].decode("utf-8"))
    return verses


def reina_valera_sentences(shortest: int = 4, longest: int = 14) -> list[str]:
    found: dict[str, str] = {}
    for verse in sword_verses(REINA_VALERA):
        plain = re.sub(r"<note.*?</note>|<title.*?</title>", " ", verse, flags=re.DOTALL)
        plain = " ".join(re.sub(r"<[^>]*>", "", plain).split())
        for clause in re.findall(r"[^.;:]+", plain):
            sentence = re.sub(r"\s+([,?!])", r"\1", clause).strip(" ,")
            sentence = OLD_ACCENTS.sub(lambda letter: letter.group().translate(PLAIN), sentence)
            if not SPANISH_SENTENCE.fullmatch(sentence) or UNWANTED.search(sentence.lower()):
                continue
            # The first words of a chapter are in capitals.
            if re.search(r"[A-ZÁÉÍÓÚÜÑ]{2}", sentence):
                continue
            words = LETTERS.findall(sentence)
            one_question = sentence.count("¿") == sentence.count("?") and sentence.count("¡") == sentence.count("!")
            # Lists of names teach little; capitals behind the first word are names.
            names = sum(word[0].isupper() for word in words[1:])
            if shortest <= len(words) <= longest and one_question and names <= 1 and len(sentence) <= 90:
                found.setdefault(sentence.lower(), sentence)
    return sorted(found.values())
