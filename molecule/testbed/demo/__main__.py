"""The demo: requests through port 8000, each with its curl line and the log line it left.

`python -m demo dialects` plays one part; what takes longer is played only when it is named.
Addresses and keys are read from the running testbed. Exit status 1 when a scene did not show what
it promises, with a sentence saying which; 2 when there is no such part.
"""

import os
import sys
from collections.abc import Callable

import httpx
from rich.markup import escape

from demo import basics, dialects, gpu, hung, speech
from demo.stage import Demo, DemoError, console
from synapse_cli.cluster import Cluster, ClusterError

NAMESPACE = "llm-infra"
SCENES: dict[str, tuple[Callable[[Demo], None], ...]] = {
    "basics": (basics.chat, basics.stream, basics.embedding, basics.refusal, basics.fallback),
    "gpu": (gpu.wake, gpu.share, gpu.impatient, gpu.release, gpu.lose),
    "dialects": (
        dialects.responses,
        dialects.messages,
        dialects.ollama,
        dialects.browser,
        dialects.picture,
    ),
    "speech": (speech.say_and_hear,),
    "hung-engine": (hung.hung_engine,),
}
ONLY_BY_NAME = {"hung-engine"}
"""The demo as a whole takes a minute at most."""

HOW_TO_GO_ON = """\
[bold]It keeps running at {base_url}. Use it from Python:[/]

  from openai import OpenAI
  client = OpenAI(base_url="{base_url}/v1", api_key="<make app-key APP=jarvis-cortex>")
  hello = [{{"role": "user", "content": "Hello"}}]
  print(client.chat.completions.create(model="chat", messages=hello))

[bold]Look around:[/]
  export KUBECONFIG={kubeconfig}
  make app-key APP=jarvis-cortex      the key of one application ($KEY_JARVIS_CORTEX above)
  make test-health                    what runs, how fast it answers, and who holds the GPU
  make status-page                    the GPU, live, on http://127.0.0.1:8080
  make tour SCENE=dialects            some of it again: basics, gpu, dialects, speech, hung-engine
  make demo-down                      take everything away again"""


def main() -> int:
    """Play the scenes in order, or those of the named parts; stop at the first that disappoints."""
    parts = sys.argv[1:] or [part for part in SCENES if part not in ONLY_BY_NAME]
    if unknown := [part for part in parts if part not in SCENES]:
        console.print(f"There is no scene {unknown[0]}; there are {', '.join(SCENES)}.")
        return 2
    base_url = f"http://127.0.0.1:{os.environ.get('SYNAPSE_PORT', '8000')}"
    try:
        demo = Demo(base_url, Cluster(NAMESPACE))
        wanted = [scene for part in parts for scene in SCENES[part]]
        for number, scene in enumerate(wanted, start=1):
            console.print(f"[bold]{number}. {(scene.__doc__ or '').strip()}[/]")
            scene(demo)
    except (DemoError, ClusterError, httpx.HTTPError) as fault:
        console.print(f"[red]The demo stops here: {escape(str(fault))}[/]")
        return 1
    console.print(
        HOW_TO_GO_ON.format(base_url=base_url, kubeconfig=os.environ.get("KUBECONFIG", ""))
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
