"""journeys_commands.py - models, check, doctor, bench, help, --version, settings."""

from __future__ import annotations

import csv
import io
import json
import subprocess

from journey import TEXT, TIMEOUT_S, Journey, Setup


class Tools(Journey):
    """kani-tool's commands that make files."""

    def train_tokenizer(self, *arguments: object) -> subprocess.CompletedProcess:
        return subprocess.run([Setup.bin / "kani-tool", "train-tokenizer", *map(str, arguments)], cwd=self.work,
                              capture_output=True, text=True, timeout=TIMEOUT_S)

    def test_train_tokenizer(self) -> None:
        (self.work / "en.txt").write_text("en: the cat sat on the mat.\nen: the other cat sat there.\n" * 3)
        (self.work / "es.txt").write_text("es: el año de la niña\r\n\nes: la mañana\n" * 2)
        told = self.train_tokenizer("--texts", "en.txt", "es.txt", "--entries", 280, "--out", "one")
        self.assertEqual(told.returncode, 0, told.stderr)
        report = json.loads(told.stdout)
        self.assertEqual((report["entries"], report["merges"], report["texts"]), (280, 21, 10))
        self.assertGreater(report["bytes_per_id"], 1.5)
        self.train_tokenizer("--texts", "es.txt", "--texts", "en.txt", "--entries", 280, "--out", "two")
        for name in ("tokenizer.json", "tokenizer_config.json"):
            self.assertEqual((self.work / "one" / name).read_bytes(), (self.work / "two" / name).read_bytes())
        ids = subprocess.run([Setup.bin / "kani-tool", "tokenize", "-m", self.work / "one"], input='"en: the niña"\n',
                             capture_output=True, text=True, timeout=TIMEOUT_S)
        ids = json.loads(ids.stdout)
        self.assertEqual(ids[0], 1)  # BOS
        self.assertLess(max(ids), 280)
        self.assertLess(len(ids), len("en: the niña".encode()))

    def test_train_tokenizer_says_when_texts_are_too_few_for_its_entries(self) -> None:
        (self.work / "few.txt").write_text("en: the cat sat on the mat.\n" * 2)
        told = self.train_tokenizer("--texts", "few.txt", "--entries", 400, "--out", "few")
        self.assertEqual(told.returncode, 0, told.stderr)
        entries = json.loads(told.stdout)["entries"]
        self.assertLess(entries, 400)
        self.assertIn(f"{entries} entries instead of 400", told.stderr)

    def test_train_tokenizer_refuses(self) -> None:
        (self.work / "empty.txt").write_text("\n")
        (self.work / "some.txt").write_text("some text\n")
        for arguments, says in ((("--texts", "some.txt", "--entries", 258), "--entries is 258, must be 259"),
                                (("--texts", "empty.txt"), "the texts are empty"), (("--texts", "none.txt"), "none.txt")):
            told = self.train_tokenizer(*arguments, "--out", "out")
            self.assertNotEqual(told.returncode, 0)
            self.assertRegex(told.stderr, "^kani-tool: error: ")
            self.assertIn(says, told.stderr)


