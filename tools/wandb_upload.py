#!/usr/bin/env python3
"""wandb_upload.py - gives the metrics of a training run to Weights & Biases, from outside of the trainer.

usage: wandb_upload.py OUTPUT_DIR [--project NAME] [--name NAME] [--online] [--follow SECONDS]

Reads metrics.jsonl and loss.jsonl of a kani-train output folder and logs every line under upstream's names ("train/loss",
"eval/loss", "eval_metrics/layer_0_ppl").  Without --online the package writes its offline files, which `wandb sync`
uploads later.  With --follow it goes on reading what is added, until stopped.  Needs `pip install wandb`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Iterator


def figures(line: str) -> tuple[int, dict[str, float]]:
    """Update and named values of a line of either file."""
    values = json.loads(line)
    update = values.pop("update")
    named = {}
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        if "/" in name:
            named[name] = value
        elif name.startswith("eval_"):
            named["eval/" + name.removeprefix("eval_")] = value
        else:
            named["train/" + name] = value
    return update, named


def new_lines(path: Path, place: int) -> tuple[list[str], int]:
    """Whole lines behind `place`, and where they end."""
    if not path.exists():
        return [], place
    with path.open("rb") as file:
        file.seek(place)
        data = file.read()
    whole = data[: data.rfind(b"\n") + 1]
    return whole.decode().splitlines(), place + len(whole)


def updates(folder: Path, follow: float) -> Iterator[tuple[int, dict[str, float]]]:
    """All figures in the order of the updates; those of loss.jsonl only where metrics.jsonl has none (evaluations)."""
    places = {"metrics.jsonl": 0, "loss.jsonl": 0}
    while True:
        found: dict[int, dict[str, float]] = {}
        for name in places:
            lines, places[name] = new_lines(folder / name, places[name])
            for line in lines:
                update, named = figures(line)
                if name == "metrics.jsonl" or not any(key == "train/loss" for key in named):
                    found.setdefault(update, {}).update(named)
        yield from sorted(found.items())
        if follow <= 0:
            return
        time.sleep(follow)


def main() -> int:
    parser = argparse.ArgumentParser(description="metrics of a training run for Weights & Biases")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--project", default="kani")
    parser.add_argument("--name")
    parser.add_argument("--online", action="store_true")
    parser.add_argument("--follow", type=float, default=0, metavar="SECONDS")
    options = parser.parse_args()
    if not (options.folder / "metrics.jsonl").exists():
        print(f"wandb_upload.py: {options.folder} has no metrics.jsonl: is it the output folder of kani-train?", file=sys.stderr)
        return 3
    try:
        import wandb
    except ImportError:
        print("wandb_upload.py: the package is missing: pip install wandb", file=sys.stderr)
        return 1
    run = wandb.init(project=options.project, name=options.name or options.folder.resolve().name,
                     mode="online" if options.online else "offline")
    count = 0
    try:
        for update, named in updates(options.folder, options.follow):
            run.log(named, step=update)
            count += 1
    except KeyboardInterrupt:
        pass
    run.finish()
    print(f"{count} updates")
    return 0


if __name__ == "__main__":
    sys.exit(main())
