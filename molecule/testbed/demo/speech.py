"""Speech through the same address: a sentence is said, written to a file, and understood again."""

import tempfile
import wave
from pathlib import Path

from demo.stage import Demo, console, expect
from synapse_cli.keys import read_app_key

SENTENCE = "Turn on the lights in the living room."
UNDERSTOOD = 5


def say_and_hear(demo: Demo) -> None:
    """A sentence is said, and what was said is understood again."""
    body = {"model": "tts-1", "voice": "alloy", "input": SENTENCE, "response_format": "wav"}
    spoken = demo.ask("jarvis-cortex", "/v1/audio/speech", body)
    expect(spoken.status_code == 200, f"speech answered {spoken.status_code}: {spoken.text}")
    file = Path(tempfile.mkdtemp(prefix="synapse-demo-")) / "said.wav"
    file.write_bytes(spoken.content)
    with wave.open(str(file)) as audio:
        seconds = audio.getnframes() / audio.getframerate()
    console.print(f"  said   [green]{SENTENCE}[/]  ({file}, {seconds:.1f} s)")
    demo.show_log(spoken)
    address = f"{demo.base_url}/v1/audio/transcriptions"
    console.print(
        f'  [dim]curl {address} -H "Authorization: Bearer $KEY_JARVIS_CORTEX" '
        f"-F model=whisper-1 -F file=@{file}[/]"
    )
    headers = {"Authorization": f"Bearer {read_app_key(demo.cluster, 'jarvis-cortex')}"}
    files = {"file": (file.name, spoken.content)}
    heard = demo.client.post(address, data={"model": "whisper-1"}, files=files, headers=headers)
    expect(heard.status_code == 200, f"the answer is {heard.status_code}: {heard.text}")
    text = heard.json()["text"]
    console.print(f"  heard  [green]{text}[/]")
    demo.show_log(heard)
    common = set(text.lower().split()) & set(SENTENCE.lower().rstrip(".").split())
    expect(len(common) >= UNDERSTOOD, f"only {sorted(common)} were understood")