class Commands(Journey):
    """Each subcommand's good day."""

    def test_version_and_help(self) -> None:
        self.assertRegex(self.kani("--version").out.decode(), r"^kani \d+\.\d+\.\d+ \(")
        told = json.loads(self.kani("--version", "--json").out)
        self.assertEqual(json.loads(self.kani("--json", "--version").out), told)
        self.assertLessEqual({"version", "commit", "compiler", "backends", "libraries"}, set(told))
        overview = self.kani("--help").out.decode()
        self.assertEqual(self.kani("help").out.decode(), overview)
        for name in ("say", "voice add", "voice export", "models list", "models show", "check", "doctor", "bench", "eval", "completion", "help"):
            self.assertIn(f"\n  {name} ", overview)
            text = self.kani("help", *name.split()).out.decode()
            self.assertEqual(self.kani(*name.split(), "--help").out.decode(), text)
            self.assertTrue(text.startswith(f"kani {name}: "))
            self.assertLessEqual(max(map(len, text.splitlines())), 80)
        self.assertIn("kani models show", self.kani("help", "models").out.decode())
        self.assertIn("kani voice rm", self.kani("help", "voice").out.decode())

    def test_models_show_tells_about_a_model(self) -> None:
        text = self.kani("models", "show").out.decode()
        for word in ("parameters", "codec", "licence", "22050 Hz"):
            self.assertIn(word, text)
        told = json.loads(self.kani("models", "show", "--json", Setup.model).out)
        self.assertEqual(told["sample_rate_hz"], 22050)
        self.assertGreater(told["parameters"], 1000)
        self.assertEqual(json.loads(self.kani("models", "show", "--json", "-m", Setup.model).out), told)

    def test_models_list_finds_the_default_a_folder_and_the_hub_cache(self) -> None:
        snapshot = self.folder / "hub" / "models--someone--some-model" / "snapshots" / "0123"
        snapshot.parent.mkdir(parents=True)
        snapshot.symlink_to(Setup.model)
        (self.folder / "more").mkdir()
        (self.folder / "more" / "broken").mkdir()
        (self.folder / "more" / "broken" / "config.json").write_text("{")
        references = self.folder / "hub" / "models--someone--some-model" / "refs"
        references.mkdir()
        (references / "main").write_text("0123")
        self.environment["HF_HUB_CACHE"] = str(self.folder / "hub")
        models = json.loads(self.kani("models", "list", "--json", self.folder / "more").out)["models"]
        by_name = {model["name"]: model for model in models}
        self.assertFalse(by_name["broken"]["usable"])
        self.assertIn("problem", by_name["broken"])
        self.assertTrue(by_name[Setup.model.name]["usable"])
        self.assertIn("someone/some-model", by_name)
        for flags in (("-m", "someone/some-model"), ("-hf", "someone/some-model@0123")):
            told = json.loads(self.kani("models", "show", "--json", *flags).out)
            self.assertIn("someone--some-model", told["model_path"])
        lines = self.kani("models", "list", "--jsonl", self.folder / "more").out.splitlines()
        self.assertEqual([json.loads(line) for line in lines], models)
        text = self.kani("models", "list", self.folder / "more").out.decode()
        self.assertIn("unusable", text)
        self.assertIn(str(Setup.model), text)

    def test_check_tells_kinds_and_goes_on_after_a_bad_file(self) -> None:
        (self.work / "bad.pt").write_bytes(b"nonsense")
        good = self.kani("check", Setup.model)
        self.assertIn(": ok, ", good.out.decode())
        ended = self.kani("check", "bad.pt", Setup.model, "missing.nemo", status=3)
        self.assertIn(": ok, ", ended.out.decode())
        self.assertEqual(ended.err.count("kani: error:"), 2)
        told = json.loads(self.kani("check", "--json", "bad.pt", Setup.model, status=3).out)["files"]
        self.assertEqual([file["ok"] for file in told], [False, True])
        self.assertEqual(told[0]["error"]["code"], "bad_input")

    def test_check_knows_speaker_encoders(self) -> None:
        encoder = Setup.tiny() / "speaker"
        self.assertRegex(self.kani("check", encoder).out.decode(), r"ok, speaker encoder\n.*\n.*voices of 128 numbers")
        self.assertIn("  speaker encoder: ", self.kani("check", Setup.tiny()).out.decode())

    def test_check_looks_at_numbers_if_asked(self) -> None:
        self.kani("check", "--check-tensors", Setup.model)

    def test_doctor_speaks(self) -> None:
        text = self.kani("doctor").out.decode()
        for word in ("libraries", "devices", "threads", "memory", "model", "speaker encoder", "player", "voice folder", "hub cache", "self test"):
            self.assertRegex(text, rf"(?m)^(ok|note) +{word} ")
        told = json.loads(self.kani("doctor", "--json").out)
        self.assertTrue(told["ok"])
        self.put_player("exit 0\n", "paplay")
        self.assertRegex(self.kani("doctor", "--no-self-test").out.decode(), r"(?m)^ok +player +.*/paplay$")

    def test_doctor_names_a_problem_and_has_its_status(self) -> None:
        self.environment["KANI_MODEL"] = str(self.folder / "nowhere")
        self.assertRegex(self.kani("doctor", status=4).out.decode(), r"(?m)^problem +model ")

    def test_devices_are_listed(self) -> None:
        for name in ("say", "doctor", "bench"):
            self.assertRegex(self.kani(name, "--list-devices").out.decode(), r"(?m)^cpu ")
        self.assertIn("cpu", [d["name"] for d in json.loads(self.kani("say", "--list-devices", "--json").out)["devices"]])

    def test_bench_measures_in_four_forms(self) -> None:
        flags = ("-r", "2", "-p", "8,16", "-n", "8", "-b", "1-2", "-t", "1")
        table = self.kani("bench", *flags).out.decode()
        for test in ("pp8", "pp16", "tg8", "tg8 b2", "codec 4s", "e2e short", "first sound", "peak memory"):
            self.assertRegex(table, rf"(?m)^\|.* {test} +\| +[0-9.]+ ")
        rows = list(csv.DictReader(io.StringIO(self.kani("bench", *flags, "-o", "csv").out.decode())))
        self.assertEqual({row["threads"] for row in rows}, {"1"})
        self.assertTrue(all(float(row["value"]) > 0 for row in rows))
        document = json.loads(self.kani("bench", *flags, "--json").out)
        lines = [json.loads(line) for line in self.kani("bench", *flags, "--jsonl").out.splitlines()]
        self.assertEqual([row["test"] for row in lines], [row["test"] for row in document])
        decode = next(row for row in document if row["test"] == "tg8")
        self.assertEqual(len(decode["samples"]), 2)
        self.assertLessEqual({"build_commit", "cpu", "gpu", "mean", "deviation", "unit"}, set(decode))

    def test_bench_leaves_out_lengths_of_zero(self) -> None:
        table = self.kani("bench", "-r", "1", "-p", "0", "-n", "0", "-t", "1").out.decode()
        self.assertNotIn(" pp", table)
        self.assertNotIn(" tg", table)


