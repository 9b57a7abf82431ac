"""journeys_bad_recordings.py - recordings that hold no voice, voices that do not fit, names that are none: a documented
status, one message line, bounded memory, nothing left behind.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import time
import zipfile
from dataclasses import dataclass
from typing import Callable

import broken
from journey import ROOT, TEXT, Journey, Setup, slow
from sounds import flac, speech, wav

RECORDINGS = ROOT / "tests" / "data" / "speaker" / "audio"
# Of the process: program, small model, 30 s of samples at 192 kHz twice.  A recording read whole would be 2.3 GB.
MEMORY_LIMIT = 160_000_000

PICKLE_OF_192 = (b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
                 b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\xc0tQK\x00K\xc0\x85K\x01\x85\x89"
                 b"ccollections\nOrderedDict\n)RtR.")


@dataclass
class Recording:
    """What `kani voice add` and `kani say --ref` say about a file; `says` is a regular expression."""

    name: str
    content: Callable[[], bytes]
    status: int
    says: str


def noise(count: int) -> bytes:
    return bytes((i * 2654435761 >> 13) & 255 for i in range(count))


REFUSED = [
    Recording("silence.wav", lambda: wav([0.0] * 48000), 3, "silence.wav: silent"),
    Recording("constant.wav", lambda: wav([0.25] * 48000), 3, "constant.wav: silent"),
    Recording("short.wav", lambda: wav(speech(0.04)), 3, "short.wav: too short: 640 samples at 16 kHz"),
    Recording("empty.wav", lambda: wav([]), 3, "empty.wav: "),
    Recording("nothing.wav", lambda: b"", 3, "nothing.wav: neither WAV, FLAC, MP3, Ogg Vorbis nor Ogg Opus"),
    Recording("nan.wav", lambda: wav([*speech(1), float("nan")], floats=True), 3, "nan.wav: sample 16000 is not "),
    Recording("infinite.wav", lambda: wav([*speech(1), float("inf")], floats=True), 3, "infinite.wav: sample 16000 is not "),
    Recording("nine.wav", lambda: wav(speech(1), channels=9), 3, "nine.wav: 9 channels, must be 1 to 8"),
    Recording("slow.wav", lambda: wav(speech(1), rate_hz=4000), 3, "slow.wav: sample rate is 4000 Hz, must be 8000 to 192000"),
    Recording("fast.wav", lambda: wav(speech(1), rate_hz=400000), 3, "fast.wav: sample rate is 400000 Hz"),
    Recording("text.wav", lambda: b"This is not a sound.\n" * 100, 3, "text.wav: neither WAV"),
    Recording("noise.mp3", lambda: noise(20000), 3, "noise.mp3: "),
    Recording("voice.pt", lambda: (RECORDINGS.parent / "pt" / "voices" / "john_en.pt").read_bytes(), 3, "voice.pt: neither WAV"),
    Recording("night.flac", lambda: flac(20), 3, "night.flac: silent"),
]
ACCEPTED = [
    Recording("eight.wav", lambda: wav(speech(3.5), channels=8), 0, "note: "),
    Recording("tenth.wav", lambda: wav(speech(0.1)), 0, "only 0.1 s long"),
    Recording("long.wav", lambda: (RECORDINGS / "long_35s.wav").read_bytes(), 0, "only the first 30.0 s are used"),
    Recording("day.flac", lambda: flac(20, (3000, -3000, 500)), 0, "only the first 30.0 s are used"),
]


class BadRecordings(Journey):
    """Each refused recording is a test of its own."""

    def setUp(self) -> None:
        super().setUp()
        if not (Setup.model / "speaker" / "config.json").is_file():
            self.skipTest(f"{Setup.model} has no speaker encoder")
        self.data = self.folder / "home" / ".local"
        (self.work / "good.wav").write_bytes(wav(speech(3.5)))

    def refused(self, *arguments: object, status: int, says: str) -> None:
        before = self.files()
        ended = self.kani(*arguments, status=status)
        lines = ended.messages()
        self.assertTrue(lines and lines[0].startswith("kani: error: "), ended.err)
        self.assertRegex(lines[0], says)
        self.assertNotRegex(lines[0], r"[.!]$")
        self.assertTrue(len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("hint: ")), ended.err)
        self.assertEqual(ended.out, b"")
        self.assertEqual(self.files(), before)
        self.assertEqual([f for f in self.data.rglob("*") if not f.is_dir()], [])

    def check_refused(self, recording: Recording) -> None:
        (self.work / recording.name).write_bytes(recording.content())
        self.refused("voice", "add", "x", recording.name, status=recording.status, says=recording.says)
        self.refused("say", "--ref", "good.wav", "--ref", recording.name, "-o", "x.wav", TEXT, status=recording.status,
                     says=recording.says)

    def test_what_is_odd_is_taken_and_told(self) -> None:
        for recording in ACCEPTED:
            (self.work / recording.name).write_bytes(recording.content())
            ended = self.kani("voice", "add", "x", recording.name, "--force", status=0)
            self.assertRegex(ended.err, recording.says)

    def test_a_recording_that_breaks_off(self) -> None:
        """What could be decoded of a cut MP3 is used; of a WAV that announces more than it has, too."""
        self.say("-o", "whole.mp3", TEXT)
        whole = self.content("whole.mp3")
        (self.work / "half.mp3").write_bytes(whole[:len(whole) // 2])
        self.kani("voice", "add", "x", "half.mp3")
        whole = self.content("good.wav")
        (self.work / "half.wav").write_bytes(whole[:len(whole) // 2])
        self.kani("voice", "add", "x", "half.wav", "--force")

    def test_files_that_are_none(self) -> None:
        self.refused("voice", "add", "x", "none.wav", status=4, says="no such file: none.wav")
        self.refused("say", "--ref", "none.wav", "-o", "x.wav", TEXT, status=4, says="none.wav")
        self.refused("voice", "add", "x", ".", status=3, says="not a regular file")
        os.mkfifo(self.work / "pipe.wav")
        self.refused("voice", "add", "x", "pipe.wav", status=3, says="pipe.wav: not a regular file")
        self.refused("voice", "add", "x", "/dev/zero", status=3, says="/dev/zero: not a regular file")

    def test_no_encoder(self) -> None:
        broken.copy_model(Setup.tiny(), self.folder / "model")
        shutil.rmtree(self.folder / "model" / "speaker")
        model = self.folder / "model"
        self.refused("voice", "add", "x", "good.wav", "-m", model, status=4, says="no speaker encoder found")
        self.refused("say", "-m", model, "--ref", "good.wav", "-o", "x.wav", TEXT, status=4, says="no speaker encoder found")
        self.refused("voice", "add", "x", "good.wav", "--speaker-encoder", "none", status=4, says="no such speaker encoder: none")
        self.refused("voice", "add", "x", "good.wav", "--speaker-encoder", Setup.model / "voices", status=4,
                     says="no config.json of a speaker encoder")
        self.refused("voice", "add", "x", "good.wav", "--speaker-encoder", Setup.model / "lm", status=3, says="config.json")

    def test_an_encoder_of_another_length(self) -> None:
        encoder = self.folder / "encoder"
        encoder.mkdir()
        config = json.loads((Setup.model / "speaker" / "config.json").read_text())
        (encoder / "config.json").write_text(json.dumps({**config, "embd_size": 192}))
        self.refused("voice", "add", "x", "good.wav", "--speaker-encoder", encoder, status=3,
                     says="the speaker encoder makes 192 numbers, the model takes 128")
        (encoder / "config.json").write_text(json.dumps(config))
        self.refused("voice", "add", "x", "good.wav", "--speaker-encoder", encoder, status=4, says="model.safetensors")
        weights = (Setup.model / "speaker" / "model.safetensors").read_bytes()
        (encoder / "model.safetensors").write_bytes(weights[:len(weights) // 2])
        self.refused("voice", "add", "x", "good.wav", "--speaker-encoder", encoder, status=3, says="model.safetensors")

    def test_names_and_texts_that_are_none(self) -> None:
        for name, says in (("../x", "looks like a path"), ("random", "asks for no voice"), ("Анна", "nothing of it"),
                           ("a\nb", "control characters"), ("", "nothing of it"), ("x" * 300, "too long"),
                           (b"\xff", "not valid UTF-8")):
            self.refused("voice", "add", name, "good.wav", status=2, says=says)
        self.refused("voice", "add", status=2, says="argument NAME is missing")
        self.refused("voice", "add", "x", status=2, says="no recording is given for voice x")
        self.refused("voice", "add", "x", "good.wav", "--consent", " ", status=2, says="--consent is blank")
        self.refused("voice", "add", "x", "good.wav", "--consent", "x" * 5000, status=2, says="--consent has 5000 bytes")
        self.refused("voice", "add", "x", "good.wav", "--consent-policy", "require", status=2, says="--consent is missing")
        self.refused("voice", "add", "rms", "good.wav", status=5, says="voice rms would be hidden by ")
        self.refused("voice", status=2, says="kani voice needs add, list, show, rm, mix, export or import")
        self.refused("say", "--ref", "good.wav", "--voice", "rms", TEXT, status=2, says="exclude each other")

    def test_mixes_that_are_none(self) -> None:
        for mix, status, says in (("rms+rms", 2, r"character 4: a weight in brackets is due"),
                                  ("rms(x)", 2, r"character 5: the weight is x, expected a number"),
                                  ("rms(0)+rms(1)", 2, "must be above 0"), ("rms(1)+", 2, "a voice is due, found nothing"),
                                  ("nobody(1)+rms(1)", 4, "no such voice: nobody")):
            self.refused("voice", "mix", "x", mix, status=status, says=says)
            self.refused("say", "--voice", mix, "-o", "x.wav", TEXT, status=status, says=says)
        self.refused("voice", "mix", "x", status=2, says="takes a name and a mix, found 1 argument")

    def test_voices_that_do_not_fit(self) -> None:
        (self.work / "v.json").write_text(json.dumps({"embedding": [0.1] * 192}))
        self.refused("voice", "show", "./v.json", status=3, says="voice has 192 numbers, the model takes 128")
        self.refused("voice", "mix", "x", "rms(1)+./v.json(1)", status=3, says="voice has 192 numbers")
        self.refused("voice", "export", "rms", "--format", "wav", status=2, says="--format is wav")
        self.refused("voice", "export", "rms", "-o", "rms.wav", status=2, says="voice format is wav")
        self.refused("voice", "export", "rms", "-o", "none/rms.pt", status=5, says="cannot write none/rms.pt")
        self.refused("voice", "rm", "rms", status=5, says="voice rms is not one of ")
        self.refused("voice", "rm", "nobody", status=4, says="no such voice: nobody")
        self.refused("voice", "import", "none", status=4, says="cannot read the folder none")
        (self.work / "empty").mkdir()
        self.refused("voice", "import", "empty", status=4, says="no voices in empty")

    def test_a_pt_file_of_192_numbers(self) -> None:
        with zipfile.ZipFile(self.work / "v.pt", "w") as file:
            file.writestr("v/data.pkl", PICKLE_OF_192)
            file.writestr("v/data/0", struct.pack("<192f", *([0.1] * 192)))
        says = "v.pt: voice has 192 numbers, the model takes 128"
        self.refused("voice", "show", "./v.pt", status=3, says=says)
        self.refused("say", "--voice", "./v.pt", "-o", "x.wav", TEXT, status=3, says=says)
        self.refused("voice", "import", ".", status=3, says=says)

    def test_an_unwritable_home(self) -> None:
        self.data.write_bytes(b"")  # where a folder should be
        ended = self.kani("voice", "add", "x", "good.wav", status=5)
        self.assertRegex(ended.messages()[0], "^kani: error: cannot write .*voices: ")

    def peak_bytes(self, *arguments: object, status: int) -> int:
        """Resident memory of the program at its largest."""
        with open(os.devnull, "wb") as nowhere:
            process = self.start(*arguments, stdin=nowhere, stdout=nowhere, stderr=nowhere)
            _, ended, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(ended)
        self.assertEqual(process.returncode, status)
        return usage.ru_maxrss * 1024

    @slow
    def test_memory_is_bounded_whatever_a_file_holds(self) -> None:
        """20 hours of FLAC in 130 kB, and 35 s of eight channels at 192 kHz in 107 MB."""
        (self.work / "night.flac").write_bytes(flac(20))
        (self.work / "day.flac").write_bytes(flac(20, (3000, -3000, 500)))
        second = wav(speech(1, 192000), rate_hz=192000, channels=8)
        with (self.work / "wide.wav").open("wb") as file:
            file.write(second[:4] + b"\xff\xff\xff\xff" + second[8:40] + b"\xff\xff\xff\xff")
            for _ in range(35):
                file.write(second[44:])
        for name, status in (("night.flac", 3), ("day.flac", 0), ("wide.wav", 0)):
            began = time.monotonic()
            peak = self.peak_bytes("voice", "add", "x", name, "--force", status=status)
            self.assertLess(peak, MEMORY_LIMIT, name)
            self.assertLess(time.monotonic() - began, 60, name)


for recording in REFUSED:
    def method(self: BadRecordings, recording: Recording = recording) -> None:
        self.check_refused(recording)

    setattr(BadRecordings, f"test_refused_{recording.name.replace('.', '_')}", method)
