"""journeys_eval.py - how good the speech is: heard by a recognizer that is told what to hear, measured, interrupted."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from journey import Ended, Journey, Setup, slow
from sounds import speech, wav

SENTENCES = {"a": "The old clock strikes nine.", "b": "We walked home.", "c": "Please close the window."}

# What it hears is in heard.json: by id a text, "FAIL", "HANG" or "DIE".  It tells of each sound in calls.txt.
RECOGNIZER = '''
import json, os, sys, time
from pathlib import Path
here = Path(__file__).parent
def hear(path):
    with open(here / "calls.txt", "a") as calls:
        calls.write(path + "\\n")
    heard = json.loads((here / "heard.json").read_text())
    name = Path(path).stem
    if "teacher" in path:
        name = "teacher " + name
    text = heard.get(name, heard.get(Path(path).stem, ""))
    if text == "FAIL":
        sys.exit(3)
    if text == "DIE":
        os.kill(os.getpid(), 9)
    if text == "HANG":
        time.sleep(600)
    return text
if sys.argv[1:]:
    print(hear(sys.argv[1]))
else:
    for line in sys.stdin:
        print(hear(line.rstrip("\\n")), flush=True)
'''


def voice_of(words: list[int], pitch_hz: float = 120, take: int = 1) -> list[float]:
    """Syllables, each a buzz of its own colour: enough for sentences that differ.  Takes differ in their noise."""
    noise = random.Random(take)
    out = [noise.gauss(0, 0.0005) for _ in range(1600)]
    for word in words:
        part = speech(0.3, pitch_hz=pitch_hz * (1 + 0.13 * word))
        out += [sample * (0.6 + 0.05 * word) for sample in part]
    return out + [noise.gauss(0, 0.0005) for _ in range(3200)]


class Eval(Journey):
    """Spoken by the random model, which makes noise; recordings are made here."""

    def setUp(self) -> None:
        super().setUp()
        self.environment["KANI_MODEL"] = str(Setup.tiny())
        (self.work / "recognizer.py").write_text(RECOGNIZER)
        self.hear(**SENTENCES)
        self.lines([{"id": name, "text": text} for name, text in SENTENCES.items()])

    def lines(self, objects: list[dict[str, str]]) -> None:
        (self.work / "list.jsonl").write_text("\n".join(map(json.dumps, objects)) + "\n")

    def hear(self, **texts: str) -> None:
        (self.work / "heard.json").write_text(json.dumps(texts))

    def calls(self) -> list[str]:
        path = self.work / "calls.txt"
        return [Path(line).stem for line in path.read_text().split()] if path.exists() else []

    def recordings(self, folder: str, take: int = 1, **words: list[int]) -> None:
        (self.work / folder).mkdir(exist_ok=True)
        for number, (name, those) in enumerate(words.items()):
            (self.work / folder / f"{name}.wav").write_bytes(wav(voice_of(those, take=take + number)))

    def eval(self, *arguments: object, status: int = 0, form: str = "--recognizer-batch") -> Ended:
        command = f"'{sys.executable}' recognizer.py" + (" {wav}" if form == "--recognizer" else "")
        return self.kani("eval", "--sentences", "list.jsonl", "--out", "out", form, command, "--no-speaker", "-n", "24",
                         *arguments, status=status)

    def document(self) -> dict:  # type: ignore[type-arg]
        return json.loads(self.content("out/eval.json"))

    def wer(self) -> float:
        return self.document()["groups"][0]["model"]["wer"]["mean"]

    def test_speaks_listens_and_reports(self) -> None:
        table = self.eval().out.decode().splitlines()
        self.assertRegex(table[0], r"^group +judged +WER \[95 %\] +CER +faulty +length +RTF")
        self.assertRegex(table[1], r"^all +3 +0\.000 \[0\.00 0\.00\] +0\.000 ")
        self.assertEqual(sorted(self.calls()), ["a", "b", "c"])
        document = self.document()
        self.assertEqual((document["schema"], document["complete"]), ("kani-eval-1", True))
        for utterance in document["utterances"]:
            self.assertEqual(utterance["model"]["heard"], SENTENCES[utterance["id"]])
            self.assertTrue((self.work / "out" / utterance["model"]["file"]).is_file())
        page = self.content("out/report.html").decode()
        self.assertIn("src=\"sounds/a.wav\"", page)
        self.assertNotRegex(page, r"https?:|<script|<link")

    def test_wrong_words_are_counted_and_limits_fail(self) -> None:
        self.hear(a="the cold clock strikes", b="we walked home", c="please close the the the the window")
        ended = self.eval("--max-wer", "0.4", "--max-faulty", "0", status=6, form="--recognizer")
        self.assertRegex(ended.err, r"kani: error: limits are not held: max_wer is 0\.4167, at most 0\.4, max_faulty is ")
        self.assertAlmostEqual(self.wer(), 5 / 12)  # one replaced, one dropped, three added, of twelve
        faults = {u["id"]: u["model"]["faults"] for u in self.document()["utterances"]}
        self.assertIn("looping_words", faults["c"])
        self.assertNotIn("looping_words", faults["a"])
        page = self.content("out/report.html").decode()
        self.assertIn("the <del>old</del> clock strikes <del>nine</del>", page)
        self.assertIn("the <ins>cold</ins> clock strikes", page)
        self.eval("--max-wer", "0.42", form="--recognizer")

    def test_what_is_finished_is_not_done_again(self) -> None:
        self.eval("--limit", "2")
        self.assertEqual(sorted(self.calls()), ["a", "b"])
        sound, told = self.content("out/sounds/a.wav"), self.eval().err
        self.assertIn("2 of 3 sentences were spoken by an earlier run", told)
        self.assertEqual(sorted(self.calls()), ["a", "b", "c"])
        self.assertEqual(self.content("out/sounds/a.wav"), sound)
        before = self.document()["utterances"]
        self.assertEqual(self.eval().out, self.eval().out)
        self.assertEqual(self.document()["utterances"], before)
        # Another seed is another speech; a text that changed is spoken anew, alone.
        self.eval("--seed", "5")
        self.assertEqual(len(self.calls()), 6)
        self.assertNotEqual(self.content("out/sounds/a.wav"), sound)
        self.lines([{"id": name, "text": text + "!" * (name == "b")} for name, text in SENTENCES.items()])
        self.assertIn("2 of 3", self.eval("--seed", "5").err)

    def spoken_before(self, *arguments: object) -> int:
        told = re.search(r"(\d+) of \d+ sentences were spoken by an earlier run", self.eval(*arguments).err)
        return int(told[1]) if told else 0

    def voice(self, path: Path, seed: int) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"embedding": [random.Random(seed + i).gauss(0, 0.1) for i in range(128)]}))

    def test_a_voice_that_changed_is_spoken_anew(self) -> None:
        model = self.work / "set"
        shutil.copytree(Setup.tiny(), model)
        self.environment["KANI_MODEL"] = str(model)
        named = [{"id": "a", "text": "one"}, {"id": "b", "text": "two", "voice": "anna"},
                 {"id": "c", "text": "three", "reference": "c.wav"}]
        self.lines(named)
        anna, default, reference = self.work / "more" / "anna.json", model / "voices" / "default.json", self.work / "c.wav"
        for path in (anna, default):
            self.voice(path, 1)
        reference.write_bytes(wav(voice_of([1, 2, 3])))
        ways: tuple[tuple[str, ...], ...] = ((), ("--voice", "anna"), ("--ref", "c.wav"))
        for way in ways:
            self.assertLessEqual(self.spoken_before("--voices", "more", *way), 1, way)
            sounds = [self.content(f"out/sounds/{name}.wav") for name in "abc"]
            self.assertEqual(self.spoken_before("--voices", "more", *way), 3, way)
            # A voice of the same name with other numbers, each in its turn.
            spoken = []
            for number, change in enumerate((lambda: self.voice(default, 2), lambda: self.voice(anna, 2),
                                             lambda: reference.write_bytes(wav(voice_of([4, 5, 6], 200))))):
                change()
                spoken.append(3 - self.spoken_before("--voices", "more", *way))
            changed = [self.content(f"out/sounds/{name}.wav") != sound for name, sound in zip("abc", sounds, strict=True)]
            self.assertEqual(spoken, {"": [1, 1, 1], "--voice": [0, 3, 0], "--ref": [0, 1, 2]}[way[0] if way else ""])
            self.assertEqual(changed, [True] * 3)
            self.voice(anna, 1)
            self.voice(default, 1)
            reference.write_bytes(wav(voice_of([1, 2, 3])))

    def test_another_speaker_encoder_makes_other_voices(self) -> None:
        make = [Setup.bin / "kani-tool", "random-model", "--preset", "tiny", "--seed", "2", "--out", self.work / "other"]
        subprocess.run(make, check=True, capture_output=True, timeout=60)
        (self.work / "c.wav").write_bytes(wav(voice_of([1, 2, 3])))
        self.lines([{"id": "a", "text": "one"}, {"id": "c", "text": "three", "reference": "c.wav"}])
        self.assertEqual(self.spoken_before(), 0)
        self.assertEqual(self.spoken_before("--speaker-encoder", "other/speaker"), 1)
        self.assertEqual(self.spoken_before("--speaker-encoder", "other/speaker"), 2)

    def test_a_teacher_beside_it_makes_no_other_speech(self) -> None:
        self.recordings("teacher", a=[1], b=[2], c=[3])
        self.eval()
        self.assertEqual(self.spoken_before("--teacher", "teacher"), 3)

    def test_a_signal_leaves_a_report_that_says_so(self) -> None:
        self.hear(**{**SENTENCES, "c": "HANG"})
        process = self.start("eval", "--sentences", "list.jsonl", "--out", "out", "--no-speaker", "-n", "24",
                             "--recognizer-batch", f"{sys.executable} recognizer.py")
        self.wait_for(lambda: self.calls() == ["a", "b", "c"], "the third sound")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        document = self.document()
        self.assertEqual((document["complete"], document["judged"], document["sentences"]), (False, 2, 3))
        self.assertIn("interrupted: 2 of 3", self.content("out/report.html").decode())
        self.hear(**SENTENCES)
        self.assertIn("3 of 3 sentences were spoken by an earlier run", self.eval().err)
        self.assertEqual(self.calls(), ["a", "b", "c", "c"])
        self.assertTrue(self.document()["complete"])

    def test_a_recognizer_that_fails_on_one_sound_is_tried_twice(self) -> None:
        for word, form in (("FAIL", "--recognizer"), ("DIE", "--recognizer-batch")):
            shutil.rmtree(self.work / "out", ignore_errors=True)
            (self.work / "calls.txt").unlink(missing_ok=True)
            self.hear(**{**SENTENCES, "b": word})
            ended = self.eval("--max-wer", "1", status=6, form=form)
            self.assertIn("max_wer is not known", ended.err)
            self.assertEqual(sorted(self.calls()), ["a", "b", "b", "c"])
            self.assertEqual(self.document()["utterances"][1]["model"]["faults"].count("unheard"), 1)
            self.assertEqual(self.document()["groups"][0]["model"]["wer"]["n"], 2)
        self.hear(**SENTENCES)
        self.eval("--max-wer", "1")  # now it can, and only the one that was not heard is asked for
        self.assertEqual(len(self.calls()), 5)

    def test_a_recognizer_that_fails_always_is_an_error(self) -> None:
        self.hear(a="FAIL", b="FAIL", c="FAIL")
        ended = self.eval(status=3, form="--recognizer")
        self.assertIn("ended with status 3", ended.messages()[0])
        self.hear(a="HANG", b="HANG", c="HANG")
        began = time.monotonic()
        ended = self.eval("--recognizer-timeout", "0.5", "--jobs", "3", status=7)
        self.assertIn("took too long", ended.messages()[0])
        self.assertLess(time.monotonic() - began, 60)
        ended = self.kani("eval", "--sentences", "list.jsonl", "--out", "out", "--no-speaker", "-n", "24",
                          "--recognizer", "/no/such/thing {wav}", status=4)
        self.assertIn("cannot start the recognizer /no/such/thing", ended.messages()[0])

    def test_a_recognizer_that_says_more_than_it_is_asked_is_refused(self) -> None:
        talks = {"before": RECOGNIZER.replace("else:\n", "else:\n    print('loading model...', flush=True)\n"),
                 "between": RECOGNIZER.replace("flush=True)", "flush=True)\n        if '/b.' in line: print('done', flush=True)")}
        for when, program in talks.items():
            shutil.rmtree(self.work / "out", ignore_errors=True)
            (self.work / "recognizer.py").write_text(program)
            ended = self.eval(status=3)
            self.assertIn("printed more than one line for each path", ended.messages()[0], when)
            self.assertFalse((self.work / "out" / "eval.json").exists())
            # Nothing of what it said is believed by the next run.
            (self.work / "recognizer.py").write_text(RECOGNIZER)
            self.eval("--max-wer", "0")

    def test_what_has_no_word_in_it_cannot_be_heard(self) -> None:
        self.lines([{"text": "Hello."}, {"id": "dots", "text": "… —"}])
        ended = self.eval(status=3)
        self.assertIn("sentence dots has no word in it", ended.messages()[0])

    def test_several_recognizers_hear_the_same_as_one(self) -> None:
        self.eval("--jobs", "3")
        self.assertEqual(sorted(self.calls()), ["a", "b", "c"])
        self.assertEqual(self.wer(), 0)

    def test_recordings_are_held_against_the_teachers(self) -> None:
        self.recordings("teacher", a=[1, 5, 2, 7], b=[3, 3, 8, 1], c=[6, 1, 4, 4])
        self.recordings("mine", 10, a=[1, 5, 2, 7], b=[3, 3, 8, 1], c=[1, 5, 2, 7])
        self.hear(**{**SENTENCES, "a": "the old clock strikes five", "teacher a": "the old clock strikes nine"})
        ended = self.eval("--sounds", "mine", "--teacher", "teacher", "--max-wer-over-teacher", "0.1")
        self.assertRegex(ended.out.decode().splitlines()[0], "WER .*teacher .*own sentence .*voice distance")
        document = self.document()
        over = document["groups"][0]["over_teacher"]
        self.assertAlmostEqual(over["wer_difference"]["mean"], 1 / 12)
        self.assertIsNone(over["wer_ratio"])
        self.assertAlmostEqual(over["seconds_ratio"]["mean"], 1)
        by_id = {u["id"]: u["model"] for u in document["utterances"]}
        self.assertTrue(by_id["a"]["own_nearest"])
        self.assertLess(by_id["a"]["own_distance_ratio"], 0.5)
        self.assertFalse(by_id["c"]["own_nearest"])  # it is the sound of a
        self.assertLess(by_id["a"]["voice_distance"], by_id["c"]["voice_distance"] / 3)
        self.eval("--sounds", "mine", "--teacher", "teacher", "--max-wer-over-teacher", "0.08", status=6)

    def test_whose_voice_it_is(self) -> None:
        (self.work / "who").mkdir()
        for name, pitch in (("low", 90.0), ("high", 230.0)):
            (self.work / f"{name}.wav").write_bytes(wav(voice_of([1, 2, 3, 4, 5], pitch)))
            for number, words in enumerate(([2, 4, 1, 5, 3], [5, 1, 3, 2, 4])):
                (self.work / "who" / f"{name}{number}.wav").write_bytes(wav(voice_of(words, pitch)))
        # One utterance of the low voice is by the other speaker.
        shutil.copy(self.work / "who" / "high1.wav", self.work / "who" / "low1.wav")
        self.lines([{"id": f"{name}{n}", "text": "some words", "speaker": name, "reference": f"{name}.wav"}
                    for name in ("low", "high") for n in (0, 1)])
        self.eval("--sounds", "who", "--min-own-speaker", "0.75")
        trial = self.document()["speaker_trials"][0]["model_by_cepstrum"]
        self.assertEqual((trial["own"], trial["confusion"]), (0.75, {"low": {"low": 1, "high": 1}, "high": {"high": 2}}))
        self.eval("--sounds", "who", "--min-own-speaker", "0.8", status=6)
        told = json.loads(self.eval("--sounds", "who", "--json").out)
        self.assertEqual(told["speaker_trials"][0]["speakers"], ["high", "low"])
        self.assertNotIn("utterances", told)
        groups = [json.loads(line) for line in self.eval("--sounds", "who", "--jsonl").out.splitlines()]
        self.assertEqual([(g["by"], g["name"]) for g in groups], [("all", ""), ("speaker", "high"), ("speaker", "low")])

    def test_the_codec_alone(self) -> None:
        self.recordings("mine", a=[1, 5], b=[3, 8], c=[6, 4])
        self.eval("--sounds", "mine", "--codec-only", "-m", Setup.model)
        once = self.content("out/sounds/a.wav")
        self.assertNotEqual(once, self.content("mine/a.wav"))
        for utterance in self.document()["utterances"]:
            self.assertAlmostEqual(utterance["model"]["seconds"], 0.9, places=1)
        self.eval("--sounds", "mine", "--codec-only", "-m", Setup.model)
        self.assertEqual(self.content("out/sounds/a.wav"), once)

    def test_another_codec_beside_the_model_codes_anew(self) -> None:
        self.recordings("mine", a=[1, 5], b=[3, 8], c=[6, 4])
        shutil.copytree(Setup.tiny(), self.work / "set")
        flags = ("--codec-only", "-m", "set/lm")
        self.eval("--sounds", "mine", *flags)
        sound = self.work / "out" / "sounds" / "a.wav"
        once, when = sound.read_bytes(), sound.stat().st_mtime_ns
        # The same recordings in another folder, judged beside a teacher: nothing is coded again.
        shutil.copytree(self.work / "mine", self.work / "again")
        self.eval("--sounds", "again", "--teacher", "mine", *flags)
        self.assertEqual(sound.stat().st_mtime_ns, when)
        shutil.copy(Setup.model / "codec.nemo", self.work / "set" / "codec.nemo")
        self.eval("--sounds", "mine", *flags)
        self.assertNotEqual(sound.read_bytes(), once)

    @slow
    def test_the_encoder_of_the_model_knows_its_voice(self) -> None:
        self.environment["KANI_MODEL"] = str(Setup.model)
        samples = Setup.model / "samples"
        (self.work / "mine").mkdir()
        for name, number in (("a", 1), ("b", 2)):
            shutil.copy(samples / f"{number}.wav", self.work / "mine" / f"{name}.wav")
        self.lines([{"id": name, "text": "x", "reference": str(samples / "3.wav")} for name in ("a", "b")])
        self.kani("eval", "--sentences", "list.jsonl", "--out", "out", "--sounds", "mine")
        figure = self.document()["groups"][0]["model"]["voice_cosine"]
        self.assertEqual(figure["n"], 2)
        self.assertGreater(figure["mean"], 0.5)

    def test_usage(self) -> None:
        for words, arguments in (
            ("--sentences is missing", ("--out", "out")),
            ("--out is missing", ("--sentences", "list.jsonl")),
            ("needs --recognizer", ("--sentences", "list.jsonl", "--out", "out", "--max-wer", "1")),
            ("needs --teacher", ("--sentences", "list.jsonl", "--out", "out", "--recognizer", "x {wav}",
                                 "--max-wer-over-teacher", "1")),
            ("found no --sounds", ("--sentences", "list.jsonl", "--out", "out", "--codec-only")),
            ("has no {wav}", ("--sentences", "list.jsonl", "--out", "out", "--recognizer", "x")),
            ("--recognizer is empty", ("--sentences", "list.jsonl", "--out", "out", "--recognizer", "")),
            ("--recognizer-batch is empty", ("--sentences", "list.jsonl", "--out", "out", "--recognizer-batch", "")),
            ("does not end", ("--sentences", "list.jsonl", "--out", "out", "--recognizer", "x '{wav}")),
        ):
            self.assertIn(words, self.kani("eval", *arguments, status=2).messages()[0])
        self.assertEqual(self.files(), ["heard.json", "list.jsonl", "recognizer.py"])
        self.eval("--teacher", "nowhere", status=4)
        (self.work / "mine").mkdir()
        self.assertIn("no recording of sentence a", self.eval("--sounds", "mine", status=4).messages()[0])
        self.lines([{"id": "../a", "text": "x"}])
        self.assertIn("list.jsonl: line 1: id ../a cannot name a file", self.eval(status=3).messages()[0])
