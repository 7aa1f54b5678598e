"""The block of YAML with which a model card begins, and which the hub's search and tables read."""

import json
import math
from collections.abc import Sequence
from typing import Any

from inrlens.hub.facts import AtlasFacts, DictionaryFacts, Facts, NetworkFacts


def front_matter(name: str, facts: Sequence[Facts], license: str | None) -> str:
    """The metadata of a repository of this ``name`` as YAML, without the lines of dashes around it.

    It holds ``library_name``, ``license`` where one is given, ``tags``, and the networks' PSNR as a ``model-index``.
    """
    networks = [one for one in facts if isinstance(one, NetworkFacts)]
    tags = ["inrlens", *dict.fromkeys(f"{one.backbone}" for one in networks)]
    if networks:
        tags.insert(1, "implicit-neural-representation")
    if any(isinstance(one, (DictionaryFacts, AtlasFacts)) for one in facts):
        tags.append("sparse-autoencoder")
    content: dict[str, Any] = {"library_name": "inrlens"}
    if license is not None:
        content["license"] = license
    content["tags"] = tags
    results = [found for one in networks if (found := _result(one))]
    if results:
        content |= {"metrics": ["psnr"], "model-index": [{"name": name, "results": results}]}
    return "\n".join(_lines(content, ""))


def _result(network: NetworkFacts) -> dict[str, Any] | None:
    """A network's row in the ``model-index``; None where its quality is not known or no number."""
    found = network.quality
    if found is None or not math.isfinite(found.mean):
        return None
    when = f" {network.measured}" if network.is_start else ""
    name = f"PSNR in dB{when}, mean over signals, n = {found.n}"
    metrics: list[dict[str, Any]] = [{"type": "psnr", "value": round(found.mean, 4), "name": name}]
    if found.deviation is not None:
        metrics[0]["args"] = {"n": found.n, "standard_deviation": round(found.deviation, 4)}
    if found.ssim is not None and math.isfinite(found.ssim):
        metrics.append({"type": "ssim", "value": round(found.ssim, 6), "name": f"SSIM, mean, n = {found.n}"})
    signals = f"the {found.n} signals listed below" if found.n > 1 else "the signal listed below"
    return {
        "task": {"type": "signal-reconstruction", "name": f"Reconstruction by {network.file}{when}"},
        "dataset": {"type": "signals", "name": signals},
        "metrics": metrics,
    }


def _lines(content: Any, indent: str) -> list[str]:
    """Block YAML of plain JSON values; a text is written as JSON writes it, which YAML reads alike."""
    if isinstance(content, dict):
        lines = []
        for key, value in content.items():
            if isinstance(value, (dict, list)):
                lines += [f"{indent}{key}:", *_lines(value, f"{indent}  ")]
            else:
                lines.append(f"{indent}{key}: {_scalar(value)}")
        return lines
    lines = []
    for value in content:
        if isinstance(value, dict):
            first, *rest = _lines(value, f"{indent}  ")
            lines += [f"{indent}- {first.strip()}", *rest]
        else:
            lines.append(f"{indent}- {_scalar(value)}")
    return lines


def _scalar(value: str | int | float) -> str:
    # YAML knows every escape of JSON, but forbids the one control character that JSON leaves as it is.
    return json.dumps(value, allow_nan=False).replace("\x7f", "\\u007f")
