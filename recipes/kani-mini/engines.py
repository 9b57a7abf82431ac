"""engines.py - the free synthesizers as teachers: a batch of sentences in, a sound file for each out.

A speaker is a voice and its variation: `ratio` moves pitch and formants together (the result is played that much faster),
`pitch` is the mean pitch in Hz that is heard in the end (espeak: its own scale of 0 to 99), `stretch` the length of
everything, `tint` what is added to the spectrum around sound.TINT_HZ, in dB.  What `ratio` does to length and pitch the engine
is asked to undo, so no sound is ever stretched.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sound import TINT_HZ

TIMEOUT_S = 300
ESPEAK_WORDS_PER_MINUTE = 160


@dataclass(frozen=True)
class Speaker:
    name: str
    language: str
    engine: str
    voice: str
    licence: str
    role: str
    ratio: float = 1.0
    pitch: float | None = None
    stretch: float = 1.0
    tint: Sequence[float] = ()

    def problem(self) -> str | None:
        if self.engine not in ENGINES:
            return f'engine is "{self.engine}", known are {", ".join(ENGINES)}'
        if self.role not in ROLES:
            return f'role is "{self.role}", known are {", ".join(ROLES)}'
        if not 0.6 <= self.ratio <= 1.6:
            return f"ratio is {self.ratio}, must be 0.6 to 1.6"
        if not 0.5 <= self.stretch <= 2:
            return f"stretch is {self.stretch}, must be 0.5 to 2"
        if self.tint and (len(self.tint) != len(TINT_HZ) or max(map(abs, self.tint)) > 15):
            return f"tint is {self.tint}, must be {len(TINT_HZ)} numbers from -15 to 15 (dB)"
        return None


def call(command: list[str], given: str | None = None) -> None:
    """Runs a program; its failure shows in the file that is missing."""
    subprocess.run(command, input=given, text=True, capture_output=True, timeout=TIMEOUT_S, check=False)


def flite(speaker: Speaker, texts: list[str], files: list[Path]) -> None:
    settings = ["--setf", f"duration_stretch={speaker.ratio * speaker.stretch:.4f}"]
    if speaker.pitch:
        settings += ["--setf", f"int_f0_target_mean={speaker.pitch / speaker.ratio:.2f}"]
    for text, file in zip(texts, files, strict=True):
        call(["flite", "-voice", speaker.voice, *settings, "-t", text, "-o", str(file)])


def espeak(speaker: Speaker, texts: list[str], files: list[Path]) -> None:
    words = round(ESPEAK_WORDS_PER_MINUTE / (speaker.ratio * speaker.stretch))
    settings = ["-v", speaker.voice, "-s", str(words)]
    if speaker.pitch is not None:
        settings += ["-p", f"{speaker.pitch:.0f}"]
    for text, file in zip(texts, files, strict=True):
        call(["espeak-ng", *settings, "-w", str(file), text])


def festival(speaker: Speaker, texts: list[str], files: list[Path]) -> None:
    """One start for all: it takes a second.  Its two kinds of voices take length and pitch in different ways."""
    length = speaker.ratio * speaker.stretch
    lines = [f"(voice_{speaker.voice})", f"(Parameter.set 'Duration_Stretch {length:.4f})"]
    if speaker.voice.endswith("_hts"):
        lines.append(f'(set! hts_engine_params (append hts_engine_params (list (list "-r" {1 / length:.4f}))))')
    elif speaker.pitch:
        pitch = speaker.pitch / speaker.ratio
        lines.append(
            f"(set! int_lr_params '((target_f0_mean {pitch:.2f}) (target_f0_std {pitch / 7:.2f})"
            " (model_f0_mean 170) (model_f0_std 34)))"
        )
    for text, file in zip(texts, files, strict=True):
        said = text.replace("\\", " ").replace('"', " ")
        # An error in one sentence must not end the batch.
        lines.append(f"(unwind-protect (utt.save.wave (SynthText \"{said}\") \"{file}\" 'riff) nil)")
    script = files[0].with_suffix(".scm")
    script.write_text("\n".join(lines) + "\n", encoding="latin-1", errors="replace")
    call(["festival", "-b", str(script)])


ENGINES = {"flite": flite, "espeak": espeak, "festival": festival}
ROLES = ("train", "encoder", "held-out")
