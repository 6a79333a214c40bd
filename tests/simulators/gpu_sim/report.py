"""The comparison of the policies as text: the block that docs/arbiter-policy.md carries."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gpu_sim.baselines import fifo_collate, idle_delay
from gpu_sim.gpu import GpuSim, Policy
from gpu_sim.prediction import forecast
from gpu_sim.scenes import LOAD, answers_for, busy_and_rare, two_agents
from gpu_sim.workloads import WORKLOADS, Workload
from synapse_arbiter.policy.decide import decide
from synapse_arbiter.policy.types import Rules

OURS = "gated quantum"
SEED = 1
LOSS_SHARE = 0.05  # less of a difference is not a loss
LOSS_OF = {"median": "median_s", "95th percentile": "p95_s", "worst": "worst_s"}

# A policy may carry a random state, so every run gets a new one.
OTHERS: dict[str, Callable[[], Policy]] = {
    "FIFO-collate": lambda: fifo_collate,
    "idle-delay": lambda: idle_delay(SEED),
}
POLICIES: dict[str, Callable[[], Policy]] = {**OTHERS, OURS: lambda: decide}
LARGER = Rules(quantum_s=20.0)


@dataclass(frozen=True, slots=True)
class Figures:
    """One policy's figures under one workload; waits in seconds."""

    answered: int
    switches: int
    switching: float
    median_s: float
    p95_s: float
    p99_s: float
    worst_s: float
    still_waiting: int

    def cells(self) -> list[str]:
        """Return the figures as a row of the table."""
        waits_s = (self.median_s, self.p95_s, self.p99_s, self.worst_s)
        return [
            str(self.answered),
            str(self.switches),
            f"{self.switching:.0%}",
            *(f"{wait_s:.1f}" for wait_s in waits_s),
            str(self.still_waiting),
        ]


def quantile(values: list[float], share: float) -> float:
    """Return the value below which this share of a sorted list lies."""
    return values[min(len(values) - 1, int(share * len(values)))]


def figures(sim: GpuSim, horizon_s: float) -> Figures:
    """Sum up a run; the worst wait counts those who still wait at the end."""
    waits_s = sorted(sim.waits_s())
    pending_s = sim.pending_s(horizon_s)
    return Figures(
        answered=len(sim.served),
        switches=sim.switches,
        switching=sim.switching_s / horizon_s,
        median_s=quantile(waits_s, 0.5),
        p95_s=quantile(waits_s, 0.95),
        p99_s=quantile(waits_s, 0.99),
        worst_s=max([*waits_s, *pending_s]),
        still_waiting=len(pending_s),
    )


def compare(workload: Workload) -> dict[str, Figures]:
    """Play one workload under every policy, ours with a larger quantum too."""
    sims = {name: workload.run(make()) for name, make in POLICIES.items()}
    sims[f"{OURS}, Q = {LARGER.quantum_s:.0f} s"] = workload.run(decide, LARGER)
    return {name: figures(sim, workload.horizon_s) for name, sim in sims.items()}


def losses(workload: Workload, row: dict[str, Figures]) -> Iterable[str]:
    """Name the figures in which another policy is better than ours by more than a little."""
    ours = row[OURS]
    for name in OTHERS:
        theirs = row[name]
        if theirs.answered > (1 + LOSS_SHARE) * ours.answered:
            yield f"- {workload.name}, answered: {ours.answered}, {name} {theirs.answered}"
        for title, field in LOSS_OF.items():
            our_s, their_s = getattr(ours, field), getattr(theirs, field)
            if our_s > (1 + LOSS_SHARE) * their_s:
                yield f"- {workload.name}, {title} wait: {our_s:.1f} s, {name} {their_s:.1f} s"


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Write a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def scenes() -> str:
    """Compare the policies in the two small scenes."""
    rows = []
    for name, make in POLICIES.items():
        shared, undisturbed = (busy_and_rare(make(), LOAD, rare) for rare in (1, 0))
        agents = two_agents(make(), LOAD)
        [answer_s] = [e.ended_s - e.request.at_s for e in shared.served if e.request.model == "B"]
        kept = answers_for(shared, "A") / answers_for(undisturbed, "A")
        end_s = max(end.ended_s for end in agents.served)
        rows.append(
            [name, f"{answer_s:.1f} s", f"{kept:.0%}", str(agents.switches), f"{end_s:.1f} s"]
        )
    head = ["policy", "B answered after", "A keeps", "agents: switches", "agents: done after"]
    return table(head, rows)


def predictions() -> str:
    """Show how far the predicted waits are off."""
    rows = []
    for workload in WORKLOADS:
        errors_s = forecast(workload)
        sizes_s = sorted(abs(error_s) for error_s in errors_s)
        bias_s = sum(errors_s) / len(errors_s)
        middle_s, large_s = quantile(sizes_s, 0.5), quantile(sizes_s, 0.9)
        row = [str(len(errors_s)), f"{bias_s:+.1f} s", f"{middle_s:.1f} s", f"{large_s:.1f} s"]
        rows.append([workload.name, *row])
    return table(["workload", "predicted", "bias", "error p50", "error p90"], rows)


def report() -> str:
    """Compare the policies over all workloads and scenes, and predictions with what came."""
    head = ["workload", "policy", "answered", "switches", "switching"]
    head += ["p50", "p95", "p99", "worst", "still waiting"]
    results = [(workload, compare(workload)) for workload in WORKLOADS]
    rows = [
        [workload.name, name, *row.cells()]
        for workload, result in results
        for name, row in result.items()
    ]
    titles = [f"- {workload.name}: {workload.title}" for workload in WORKLOADS]
    lost = [line for workload, result in results for line in losses(workload, result)]
    parts = [
        "\n".join(titles),
        table(head, rows),
        f"Where the {OURS} loses:",
        "\n".join(lost),
        "The two small scenes:",
        scenes(),
        "Predicted waits (a bias above zero: requests waited longer than predicted):",
        predictions(),
    ]
    return "\n\n".join(parts) + "\n"
