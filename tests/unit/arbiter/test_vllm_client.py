"""What is read out of an engine's metrics."""

import pytest

from synapse_arbiter.engine.vllm_client import Load, parse_load

METRICS = b"""\
# HELP vllm:num_requests_running Requests in the execution batch.
vllm:num_requests_running{engine="0",model_name="qwen"} 2.0
vllm:num_requests_waiting{engine="0",model_name="qwen"} 1.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="qwen",reason="capacity"} 1.0
%s{operation="sleep"} 0.0
%s{operation="wake"} 1.0
process_start_time_seconds 1.7e+09
"""


@pytest.mark.parametrize("prefix", [b"vllm:", b"vllm:rl_"])
def test_requests_operations_and_the_start_are_read(prefix: bytes) -> None:
    in_flight = prefix + b"sleep_mode_operations_in_flight"
    assert parse_load(METRICS % (in_flight, in_flight)) == Load(3, 1, 1.7e9)


def test_a_metric_that_the_version_lacks_is_unknown() -> None:
    assert parse_load(b"") == Load(None, None, None)
