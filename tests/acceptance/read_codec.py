#!/usr/bin/env python3
"""read_codec.py - what NeMo's AudioCodecModel makes of a codec that kani-train exported.  Started by run.

usage: read_codec.py CODEC CASE

CASE is a JSON object: `sound`, a WAV file; `codes`, what ours makes of it, a list for each codebook; `audio`, what ours
makes of those codes.
"""

from __future__ import annotations

import array
import json
import pathlib
import sys
import wave

import nemo
import torch
from nemo.collections.tts.models import AudioCodecModel
from report import Report

SOUND_LIMIT = 2e-5  # as between NeMo and ours on the reference data (tests/data/codec/README.md)


def main() -> None:
    case = json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
    report = Report(f"NeMo {nemo.__version__}")
    model = AudioCodecModel.restore_from(sys.argv[1], map_location="cpu").eval()
    with wave.open(case["sound"]) as sound:
        samples = array.array("h", sound.readframes(sound.getnframes()))
    codes = torch.tensor(case["codes"])[None]
    with torch.no_grad():
        pcm = torch.tensor(samples, dtype=torch.float32)[None] / 32768
        theirs, _ = model.encode(audio=pcm, audio_len=torch.tensor([pcm.shape[1]]))
        audio, _ = model.decode(tokens=codes, tokens_len=torch.tensor([codes.shape[2]]))
    same = theirs.shape == codes.shape and bool((theirs == codes).all())
    report.check("a sound becomes the same codes", same, (theirs.shape, codes.shape))
    far = float((audio[0] - torch.tensor(case["audio"])).abs().max())
    report.check("codes become the same sound", far < SOUND_LIMIT, far)
    report.end()


if __name__ == "__main__":
    main()
