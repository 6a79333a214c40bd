"""Models that hear are downloaded once; one that fails leaves the others."""

from typing import Any

from kube_api import ApiError
from speech_downloads import Downloads


class Speaches:
    """Answers as Speaches does behind the API server's proxy."""

    def __init__(self, *installed: str) -> None:
        self.models = list(installed)

    def call(self, method: str, path: str, **_: Any) -> dict[str, Any]:
        assert (method, path) == (
            "GET",
            "/api/v1/namespaces/llm-infra/services/speaches:8000/proxy/v1/models",
        )
        return {"data": [{"id": name} for name in self.models]}

    def open(self, method: str, path: str, **_: Any) -> "Speaches":
        name = path.partition("/v1/models/")[2]
        if "missing" in name:
            raise ApiError("Model could not be downloaded", 404)
        self.models.append(name)
        return self

    def close(self) -> None:
        """End the answer."""


MODELS = [
    {"source": "owner/there"},
    {"source": "owner/missing"},
    {"source": "owner/new"},
    {"source": "owner/new"},
]


def test_only_what_is_missing_is_fetched_and_a_failure_leaves_the_others() -> None:
    speaches, told = Speaches("owner/there"), list[str]()
    downloads = Downloads(speaches, "llm-infra", 60, told.append)  # type: ignore[arg-type]
    missing = downloads.missing(MODELS)
    assert missing == ["owner/missing", "owner/new"]
    outcome = downloads.fetch(missing)
    assert [done.rpartition(" in ")[0] for done in outcome.done] == ["downloaded owner/new"]
    assert outcome.failed == [
        "owner/missing could not be downloaded: Model could not be downloaded"
    ]
    assert "downloading owner/new ..." in told
    assert downloads.missing(MODELS) == ["owner/missing"]
