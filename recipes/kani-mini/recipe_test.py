#!/usr/bin/env python3
"""recipe_test.py - what holds of the recipe's own parts, without synthesizers and packages.

    python3 recipes/kani-mini/recipe_test.py
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import re
import signal
import sys
import tempfile
import threading
import unittest
import wave
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True

import parts  # noqa: E402
import teachers  # noqa: E402
import through_codec  # noqa: E402
from more_speakers import make_table, near  # noqa: E402
from pipeline import Failed, Function, Pipeline, Stage, Stopped, Training  # noqa: E402
from report_page import by_speaker, page  # noqa: E402
from sound import FRAME, LEAD, PEAK, TAIL, finished_seconds, trimmed, write_wav  # noqa: E402
from stages import FULL, make_stages  # noqa: E402
from teachers import Plan, make_plans, read_speakers  # noqa: E402
from templates import Grammar, capital  # noqa: E402
from texts import Everyday, is_english_question, write_list  # noqa: E402

HERE = Path(__file__).resolve().parent


def children() -> set[int]:
    return {int(word) for task in Path("/proc/self/task").iterdir() for word in (task / "children").read_text().split()}


class Texts(unittest.TestCase):
    def test_no_pair_of_words_is_held_out_and_trained_on(self) -> None:
        for name in ("english.txt", "spanish.txt"):
            everyday = Everyday(HERE / name, random.Random(3))
            held = everyday.held_out(30)
            trained = everyday.draw(2000, lambda one: not everyday.held & one.pairs)
            self.assertGreater(len(everyday.held), 30)
            self.assertFalse(everyday.held & {pair for one in trained for pair in one.pairs})
            self.assertFalse(set(held) & {one.text for one in trained})

    def test_the_development_list_is_apart_and_changes_no_other(self) -> None:
        lists = []
        for develops in (False, True):
            everyday = Everyday(HERE / "english.txt", random.Random(3))
            held, trained = everyday.held_out(30), everyday.training(2000)
            if develops:
                pairs = everyday.held | everyday.trained
                drawn = everyday.draw(50, lambda one: not pairs & one.pairs)  # noqa: B023
                chosen = everyday.development(50, random.Random(4))
                self.assertFalse({one.text for one in drawn} & set(chosen))
                self.assertFalse({*held, *trained} & set(chosen))
                self.assertEqual(len(set(chosen)), 50)
            lists.append((held, trained))
        self.assertEqual(*lists)

    def test_the_same_seed_draws_the_same(self) -> None:
        grammar = Grammar(HERE / "english.txt")
        draws = [[grammar.draw(random.Random(seed)).text for seed in range(50)] for _ in range(2)]
        self.assertEqual(*draws)
        self.assertGreater(len(set(draws[0])), 40)

    def test_nothing_of_the_templates_is_left_in_a_sentence(self) -> None:
        for name in ("english.txt", "spanish.txt"):
            source = random.Random(1)
            grammar = Grammar(HERE / name)
            for _ in range(3000):
                text = grammar.draw(source).text
                self.assertNotRegex(text, r"[{}@|*\d]|  |\.\.")

    def test_a_kind_that_is_not_there_is_named(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "words.txt"
            path.write_text("@a: b | c\n{a} {d}.\n", encoding="utf-8")
            with self.assertRaisesRegex(ValueError, '"d"'):
                Grammar(path)

    def test_capitals_and_questions(self) -> None:
        self.assertEqual(capital("¿qué hora es?"), "¿Qué hora es?")
        self.assertTrue(is_english_question("where is the book"))
        self.assertFalse(is_english_question("what a day"))
        self.assertFalse(is_english_question("when he came"))


class Sound(unittest.TestCase):
    def test_silence_level_and_frames(self) -> None:
        for before, after in ((3000, 9000), (10, 5), (0, 0)):
            raw = array("f", [0.001] * before + [0.1, -0.4] * 1000 + [0.001] * after)
            sound = trimmed(raw)
            self.assertEqual(len(sound) % FRAME, 0)
            first = next(i for i, x in enumerate(sound) if abs(x) > 1000)
            last = max(i for i, x in enumerate(sound) if abs(x) > 1000)
            self.assertEqual(first, LEAD)
            self.assertLess(len(sound) - last - 1 - TAIL, FRAME)
            self.assertGreaterEqual(len(sound) - last - 1, TAIL)
            self.assertEqual(max(abs(x) for x in sound), round(PEAK * 32767))

    def test_silence_is_refused(self) -> None:
        for raw in (array("f"), array("f", [0.0] * 5000)):
            with self.assertRaises(ValueError):
                trimmed(raw)

    def test_broken_files_are_seen(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.wav"
            self.assertIsNone(finished_seconds(path))
            write_wav(path, array("h", range(2 * FRAME)))
            self.assertAlmostEqual(finished_seconds(path) or 0, 0.16)
            whole = path.read_bytes()
            for broken in (b"", whole[:20], whole[:-2], whole + b"\0\0", b"RIFX" + whole[4:]):
                path.write_bytes(broken)
                self.assertIsNone(finished_seconds(path))


class Codes(unittest.TestCase):
    def test_given_ones_stand_for_the_first_training(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            root, file = Path(folder) / "run", Path(folder) / "codes.safetensors"
            root.mkdir()
            stamps = []
            for content in (b"one", b"one", b"other"):
                file.write_bytes(content)
                stages = {stage.name: stage for stage in make_stages(root, Path("bin"), FULL, 2, "cpu", file)}
                stamps.append(stages["codec-mel"].stamp(dict.fromkeys(("speech", "more", "default"), ""), root))
            self.assertEqual(stamps[0], stamps[1])
            self.assertNotEqual(stamps[0], stamps[2])
            copy = stages["codec-mel"].steps[0]
            assert isinstance(copy, Function)
            copy.call()
            self.assertEqual((root / "codes.safetensors").read_bytes(), b"other")
            plain = {stage.name: stage for stage in make_stages(root, Path("bin"), FULL, 2, "cpu")}
            self.assertEqual(list(plain), list(stages))
            for name in ("codec-encoder", "codes"):
                with_file = json.dumps([getattr(step, "command", step) for step in stages[name].steps], default=str)
                self.assertIn("codes.safetensors", with_file)
                self.assertNotIn("codec-mel", with_file)


class Speakers(unittest.TestCase):
    def test_the_table(self) -> None:
        speakers = read_speakers(HERE / "speakers.json")
        count = {
            (role, language): sum((one.role, one.language) == (role, language) for one in speakers)
            for role in ("train", "held-out")
            for language in ("en", "es")
        }
        self.assertGreaterEqual(count["train", "en"], 12)
        self.assertGreaterEqual(count["train", "es"], 4)
        self.assertGreaterEqual(count["held-out", "en"] + count["held-out", "es"], 10)
        # No two are the same voice under two names.
        self.assertEqual(len({(one.voice, one.ratio, one.pitch) for one in speakers}), len(speakers))

    def test_speakers_share_out_the_sentences(self) -> None:
        speakers = read_speakers(HERE / "speakers.json")
        with tempfile.TemporaryDirectory() as folder:
            texts = Path(folder)
            write_list(texts, "train-en", "en", ((f"sentence {i}", "test") for i in range(100)))
            plans = make_plans(speakers, texts, "train", "train", {"en": 1.2}, alone=False)
            more = make_plans(speakers, texts, "train", "train", {"en": 1.2}, alone=True)
            again = make_plans(speakers, texts, "train", "train", {"en": 1.2}, alone=False)
        said = [row["id"] for plan in plans for row in plan.sentences]
        self.assertEqual(sorted(said), sorted(set(said)))
        self.assertEqual(len(said), 100)
        self.assertEqual([plan.sentences for plan in plans], [plan.sentences for plan in again])
        self.assertAlmostEqual(sum(plan.seconds for plan in plans), 1.2 * 3600)
        for plan, own in zip(plans, more, strict=True):
            self.assertEqual((own.speaker, own.seconds), (plan.speaker, 1.2 * 3600))
            self.assertEqual(len({row["id"] for row in [*plan.sentences, *own.sentences]}), 100)
            self.assertEqual(len(plan.sentences) + len(own.sentences), 100)


class MoreSpeakers(unittest.TestCase):
    known = json.loads((HERE / "speakers.json").read_text(encoding="utf-8"))

    def test_none_is_near_one_that_is_held_out_and_each_says_something(self) -> None:
        tables = [make_table(self.known, tinted) for tinted in (False, True)]
        self.assertEqual(tables, [make_table(self.known, tinted) for tinted in (False, True)])
        self.assertGreater(len(tables[0]), 290)
        self.assertGreater(len(tables[1]), 600)
        names = [one["name"] for table in tables for one in table]
        self.assertEqual(len(names), len(set(names)))
        self.assertFalse(set(names) & {one["name"] for one in self.known})
        held = [one for one in self.known if one["role"] == "held-out"]
        for one in (one for table in tables for one in table):
            self.assertFalse([other for other in held if other["voice"] == one["voice"]
                              and near(one["variation"], other["variation"])])

    def test_most_of_the_tinted_have_a_filter_that_teachers_take(self) -> None:
        table = make_table(self.known, True)
        tinted = [one["variation"]["tint"] for one in table if "tint" in one["variation"]]
        self.assertTrue(0.8 < len(tinted) / len(table) < 0.9)
        self.assertEqual(len({tuple(tint) for tint in tinted}), len(tinted))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tinted.json"
            path.write_text(json.dumps(table), encoding="utf-8")
            self.assertEqual([one.name for one in read_speakers(path)], [one["name"] for one in table])
            path.write_text(json.dumps([{**table[0], "variation": {"tint": [1, 2]}}]), encoding="utf-8")
            with self.assertRaisesRegex(ValueError, "tint"):
                read_speakers(path)

    def test_what_is_near(self) -> None:
        self.assertTrue(near({"ratio": 1.0, "pitch": 100}, {"ratio": 1.05, "pitch": 110}))
        self.assertFalse(near({"ratio": 1.0, "pitch": 100}, {"ratio": 1.05, "pitch": 120}))
        self.assertFalse(near({"ratio": 1.0, "pitch": 100}, {"ratio": 1.1, "pitch": 100}))
        self.assertTrue(near({"ratio": 1.0}, {"pitch": 300}))


class ThroughCodec(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        # A decoder whose samples are the codes, and which counts how often it is asked.
        self.tool = self.root / "tool"
        self.tool.write_text(f"#!{sys.executable}\n" + """
