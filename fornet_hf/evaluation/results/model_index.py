"""Numbers for the card of a model on the Hub: the `model-index` of its header."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from huggingface_hub import EvalResult, ModelCardData

from fornet_hf.evaluation.results.origin import model_of, names_apart
from fornet_hf.evaluation.results.results import Results
from fornet_hf.evaluation.results.rows import Result
from fornet_hf.files import write_text

FOLDER = "model_index"
"""Name of the folder with a header for each model."""

_ABOUT_MODEL = ("measure", "preprocessing", "label_map")  # settings that a card need not repeat with each number


def write_headers(folder: Path, results: Results) -> list[Path]:
    """Write a header for the card of each model; return the files, `model_index/MODEL.md` in the folder."""
    models: dict[str, list[Result]] = {}
    described: dict[str, dict[str, object]] = {}
    for result in results:
        model = model_of(result.origin, results.settings.get(result.origin.settings, {}))
        del model["precision"]  # one card tells both
        key = json.dumps(model)
        described[key] = model
        models.setdefault(key, []).append(result)
    paths = []
    for name, (key, numbers) in zip(names_apart(list(described.values())), models.items(), strict=True):
        path = folder / FOLDER / f"{re.sub(r'[^A-Za-z0-9.@-]+', '_', name).strip('_')}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, header(str(described[key]["model"]), numbers, results))
        paths.append(path)
    for path in {*(folder / FOLDER).glob("*.md")} - {*paths}:
        path.unlink()  # of a model that has another name by now, as there are two of its name
    return paths


def header(model: str, numbers: Iterable[Result], results: Results) -> str:
    """Return the header of a model's card, between two lines of ---; numbers that are not defined are left out."""
    metrics = [_metric(result, results) for result in numbers if result.value.value is not None]
    data = ModelCardData(model_name=model, eval_results=metrics) if metrics else ModelCardData()
    return f"---\n{data.to_yaml()}\n---\n"


def _metric(result: Result, results: Results) -> EvalResult:
    origin, value = result.origin, result.value
    settings, run = results.settings.get(origin.settings, {}), results.runs.get(origin, {})
    known = {"interval_95": [value.low, value.high], "standard_error": value.error, "note": value.note}
    return EvalResult(
        task_type="image-classification",
        dataset_type=str(run.get("dataset", dataset_type(origin.data))),
        dataset_name=origin.data,
        dataset_split=origin.split,
        dataset_revision=run.get("revision"),
        metric_type=value.measure,
        metric_name=value.measure.replace("_", " ") + (f", {value.part}" if value.part else ""),
        metric_value=value.value,
        metric_args={
            "n": value.n,
            **{name: found for name, found in known.items() if found not in ("", None, [None, None])},
            **({"left_out": dict(value.left_out)} if value.left_out else {}),
            "seed": origin.seed,
            **{name: of for name, of in settings.items() if name not in _ABOUT_MODEL},
            "precision": origin.precision,
            "weights_sha256": origin.weights,
            "data_fingerprint": origin.release,
        },
    )


def dataset_type(data: str) -> str:
    """Return the name of data as the Hub has them: an id of its own as it is; of a place on a disk, its last name.

    `TNauen/ForNet` stays, unless there is such a folder; `runs/My set/` becomes `my-set`.
    """
    if re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", data, re.ASCII) and not Path(data).exists():
        return data
    return re.sub(r"[^a-z0-9]+", "-", Path(data).expanduser().name.lower()).strip("-") or "images"
