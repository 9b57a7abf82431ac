"""report_page.py - docs/kani-mini.md: what `evaluate` found, as a table for each part, with the sentences and commands."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]

TITLES = {
    "everyday": "Everyday sentences",
    "general": "General sentences",
    "codec": "The codec alone",
    "voices": "The other voices",
    "clones": "Clones of strangers",
    "strangers": "Strangers through the codec",
    "spanish": "Spanish",
    "development": "The development list",
}
OWN_ENCODER = "by the model's own encoder"
ABOUT = {
    "everyday": "100 sentences that templates make; no two neighbouring fillings of a template occur together in training. Voice `rms`.",
    "general": "100 usage examples of WordNet, held out of training. Voice `rms`. The recognizer's language model fits them badly, so "
    "the teacher's own rate is high.",
    "codec": "The teacher's recordings of the everyday sentences, encoded and decoded: the best that a language model could reach.",
    "voices": "Each of the other English voices of the set says the first ten everyday sentences; the teacher of each is judged beside it, and a "
    "sound is counted for the voice to whose teacher's recordings of other sentences it is nearest.",
    "clones": "Ten speakers whose recordings no part was trained on; five everyday sentences each, each from another recording. Six of them "
    "(`rms-…`, `slt-…`, `awb-…`, `kal-…`) are variants, in speed and pitch, of voices that were trained on; the two of espeak are an accent and a "
    "variant of a synthesizer of which others were trained on; `ked` and `ked-high` are of a voice that was not. A sound is counted for "
    "the speaker to whose recordings it is nearest, by the model's speaker encoder, from which the clones come, and by the statistics of mel-cepstra, which learn nothing. They are not wholly independent, though: the "
    "codec's decoder was trained against sound that is too smooth by variances of such coefficients (docs/training-codecs.md, \"Too "
    "smooth\").",
    "strangers": "The recordings that the clones' voices are made of, through the codec and back, and as they are. What the codec gives to "
    "somebody else, a language model can hardly give to its speaker.",
    "spanish": "No program at hand recognizes Spanish, so this is the agreement with the teacher's recording of the sentence against his "
    "other recordings (docs/evaluation.md, \"Phone agreement\"): it shows that the right sounds come roughly in the right order, not that "
    "anybody understands them. A sentence with one wrong word stays nearest to its own; 1.0 is chance for the ratio, not for the share.",
    "development": "100 sentences of the same templates, apart from the held-out and the training ones; choices are made by these. Voice `rms`.",
}
HEARD = 12  # sentences shown of each part: the best, the middle, the worst


def bounded(one: Document | None) -> str:
    if not one or one.get("mean") is None:
        return "-"
    return f"{one['mean']:.3f} ({one['low']:.3f} to {one['high']:.3f})"


def group(document: Document) -> Document:
    return next(one for one in document["groups"] if one["by"] == "all")


def figures(document: Document) -> list[str]:
    whole = group(document)
    model, teacher, over = whole["model"], whole.get("teacher") or {}, whole.get("over_teacher") or {}
    lines = ["| figure | kani-mini | teacher |", "| --- | --- | --- |"]
    for key, name in (("wer", "word error rate"), ("cer", "character error rate"), ("voice_cosine", f"cosine of voices {OWN_ENCODER}"),
                      ("voice_distance", "distance of voices (mel-cepstra)"), ("length_ratio", "length against the expected"),
                      ("phone_agreement", "nearest to its own sentence"), ("phone_distance_ratio", "distance to it / to others"),
                      ("faulty", "utterances with a fault"), ("real_time_factor", "real-time factor, recognizers at work beside it")):
        if (model.get(key) or {}).get("mean") is not None:
            lines.append(f"| {name} | {bounded(model[key])} | {bounded(teacher.get(key))} |")
    if over.get("wer_difference"):
        lines.append(f"| word error rate over the teacher's | {bounded(over['wer_difference'])} | |")
    for kind, share in sorted((model.get("faults") or {}).items()):
        lines.append(f"| fault: {kind.replace('_', ' ')} | {share:.3f} | |")
    for trials in document.get("speaker_trials", []):
        for key, name in (("by_encoder", OWN_ENCODER), ("by_cepstrum", "by mel-cepstra")):
            one, other = (trials.get(f"{who}_{key}") for who in ("model", "teacher"))
            texts = [f"{t['own']:.3f} ({t['low']:.3f} to {t['high']:.3f})" if t else "-" for t in (one, other)]
            lines.append(f"| nearest to the own speaker of {len(trials['speakers'])}, {name} | {texts[0]} | {texts[1]} |")
    return lines


def by_speaker(document: Document) -> list[str]:
    """A line for each voice, where there are several: the mean of all hides the worst."""
    groups = [one for one in document["groups"] if one["by"] == "speaker"]
    if len(groups) < 2:
        return []
    lines = ["", "| voice | sentences | word error rate | its teacher's | nearest to itself, by the encoder | by mel-cepstra |",
             "| --- | --- | --- | --- | --- | --- |"]
    for one in groups:
        cells = [bounded(side.get("wer")) for side in (one["model"], one.get("teacher") or {})]
        for key in ("model_by_encoder", "model_by_cepstrum"):
            taken = [((trials.get(key) or {}).get("confusion") or {}).get(one["name"], {}) for trials in document["speaker_trials"]]
            count = sum(sum(whom.values()) for whom in taken)
            cells.append(f"{sum(whom.get(one['name'], 0) for whom in taken) / count:.2f}" if count else "-")
        lines.append(f"| {one['name']} | {one['sentences']} | {' | '.join(cells)} |")
    return lines


def heard(document: Document) -> list[str]:
    judged = [one for one in document["utterances"] if (one.get("model") or {}).get("heard") is not None]
    if not judged:
        return []
    judged.sort(key=lambda one: (one["model"].get("wer") or 0, one["id"]))
    third = HEARD // 3
    middle = len(judged) // 2 - third // 2
    chosen = judged if len(judged) <= HEARD else judged[:third] + judged[middle : middle + third] + judged[-third:]
    lines = ["", "Of these the best, the middle and the worst, as the recognizer heard them:", "", "| sentence | kani-mini | teacher |",
             "| --- | --- | --- |"]
    for one in chosen:
        lines.append(f"| {one['text']} | {one['model']['heard']} | {(one.get('teacher') or {}).get('heard', '-')} |")
    return lines


def page(documents: dict[str, Document], limits: list[tuple[Any, float | None]], commands: dict[str, str],
         notes: dict[str, str]) -> str:
    lines = ["# How good is kani-mini?", "",
             "Made by `recipes/kani-mini/evaluate`; the figures in brackets hold the mean in 95 of 100 cases (bootstrap over utterances). "
             "Sampling is the model's default. The recognizer, the mel-cepstra and the rules for faults had no part in the training. The speaker "
             "encoder is the model's own, so what it says of voices may be too kind. Real-time factors are of a machine on which recognizers "
             "work at the same time. How long the codec learns with discriminators was chosen by the everyday list "
             "(docs/training-codecs.md, \"A clearer voice costs words\"), so its figures may be a little too kind, too; "
             "for choices since then there is a list of its own (`evaluate --part development`).", "",
             "| part | figure | measured | limit | aim | held |", "| --- | --- | --- | --- | --- | --- |"]
    for limit, value in limits:
        text = "not measured" if value is None else f"{value:.3f}"
        lines.append(f"| {limit.part} | {limit.what} | {text} | {'at most' if limit.at_most else 'at least'} {limit.bound:.2f} | "
                     f"{limit.aim or '-'} | {'yes' if limit.held(value) else '**no**'} |")
    for part, document in documents.items():
        about = " ".join(text for text in (ABOUT[part], notes.get(part, "")) if text)
        lines += ["", f"## {TITLES[part]}", "", about, "", *figures(document), *by_speaker(document), *heard(document)]
    lines += ["", "## Commands", "", "```", *commands.values(), "```", "", "## Sentences"]
    for part in ("everyday", "general", "spanish", "development"):
        if part in documents:
            lines += ["", f"### {TITLES[part]}", ""] + [f"- {one['text']}" for one in documents[part]["utterances"]]
    return "\n".join(lines) + "\n"