import json, pathlib, struct, sys
words = dict(zip(sys.argv[2::2], sys.argv[3::2]))
codes = pathlib.Path(words["--codes"]).read_bytes()
(length,) = struct.unpack_from("<Q", codes)
tensor = json.loads(codes[8 : 8 + length])["codes"]
assert tensor["shape"] == [2, 3] and tensor["dtype"] == "I32", tensor
values = struct.unpack_from("<6i", codes, 8 + length)
head = json.dumps({"audio": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24]}}).encode()
pathlib.Path(words["--out"]).write_bytes(struct.pack("<Q", len(head)) + head + struct.pack("<6f", *(x / 4 for x in values)))
with open(words["--codec"], "a") as asked:
    asked.write("x")
""", encoding="utf-8")
        self.tool.chmod(0o755)
        rows = [{"file": f"speech/{name}/{number}.wav", "speaker": name, "codes": [[0, 1, 2], [-2, -4, 9]]}
                for name in ("a", "b") for number in range(5)]
        (self.root / "coded.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def run_it(self, each: int) -> int:
        words = ["--coded", str(self.root / "coded.jsonl"), "--codec", str(self.root / "codec"), "--tool", str(self.tool),
                 "--out", str(self.root / "heard"), "--each", str(each), "--workers", "2"]
        with mock.patch.object(sys, "argv", ["through_codec.py", *words]), contextlib.redirect_stdout(io.StringIO()):
            return through_codec.main()

    def test_half_of_each_speaker_goes_through_and_nothing_twice(self) -> None:
        self.assertEqual(self.run_it(4), 0)
        rows = parts.rows(self.root / "heard" / "manifest.jsonl")
        decoded = [row for row in rows if not row["file"].startswith("..")]
        self.assertEqual([row["speaker"] for row in decoded], ["a", "a", "b", "b"])
        self.assertEqual(sorted(row["speaker"] for row in rows), ["a"] * 4 + ["b"] * 4)
        self.assertEqual(len({Path(row["file"]).name for row in rows if row["speaker"] == "a"}), 4)
        with wave.open(str(self.root / "heard" / decoded[0]["file"])) as sound:
            samples = array("h", sound.readframes(6))
            self.assertEqual(sound.getframerate(), 22050)
        self.assertEqual(list(samples), [0, 8192, 16384, -16384, -32767, 32767])
        self.assertEqual(self.run_it(4), 0)
        self.assertEqual((self.root / "codec").read_text(), "xxxx")

    def test_a_decoder_that_fails_is_named_with_its_reason(self) -> None:
        self.tool.write_text("#!/bin/sh\necho broken >&2\nexit 4\n")
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(self.run_it(4), 1)
        self.assertRegex(said.getvalue(), "wav: kani-tool ended with 4: broken")
        self.assertFalse((self.root / "heard" / "manifest.jsonl").exists())


class Teachers(unittest.TestCase):
    def run_with(self, silent: set[str]) -> tuple[int, str]:
        """Two voices say ten sentences each by a synthesizer that is none, some of them silently."""
        def speak(speaker: teachers.Speaker, texts: list[str], files: list[Path]) -> None:
            for text, file in zip(texts, files, strict=True):
                file.write_text(f"{speaker.name} {text}", encoding="utf-8")

        def sounds(file: Path, _ratio: float, _tint: Sequence[float]) -> array[float]:
            name, text = file.read_text(encoding="utf-8").split()
            return array("f", [0.0 if {name, text} & silent else 0.5] * FRAME)

        rows = [{"id": f"s{i}", "text": f"{i}"} for i in range(10)]
        speakers = [teachers.Speaker(name, "en", "flite", name, "free", "train") for name in ("kal", "rms")]
        said, told = io.StringIO(), io.StringIO()
        with (tempfile.TemporaryDirectory() as folder, mock.patch.dict(teachers.ENGINES, flite=speak),
              mock.patch.object(teachers, "resampled", sounds), contextlib.redirect_stdout(said), contextlib.redirect_stderr(told)):
            status = teachers.run([Plan(one, rows, float("inf")) for one in speakers], Path(folder), 1)
            self.assertEqual("kal: 10" in said.getvalue(), not silent)
        return status, told.getvalue()

    def test_whoever_could_not_speak_is_named(self) -> None:
        self.assertEqual(self.run_with(set()), (0, ""))
        status, told = self.run_with({"7"})
        self.assertEqual(status, 1)
        self.assertIn("could not be recorded: kal (1), rms (1); the same command", told)
        status, told = self.run_with({"kal"})
        self.assertEqual(status, 1)
        self.assertIn("could not be recorded: kal (10, given up: more than half of a batch failed); the same command", told)


class Judging(unittest.TestCase):
    def test_sentences_within_others_are_counted_word_for_word(self) -> None:
        trained = ["always arrives on time", "She said that he came late.", "It's hot"]
        held = ["He always arrives on time.", "He came late!", "he cam", "Its hot", "always arrives in time"]
        self.assertEqual(parts.overlaps(held, trained), (2, 2))

    def test_every_other_english_voice_says_the_same_sentences(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            run, model, teacher = Path(folder) / "run", Path(folder) / "model", Path(folder) / "teacher"
            (run / "texts").mkdir(parents=True)
            (model / "voices").mkdir(parents=True)
            for name in ("heldout-everyday", "heldout-general"):
                write_list(run / "texts", name, "en", ((f"sentence {i}", "test") for i in range(30)))
            for voice in ("rms", "kal", "slt", "es-hombre"):
                (model / "voices" / f"{voice}.safetensors").touch()
                (run / "heldout" / voice).mkdir(parents=True)
                for i in range(30):
                    (run / "heldout" / voice / f"heldout-everyday-{i:06d}.wav").write_text(f"{voice} {i}", encoding="utf-8")
            rows = parts.voices(run, model, teacher)
            self.assertEqual({row["voice"] for row in rows}, {"kal", "slt"})
            self.assertEqual(len(rows), 2 * parts.VOICE_SENTENCES)
            self.assertEqual(len({row["id"] for row in rows}), len(rows))
            for row in rows:
                number = int(row["text"].split()[1])
                self.assertEqual((teacher / f"{row['id']}.wav").read_text(encoding="utf-8"), f"{row['voice']} {number}")
                self.assertTrue(all(f"/{row['voice']}/heldout-general-" in path for path in row["recordings"]))

    def test_strangers_are_the_recordings_that_clones_are_made_of_and_what_they_say(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            run, out = Path(folder) / "run", Path(folder) / "out"
            texts = [{"id": f"e-{number}", "language": "en", "text": f"Everyday {number}."} for number in range(50)]
            parts.write_sentences(run / "texts" / "heldout-everyday.jsonl", texts)
            said = []
            for speaker in parts.CLONED:
                (run / "strangers" / speaker).mkdir(parents=True)
                for number in range(parts.CLONE_SENTENCES + 2):
                    (run / "strangers" / speaker / f"{number}.wav").write_bytes(f"{speaker} {number}".encode() * (9 - number))
                    said.append({"file": f"{speaker}/{number}.wav", "text": f"{speaker} says {number}."})
            parts.write_sentences(run / "strangers" / "manifest.jsonl", said)
            rows = parts.strangers(run, out)
            self.assertEqual([row["id"] for row in rows], [row["id"] for row in parts.clones(run)])
            first = next(row for row in rows if row["speaker"] == "ked")
            self.assertEqual((first["text"], first["set"]), ("ked says 0.", "strangers"))
            self.assertEqual((out / f"{first['id']}.wav").read_bytes(), b"ked 0" * 9)
            self.assertNotIn("reference", first)
            self.assertFalse({str(run / "strangers" / "ked" / "0.wav")} & set(first["recordings"]))

    def test_the_page_tells_each_voice_and_each_note(self) -> None:
        def group(by: str, name: str, rate: float) -> dict[str, object]:
            figure = {"n": 2, "mean": rate, "low": rate, "high": rate}
            return {"by": by, "name": name, "sentences": 2, "model": {"wer": figure, "faults": {}}, "teacher": None, "over_teacher": None}

        confusion = {"kal": {"kal": 1, "slt": 1}, "slt": {"slt": 2}}
        document = {"groups": [group("all", "", 0.3), group("speaker", "kal", 0.5), group("speaker", "slt", 0.1)], "utterances": [],
                    "speaker_trials": [{"speakers": ["kal", "slt"], "teacher_by_encoder": None, "model_by_encoder": None,
                                        "model_by_cepstrum": {"own": 0.75, "low": 0.5, "high": 1, "confusion": confusion}}]}
        lines = by_speaker(document)
        self.assertIn("| kal | 2 | 0.500 (0.500 to 0.500) | - | - | 0.50 |", lines)
        self.assertIn("| slt | 2 | 0.100 (0.100 to 0.100) | - | - | 1.00 |", lines)
        text = page({"voices": document}, [], {}, {"voices": "A note."})
        self.assertIn("A note.", text)
        self.assertTrue(set(lines) <= set(text.splitlines()))


class Stages(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)

    def tearDown(self) -> None:
        self.folder.cleanup()

    def pipeline(self, second: str = "two", fails: bool = False) -> Pipeline:
        script = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
        write = [sys.executable, "-c", script]
        last = [*write, str(self.root / "c"), "three"] if not fails else [sys.executable, "-c", "import sys; sys.exit('broken')"]
        return Pipeline(
            [
                Stage("a", (), [[*write, str(self.root / "a"), "one", "--workers", "2"]], [self.root / "a"]),
                Stage("b", ("a",), [Function(lambda: None, "1"), [*write, str(self.root / "b"), second]], [self.root / "b"]),
                Stage("c", ("a",), [last], [self.root / "c"]),
            ],
            self.root,
            2,
        )

    def test_each_is_made_once(self) -> None:
        self.pipeline().run(["b", "c"])
        self.assertEqual([(self.root / name).read_text() for name in "abc"], ["one", "two", "three"])
        (self.root / "a").write_text("kept")
        again = self.pipeline()
        again.run(["b", "c"])
        self.assertEqual((self.root / "a").read_text(), "kept")
        self.assertEqual(again.made_otherwise(), [])

    def test_other_steps_are_noticed_and_made_anew_with_what_is_above(self) -> None:
        self.pipeline().run(["b", "c"])
        other = self.pipeline(second="TWO")
        self.assertEqual(other.made_otherwise(), ["b"])
        self.assertEqual(other.above("a"), ["a", "b", "c"])
        other.forget("b")
        other.run(["b"])
        self.assertEqual((self.root / "b").read_text(), "TWO")

    def test_a_failure_is_told_with_the_end_of_its_log_and_the_rest_is_kept(self) -> None:
        with self.assertRaisesRegex(Failed, r"(?s)c ended with 1.*broken"):
            self.pipeline(fails=True).run(["c"])
        self.assertTrue(self.pipeline().is_done("a"))

    def saving(self) -> Pipeline:
        """A stage whose program keeps what it makes early, and ends with 143 when it is asked to."""
        script = ("import pathlib, signal, sys, time\n"
                  "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
                  "made = pathlib.Path(sys.argv[1])\n"
                  "again = made.exists()\n"
                  "made.write_text('half')\n"
                  "if not again: time.sleep(60)\n"
                  "made.write_text('whole')\n")
        return Pipeline([Stage("a", (), [[sys.executable, "-c", script, str(self.root / "a")]], [self.root / "a"])], self.root, 1)

    def when_it_has_begun(self, call: Callable[[], None]) -> None:
        if (self.root / "a").exists():
            call()
        else:
            threading.Timer(0.05, self.when_it_has_begun, [call]).start()

    def test_a_program_that_is_ended_from_outside_is_not_done(self) -> None:
        self.when_it_has_begun(lambda: os.kill(next(iter(children())), signal.SIGTERM))
        with self.assertRaisesRegex(Failed, "a was stopped from outside .143.; the same command goes on"):
            self.saving().run(["a"])
        self.assertFalse(self.saving().is_done("a"))
        self.saving().run(["a"])
        self.assertTrue(self.saving().is_done("a"))
        self.assertEqual((self.root / "a").read_text(), "whole")

    def test_a_training_that_is_ended_from_outside_is_not_done_though_its_status_is_0(self) -> None:
        script = ("import pathlib, signal, sys, time\n"
                  "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
                  "out, again = pathlib.Path(sys.argv[4]), '--resume' in sys.argv\n"
                  "(out / ('step-00000007' if again else 'step-00000003')).mkdir(parents=True)\n"
                  "(out.parent / 'a').write_text('begun')\n"
                  "if not again: time.sleep(60)\n")
        stage = Stage("a", (), [Training([sys.executable, "-c", script, "--steps", "7"], self.root / "run")], [self.root / "run"])
        self.when_it_has_begun(lambda: os.kill(next(iter(children())), signal.SIGTERM))
        with self.assertRaisesRegex(Failed, "a was stopped from outside .0.; the same command goes on"):
            Pipeline([stage], self.root, 1).run(["a"])
        self.assertFalse(Pipeline([stage], self.root, 1).is_done("a"))
        Pipeline([stage], self.root, 1).run(["a"])
        self.assertTrue(Pipeline([stage], self.root, 1).is_done("a"))

    def test_a_program_that_it_ends_itself_is_stopped_not_failed(self) -> None:
        def stop(*_: object) -> None:
            raise Stopped("SIGALRM")

        before = signal.signal(signal.SIGALRM, stop)
        signals = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
        self.when_it_has_begun(lambda: os.kill(os.getpid(), signal.SIGALRM))
        try:
            with self.assertRaises(Stopped):
                self.saving().run(["a"])
        finally:
            for number, handler in [(signal.SIGALRM, before), *signals]:
                signal.signal(number, handler)
        self.assertFalse(self.saving().is_done("a"))
        self.saving().run(["a"])
        self.assertEqual((self.root / "a").read_text(), "whole")

    def test_where_it_lies_and_by_how_many_makes_no_difference(self) -> None:
        def stamp(root: str, workers: str, device: str) -> str:
            step = ["/x/program", "--out", f"{root}/a", "--workers", workers, "--set", f"device={device}"]
            return Stage("a", (), [step]).stamp({}, Path(root))

        self.assertEqual(stamp("/one", "2", "cpu"), stamp("/two", "8", "cuda"))

    def test_a_training_goes_on_from_what_is_whole(self) -> None:
        training = Training(["train"], self.root / "run")
        for name, resumes in (("latest", False), ("step-00000500.part", False), ("step-00000500", True)):
            (self.root / "run" / name).mkdir(parents=True)
            self.assertEqual("--resume" in training.now(), resumes, name)

    def test_other_scripts_and_data_are_another_recipe(self) -> None:
        file, stamps = self.root / "words.txt", []
        for content in ("one", "one", "other"):
            file.write_text(content, encoding="utf-8")
            stamps.append(Stage("a", (), [["say"]], reads=(file,)).stamp({}, self.root))
        self.assertEqual(stamps[0], stamps[1])
        self.assertNotEqual(stamps[0], stamps[2])
        # What a script imports of the recipe is named with it.
        stages = make_stages(self.root, Path("bin"), FULL, 2, "cpu")
        for stage in stages:
            scripts = [path for path in stage.reads if path.suffix == ".py"]
            imports = {name for path in scripts for name in re.findall(r"^from (\w+) import", path.read_text(encoding="utf-8"), re.M)}
            self.assertLessEqual({name for name in imports if (HERE / f"{name}.py").exists()}, {path.stem for path in scripts})
            called = {Path(step[0]).name for step in stage.steps if isinstance(step, list) and step[0].endswith(".py")}
            self.assertLessEqual(called, {path.name for path in scripts}, stage.name)
        named = {path.name for stage in stages for path in stage.reads}
        self.assertLessEqual({"english.txt", "spanish.txt", "speakers.json", "sound.py", "texts.py"}, named)

    def test_two_runs_in_one_folder_are_refused(self) -> None:
        first, second = self.pipeline(), self.pipeline()
        first.lock()
        with self.assertRaises(Failed):
            second.lock()
        first.locked.close()


if __name__ == "__main__":
    unittest.main()
