"""journeys_bad_input.py - a table of mistakes: each has its documented status, one message line and perhaps a hint,
and leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import broken
from journey import ROOT, TEXT, Journey, Setup

OUT = ("-o", "out.wav")
HOSTILE = ROOT / "tests" / "data" / "speaker" / "pt" / "reject"


@dataclass
class Case:
    """One mistake.  `prepare` may make files in the working folder and set variables."""

    name: str
    status: int
    says: str  # a regular expression that the message line must hold
    arguments: tuple[object, ...]
    text: bytes = b""
    prepare: Callable[["BadInput"], None] = lambda _: None
    files: tuple[str, ...] = field(default=())  # what is left below the working folder, beside what prepare made


def usage(name: str, says: str, *arguments: object, **more: Any) -> Case:
    return Case(name, 2, says, arguments, **more)


def say(*arguments: object) -> tuple[object, ...]:
    return ("say", *OUT, *arguments)


def write(name: str, content: bytes) -> Callable[["BadInput"], None]:
    def prepare(test: "BadInput") -> None:
        (test.work / name).write_bytes(content)

    return prepare


def set_variable(name: str, value: str) -> Callable[["BadInput"], None]:
    return lambda test: test.environment.__setitem__(name, value)


USAGE = [
    usage("no_subcommand", "no subcommand given"),
    usage("unknown_subcommand", "unknown subcommand sya", "sya", "x"),
    usage("later_subcommand", "kani serve is not available in this build", "serve"),
    usage("models_alone", "kani models needs list or show", "models"),
    usage("unknown_flag", "unknown flag --vioce", *say("--vioce", "x", TEXT)),
    usage("unknown_short_flag", "unknown flag -Z", *say("-Z", TEXT)),
    usage("missing_value", "--voice needs a value", *say(TEXT, "--voice")),
    usage("empty_value", "--voice= has no value", *say("--voice=", TEXT)),
    usage("switch_with_a_word", "--stream takes no value but true or false", *say("--stream=maybe", TEXT)),
    usage("speed_not_a_number", "--speed is fast, expected a number from 0.25 to 4", *say("--speed", "fast", TEXT)),
    usage("speed_nan", "--speed is nan", *say("--speed", "nan", TEXT)),
    usage("speed_too_high", "--speed is 4.1", *say("--speed", "4.1", TEXT)),
    usage("speed_and_length_scale", "exclude each other", *say("--speed", "1", "--length-scale", "1", TEXT)),
    usage("length_scale_zero", "--length-scale is 0", *say("--length-scale", "0", TEXT)),
    usage("threads_hexadecimal", "--threads is 0x2", *say("-t", "0x2", TEXT)),
    usage("threads_zero", "--threads is 0", *say("-t", "0", TEXT)),
    usage("seed_word", "--seed is dice", *say("-s", "dice", TEXT)),
    usage("seed_too_low", "--seed is -2", *say("-s", "-2", TEXT)),
    usage("seed_too_high", "--seed is 18446744073709551616", *say("-s", "18446744073709551616", TEXT)),
    usage("temperature_too_high", "--temp is 2.5", *say("--temperature", "2.5", TEXT)),
    usage("top_p_zero", "--top-p is 0, expected a number above 0", *say("--top-p", "0", TEXT)),
    usage("top_k_negative", "--top-k is -1", *say("--top-k", "-1", TEXT)),
    usage("top_k_fraction", "--top-k is 1.5", *say("--top-k", "1.5", TEXT)),
    usage("min_p_infinite", "--min-p is inf", *say("--min-p", "inf", TEXT)),
    usage("penalty_below_one", "--repeat-penalty is 0.9", *say("--repetition-penalty", "0.9", TEXT)),
    usage("too_few_tokens", "--max-new-tokens is 3", *say("-n", "3", TEXT)),
    usage("volume_negative", "--volume is -1", *say("--volume", "-1", TEXT)),
    usage("silence_too_long", "--sentence-silence is 1e9", *say("--sentence-silence", "1e9", TEXT)),
    usage("rate_too_low", "--sample-rate is 100", *say("--sample-rate", "100", TEXT)),
    usage("dtype_unknown", "--dtype is f64, expected one of auto, f32, bf16, q8, q4", *say("--dtype", "f64", TEXT)),
    usage("dtype_of_later", "--dtype f16 is not available in this build", *say("--dtype", "f16", TEXT)),
    usage("gpu_layers", "--gpu-layers 5 is not available in this build", *say("-ngl", "5", TEXT)),
    usage("quantized_file", "--hf-repo is someone/model:q4", *say("-hf", "someone/model:q4", TEXT)),
    usage("model_and_repository", "exclude each other", *say("-m", "a", "-hf", "b/c", TEXT)),
    usage("recording_and_voice", "exclude each other", *say("--speaker-wav", "a.wav", "--voice", "rms", TEXT)),
    usage("ssml", "--ssml is not available in this build", *say("--ssml", TEXT)),
    usage("lexicon", "--lexicon is not available in this build", *say("--lexicon", "a.tsv", TEXT)),
    usage("two_outputs", "exclude each other", "say", *OUT, "-d", "out", TEXT),
    usage("raw_and_file", "exclude each other", "say", *OUT, "--output-raw", TEXT),
    usage("unknown_ending", "unknown ending of out.xyz", "say", "-o", "out.xyz", TEXT),
    usage("no_ending", "unknown ending of wav", "say", "-o", "wav", TEXT),
    usage("text_twice", "expected one", *say("-i", "a.txt", TEXT)),
    usage("stdin_twice", "stdin can be read once", *say("-i", "-", "-i", "-")),
    usage("json_input_with_text", "--json-input reads lines", *say("--json-input", TEXT)),
    usage("json_input_and_lines", "exclude each other", *say("--json-input", "--lines")),
    usage("subtitles_of_a_folder", "tell about one sound", "say", "-d", "out", "--srt", "x.srt", TEXT),
    usage("verbose_and_quiet", "exclude each other", *say("-v", "-q", TEXT)),
    usage("verbosity_too_high", "--log-verbosity is 6", *say("-lv", "6", TEXT)),
    usage("variable_with_a_bad_value", r"--top-p is 7, .* \(KANI_TOP_P\)", *say(TEXT),
          prepare=set_variable("KANI_TOP_P", "7")),
    usage("setting_with_a_bad_value", r"--seed is x, .*bad.toml: line 2\)", *say("--config", "bad.toml", TEXT),
          prepare=write("bad.toml", b"# a comment\nseed = 'x'\n")),
    usage("setting_with_too_many_values", "--seed takes one value, found 2", *say("--config", "bad.toml", TEXT),
          prepare=write("bad.toml", b"seed = [1, 2]\n")),
    usage("opus_at_a_strange_rate", "48000|48,000", "say", "-n", "8", "-o", "out.opus", "--sample-rate", "22051", TEXT),
    usage("bench_range_down", "goes down", "bench", "-p", "8-4"),
    usage("bench_form", "--output is xml", "bench", "-o", "xml"),
    usage("check_nothing", "argument FILE is missing", "check"),
    usage("completion_of_an_unknown_shell", "no completion for tcsh", "completion", "tcsh"),
    usage("help_on_nothing_known", "no subcommand gesang", "help", "gesang"),
    usage("models_show_two", "takes one model", "models", "show", "a", "b"),
    usage("version_with_more", "--version takes --json", "--version", "say"),
]


def missing(name: str, says: str, *arguments: object, **more: Any) -> Case:
    return Case(name, 4, says, arguments, **more)


MISSING = [
    missing("model_path", "no such model: nowhere", *say("-m", "nowhere", TEXT)),
    missing("model_of_a_hub", "no such model: someone/model", *say("-m", "someone/model", TEXT)),
    missing("repository_that_is_not_cached", "no such model: someone/model", *say("-hf", "someone/model", TEXT)),
    missing("hub_file", "--hf-file is not available in this build", *say("-hff", "model.gguf", TEXT)),
    missing("hub_token", "--hf-token is not available in this build", *say("-hft", "secret", TEXT)),
    missing("codec", "no such codec: none.nemo", *say("--codec", "none.nemo", TEXT)),
    missing("folder_without_model", "config.json|model", *say("-m", ".", TEXT)),
    missing("voice", "nobody", *say("--voice", "nobody", TEXT)),
    missing("voice_path", "nobody.pt", *say("--voice", "./nobody.pt", TEXT)),
    missing("voice_folder", "cannot read the voice folder", *say("--voices", "nowhere", "--voice", "x", TEXT)),
    missing("input_file", "cannot read none.txt: No such file", *say("-i", "none.txt")),
    missing("configuration", "none.toml", *say("--config", "none.toml", TEXT)),
    missing("file_to_check", "none.pt", "check", "none.pt"),
    missing("folder_to_list", "no folder at none", "models", "list", "none"),
]


def bad(name: str, says: str, *arguments: object, **more: Any) -> Case:
    return Case(name, 3, says, arguments, **more)


BAD_TEXT = [
    bad("empty_argument", "blank", *say("")),
    bad("blank_argument", "blank", *say(" \u00a0\u2003")),
    bad("empty_stdin", "stdin: the text is empty", *say()),
    bad("blank_stdin", "stdin: the text is blank", *say(), text=b" \n\t\r\n"),
    bad("mark_alone", "stdin: the text is empty", *say(), text=b"\xef\xbb\xbf"),
    bad("blank_lines", "stdin: only blank lines", *say("--lines"), text=b"\n \n"),
    bad("invalid_utf8_argument", "invalid UTF-8 at offset 3", *say(b"abc\xff")),
    bad("invalid_utf8_stdin", "stdin: invalid UTF-8 at offset 6", *say(), text=b"\xef\xbb\xbfabc\xc3"),
    bad("invalid_utf8_file", "a.txt: invalid UTF-8 at offset 1000", *say("-i", "a.txt"),
        prepare=write("a.txt", b"x" * 1000 + b"\xed\xa0\x80")),
    bad("invalid_utf8_line", "stdin: invalid UTF-8 at offset 5", *say("-n", "8", "--lines"), text=b"One.\n\xf8\n"),
    bad("utf16", "invalid UTF-8 at offset 0", *say(), text=TEXT.encode("utf-16")),
    bad("folder_as_text", "it is a folder", *say("-i", ".")),
    bad("nothing_to_speak", "nothing to speak", *say("\u200b\u200d")),
    bad("json_not_json", "stdin: line 1: not acceptable JSON", *say("--json-input"), text=b"hello\n"),
    bad("json_no_object", "line 1: expected a JSON object", *say("--json-input"), text=b"[1]\n"),
    bad("json_without_text", "line 2: text is missing or blank", *say("-n", "8", "--json-input"),
        text=b'{"text":"One."}\n{"voice":"random"}\n'),
    bad("json_bad_speed", "speed is 9", *say("--json-input"), text=b'{"text":"x","speed":9}\n'),
    bad("json_speed_as_text", 'speed is "1"', *say("--json-input"), text=b'{"text":"x","speed":"1"}\n'),
    bad("json_bad_seed", "seed is 1.5", *say("--json-input"), text=b'{"text":"x","seed":1.5}\n'),
    bad("json_two_voices", "more than one of voice", *say("--json-input"), text=b'{"text":"x","voice":"a","speaker":"b"}\n'),
    bad("json_text_twice", "duplicate key", *say("--json-input"), text=b'{"text":"x","text":"y"}\n'),
    bad("json_deep", "nested deeper", *say("--json-input"), text=b'{"text":' + b"[" * 100_000 + b"\n"),
    bad("configuration_no_toml", "bad.toml: line 2: expected =", *say("--config", "bad.toml", TEXT),
        prepare=write("bad.toml", b"a = 1\nnonsense\n")),
]


def voice_json(length: int, value: object = 0.08) -> bytes:
    return json.dumps({"embedding": [value] * length}).encode()


VOICE = ("say", "-n", "8", *OUT, "--voice")
BAD_VOICE = [
    bad("voice_of_another_dimension", "192", *VOICE, "./v.json", TEXT, prepare=write("v.json", voice_json(192))),
    bad("voice_with_a_word", "v.json", *VOICE, "./v.json", TEXT, prepare=write("v.json", voice_json(128, "x"))),
    bad("voice_with_infinity", "v.json", *VOICE, "./v.json", TEXT,
        prepare=write("v.json", voice_json(128).replace(b"0.08", b"1e999"))),
    bad("voice_empty", "v.pt", *VOICE, "./v.pt", TEXT, prepare=write("v.pt", b"")),
    bad("voice_is_text", "v.npy", *VOICE, "./v.npy", TEXT, prepare=write("v.npy", b"not an array")),
    bad("voice_is_a_folder", "v", *VOICE, "./v", TEXT, prepare=lambda test: (test.work / "v").mkdir()),
]


def model_case(name: str, says: str, change: Callable[[Path], None], *flags: object, status: int = 3) -> Case:
    """A copy of the tiny model, changed."""

    def prepare(test: "BadInput") -> None:
        change(broken.copy_model(Setup.tiny(), test.folder / "model"))

    return Case(name, status, says, ("say", "-n", "8", *OUT, "-m", "../model", *flags, TEXT), prepare=prepare)


def cut_weights(keep: Callable[[int], int]) -> Callable[[Path], None]:
    return lambda lm: broken.cut(broken.weights(lm), keep)


def cut_codec(keep: Callable[[int], int]) -> Callable[[Path], None]:
    return lambda lm: broken.cut(codec_of(lm), keep)


def codec_of(lm: Path) -> Path:
    return lm.parent / "codec.nemo" if lm.name == "lm" else lm / "codec.nemo"


def put(name: str, content: bytes) -> Callable[[Path], None]:
    def change(lm: Path) -> None:
        (lm / name).write_bytes(content)

    return change


BAD_MODEL = [
    model_case("weights_empty", "model.safetensors", cut_weights(lambda n: 0)),
    model_case("weights_seven_bytes", "model.safetensors", cut_weights(lambda n: 7)),
    model_case("weights_cut_in_the_header", "model.safetensors", cut_weights(lambda n: 100)),
    model_case("weights_cut_in_the_middle", "model.safetensors", cut_weights(lambda n: n // 2)),
    model_case("weights_without_the_last_byte", "model.safetensors", cut_weights(lambda n: n - 1)),
    model_case("weights_with_a_byte_too_many", "model.safetensors",
               lambda lm: broken.weights(lm).write_bytes(broken.weights(lm).read_bytes() + b"\0")),
    model_case("weights_with_a_huge_header", "model.safetensors", broken.with_huge_header),
    model_case("weights_overlap", "model.safetensors", broken.with_overlap),
    model_case("weights_without_a_tensor", "missing|expected", broken.without_tensor),
    model_case("weights_of_another_shape", r"\[|shape", broken.with_other_shape),
    model_case("weights_with_nan", "(?i)nan|finite", broken.with_nan, "--check-tensors"),
    model_case("weights_are_a_fifo", "model.safetensors", lambda lm: broken.replace_by_fifo(broken.weights(lm))),
    model_case("weights_missing", "safetensors", lambda lm: broken.weights(lm).unlink(), status=4),
    model_case("config_not_json", "config.json", put("config.json", b"{")),
    model_case("config_a_list", "config.json", put("config.json", b"[]")),
    model_case("config_with_a_mark", "config.json", put("config.json", b"\xef\xbb\xbf{}")),
    model_case("config_width_zero", "hidden_size", lambda lm: broken.change_config(lm, hidden_size=0)),
    model_case("config_width_huge", "hidden_size|large|memory", lambda lm: broken.change_config(lm, hidden_size=10**9)),
    model_case("config_layers_as_text", "num_hidden_layers|layer", lambda lm: broken.change_config(lm, num_hidden_layers="9")),
    model_case("config_unknown_layer", "layer", lambda lm: broken.change_config(lm, layer_types=["mamba"])),
    model_case("config_of_another_model", "model_type|architecture",
               lambda lm: broken.change_config(lm, model_type="gpt2", architectures=["GPT2LMHeadModel"])),
    model_case("tokenizer_not_json", "tokenizer.json", put("tokenizer.json", b"\x00")),
    model_case("tokenizer_of_another_kind", "tokenizer.json", put("tokenizer.json", b'{"model":{"type":"Unigram"}}')),
    model_case("tokenizer_missing", "tokenizer.json", lambda lm: (lm / "tokenizer.json").unlink(), status=4),
    model_case("codec_empty", "codec.nemo", cut_codec(lambda n: 0)),
    model_case("codec_cut", "codec.nemo", cut_codec(lambda n: n // 2)),
    model_case("codec_is_text", "codec.nemo", lambda lm: codec_of(lm).write_bytes(b"not a tar\n" * 200)),
    model_case("codec_is_a_fifo", "codec.nemo", lambda lm: broken.replace_by_fifo(codec_of(lm))),
    model_case("codec_missing", "codec", lambda lm: codec_of(lm).unlink(), status=4),
]


def unwritable(name: str, says: str, *arguments: object, **more: Any) -> Case:
    return Case(name, 5, says, arguments, **more)


SHORT = ("say", "-n", "8")
UNWRITABLE = [
    unwritable("folder_missing", "cannot write none/x.wav: No such file", *SHORT, "-o", "none/x.wav", TEXT),
    unwritable("output_is_a_folder", "cannot write folder.wav: Is a directory", *SHORT, "-o", "folder.wav", TEXT,
               prepare=lambda test: (test.work / "folder.wav").mkdir()),
    unwritable("folder_is_a_file", "cannot write", *SHORT, "-d", "file", TEXT, prepare=write("file", b"")),
    unwritable("parent_is_a_file", "cannot write file/x.wav: Not a directory", *SHORT, "-o", "file/x.wav", TEXT,
               prepare=write("file", b"")),
    # Not even root may make files there.
    unwritable("folder_takes_no_files", "cannot write /proc/x.wav", *SHORT, "-o", "/proc/x.wav", TEXT),
    unwritable("full_device", "No space left", *SHORT, "-o", "/dev/full", TEXT),
    unwritable("subtitles_folder_missing", "cannot write none/x.srt", *SHORT, *OUT, "--srt", "none/x.srt", TEXT),
    unwritable("log_folder_missing", "cannot write none/log", *SHORT, *OUT, "--log-file", "none/log", TEXT),
]


class BadInput(Journey):
    """Each case of the tables above is a test of its own."""

    def check_case(self, case: Case) -> None:
        case.prepare(self)
        before = self.files()
        ended = self.kani(*case.arguments, text=case.text, status=case.status)
        lines = ended.messages()
        self.assertTrue(lines and lines[0].startswith("kani: error: "), ended.err)
        self.assertRegex(lines[0], case.says)
        self.assertNotRegex(lines[0], r"[.!]$")
        self.assertTrue(len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("hint: ")), ended.err)
        self.assertEqual(ended.out, b"")
        self.assertEqual(self.files(), sorted([*before, *case.files]))

    def test_errors_are_json_if_asked(self) -> None:
        ended = self.kani("say", "--json", "--hf-file", "x", TEXT, status=4)
        told = json.loads(ended.err)["error"]
        self.assertEqual(set(told), {"code", "message", "hint"})
        self.assertEqual(told["code"], "not_found")

    def test_a_newline_in_a_name_stays_on_the_line(self) -> None:
        ended = self.kani("say", "-i", "a\nb", status=4)
        self.assertEqual(len(ended.lines()), 1)
        self.assertIn(r"a\nb", ended.err)

    def test_weights_with_nan_are_loaded_unless_checked(self) -> None:
        """NaN may end in an error or in silence, but never in a crash or in a file of noise."""
        lm = broken.copy_model(Setup.tiny(), self.folder / "model")
        broken.with_nan(lm)
        process = self.start("say", "-n", "8", *OUT, "-m", lm.parent if lm.name == "lm" else lm, TEXT)
        process.communicate(timeout=60)
        self.assertIn(process.returncode, (0, 1, 3))

    def test_hostile_voices_are_refused(self) -> None:
        if not HOSTILE.is_dir():
            self.skipTest(f"no {HOSTILE.relative_to(ROOT)}")
        voices = sorted(HOSTILE.glob("*.pt"))
        self.assertGreater(len(voices), 20)
        for voice in voices:
            process = self.start("check", voice)
            err = process.communicate(timeout=60)[1].decode()
            # A sound file of another dimension is a voice all the same, but not one of this model.
            spoken = process.returncode == 0
            ended = self.kani("say", "-n", "8", *OUT, "--voice", voice, TEXT, status=3) if spoken else None
            err = ended.err if ended else err
            self.assertIn(process.returncode, (0, 3), err)
            lines = err.splitlines()
            self.assertTrue(lines[0].startswith("kani: error: "), err)
            self.assertTrue(len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("hint: ")), err)
            self.assertEqual(self.files(), [])
        for voice in voices[::8]:
            self.kani("say", "-n", "8", *OUT, "--voice", voice, TEXT, status=3)
            self.assertEqual(self.files(), [])

    def test_a_full_disk_leaves_nothing(self) -> None:
        disk = self.folder / "disk"
        disk.mkdir()
        mount = shutil.which("mount")
        if os.geteuid() != 0 or mount is None:
            self.skipTest("only root can mount a small disk")
        if subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True).returncode:
            self.skipTest("a small disk cannot be mounted here")
        self.addCleanup(subprocess.run, [shutil.which("umount") or "umount", str(disk)])
        for flags in ((), ("--stream",)):
            ended = self.kani("say", "-n", "200", *flags, "-o", disk / "x.wav", TEXT * 4, status=5)
            self.assertRegex(ended.lines()[0], r"^kani: error: cannot write .*No space left on device")
            self.assertEqual(list(disk.iterdir()), [])

    def test_full_stdout_is_told(self) -> None:
        with Path("/dev/full").open("wb") as full:
            process = self.start("say", "-n", "60", TEXT, stdout=full)
            _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 5)
        self.assertIn("cannot write stdout: No space left on device", err.decode())

    def test_a_good_file_survives_a_bad_run(self) -> None:
        (self.work / "out.wav").write_bytes(b"precious")
        self.kani("say", *OUT, "--lines", text=b"One.\n\xff\n", status=3)
        self.assertEqual((self.work / "out.wav").read_bytes(), b"precious")
        self.assertEqual(self.files(), ["out.wav"])


def add_cases(group: str, cases: list[Case]) -> None:
    for case in cases:
        name = f"test_{group}_{re.sub(r'[^a-z0-9]+', '_', case.name)}"
        if hasattr(BadInput, name):
            raise ValueError(f"two cases are called {name}")

        def method(self: BadInput, case: Case = case) -> None:
            self.check_case(case)

        setattr(BadInput, name, method)


for group, cases in (("usage", USAGE), ("missing", MISSING), ("text", BAD_TEXT), ("voice", BAD_VOICE),
                     ("model", BAD_MODEL), ("write", UNWRITABLE)):
    add_cases(group, cases)
