"""An engine's end is told in one sentence: what was short, and what to change."""

import pytest

from boot_reason import explain

CORE = "(EngineCore pid=237) ERROR 09-27 15:06:32 [core.py:1349] "
SERVER = (
    "(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. "
    "Failed core proc(s): {'EngineCore': %d}"
)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has",
            "the GPU's memory was too small: it wanted another 2.00 GiB; lower kv_cache_gib, "
            "context or max-num-seqs in its entry, or take a smaller model",
        ),
        (
            "torch.AcceleratorError: CUDA error: out of memory",
            "the GPU's memory was too small; lower kv_cache_gib, context or max-num-seqs "
            "in its entry, or take a smaller model",
        ),
        (
            "ValueError: No available memory for the cache blocks. Try increasing "
            "`gpu_memory_utilization` when initializing the engine.",
            "the GPU's memory was too small for any KV cache; raise kv_cache_gib in its entry, "
            "and vram_gib with it",
        ),
        (
            "ValueError: Free memory on device cuda:0 (12.38/31.36 GiB) on startup is less than "
            "desired GPU memory utilization (0.7, 21.95 GiB). Decrease GPU memory utilization",
            "the GPU's memory was too small: 12.38 GiB were free, and it takes 21.95 GiB; "
            "lower vram_gib in its entry, or end what else uses the GPU",
        ),
        (
            "ValueError: To serve at least one request with the model's max seq len (32768), "
            "(14.50 GiB KV cache is needed, which is larger than the available KV cache memory "
            "(6.20 GiB). Based on the available memory, the estimated maximum",
            "the GPU's memory for its KV cache was too small: one request of full length needs "
            "14.50 GiB, and it has 6.20 GiB; raise kv_cache_gib or lower context in its entry",
        ),
        (
            "ValueError: To serve at least one request with the model's max seq len (917504), "
            "23.38 GiB KV cache is needed, which is larger than the available KV cache memory "
            "(22.61 GiB). Estimated maximum model length is 886912.",
            "the GPU's memory for its KV cache was too small: one request of full length needs "
            "23.38 GiB, and it has 22.61 GiB; raise kv_cache_gib or lower context in its entry",
        ),
    ],
)
def test_too_little_memory_of_the_gpu_names_what_to_change(said: str, told: str) -> None:
    lines = ["loading", f"{CORE}{said}", "Traceback", SERVER % 1]
    assert explain("big", 1, lines, loading=True) == f"big: {told}"


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        (-9, []),
        (1, [SERVER % -9]),
        (1, ["RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you"]),
    ],
)
def test_too_little_memory_of_the_host_names_what_to_change(status: int, lines: list[str]) -> None:
    assert explain("big", status, lines, loading=True) == (
        "big: the kernel killed it, most likely because the host's memory was too small; "
        "raise vllm_overhead_gib, or take a smaller model"
    )


def test_any_other_end_while_it_loads_quotes_the_root_cause() -> None:
    lines = [f"{CORE}\x1b[31mValueError: no such quantization\x1b[0m", SERVER % 1, "bye"]
    assert explain("big", 1, lines, loading=True) == (
        f"big: its engine ended with status 1 while it loaded: {CORE}"
        "ValueError: no such quantization"
    )
    assert explain("big", 0, [], loading=True).endswith("status 0 while it loaded: it said nothing")


def test_an_end_while_it_serves_quotes_nothing_that_people_asked() -> None:
    lines = ["ValueError: the prompt 'my secret' is too long"]
    assert explain("big", -11, lines, loading=False) == "big: its engine ended with signal 11"
