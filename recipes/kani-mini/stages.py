"""stages.py - what stands between an empty folder and kani-mini, and how much of it: the table that `run` works through.

    texts -> speech, more, default -> codec-mel -> codec-encoder -> decoder -> gan -> codec-polish
          |                               +-> codes -+-> set -> lm -> lm-rows
          +-> strangers -----------------> speaker --+
          +-> heldout (for evaluate)

and then, with hundreds of voices:

    texts -> many, tinted -> many-codes (codec-mel)
    codec-polish, many, tinted -> codec-many
    codes, many-codes, codec-many -> heard -> speaker-heard -> set-many -> lm-many (lm-rows) -> kani-mini
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import package
from pipeline import Function, Stage, Step, Training, content_name

HERE = Path(__file__).resolve().parent
TEXTS = tuple(HERE / name for name in ("texts.py", "sources.py", "templates.py", "english.txt", "spanish.txt"))
TEACHERS = tuple(HERE / name for name in ("teachers.py", "engines.py", "sound.py", "speakers.json"))
MORE_SPEAKERS = (HERE / "more_speakers.py", *TEACHERS)
THROUGH_CODEC = tuple(HERE / name for name in ("through_codec.py", "sound.py", "tensors.py"))
AVERAGE = "ema_decay=0.999"
ROWS = ("init_from_scratch=false", "audio_table=rows", "audio_softmax=due", "guided_attention_weight=0")
MANY = ("speech", "more", "default", "default")  # a folder twice: twice as often
ALL = (*MANY, "many", "tinted")
TOKENIZER_ENTRIES = 400


@dataclass(frozen=True)
class Sizes:
    """How much: hours of speech, updates of each training."""

    english: float
    spanish: float
    more: float  # hours of the voices of which there is little, so that all parts know many
    own: float  # more of the default voice
    strangers: float  # of those that nothing learns from
    mel: int
    encoder: int
    decoder: int
    gan: int
    polish: int
    speaker: int
    lm: int
    rows: int
    codec_many: int
    many_english: float  # hours of hundreds of voices
    many_spanish: float
    tinted_english: float  # of hundreds more, whose spectra differ as well
    tinted_spanish: float
    heard: int  # recordings of a speaker that the encoder hears again, half of them through the codec
    speaker_heard: int
    lm_many: int
    codec_settings: tuple[str, ...] = ()
    speaker_settings: tuple[str, ...] = ()
    lm_settings: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()  # only these, of all roles; empty: all
    many_speakers: tuple[str, ...] = ()
    tinted_speakers: tuple[str, ...] = ()


FULL = Sizes(english=12, spanish=3, more=4.5, own=5, strangers=1, mel=7500, encoder=6000, decoder=10000, gan=2000, polish=4000,
             speaker=3000, lm=16000, rows=2000, codec_many=5500, many_english=6, many_spanish=1.5, tinted_english=14,
             tinted_spanish=2, heard=80, speaker_heard=4000, lm_many=9000)
# Everything once, in minutes: that the parts fit together, not that they learn.
SMOKE = Sizes(english=0.03, spanish=0.008, more=0.01, own=0.01, strangers=0.01, mel=12, encoder=8, decoder=8, gan=4, polish=4,
              speaker=6, lm=12, rows=4, codec_many=4, many_english=0.008, many_spanish=0.004,
              tinted_english=0.008, tinted_spanish=0.004, heard=6, speaker_heard=4, lm_many=4,
              codec_settings=("decoder_width=128", "encoder_width=4", "analysis_width=32", "batch_size=2", "eval_crops=2"),
              speaker_settings=("batch_size=4", "eval_clips=2", "eval_seconds=1.5", "max_seconds=2"),
              lm_settings=("pack_length=600", "batch_tokens=600", "warmup_steps=2"),
              speakers=("kal", "es-hombre", "kal-80-75", "kal-107-95", "kal-86-90", "espeak-us"),
              many_speakers=("kal-v138-82", "kal-v102-76", "es-m1-v111-50"),
              tinted_speakers=("kal-t297", "en-gb-m1-t470", "es-m1-t590"))


def settings(values: tuple[str, ...]) -> list[str]:
    return [word for value in values for word in ("--set", value)]


def joined_manifest(folders: list[Path], out: Path) -> None:
    """One manifest of several: the files' paths relative to where it lies."""
    lines = []
    for folder in folders:
        for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            row["file"] = f"{folder.name}/{row['file']}"
            lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    out.write_text("".join(lines), encoding="utf-8")


