#!/usr/bin/env python3
"""read_model.py - what `transformers`, `safetensors` and `peft` make of a base, an adapter and the merged model.

usage: read_model.py CASES        started by run

CASES is a JSON list of {name, base, adapter, merged, ids, texts, base_logits, merged_logits}: folders, and files that
kani-tool wrote with plain RoPE and without a voice, as transformers' LFM2 has it.

Tolerances.  Merged weights: the roundings of W + s B A in float32, by element, from sums in float64.  Logits: 1e-5 of
the largest, ten times what sums of float32 in another order make of these models (seen 9e-7); a scale of 8.01 / 4 for
8 / 4 moves them by 9e-5.
"""

from __future__ import annotations

import json
import math
import pathlib
import sys
import warnings

import peft
import torch
import transformers
from report import Report
from safetensors.torch import load_file

HALF_ULP = 2.0**-24
LOGITS = 1e-5
# What KaniTTS2 has beside LFM2; transformers' class passes over it.
OURS_ALONE = ("model.learnable_rope_layers.", "model.speaker_emb_projection.")
A, B = ".lora_A.weight", ".lora_B.weight"
PREFIX = "base_model.model."
EMBEDDING, ROWS = "model.embed_tokens.weight", PREFIX + "model.embed_tokens.token_adapter.trainable_tokens_delta"


def read_json(path: pathlib.Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def load(folder: str) -> tuple[torch.nn.Module, dict]:
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True, attn_implementation="eager")
    return model.eval(), info


def logits_of(model: torch.nn.Module, ids: list[int], positions: torch.Tensor) -> torch.Tensor:
    """With the positions of KaniTTS2.  The mask says that all is one text, which positions that stand still do not."""
    with torch.no_grad():
        out = model(input_ids=torch.tensor([ids]), position_ids=positions.round().long()[None],
                    attention_mask=torch.ones(1, len(ids), dtype=torch.long), use_cache=False)
    return out.logits[0].float()


