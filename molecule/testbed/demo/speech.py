"""A voice loop: a question is said, heard, answered, and the answer is said."""

import re
import tempfile
import wave
from pathlib import Path

from rich.markup import escape

from demo.stage import Demo, console, expect
from synapse_cli.keys import read_app_key

APP = "jarvis-cortex"
QUESTION = "What is the capital of France?"
UNDERSTOOD = 5


def say_and_hear(demo: Demo) -> None:
    """Piper says a question, Whisper hears it, SmolLM2 answers, Piper says the answer."""
    folder = Path(tempfile.mkdtemp(prefix="synapse-demo-"))
    said = _say(demo, QUESTION, folder / "said.wav")
    heard = _hear(demo, said)
    common = _words(heard) & _words(QUESTION)
    expect(len(common) >= UNDERSTOOD, f"only {sorted(common)} were understood")
    answer = _answer(demo, heard)
    _say(demo, answer, folder / "answer.wav")


def _say(demo: Demo, text: str, file: Path) -> Path:
    body = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "wav"}
    spoken = demo.ask(APP, "/v1/audio/speech", body)
    expect(spoken.status_code == 200, f"speech answered {spoken.status_code}: {spoken.text}")
    file.write_bytes(spoken.content)
    with wave.open(str(file)) as audio:
        seconds = audio.getnframes() / audio.getframerate()
    console.print(f"  said   [green]{escape(text)}[/]  ({file}, {seconds:.1f} s)")
    demo.show_log(spoken)
    return file


def _hear(demo: Demo, file: Path) -> str:
    address = f"{demo.base_url}/v1/audio/transcriptions"
    console.print(
        f'  [dim]curl {address} -H "Authorization: Bearer $KEY_JARVIS_CORTEX" '
        f"-F model=whisper-1 -F file=@{file}[/]"
    )
    headers = {"Authorization": f"Bearer {read_app_key(demo.cluster, APP)}"}
    files = {"file": (file.name, file.read_bytes())}
    heard = demo.client.post(address, data={"model": "whisper-1"}, files=files, headers=headers)
    expect(heard.status_code == 200, f"the answer is {heard.status_code}: {heard.text}")
    text = str(heard.json()["text"])
    console.print(f"  heard  [green]{escape(text)}[/]")
    demo.show_log(heard)
    return text


def _answer(demo: Demo, text: str) -> str:
    message = {"role": "user", "content": text}
    body = {"model": "chat", "messages": [message], "max_tokens": 40, "temperature": 0}
    answer = demo.ask(APP, "/v1/chat/completions", body)
    expect(answer.status_code == 200, f"the chat answered {answer.status_code}: {answer.text}")
    content = str(answer.json()["choices"][0]["message"]["content"]).strip()
    expect(bool(content), "the chat has no answer to what was heard")
    demo.show_log(answer)
    return content


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))