class Settings(Journey):
    """Flags, environment, kani.toml, defaults: in this order."""

    def config(self, text: str) -> None:
        folder = self.folder / "home" / ".config" / "kani"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kani.toml").write_text(text)

    def setting(self, flag: str, *arguments: str) -> tuple[str, str]:
        """Value and origin as doctor tells them."""
        told = json.loads(self.kani("doctor", "--settings", "--json", *arguments).out)["settings"]
        found = next(s for s in told if s["setting"] == flag)
        return found["value"], found["origin"]

    def test_each_level_wins_over_the_next(self) -> None:
        self.assertEqual(self.setting("dtype"), ("auto", "default"))
        self.config('dtype = "f32"\n')
        value, origin = self.setting("dtype")
        self.assertEqual(value, "f32")
        self.assertTrue(origin.endswith("kani.toml: line 1"), origin)
        self.environment["KANI_DTYPE"] = "bf16"
        self.assertEqual(self.setting("dtype"), ("bf16", "KANI_DTYPE"))
        self.assertEqual(self.setting("dtype", "--dtype", "auto"), ("auto", "command line"))

    def test_sections_are_for_one_subcommand(self) -> None:
        self.config('seed = 5\nthreads = 1\n[say]\nseed = 6\nsentence_silence = 0\n[bench]\nthreads = "1,2"\n')
        self.assertEqual(self.setting("seed")[0], "6")
        self.assertEqual(self.setting("threads")[0], "1")
        ended = self.kani("say", "-n", "60", "-o", "x.wav", TEXT)
        self.assertIn("seed 6", ended.err)
        self.assertNotIn("(settings)", ended.err)

    def test_unknown_keys_and_sections_are_warnings(self) -> None:
        self.config('colour = "red"\n[serve]\nport = 80\n[say]\nrepetitions = 3\n')
        ended = self.say("-o", "x.wav", TEXT)
        for word in ("line 1: unknown key colour", "line 3: unknown section serve", "line 5: unknown key repetitions"):
            self.assertIn(word, ended.err)

    def test_a_named_file_replaces_the_usual_one(self) -> None:
        self.config("seed = 5\n")
        (self.work / "other.toml").write_text("seed = 8\nstream = true\n")
        ended = self.kani("say", "--config", "other.toml", "-n", "60", "-o", "x.wav", TEXT)
        self.assertIn("seed 8", ended.err)
        self.assertEqual((self.work / "x.wav").read_bytes()[4:8], b"\xff\xff\xff\xff")
        self.environment["KANI_CONFIG"] = "other.toml"
        self.assertEqual(self.setting("seed")[0], "8")

    def test_the_command_line_shuts_out_what_it_excludes(self) -> None:
        self.environment["KANI_LENGTH_SCALE"] = "2"
        slow = len(self.say("--output-raw", TEXT).out)
        fast = len(self.say("--speed", "2", "--output-raw", TEXT).out)
        self.assertAlmostEqual(slow / fast, 4, delta=0.5)
        self.config("speed = 4\n")
        self.assertEqual(len(self.say("--output-raw", TEXT).out), slow)

    def test_switches_are_true_or_false(self) -> None:
        self.environment["KANI_QUIET"] = "yes"
        self.assertEqual(self.say("-o", "x.wav", TEXT).err, "")
        self.environment["KANI_QUIET"] = "off"
        self.assertNotEqual(self.say("-o", "x.wav", TEXT).err, "")

    def test_omp_num_threads_is_an_upper_bound(self) -> None:
        self.environment["OMP_NUM_THREADS"] = "1"
        self.assertRegex(self.kani("doctor", "--no-self-test").out.decode(), r"(?m)^ok +threads +1$")
        self.assertIn("OMP_NUM_THREADS limits the threads to 1", self.say("-t", "2", "-o", "x.wav", TEXT).err)

    def test_log_lines_go_where_they_are_sent(self) -> None:
        (self.work / "in.txt").write_text(TEXT)
        self.kani("say", "-v", "-n", "8", "--log-file", "log.txt", "-o", "x.wav", "-i", "in.txt")
        log = (self.work / "log.txt").read_text()
        self.assertRegex(log, r"(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning say the sound was cut off")
        self.assertNotIn("Helen", log)
        self.kani("say", "-n", "8", "--log-file", "log.jsonl", "--log-jsonl", "-q", "-o", "x.wav", TEXT)
        lines = [json.loads(line) for line in (self.work / "log.jsonl").read_text().splitlines()]
        self.assertIn("warning", [line["level"] for line in lines])
        self.kani("say", "--log-file", "log.txt", "-m", "nowhere", TEXT, status=4)
        self.assertIn("error kani no such model: nowhere", (self.work / "log.txt").read_text())
        ended = self.kani("say", "-n", "8", "--log-timestamps", "-o", "x.wav", TEXT)
        self.assertRegex(ended.err, r"(?m)^\d{4}-.*Z warning say ")
