#!/usr/bin/env python3
"""recipe_test.py - what holds of the recipe's own parts, without synthesizers and packages.

    python3 recipes/kani-mini/recipe_test.py
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import unittest
from array import array
from pathlib import Path

sys.dont_write_bytecode = True

from pipeline import Failed, Function, Pipeline, Stage  # noqa: E402
from sound import FRAME, LEAD, PEAK, TAIL, finished_seconds, trimmed, write_wav  # noqa: E402
from stages import FULL, make_stages  # noqa: E402
from teachers import make_plans, read_speakers  # noqa: E402
from templates import Grammar, capital  # noqa: E402
from texts import Everyday, is_english_question, write_list  # noqa: E402

HERE = Path(__file__).resolve().parent


class Texts(unittest.TestCase):
    def test_no_pair_of_words_is_held_out_and_trained_on(self) -> None:
        for name in ("english.txt", "spanish.txt"):
            everyday = Everyday(HERE / name, random.Random(3))
            held = everyday.held_out(30)
            trained = everyday.draw(2000, lambda one: not everyday.held & one.pairs)
            self.assertGreater(len(everyday.held), 30)
            self.assertFalse(everyday.held & {pair for one in trained for pair in one.pairs})
            self.assertFalse(set(held) & {one.text for one in trained})

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

    def test_where_it_lies_and_by_how_many_makes_no_difference(self) -> None:
        def stamp(root: str, workers: str, device: str) -> str:
            step = ["/x/program", "--out", f"{root}/a", "--workers", workers, "--set", f"device={device}"]
            return Stage("a", (), [step]).stamp({}, Path(root))

        self.assertEqual(stamp("/one", "2", "cpu"), stamp("/two", "8", "cuda"))

    def test_two_runs_in_one_folder_are_refused(self) -> None:
        first, second = self.pipeline(), self.pipeline()
        first.lock()
        with self.assertRaises(Failed):
            second.lock()
        first.locked.close()


if __name__ == "__main__":
    unittest.main()
