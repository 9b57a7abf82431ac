#!/usr/bin/env python3
"""read_set.py - what `datasets` makes of a set that `kani data build` wrote as Parquet.  Started by run.

usage: read_set.py SET TRUTH OUT

TRUTH is a JSON object: for each split the rows as they must come, without what is not known beforehand.  OUT gets the
rows of each split as pyarrow reads them, SPLIT.rows, for what comes after.
"""

from __future__ import annotations

import json
import math
import pathlib
import sys

import datasets
import pyarrow.parquet
from report import Report

LAYERS = [f"nano_layer_{k}" for k in (1, 2, 3, 4)]
QUALITY = ["loudness_lufs", "true_peak_db", "gain_db", "clipped_share", "silent_share", "speech_share",
           "noise_distance_db", "dc", "bandwidth_hz", "trimmed_s", "characters_per_second"]
TYPES = {"text": "string", "text_raw": "string", **{layer: ["int32"] for layer in LAYERS}, "encoded_len": "int64",
         "speaker_emb": ["float32"], "language": "string", "speaker": "string", "source": "string",
         "duration": "float64", "sha256": "string", "quality": {"rate_hz": "int64", "channels": "int64", **{name: "float64" for name in QUALITY}}}
FRAME_SECONDS = 0.08


def features() -> datasets.Features:
    value = datasets.Value

    def feature(of: object) -> object:
        if isinstance(of, dict):
            return {name: value(one) for name, one in of.items()}
        return datasets.Sequence(value(of[0])) if isinstance(of, list) else value(of)

    return datasets.Features({name: feature(of) for name, of in TYPES.items()})


def differences(row: dict, truth: dict) -> list[str]:
    """What is not as it must be; voices within float32's rounding of sums of 128."""
    out = []
    for name, want in truth.items():
        got = row[name]
        if name == "speaker_emb":
            good = len(got) == len(want) and all(abs(a - b) < 1e-5 for a, b in zip(got, want, strict=True))
        else:
            good = got == want
        if not good:
            out.append(f"{name} is {str(got)[:80]}, must be {str(want)[:80]}")
    return out


def main() -> None:
    folder, truth = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
    report = Report(f"datasets {datasets.__version__}")
    files = {split: sorted(str(path) for path in folder.glob(f"{split}-*.parquet")) for split in truth}
    loaded = datasets.load_dataset("parquet", data_files=files)
    for split, rows in truth.items():
        table, want = loaded[split], features()
        report.check(f"{split}: names and order of the columns", table.column_names == list(want), table.column_names)
        report.check(f"{split}: types", table.features == want, table.features)
        report.check(f"{split}: {len(rows)} rows", len(table) == len(rows), len(table))
        got = list(table)
        wrong = [f"row {i}: {text}" for i, row in enumerate(got) for text in differences(row, rows[i])]
        report.check(f"{split}: values", not wrong, wrong[:3])
        raw = [row for file in files[split] for row in pyarrow.parquet.read_table(file).to_pylist()]
        report.check(f"{split}: the same as pyarrow reads", got == raw)
        (pathlib.Path(sys.argv[3]) / f"{split}.rows").write_text(json.dumps(raw), encoding="utf-8")
        whole = all(len(row[name]) == row["encoded_len"] and all(0 <= code < 4032 for code in row[name])
                    for row in got for name in LAYERS)
        report.check(f"{split}: as many codes in every codebook as frames, all of the codec", whole)
        voices = all(len(row["speaker_emb"]) == 128 and math.isclose(math.hypot(*row["speaker_emb"]), 1, rel_tol=1e-3)
                     for row in got)
        report.check(f"{split}: voices of 128 numbers and length 1", voices)
        late = [row["duration"] for row in got if not -1 <= row["encoded_len"] - row["duration"] / FRAME_SECONDS <= 2]
        report.check(f"{split}: durations are those of the codes", not late, late)
    report.end()


if __name__ == "__main__":
    main()
