"""The real vLLM without a GPU: installed once, three servers of it for all cases, and a table."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from real_vllm import Installation, installed, make_model
from real_vllm.installation import pinned_version
from real_vllm.stack import BOOT_S, Stack, run_stack

CASE_LIMIT_S = 600
RESULTS = pytest.StashKey[list[tuple[str, str, float]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the file that the table is written to."""
    parser.addoption("--table", type=Path, help="write the cases as a Markdown table")


def pytest_configure(config: pytest.Config) -> None:
    """Start an empty table."""
    config.stash[RESULTS] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """An engine that died takes minutes to come back."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(CASE_LIMIT_S))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Note how a case ended."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.when == "call" or report.failed:
        case = item.name.removeprefix("test_").replace("_", " ")
        item.config.stash[RESULTS].append((case, report.outcome, report.duration))
    return report  # type: ignore[return-value]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the table."""
    file = session.config.getoption("--table")
    if file is None:
        return
    lines = [
        f"vLLM {pinned_version()} on a processor, {time.strftime('%Y-%m-%d')}:",
        "",
        "| Case | Result | Seconds |",
        "|---|---|---|",
    ]
    results = session.config.stash[RESULTS]
    lines += [f"| {case} | {outcome} | {took_s:.0f} |" for case, outcome, took_s in results]
    file.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="session")
def installation() -> Installation:
    """The pinned vLLM."""
    return installed()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """Three engines, the arbiter and the gateway."""
    folder = tmp_path_factory.mktemp("stack")
    model = make_model(installation, folder / "model", folder / "cache", ends=False)
    async with run_stack(installation, model, folder) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def ready(stack: Stack) -> None:
    """Every engine is back from what the case before did to it."""
    await stack.until(stack.settled, "all engines to be back", BOOT_S)