def apart(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest difference by the largest value."""
    return float((a - b).abs().max() / b.abs().max()) if a.shape == b.shape else math.inf


def check_folder(report: Report, folder: str, texts: dict[str, list[int]]) -> torch.nn.Module:
    """An exported folder by itself: config.json, tokenizer, tensors."""
    written = read_json(pathlib.Path(folder) / "config.json")
    config = transformers.AutoConfig.from_pretrained(folder)
    report.check("config.json is an Lfm2Config", type(config) is transformers.Lfm2Config, type(config))
    names = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "norm_eps",
             "layer_types", "conv_L_cache", "conv_bias", "intermediate_size", "audio_tokens_start", "tokens_per_frame",
             "use_learnable_rope", "speaker_emb_dim", "alpha_min", "alpha_max")
    wrong = [name for name in names if getattr(config, name, None) != written[name]]
    rope = getattr(config, "rope_parameters", None) or {}
    theta = getattr(config, "rope_theta", None) or rope.get("rope_theta")
    report.check("and says the same", not wrong and theta == written["rope_theta"], wrong or theta)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    got = {text: tokenizer.encode(text, add_special_tokens=True) for text in texts}
    report.check("the tokenizer gives the ids of kani-tool", got == texts, got)
    model, info = load(folder)
    missing = sorted(map(str, info["missing_keys"]))
    strange = [str(name) for name in info["unexpected_keys"] if not str(name).startswith(OURS_ALONE)]
    misfits = sorted(map(str, info["mismatched_keys"]))
    report.check("every tensor finds its place", not (missing or strange or misfits), (missing, strange, misfits))
    return model


def check_merge(report: Report, case: dict, model: torch.nn.Module, adapter: dict[str, torch.Tensor]) -> None:
    """merge_and_unload() against our export, both against float64."""
    base, ours = load_file(f"{case['base']}/model.safetensors"), load_file(f"{case['merged']}/model.safetensors")
    theirs = model.state_dict()
    names = [name for name in ours if not name.startswith(OURS_ALONE)]
    report.check("the export has the base's tensors", base.keys() == ours.keys(), base.keys() ^ ours.keys())
    lost = [name for name in names if name not in theirs]
    report.check("and PEFT's merged model has them too", not lost, lost)
    settings = read_json(pathlib.Path(case["adapter"]) / "adapter_config.json")
    rank = settings["r"]
    scale = settings["lora_alpha"] / (math.sqrt(rank) if settings["use_rslora"] else rank)
    merged = changed = 0
    bad, worst, worst_change = [], 0.0, math.inf
    for name in names:
        module = PREFIX + name.removesuffix(".weight")
        if module + A in adapter:
            a, b, w = adapter[module + A].double(), adapter[module + B].double(), base[name].double()
            exact = w + scale * (b @ a)
            bound = HALF_ULP * (w.abs() + (rank + 3) * scale * (b.abs() @ a.abs()))
            errors = [(value.double() - exact).abs() for value in (ours[name], theirs[name])]
            bad += [name for error in errors if bool((error > bound).any())]
            worst = max(worst, *(float((error / bound).max()) for error in errors))
            worst_change = min(worst_change, float((exact - w).abs().max() / bound.max()))
            merged += 1
        else:
            want = adapter.get(PREFIX + name, base[name]).float()
            changed += PREFIX + name in adapter
            if name == EMBEDDING and ROWS in adapter:
                want = want.index_copy(0, torch.tensor(settings["trainable_token_indices"]), adapter[ROWS])
                changed += 1
            bad += [name for value in (ours[name], theirs[name]) if not torch.equal(value.float(), want)]
    report.check(f"{merged} merged tensors are W + s B A, ours and PEFT's (error {worst:.2f} of what float32 may), "
                 f"{changed} trained whole and {len(names) - merged - changed} others the same bits",
                 merged > 0 and not bad, bad[:4])
    report.check(f"what an adapter changes is at least {worst_change:.0f} times that", worst_change > 100)


def check_adapter(case: dict) -> None:
    report = Report(f"transformers {transformers.__version__}, peft {peft.__version__}, {case['name']}")
    adapter = load_file(f"{case['adapter']}/adapter_model.safetensors")
    base_numbers, merged_numbers = load_file(case["base_logits"]), load_file(case["merged_logits"])
    exported = check_folder(report, case["merged"], case["texts"])
    plain, _ = load(case["base"])
    ids, positions = case["ids"], base_numbers["positions"]
    before = logits_of(plain, ids, positions)
    far = apart(before, base_numbers["logits"])
    report.check(f"logits of the base are kani-tool's ({far:.1e} apart)", far < LOGITS)
    direct = logits_of(exported, ids, positions)
    far = apart(direct, merged_numbers["logits"])
    report.check(f"logits of the export in transformers are kani-tool's ({far:.1e} apart)", far < LOGITS)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = peft.PeftModel.from_pretrained(plain, case["adapter"]).eval()
    about_keys = [str(warning.message) for warning in said if "key" in str(warning.message).lower()]
    report.check("PEFT loads the adapter without a word about keys", not about_keys, about_keys)
    state = peft.get_peft_model_state_dict(model)
    same = state.keys() == adapter.keys() and all(torch.equal(state[name].float(), adapter[name]) for name in adapter)
    report.check(f"its {len(adapter)} tensors are those of the file", same, sorted(state.keys() ^ adapter.keys())[:4])
    after = logits_of(model, ids, positions)
    far, moved = apart(after, merged_numbers["logits"]), apart(after, before)
    report.check(f"logits of base + adapter in PEFT are kani-tool's of the export ({far:.1e} apart)", far < LOGITS)
    report.check(f"and others than the base's ({moved:.1e} apart)", moved > 100 * LOGITS)
    check_merge(report, case, model.merge_and_unload(), adapter)
    found = peft.AutoPeftModelForCausalLM.from_pretrained(case["adapter"], dtype=torch.float32,
                                                          attn_implementation="eager").eval()
    far = apart(logits_of(found, ids, positions), merged_numbers["logits"])
    report.check(f"AutoPeftModel finds the base by adapter_config.json ({far:.1e} apart)", far < LOGITS)
    if report.failed:
        failures.append(case["name"])


failures: list[str] = []
if __name__ == "__main__":
    torch.set_num_threads(1)
    for one in json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")):
        check_adapter(one)
    sys.exit(1 if failures else 0)
