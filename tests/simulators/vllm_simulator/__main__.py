"""Serve one simulated engine, with vLLM's options and its own: python -m vllm_simulator --help."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

import uvloop

from vllm_simulator.app import serve
from vllm_simulator.errors import StartRefusedError
from vllm_simulator.gpu import DirectoryGpu
from vllm_simulator.hosting import Simulator
from vllm_simulator.settings import GIB, Settings, add_options, from_options

# How long a model thinks if nothing else is said.
_THINKING_TOKENS = 16


def main() -> int:
    """Run until a signal; 1 when the engine could not start, 2 when the options are wrong."""
    options, ignored = _parser().parse_known_args()
    model = options.served_model_name or options.model or options.positional_model
    if model is None:
        print("Name the model: --model NAME.", file=sys.stderr)
        return 2
    if ignored:
        print(f"vLLM options without meaning here: {' '.join(ignored)}", flush=True)
    gpu = DirectoryGpu(options.gpu, int(options.gpu_gib * GIB))
    if options.gpu_memory_utilization is not None:
        options.vram_gib = options.gpu_memory_utilization * gpu.total_bytes / GIB
    if options.runner == "pooling" and options.kind == "generate":
        options.kind = "embed"
    if options.reasoning_parser and not options.reasoning_tokens:
        options.reasoning_tokens = _THINKING_TOKENS
    settings = from_options(model, options)
    try:
        uvloop.run(_serve(settings, gpu, options.host, options.port))
    except (StartRefusedError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _serve(settings: Settings, gpu: DirectoryGpu, host: str, port: int) -> None:
    stop = asyncio.Event()
    simulator = Simulator(settings, gpu, on_exit=os._exit)

    def terminate() -> None:
        """Heed SIGTERM as vLLM does: not while it loads, and not when it lost its core badly."""
        if simulator.gone or simulator.deaf:
            print("SIGTERM is lost, as in vLLM at this time.", flush=True)
        else:
            stop.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, terminate)
    print(f"{settings.model} loads", flush=True)
    async with serve(simulator, port, host) as address:
        print(f"{settings.model} serves on {address}", flush=True)
        await stop.wait()
        await simulator.shut_down()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vllm_simulator", description=__doc__, allow_abbrev=False)
    parser.add_argument("positional_model", nargs="?", metavar="MODEL", help="as in vllm serve")
    parser.add_argument("--model", help="name under which the model is served")
    parser.add_argument("--served-model-name", help="the same, as vLLM spells it")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--gpu",
        type=Path,
        required="VLLM_SIMULATOR_GPU" not in os.environ,
        default=os.environ.get("VLLM_SIMULATOR_GPU"),
        help="folder of the GPU that several simulators share",
    )
    parser.add_argument(
        "--gpu-gib",
        type=float,
        default=float(os.environ.get("VLLM_SIMULATOR_GPU_GIB", "32")),
        help="size of the GPU; the first simulator decides (default: %(default)s)",
    )
    parser.add_argument(
        "--gpu-memory-utilization", type=float, help="share of the GPU, instead of --vram-gib"
    )
    parser.add_argument("--runner", help="pooling: an engine that makes vectors")
    parser.add_argument("--reasoning-parser", help="every answer begins with thinking")
    add_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