def base_of_the_model(root: Path) -> None:
    """config.json, and the texts for the tokenizer as the model will get them."""
    base = root / "base"
    base.mkdir(exist_ok=True)
    (base / "config.json").write_bytes((HERE / "model.json").read_bytes())
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = sorted({f"{row['language']}: {row['text']}" for row in rows})
    (root / "tokenizer-texts.txt").write_text("".join(text + "\n" for text in texts), encoding="utf-8")


def make_stages(root: Path, programs: Path, sizes: Sizes, jobs: int, device: str, codes: Path | None = None) -> list[Stage]:
    """`codes`: what makes the codes, as `kani-train codec --export FILE.safetensors` left it, instead of stage codec-mel's training."""
    kani, tool, train = (str(programs / name) for name in ("kani", "kani-tool", "kani-train"))
    workers = ["--workers", str(jobs)]
    only = [word for name in sizes.speakers for word in ("--speaker", name)]
    on = f"device={device}"

    def teach(out: str, *words: str, who: list[str] = only, by: list[str] = workers) -> Stage:
        command = [str(HERE / "teachers.py"), "--texts", str(root / "texts"), "--out", str(root / out), *words, *who, *by]
        return Stage(out, ("texts",), [command], [root / out], alone=bool(by), reads=TEACHERS)

    def hundreds(out: str, english: float, spanish: float, only_these: tuple[str, ...], *which: str) -> Stage:
        table = root / f"{out}.json"
        who = [word for name in only_these for word in ("--speaker", name)]
        return Stage(out, ("texts",),
                     [[str(HERE / "more_speakers.py"), *which, "--out", str(table)],
                      [str(HERE / "teachers.py"), "--texts", str(root / "texts"), "--out", str(root / out), "--speakers", str(table),
                       "--role", "encoder", "--hours", f"en={english}", "--hours", f"es={spanish}", *who, *workers]],
                     [table, root / out], alone=True, reads=MORE_SPEAKERS)

    def codec(stage: str, out: str, steps: int, more: tuple[str, ...], *words: str, sets: tuple[str, ...] = MANY) -> Training:
        data = [word for name in sets for word in ("--data", str(root / name / "manifest.jsonl"))]
        return Training([train, "codec", "--stage", stage, *data, "--steps", str(steps), *words,
                         *settings((AVERAGE, *more, *sizes.codec_settings, on))], root / out)

    def lm(out: str, steps: int, more: tuple[str, ...], *words: str, sets: tuple[str, ...] = ("set",)) -> Training:
        data = [word for name in sets for word in ("--data", str(root / name))]
        return Training([train, *data, "--valid", str(root / sets[0] / "valid-00000-of-00001.kshard"), "--config",
                         str(HERE / "small.yaml"), "--steps", str(steps), "--averaged", *words,
                         *settings((*sizes.lm_settings, *more, on))], root / out)

    def codes_to(coded: str, *folders: str) -> list[Step]:
        manifest = coded.replace("coded", "manifest")
        return [Function(lambda: joined_manifest([root / name for name in folders], root / manifest), "2"),
                [train, "codec", "--init", codes_of, "--codes-of", str(root / manifest), "--codes-to", str(root / coded)]]

    def clips(coded: str, encoder: str, out: str) -> list[str]:
        return [kani, "data", "build", str(root / coded), "--model", str(root / "base"), "--codec", first, "--speaker-encoder",
                str(root / encoder), "--out", str(root / out), "--language-tags", "--loudness", "none", "--split-by", "recording",
                "--max-share", "1", "--speaker-vector", "other", *workers]

    default = package.default_voice(sizes.speakers)
    first, last = str(root / "codec-codes.nemo"), str(root / "codec.nemo")
    # A codec this small speaks for many voices badly and for few well: the default voice gets two crops in five.
    coder = Stage("codec-mel", ("speech", "more", "default"),
                  [codec("mel", "codec-mel", sizes.mel, ("rate_weight=0.01", "group_dropout=0.05"), "--export", first)],
                  [root / "codec-mel", Path(first)])
    codes_of = str(root / "codec-mel")
    if codes:
        codes_of = str(root / "codes.safetensors")
        coder = Stage("codec-mel", coder.needs,
                      [Function(lambda: shutil.copyfile(codes, codes_of), content_name(codes)),
                       [train, "codec", "--init", codes_of, "--export", first]],
                      [Path(codes_of), Path(first)])
    stages = [
        Stage("texts", (), [[str(HERE / "texts.py"), "--out", str(root / "texts")]], [root / "texts"], reads=TEXTS),
        teach("speech", "--hours", f"en={sizes.english}", "--hours", f"es={sizes.spanish}"),
        teach("more", "--role", "encoder", "--hours", f"en={sizes.more}"),
        teach("default", "--alone", "--hours", f"en={sizes.own}", who=["--speaker", default], by=[]),
        teach("strangers", "--role", "held-out", "--hours", f"en={sizes.strangers}", "--hours", f"es={sizes.strangers / 5}"),
        teach("heldout", "--say", "heldout"),
        coder,
        Stage("codec-encoder", ("codec-mel",),
              [codec("encoder", "codec-encoder", sizes.encoder, (), "--init", codes_of)], [root / "codec-encoder"]),
        Stage("speaker", ("speech", "more", "strangers"),
              [Training([train, "speaker", "--data", str(root / "speech" / "manifest.jsonl"), "--data",
                         str(root / "more" / "manifest.jsonl"), "--valid", str(root / "strangers" / "manifest.jsonl"), "--steps",
                         str(sizes.speaker), "--export", str(root / "encoder"), *settings(sizes.speaker_settings)],
                        root / "encoder-run")],
              [root / "encoder-run", root / "encoder"]),
        # The language model learns the codes of the network that made them up: those of the encoder differ in a quarter of
        # the digits, by what nobody hears (the sound turned upside down has 70 % other tokens), and would have to be guessed.
        Stage("codes", ("codec-mel",), codes_to("coded.jsonl", *dict.fromkeys(MANY)), [root / "coded.jsonl"]),
        Stage("set", ("codes", "speaker"),
              [Function(lambda: base_of_the_model(root), content_name(HERE / "model.json")),
               [tool, "train-tokenizer", "--texts", str(root / "tokenizer-texts.txt"), "--entries", str(TOKENIZER_ENTRIES), "--out",
                str(root / "base")],
               clips("coded.jsonl", "encoder", "set")],
              [root / "base", root / "set"]),
        # Of half of the recordings it gets the encoder's codes, so that what is encoded can be heard as well.
        Stage("decoder", ("codec-encoder",),
              [codec("decoder", "decoder", sizes.decoder, ("codes=mixed",), "--init", str(root / "codec-encoder"))], [root / "decoder"]),
        Stage("gan", ("decoder",),
              [codec("decoder", "gan", sizes.gan,
                     ("codes=mixed", "adversarial_from=0", "learning_rate=3e-4", "muon_learning_rate=3e-3"),
                     "--init", str(root / "decoder"))],
              [root / "gan"]),
        # The encoder once more, for the decoder as it is now.
        Stage("codec-polish", ("gan",),
              [codec("encoder", "codec-polish", sizes.polish,
                     ("front_learns=false", "encoder_mel_from=0", "learning_rate=1e-3", "muon_learning_rate=0.01"),
                     "--init", str(root / "gan"))],
              [root / "codec-polish"]),
        Stage("lm", ("set",), [lm("lm", sizes.lm, (), "--model", str(root / "base"), "--export", str(root / "lm-sums"))],
              [root / "lm", root / "lm-sums"]),
        Stage("lm-rows", ("lm",),
              [lm("lm-rows", sizes.rows, (*ROWS, "learning_rate=3e-4", "muon_learning_rate=2e-3"), "--model", str(root / "lm-sums"),
                  "--export", str(root / "lm-export"), "--bf16")],
              [root / "lm-rows", root / "lm-export"]),
        # What a voice is, is learnt from hundreds: they come last, when sounds and words are there.
        hundreds("many", sizes.many_english, sizes.many_spanish, sizes.many_speakers),
        hundreds("tinted", sizes.tinted_english, sizes.tinted_spanish, sizes.tinted_speakers, "--tinted"),
        # Sound of the hundreds, with the spread in time that the codes do not tell: without that all voices are too smooth.
        Stage("codec-many", ("codec-polish", "many", "tinted"),
              [codec("decoder", "codec-many", sizes.codec_many,
                     ("codes=mixed", "mel_guards=[0.002, 0.0001]", "spread_weight=1", "learning_rate=1e-3",
                      "muon_learning_rate=0.01"), "--init", str(root / "codec-polish"), "--export", last, "--half", sets=ALL)],
              [root / "codec-many", Path(last)]),
        Stage("many-codes", ("many", "tinted", "codec-mel"),
              [*codes_to("many-coded.jsonl", "many"), *codes_to("tinted-coded.jsonl", "tinted")],
              [root / "many-coded.jsonl", root / "tinted-coded.jsonl"]),
        # An encoder that has heard no codec takes what the model says for somebody else's speech.
        Stage("heard", ("codes", "many-codes", "codec-many"),
              [[str(HERE / "through_codec.py"), "--coded", str(root / "coded.jsonl"), "--coded", str(root / "many-coded.jsonl"),
                "--coded", str(root / "tinted-coded.jsonl"), "--codec", last, "--tool", tool, "--out", str(root / "heard"),
                "--each", str(sizes.heard), *workers]],
              [root / "heard"], alone=True, reads=THROUGH_CODEC),
        Stage("speaker-heard", ("heard", "speaker", "strangers"),
              [Training([train, "speaker", "--init", str(root / "encoder"), "--data", str(root / "heard" / "manifest.jsonl"),
                         "--valid", str(root / "strangers" / "manifest.jsonl"), "--steps", str(sizes.speaker_heard), "--export",
                         str(root / "encoder-heard"), *settings(("learning_rate=1e-3", "cache_mb=4096", *sizes.speaker_settings))],
                        root / "encoder-heard-run")],
              [root / "encoder-heard-run", root / "encoder-heard"]),
        Stage("set-many", ("set", "many-codes", "speaker-heard"),
              [clips("coded.jsonl", "encoder-heard", "set-heard"), clips("many-coded.jsonl", "encoder-heard", "set-many"),
               clips("tinted-coded.jsonl", "encoder-heard", "set-tinted")],
              [root / "set-heard", root / "set-many", root / "set-tinted"]),
        Stage("lm-many", ("set-many", "lm-rows"),
              [lm("lm-many", sizes.lm_many, (*ROWS, "learning_rate=1e-3", "muon_learning_rate=8e-3"), "--model",
                  str(root / "lm-export"), "--export", str(root / "lm-many-export"), "--bf16",
                  sets=("set-heard", "set-many", "set-tinted"))],
              [root / "lm-many", root / "lm-many-export"]),
        Stage("kani-mini", ("codec-many", "lm-many", "speaker-heard", "heldout"),
              [Function(lambda: package.package(root, Path(kani), sizes.speakers), package.VERSION)], [root / "kani-mini"]),
    ]
    return stages
