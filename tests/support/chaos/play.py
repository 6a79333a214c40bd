"""One pod after another is killed while applications ask; then the whole server restarts."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from chaos.asking import App, Asking, Ending, ask
from chaos.killing import kill, until, victims, wait_until_back
from chaos.site import Site

Say = Callable[[str], None]
ANSWER_LIMIT_S = 300.0


@dataclass(frozen=True)
class Blow:
    """A component that was killed when so many requests had ended, and when it was ready again."""

    name: str
    ended: int
    back_s: float


@dataclass(frozen=True)
class Chapter:
    """The requests that ended between one blow and the next."""

    blow: str
    back_s: float | None
    endings: tuple[Ending, ...]


@dataclass
class Story:
    """Everything that was seen."""

    chapters: list[Chapter]
    afterwards: dict[str, float] = field(default_factory=dict)
    """Seconds until each thing was as the catalogue says."""

    @property
    def violations(self) -> list[Ending]:
        """The requests that ended in neither a whole answer nor an explicit error."""
        allowed = ("answered", "error", "broken")
        ended = [ending for chapter in self.chapters for ending in chapter.endings]
        return [one for one in ended if one.outcome not in allowed]


async def play(site: Site, requests: int, say: Say) -> Story:
    """Ask `requests` times or more while every component is killed in turn."""
    asking = Asking(site.base_url, site.apps)
    killing = asyncio.create_task(_kill_in_turn(site, asking, requests, say))
    await asking.run(lambda: asking.asked < requests or not killing.done())
    story = Story(_chapters(asking.endings, await killing))
    await _settle(site, story, say)
    return story


async def _kill_in_turn(site: Site, asking: Asking, requests: int, say: Say) -> list[Blow]:
    """Kill one component after the other, the next only when the last one is back."""
    blows, turn = [], victims(site.gpu_models)
    for number, victim in enumerate(turn, start=1):
        await asking.reach(number * requests // (len(turn) + 1))
        ended = len(asking.endings)
        killed = await asyncio.to_thread(kill, site.cluster, victim)
        say(f"{ended} requests have ended; killed: {victim.name}")
        back_s = await wait_until_back(site.cluster, victim, killed)
        say(f"{len(asking.endings)} requests have ended; {victim.name} is back, {back_s:.1f} s")
        blows.append(Blow(victim.name, ended, back_s))
    return blows


def _chapters(endings: list[Ending], blows: list[Blow]) -> list[Chapter]:
    first = Chapter("nothing yet", None, tuple(endings[: blows[0].ended]))
    ends = [*(blow.ended for blow in blows[1:]), len(endings)]
    return [first] + [
        Chapter(blow.name, blow.back_s, tuple(endings[blow.ended : end]))
        for blow, end in zip(blows, ends, strict=True)
    ]


async def _settle(site: Site, story: Story, say: Say) -> None:
    """Wait until everything is as the catalogue says, each model answering on the GPU."""
    story.afterwards["every pod ready"] = await until(site.all_ready, "every pod to be ready")
    for model in site.gpu_models:
        began_s = time.monotonic()
        await answer(site, model, model)
        what, seconds = f"{model} answers on the GPU", time.monotonic() - began_s
        story.afterwards[what] = seconds
        say(f"afterwards, {what}: {seconds:.1f} s")
    seconds = await until(site.one_awake, "one model awake and the others asleep")
    story.afterwards["one awake, the others asleep"] = seconds


async def restart(site: Site, restart_server: Callable[[], object], say: Say) -> dict[str, float]:
    """Restart the whole server; return the seconds from its start until each answered again."""
    await asyncio.to_thread(restart_server)
    began_s = time.monotonic()
    first = await answer(site, site.gpu_models[0], None)
    seen = {f"the first answer, by {first}": time.monotonic() - began_s}
    for model in site.gpu_models:
        await answer(site, model, model)
        seen[f"{model} answers on the GPU"] = time.monotonic() - began_s
    await until(site.one_awake, "one model awake and the others asleep")
    for what, seconds in seen.items():
        say(f"the server restarted; {what}: {seconds:.1f} s")
    return seen


async def answer(site: Site, model: str, by: str | None) -> str:
    """Ask until a model's name is answered, by that model if `by` names one; return who did."""
    app = App("operator", site.operator_key, (model,))
    deadline_s = time.monotonic() + ANSWER_LIMIT_S
    async with httpx.AsyncClient(base_url=site.base_url, timeout=60) as client:
        while True:
            ending = await ask(client, app, model, stream=False)
            if ending.outcome == "answered" and by in (None, ending.served):
                return ending.served
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{model}: no answer within {ANSWER_LIMIT_S:.0f} s: {ending}")
            await asyncio.sleep(0.5)
