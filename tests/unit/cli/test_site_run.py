"""`make site` with a runner that does what the test says: what it runs, says and asks."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from synapse_cli.cluster import ClusterError
from synapse_cli.site_run.phases import NO_SERVER, phases
from synapse_cli.site_run.run import SiteRun

QUIET = ["PLAY RECAP ***", "localhost : ok=3    changed=0    failed=0"]


def failing(why: str) -> list[str]:
    """The output of a playbook that fails."""
    return ["fatal: [forge]: FAILED! => ", "    changed: false", f"    msg: {why}", "", *QUIET]


class Place:
    """A run through the phases, with what it ran and said."""

    def __init__(self, servers: Sequence[str] = ("forge",), *, all_agreed: bool = False) -> None:
        self.ran: list[str] = []
        self.commands: list[Sequence[str]] = []
        self.said: list[str] = []
        self.questions: list[str] = []
        self.outcomes: dict[str, list[tuple[int, list[str]] | BaseException]] = {}
        self.agrees = True
        self.no_answer = ""
        self.run_through = SiteRun(
            phases(servers), self, self, self.ask, all_agreed, Path(".render/site.log"),
            self.said.append,
        )  # fmt: skip

    def run(self, lead: str, command: Sequence[str]) -> tuple[int, list[str]]:
        name = lead.split()[1]
        self.ran.append(name)
        self.commands.append(command)
        outcome = self.outcomes.get(name, [])
        found = outcome.pop(0) if outcome else (0, QUIET)
        if isinstance(found, BaseException):
            raise found
        return found

    def ask(self, question: str) -> bool:
        self.questions.append(question)
        return self.agrees

    def answer(self) -> str:
        if self.no_answer:
            raise ClusterError(self.no_answer)
        return 'small answered after 1.0 s: "Paris."'

    def told(self) -> list[str]:
        return ["The address:   http://forge:8000/v1"]

    def go(self, begin: str = "") -> int:
        return self.run_through.go(begin)

    @property
    def text(self) -> str:
        return "\n".join(self.said)


def test_all_phases_run_in_order_and_each_says_what_it_changed() -> None:
    place = Place()
    place.outcomes["cluster"] = [(0, ["forge : ok=9 changed=4 failed=0"])]
    assert place.go() == 0
    assert place.ran == [
        "find",
        "check",
        "cluster",
        "nvidia",
        "measure",
        "gateway",
        "model",
        "rest",
    ]
    assert "sets up Kubernetes: 4 changes" in place.text
    assert "sets up the GPU: nothing to do" in place.text
    assert 'small answered after 1.0 s: "Paris."' in place.text
    assert "The address:   http://forge:8000/v1" in place.text


def test_without_a_server_its_phases_say_so() -> None:
    place = Place(servers=())
    assert place.go() == 0
    assert place.ran == ["check", "gateway", "model", "rest"]
    assert place.text.count(NO_SERVER) == 4


def test_the_first_answer_waits_neither_for_sound_nor_for_the_gpu() -> None:
    place = Place()
    place.go()
    told = [" ".join(command) for command in place.commands]
    assert "--skip-tags models" in told[5]
    assert "speech" not in " ".join(told[:7])
    assert '{"vllm_wait_s": 0}' in told[7]


def test_a_phase_that_fails_ends_the_run_with_its_words_and_the_way_on() -> None:
    place = Place()
    place.outcomes["cluster"] = [(2, failing("The disk is full. Make room."))]
    assert place.go() == 1
    assert place.ran[-1] == "cluster"
    assert "The disk is full. Make room." in place.text
    assert "make site FROM=cluster" in place.text
    assert ".render/site.log" in place.text


def test_what_comes_after_the_answer_fails_alone_and_is_named_at_the_end() -> None:
    place = Place()
    place.outcomes["rest"] = [(2, failing("lost is not served: no such repository"))]
    assert place.go() == 1
    assert "lost is not served: no such repository" in place.text
    assert place.said.index("The address:   http://forge:8000/v1") < len(place.said) - 1
    assert place.said[-1] == "Once that is mended: make site FROM=rest"


def test_a_model_that_cannot_be_had_keeps_nobody_from_the_rest() -> None:
    place = Place()
    place.outcomes["model"] = [(2, failing("model lost: cannot pull library/lost: refused"))]
    assert place.go() == 1
    assert place.ran[-1] == "rest"
    assert "small answered" in place.text
    assert "model lost: cannot pull library/lost: refused" in place.text
    assert place.said[-1] == "Once that is mended: make site FROM=model"


def test_the_table_of_downloads_is_shown_as_it_is() -> None:
    place = Place()
    place.outcomes["check"] = [(0, ["    | image  vllm", "    |", "    | Room: 5 GiB.", *QUIET])]
    place.go()
    at = place.said.index("image  vllm")
    assert place.said[at : at + 3] == ["image  vllm", "", "Room: 5 GiB."]
    assert place.said[at + 3].endswith("reads your site: no fault")


def test_a_later_start_leaves_out_what_is_before() -> None:
    place = Place()
    assert place.go("model") == 0
    assert place.ran == ["model", "rest"]


def test_a_phase_that_does_not_exist_is_refused_with_those_that_do() -> None:
    place = Place()
    assert place.go("gpu") == 1
    assert place.ran == []
    assert "take find, check, cluster, nvidia, measure, gateway, model, answer, rest" in place.text


def test_an_interrupted_run_says_where_it_goes_on() -> None:
    place = Place()
    place.outcomes["model"] = [KeyboardInterrupt()]
    assert place.go() == 130
    assert "make site FROM=model" in place.text


def test_no_answer_is_a_failure_of_its_phase() -> None:
    place = Place()
    place.no_answer = "The gateway answered 503: no model answers"
    assert place.go() == 1
    assert "The gateway answered 503" in place.text
    assert "make site FROM=answer" in place.text


@pytest.mark.parametrize("name", ["nvidia_install", "nvidia_reboot"])
def test_what_nobody_does_unasked_is_asked_for_and_then_done(name: str) -> None:
    place = Place()
    place.outcomes["nvidia"] = [(2, failing(f"There is no driver; {name}: true sees to it."))]
    assert place.go() == 0
    assert place.ran.count("nvidia") == 2
    assert len(place.questions) == 1
    assert f'{{"{name}": true}}' in place.commands[4]


def test_who_does_not_agree_ends_the_run_before_anything_is_done() -> None:
    place = Place()
    place.agrees = False
    place.outcomes["nvidia"] = [(2, failing("There is no driver; nvidia_install: true."))]
    assert place.go() == 1
    assert place.ran.count("nvidia") == 1
    assert "YES=1 agrees" in place.text


def test_who_agrees_to_all_beforehand_is_not_asked() -> None:
    place = Place(all_agreed=True)
    assert place.go() == 0
    assert place.questions == []
    assert '{"nvidia_install": true}' in place.commands[3]
    assert '{"nvidia_reboot": true}' in place.commands[3]


def test_a_failure_that_agreeing_does_not_mend_is_not_asked_about_again() -> None:
    place = Place(all_agreed=True)
    place.outcomes["nvidia"] = [(2, failing("nvidia_install was not enough: no repository"))]
    assert place.go() == 1
    assert place.ran.count("nvidia") == 1
