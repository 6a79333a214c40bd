"""Measures and prints: `python -m speech_bench [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from dataclasses import asdict
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

import real_speech
from real_speech import Server
from speech_bench.measuring import TIMEOUT_S, Loop, loop
from speech_bench.sentences import SENTENCES

TABLE_WIDTH = 110
WANTED_ERRORS = 0.05
WARM_UP = "Good morning."


def main() -> None:
    """Fetch the models, run both servers, and say and hear every sentence once."""
    parser = argparse.ArgumentParser(prog="speech_bench")
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="speech-bench-") as name:
        folder = Path(name)
        missing = real_speech.fetch(folder)
        assert not missing, missing
        with (
            real_speech.speaking(folder) as speaker,
            real_speech.speaches(folder) as listener,
            httpx.Client(timeout=TIMEOUT_S) as client,
        ):
            loop(client, speaker, listener, WARM_UP)
            before = speaker.cpu_s(), listener.cpu_s()
            loops = [loop(client, speaker, listener, sentence) for sentence in SENTENCES]
            _show_wrong(loops)
            _show(loops, {"text-to-speech": speaker, "speech-to-text": listener}, before)
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in loops], indent=2))


def _show_wrong(loops: list[Loop]) -> None:
    for each in loops:
        if each.wrong:
            print(f"said   {each.said}\nheard  {each.heard}  ({each.wrong} of {each.words} words)")


def _show(loops: list[Loop], servers: dict[str, Server], before: tuple[float, float]) -> None:
    audio_s = sum(each.audio_s for each in loops)
    took = [[each.speaking_s for each in loops], [each.hearing_s for each in loops]]
    table = Table(title=f"{len(loops)} sentences, {audio_s:.0f} s of speech")
    for title in ("", "median time", "time / audio", "processor / audio", "memory", "at most"):
        table.add_column(title, justify="left" if not title else "right")
    for (what, server), began_s, took_s in zip(servers.items(), before, took, strict=True):
        now, most = server.memory_mib()
        table.add_row(
            what,
            f"{statistics.median(took_s):.2f} s",
            f"{sum(took_s) / audio_s:.2f}",
            f"{(server.cpu_s() - began_s) / audio_s:.2f}",
            f"{now:.0f} MiB",
            f"{most:.0f} MiB",
        )
    Console(width=TABLE_WIDTH).print(table)
    first = statistics.median(each.first_byte_s for each in loops)
    print(f"First byte of speech: {first:.2f} s (median).")
    wrong, spoken = sum(each.wrong for each in loops), sum(each.words for each in loops)
    print(
        f"Word error rate of the voice loop: {wrong / spoken:.1%}, {wrong} of {spoken} words"
        f" (at most {WANTED_ERRORS:.0%} is wanted; case, punctuation and digits do not count)."
    )


if __name__ == "__main__":
    main()
