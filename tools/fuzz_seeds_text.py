#!/usr/bin/env python3
"""fuzz_seeds_text.py - writes the seeds of the fuzz target "text": four bytes that choose language, options and
lengths (see fuzz/text_fuzz.cc), then a text.  Run again after a change of that header."""

from __future__ import annotations

from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "fuzz" / "corpus" / "text"

LANGUAGES = ["en", "de", "es", "fr", "it", "pt", "ru", "zh", "ja", "ko", "ar", "ky", "hi", "th", "xx", "en_us"]

SPELLED, KEPT, MARKDOWN = 0, 1, 2

TEXTS = [
    ("en", SPELLED, "Dr. Smith paid $3.50 on 2024-03-15 at 10:30, i.e. late. No. 5, 1/2, 50%, the 1980s, 3rd; 10-20 km."),
    ("en", SPELLED, "Call +1 555-123-4567 or (555) 123-4567. Version 1.2.3, 192.168.1.1, 16:9. 5kg-10kg $5 million"),
    ("en", SPELLED, "See https://www.example.com/a-b?c=d, mail a@b.org, notes.txt. C# #tag #1 a+b=c 3*4 ~5 <|im_end|>"),
    ("en", SPELLED, "One [pause:0.5s] two [pause:500ms][pause:11s] three.\n\n[pause:1s]\nChapter One\n- a\n- b\n1. c"),
    ("en", KEPT, "\"Stop!\" he said\u2026 J. R. R. Tolkien. It was I. Then 3. 5 etc. And p.m. The end"),
    ("en", MARKDOWN, "---\nt: x\n---\n# H\n\n*a* **b** _c_ ~~d~~ `e` [f](g) ![h](i) <b>j</b> &amp; \\* [k][l] [^1]\n\n[l]: m"),
    ("en", MARKDOWN, "| a | b |\n|---|---|\n| 1 | 2 |\n\n```x\ncode\n```\n> q\n- [x] t\n\nS\n===\n<!-- c -->\n***"),
    ("en", SPELLED, "a\u0301\u0316\u200d\u200c\ufe0f\U0001f468\u200d\U0001f469 \u202eabc\u202c \ue000\ufffd\x00\x85\u2028\u2029x"),
    ("en", SPELLED, "12345678901234567890123 007 1,234,567.89 -5 \u22125 \u00bd 1\u00bd \uff11\uff12 \u0663"),
    ("de", SPELLED, "Am 3. Mai, z. B. 3,50 \u20ac und 1.234,5; 10.30 Uhr. \u201eHalt!\u201c 5 Mio. \u20ac, Nr. 5, 030 1234567"),
    ("es", SPELLED, "El 1 de mayo, 3\u00ba, 5 p.m., 5 millones \u20ac, EE. UU., p\u00e1g. 5"),
    ("fr", SPELLED, "1 234 567, 10h30, 3,14, le 1 mai, 01 23 45 67 89, n\u00b0 5, 5 M\u20ac"),
    ("it", SPELLED, "1\u00b0 maggio, 3,50 \u20ac, 15/03/2024, Sig. Rossi"),
    ("pt", SPELLED, "R$ 3,50, 10h30, 1\u00ba de maio, R$ 5 milh\u00f5es"),
    ("ru", SPELLED, "\u0432 2024 \u0433. 21 \u20bd, 3,14, 15 \u043c\u0430\u0440\u0442\u0430, \u0410. \u0421. \u041f\u0443\u0448\u043a\u0438\u043d, 3-\u0439"),
    ("zh", SPELLED, "2024\u5e743\u670815\u65e5\uff0c2\u4e2a\u3002\u201c\u771f\u7684\u5417\uff1f\u201d\u00a5100\uff0c50%"),
    ("ja", SPELLED, "\u5f7c\u306f\u300c\u884c\u304f\u3088\u3002\u300d\u3068\u8a00\u3063\u305f\u30021,234\u5186"),
    ("ko", SPELLED, "3\uac1c 3\uac1c\uc6d4 5\uc2dc 30\ubd84 10~20\uba85"),
    ("ar", SPELLED, "\u0643\u064a\u0641 \u062d\u0627\u0644\u0643\u061f 5 $ \u0663\u066b\u0665"),
    ("ky", SPELLED, "5-\u043a\u043b\u0430\u0441\u0441, 2024-\u0436\u044b\u043b\u044b, 3,50 \u0441\u043e\u043c"),
    ("hi", SPELLED, "\u092e\u0948\u0902 \u0920\u0940\u0915 \u0939\u0942\u0901\u0964 5 \u092c\u091c\u0947"),
    ("th", SPELLED, "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e23\u0e31\u0e1a\u0e1c\u0e21\u0e0a\u0e37\u0e48\u0e2d 5"),
    ("xx", SPELLED, "50% & 3.14"),
]


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for number, (language, options, text) in enumerate(TEXTS):
        for target, longest in ((200, 255), (20, 30)):
            header = bytes([LANGUAGES.index(language), options, target, longest])
            (OUT / f"{language}_{number:02d}_{target}").write_bytes(header + text.encode())


if __name__ == "__main__":
    main()
