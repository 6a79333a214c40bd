"""A tiny but valid voice for the real Piper: it hums, a little longer for every phoneme."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

RATE = 22_050
SAMPLES_A_PHONEME = 512
OPSET, IR_VERSION = 17, 9


def make(folder: Path, name: str, hertz: float, language: str = "en-us", speakers: int = 1) -> None:
    """Write the voice's two files, as Piper's own training would."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(_model(hertz, speakers), str(folder / f"{name}.onnx"))
    facts = {
        "audio": {"sample_rate": RATE, "quality": "hum"},
        "espeak": {"voice": language},
        "language": {"code": name.partition("-")[0]},
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "num_symbols": 256,
        "num_speakers": speakers,
        "speaker_id_map": {},
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
    }
    (folder / f"{name}.onnx.json").write_text(json.dumps(facts))


def _model(hertz: float, speakers: int) -> onnx.ModelProto:
    """Return the graph of a sine, 512 samples a phoneme; each speaker is an octave higher."""
    constants: dict[str, NDArray[Any]] = {
        "one": np.array(1, np.int64),
        "zero": np.array(0, np.int64),
        "samples": np.array(SAMPLES_A_PHONEME, np.float32),
        "step": np.array(2 * np.pi * hertz / RATE, np.float32),
        "half": np.array(0.5, np.float32),
        "shape": np.array([1, 1, 1, -1], np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["scales", "one"], ["length_scale"]),
        helper.make_node("ReduceMax", ["input_lengths"], ["phonemes"], keepdims=0),
        helper.make_node("Cast", ["phonemes"], ["phonemes_f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["phonemes_f", "samples"], ["plain"]),
        helper.make_node("Mul", ["plain", "length_scale"], ["scaled"]),
        helper.make_node("Cast", ["scaled"], ["length"], to=TensorProto.INT64),
        helper.make_node("Range", ["zero", "length", "one"], ["index"]),
        helper.make_node("Cast", ["index"], ["index_f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["index_f", "pitch"], ["angle"]),
        helper.make_node("Sin", ["angle"], ["sine"]),
        helper.make_node("Mul", ["sine", "half"], ["wave"]),
        helper.make_node("Reshape", ["wave", "shape"], ["output"]),
    ]
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, None]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if speakers > 1:
        constants["two"] = np.array(2, np.float32)
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, [1]))
        pitch = [
            helper.make_node("Cast", ["sid"], ["sid_f"], to=TensorProto.FLOAT),
            helper.make_node("Pow", ["two", "sid_f"], ["octave"]),
            helper.make_node("Mul", ["octave", "step"], ["pitch"]),
        ]
    else:
        pitch = [helper.make_node("Identity", ["step"], ["pitch"])]
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, None])
    graph = helper.make_graph(
        [*pitch, *nodes],
        "hum",
        inputs,
        [output],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model
