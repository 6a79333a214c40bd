"""Record how a vLLM server answers, so that a simulator can be held to it."""

from vllm_recorder.asking import record
from vllm_recorder.battery import Case, battery
from vllm_recorder.recording import FOLDER, Answer, Recording, load, save

__all__ = ["FOLDER", "Answer", "Case", "Recording", "battery", "load", "record", "save"]
