"""journeys_voices.py - voices: made from recordings, listed, spoken with, mixed, exported, imported, removed."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

from journey import ROOT, TEXT, Journey, Setup
from sounds import speech, wav

RECORDINGS = ROOT / "tests" / "data" / "speaker" / "audio"


def embedding(path: Path) -> tuple[float, ...]:
    """Of one of our own files, read here so that the reader is not the writer's."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    tensor = json.loads(data[8:8 + length])["speaker_emb"]
    assert tensor["dtype"] == "F32" and tensor["shape"] == [128], tensor
    begin, end = tensor["data_offsets"]
    return struct.unpack("<128f", data[8 + length + begin:8 + length + end])


class Voices(Journey):
    """Each test has a folder for the voices of its user.  The model is the random one: each voice changes its noise."""

    def setUp(self) -> None:
        super().setUp()
        self.environment["KANI_MODEL"] = str(Setup.tiny())
        self.voices = self.folder / "home" / ".local" / "share" / "kani" / "voices"
        (self.work / "anna.wav").write_bytes(wav(speech(4)))
        (self.work / "ben.wav").write_bytes(wav(speech(4, pitch_hz=210)))

    def sound(self, *arguments: object) -> bytes:
        return self.kani("say", "-n", "16", "-s", "1", *arguments, "-o", "-", TEXT).out

    def add(self, name: str, *recordings: object, **more: object) -> Path:
        self.kani("voice", "add", name, *(recordings or ("anna.wav",)), "--consent", "my own voice", **more)
        return self.voices / f"{name}.safetensors"

    def ids(self) -> list[str]:
        return [voice["id"] for voice in json.loads(self.kani("voice", "list", "--json").out)["voices"]]

    def test_a_voice_is_made_listed_shown_spoken_with_and_removed(self) -> None:
        ended = self.kani("voice", "add", "Anna", "anna.wav", "--consent", "my own voice", "--language", "en",
                          "--description", "an afternoon")
        out = ended.out.decode()
        self.assertRegex(out, r"(?m)^anna\.wav: 4\.0 s, 16000 Hz, 1 channel, peak -\d+\.\d dB, no clipping, noise at "
                              r"-\d+ dB, \d\d dB below the voice, speech \d\d %$")
        self.assertIn(f"voice Anna: {self.voices / 'Anna.safetensors'}", out)
        self.assertEqual(ended.err, "")
        self.assertEqual(self.files(self.voices), ["Anna.safetensors"])
        self.assertEqual((self.voices / "Anna.safetensors").stat().st_mode & 0o7777, 0o600)
        self.assertIn("Anna", self.ids())
        shown = json.loads(self.kani("voice", "show", "anna", "--json").out)
        self.assertLessEqual({"id": "Anna", "language": "en", "consent": "my own voice", "description": "an afternoon",
                              "length": 128, "source_seconds": "4.00"}.items(), shown.items())
        self.assertAlmostEqual(shown["norm"], 1, places=5)
        for key in ("created", "encoder", "consent_date"):
            self.assertTrue(shown[key])
        for key in ("encoder_sha256", "source_sha256"):
            self.assertRegex(shown[key], "^[0-9a-f]{64}$")
        self.assertRegex(self.kani("voice", "show", "anna").out.decode(), r"(?m)^consent +my own voice$")
        self.assertRegex(self.kani("voice", "list").out.decode(), r"(?m)^Anna +Anna +en +user +/")
        self.assertNotEqual(self.sound("--voice", "ANNA"), self.sound())
        removed = self.kani("voice", "rm", "anna").out.decode()
        self.assertEqual(removed, f"removed {self.voices / 'Anna.safetensors'}\n")
        self.assertEqual(self.files(self.voices), [])
        self.kani("say", "--voice", "anna", TEXT, status=4)

    def test_ref_speaks_like_the_voice_that_is_kept(self) -> None:
        self.add("both", "anna.wav", "ben.wav")
        kept = self.sound("--voice", "both")
        self.assertEqual(self.sound("--ref", "anna.wav", "--speaker-wav", "ben.wav"), kept)
        self.assertNotEqual(self.sound("--ref", "anna.wav"), kept)
        line = json.dumps({"text": TEXT, "voice": "both"}).encode()
        spoken = self.kani("say", "-n", "16", "-s", "1", "--json-input", "--ref", "anna.wav", "-o", "-", text=line).out
        self.assertEqual(spoken, kept, "a line's own voice wins")

    def test_several_recordings_are_averaged_and_compared(self) -> None:
        one = embedding(self.add("one", RECORDINGS / "male_16k.wav"))
        two = embedding(self.add("two", RECORDINGS / "female_22k.wav"))
        ended = self.kani("voice", "add", "both", RECORDINGS / "male_16k.wav", RECORDINGS / "female_22k.wav", "--json")
        both = embedding(self.voices / "both.safetensors")
        for a, b, mean in zip(one, two, both):
            self.assertAlmostEqual((a + b) / 2, mean, places=7)
        told = json.loads(ended.out)
        self.assertAlmostEqual(told["lowest_cosine"], sum(a * b for a, b in zip(one, two)), places=5)
        self.assertAlmostEqual(told["norm"], math.sqrt(sum(x * x for x in both)), places=5)
        self.assertEqual(bool(told["warnings"]), told["lowest_cosine"] < 0.47)
        self.assertEqual([r["sample_rate_hz"] for r in told["recordings"]], [16000, 22050])

    def test_what_is_wrong_with_a_recording_is_told(self) -> None:
        loud = [max(-1, min(1, 8 * s)) for s in speech(3.5)]
        (self.work / "loud.wav").write_bytes(wav(loud))
        tone = [0.5 * math.sin(0.1 * i) for i in range(64000)]
        (self.work / "tone.wav").write_bytes(wav(tone))
        for name, word in (("loud.wav", "it clips"), ("tone.wav", "music"), (RECORDINGS / "male_16k.wav", "only 1.6 s long"),
                           (RECORDINGS / "long_35s.wav", "only the first 30.0 s are used")):
            ended = self.kani("voice", "add", "odd", name, "--force")
            self.assertRegex(ended.err, rf"(?m)^kani: warning: .*{word}")
            self.assertIn("note: the speaker's consent is not recorded", ended.err)
        self.assertEqual(self.kani("voice", "add", "odd", "loud.wav", "--force", "-q").err, "")

    def test_a_voice_is_not_replaced_by_chance(self) -> None:
        file = self.add("anna")
        before = file.read_bytes()
        ended = self.kani("voice", "add", "ANNA", "ben.wav", status=5)
        self.assertRegex(ended.lines()[0], "^kani: error: voice ANNA exists already: ")
        self.assertEqual(ended.lines()[1], "hint: --force replaces it")
        self.assertEqual(file.read_bytes(), before)
        self.kani("voice", "add", "anna", "ben.wav", "--force")
        self.assertNotEqual(file.read_bytes(), before)
        self.assertEqual(self.files(self.voices), ["anna.safetensors"])

    def test_recordings_are_kept_if_asked_and_removed_with_the_voice(self) -> None:
        self.kani("voice", "add", "anna", "anna.wav", "ben.wav", "--keep-audio")
        kept = self.voices / "anna.recordings"
        self.assertEqual(self.files(kept), ["1.wav", "2.wav"])
        self.assertEqual((kept / "2.wav").read_bytes(), self.content("ben.wav"))
        self.assertEqual((kept / "2.wav").stat().st_mode & 0o7777, 0o600)
        told = json.loads(self.kani("voice", "rm", "anna", "--jsonl").out)
        self.assertEqual(told["removed"], [str(kept), str(self.voices / "anna.safetensors")])
        self.assertEqual(self.files(self.voices), [])
        self.assertEqual(self.files(), ["anna.wav", "ben.wav"])

    def test_names_for_people_become_identifiers(self) -> None:
        self.kani("voice", "add", "Anna Müller (privat)", "anna.wav")
        self.assertEqual(self.files(self.voices), ["anna-mller-privat.safetensors"])
        spoken = self.sound("--voice", "Anna Müller (privat)")
        self.assertEqual(self.sound("--voice", "anna-mller-privat"), spoken)
        self.assertEqual(self.sound("--voice", "anna-mller-privat(2)"), spoken)

    def test_mixes_are_spoken_with_and_kept(self) -> None:
        a, b = embedding(self.add("a", "anna.wav")), embedding(self.add("b", "ben.wav"))
        self.kani("voice", "mix", "ab", "a(0.7)+b(0.3)", "--description", "of both")
        for x, y, mixed in zip(a, b, embedding(self.voices / "ab.safetensors")):
            self.assertAlmostEqual(0.7 * x + 0.3 * y, mixed, places=6)
        self.assertEqual(self.sound("--voice", "a(7)+b(3)"), self.sound("--voice", "ab"))
        shown = json.loads(self.kani("voice", "show", "ab", "--json").out)
        self.assertEqual((shown["mix"], shown["description"]), ("a(0.7)+b(0.3)", "of both"))
        self.assertNotIn("consent", shown)

    def test_every_format_is_exported_and_spoken_with(self) -> None:
        self.add("anna")
        spoken = self.sound("--voice", "anna")
        for name in ("safetensors", "pt", "npy", "json"):
            told = self.kani("voice", "export", "anna", "--format", name).out.decode()
            self.assertEqual(told, f"anna.{name}\n")
            self.assertEqual(self.sound("--voice", f"./anna.{name}"), spoken, name)
            piped = self.kani("voice", "export", "anna", "--format", name, "-o", "-").out
            self.assertEqual(piped, self.content(f"anna.{name}"))
        self.kani("voice", "export", "anna(1)+anna(1)", "-o", "mix.npy")
        self.assertEqual(self.content("mix.npy")[:6], b"\x93NUMPY")
        self.assertEqual(json.loads(self.content("anna.json"))["consent"], "my own voice")

    def test_voices_of_a_peer_are_imported(self) -> None:
        peer = self.work / "peer" / "speakers"
        peer.mkdir(parents=True)
        self.add("anna")
        self.kani("voice", "export", "anna", "-o", peer / "david_en.pt")
        self.kani("voice", "export", "anna", "-o", peer.parent / "loose.npy")
        (peer.parent / "speaker_map.json").write_text('{"David (en)": "./speakers/david_en.pt"}')
        (peer.parent / "broken.pt").write_bytes(b"nonsense")
        (peer.parent / "long.json").write_text(json.dumps({"embedding": [0.5] * 192}))
        ended = self.kani("voice", "import", "peer", "--jsonl", status=3)
        self.assertEqual([json.loads(line)["name"] for line in ended.out.splitlines()], ["David (en)", "loose"])
        self.assertEqual(self.files(self.voices), ["anna.safetensors", "david_en.safetensors", "loose.safetensors"])
        self.assertEqual(embedding(self.voices / "david_en.safetensors"), embedding(self.voices / "anna.safetensors"))
        self.assertEqual(ended.err.count('"error"'), 2)
        self.assertIn("voice has 192 numbers, the model takes 128", ended.err)
        self.sound("--voice", "David (en)")
        self.assertIn("exists already", self.kani("voice", "import", "peer", status=5).err)

    def test_openai_names_are_voices(self) -> None:
        self.add("anna")
        (self.voices / "openai_voices.json").write_text('{"nova": "anna"}')
        self.assertEqual(self.sound("--voice", "nova"), self.sound("--voice", "anna"))
        for name in ("alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "onyx", "sage", "shimmer", "verse"):
            self.kani("voice", "show", name)
        self.assertEqual(self.ids().count("anna"), 1)

    def test_a_folder_of_ones_own(self) -> None:
        mine = self.work / "mine"
        mine.mkdir()
        self.kani("voice", "add", "anna", "anna.wav", "--voices", mine)
        self.assertEqual(self.files(mine), ["anna.safetensors"])
        self.sound("--voices", mine, "--voice", "anna")
        self.kani("say", "--voice", "anna", TEXT, status=4)
        self.kani("voice", "rm", "anna", "--voices", mine)
        self.assertEqual(self.files(mine), [])

    def test_neither_recordings_nor_embeddings_are_logged(self) -> None:
        self.kani("voice", "add", "anna", "anna.wav", "-v", "--log-file", "log")
        self.kani("voice", "show", "anna", "-v", "--log-file", "log")
        values = [f"{abs(value):.4f}"[1:] for value in embedding(self.voices / "anna.safetensors")[:8]]
        log = (self.work / "log").read_text() if (self.work / "log").exists() else ""
        for text in (log, self.kani("voice", "show", "anna", "--json").out.decode()):
            self.assertFalse([value for value in values if value in text.replace("norm", "")])
