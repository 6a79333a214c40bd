"""The engines' metrics as the arbiter shows them on."""

from prometheus_client.parser import text_string_to_metric_families

from synapse_arbiter.events.engine_metrics import labelled

# As vLLM writes it: labels with and without, a histogram, a gauge of the process.
VLLM = b"""\
# HELP python_info Python platform information
# TYPE python_info gauge
python_info{implementation="CPython",version="3.12.13"} 1.0
# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.79e+09
# HELP vllm:e2e_request_latency_seconds Histogram of e2e request latency in seconds.
# TYPE vllm:e2e_request_latency_seconds histogram
vllm:e2e_request_latency_seconds_bucket{engine="0",le="+Inf",model_name="tiny"} 3.0
vllm:e2e_request_latency_seconds_count{engine="0",model_name="tiny"} 3.0
vllm:e2e_request_latency_seconds_sum{engine="0",model_name="tiny"} 0.25
"""


def test_every_series_has_its_model_and_every_metric_one_description() -> None:
    text = labelled({"a": VLLM, "b": VLLM})
    assert text.splitlines()[:8] == [
        b"# HELP python_info Python platform information",
        b"# TYPE python_info gauge",
        b'python_info{model="a",implementation="CPython",version="3.12.13"} 1.0',
        b'python_info{model="b",implementation="CPython",version="3.12.13"} 1.0',
        b"# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.",
        b"# TYPE process_start_time_seconds gauge",
        b'process_start_time_seconds{model="a"} 1.79e+09',
        b'process_start_time_seconds{model="b"} 1.79e+09',
    ]


def test_a_reader_finds_the_same_values_again() -> None:
    def read(text: bytes) -> dict[tuple[str, object], float]:
        return {
            (sample.name, frozenset(sample.labels.items() - {("model", "a")})): sample.value
            for family in text_string_to_metric_families(text.decode())
            for sample in family.samples
        }

    assert read(labelled({"a": VLLM})) == read(VLLM)


def test_a_label_model_of_the_engines_own_keeps_its_value_under_another_name() -> None:
    text = b'x{model="tiny",a="b"} 1\nx{a="b",model="tiny"} 2\nx{a=",model=\\"no\\""} 3\n'
    assert labelled({"a": text}).splitlines() == [
        b'x{model="a",exported_model="tiny",a="b"} 1',
        b'x{model="a",a="b",exported_model="tiny"} 2',
        b'x{model="a",a=",model=\\"no\\""} 3',
    ]


def test_braces_and_quotes_in_a_value_stay_as_they_are() -> None:
    text = b'x{path="/{id}\\" }"} 1\n'
    assert labelled({"a": text}) == b'x{model="a",path="/{id}\\" }"} 1\n'


def test_an_engine_that_talks_nonsense_takes_nobodys_metrics_away() -> None:
    nonsense = b"<html>Internal Server Error</html>\n\n{}\n# EOF\nx\n\xff\xfe 1\n"
    assert labelled({"a": nonsense, "b": b"x 1\n", "c": b""}) == b'x{model="b"} 1\n'


def test_a_metric_without_a_description_is_one_of_its_own() -> None:
    text = b"# TYPE x gauge\nx 1\ny 2\n"
    assert labelled({"a": text, "b": text}).splitlines() == [
        b"# TYPE x gauge",
        b'x{model="a"} 1',
        b'x{model="b"} 1',
        b'y{model="a"} 2',
        b'y{model="b"} 2',
    ]
