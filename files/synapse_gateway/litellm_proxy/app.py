"""LiteLLM's proxy application, started quiet, without a database, and with its warnings heeded."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Any, cast

from starlette.types import ASGIApp

from synapse_common.faults import Fault
from synapse_gateway.access_log import write_line
from synapse_gateway.config import Config, ConfigError

LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")
BAD_CONFIG = "is not a valid argument"
"""How LiteLLM words a setting that it does not know and therefore ignores."""
ENVIRONMENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "WARNING",
    "NO_DOCS": "True",
    "NO_REDOC": "True",
    "DISABLE_ADMIN_UI": "True",
}


class ConfigWarnings(logging.Handler):
    """Collects LiteLLM's complaints about its configuration and drops all it says of requests.

    What is to be known of a request is on its own line.
    """

    def __init__(self) -> None:
        """Begin with no complaint."""
        super().__init__(logging.WARNING)
        self.complaints: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message if it is about the configuration."""
        message = record.getMessage()
        if BAD_CONFIG in message:
            self.complaints.append(message)


def load(config: Config, litellm_config: Path, master_key: str) -> tuple[ASGIApp, ConfigWarnings]:
    """Import LiteLLM and return its application; its configuration is read when it starts."""
    os.environ.update(ENVIRONMENT)
    os.environ["LITELLM_MASTER_KEY"] = master_key
    os.environ["CONFIG_FILE_PATH"] = str(litellm_config)
    # LiteLLM prints banners; standard output belongs to the log lines.
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # for the life of the process
    import litellm
    from litellm.proxy.proxy_server import app

    from synapse_gateway.litellm_proxy import hooks

    litellm.suppress_debug_info = True
    litellm.callbacks.append(hooks.Hooks(config))
    hooks.require_honest_endings()
    hooks.require_connect_timeouts()
    hooks.require_error_codes()
    hooks.notice_waits()
    return cast(ASGIApp, app), _quieten()


def check(litellm_config: Path, warnings: ConfigWarnings) -> None:
    """Let LiteLLM read its configuration without serving; raise ConfigError if it objects."""
    from litellm.proxy.proxy_server import ProxyConfig

    async def read() -> Any:
        return await ProxyConfig().load_config(router=None, config_file_path=str(litellm_config))

    try:
        asyncio.run(read())
    except Exception as error:
        text = f"{litellm_config}: LiteLLM refuses it: {error}"
        raise ConfigError([Fault((), text)]) from error
    refuse_ignored(litellm_config, warnings)


def refuse_ignored(litellm_config: Path, warnings: ConfigWarnings) -> None:
    """Raise ConfigError if LiteLLM ignored a setting, which it only mumbles."""
    if warnings.complaints:
        found = [f"{litellm_config}: {text}" for text in warnings.complaints]
        raise ConfigError(Fault((), text) for text in found)


def _quieten() -> ConfigWarnings:
    warnings = ConfigWarnings()
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [warnings]
        logger.propagate = False
        logger.setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addHandler(_Startup())
    return warnings


class _Startup(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        write_line({"event": "server", "level": record.levelname, "text": record.getMessage()})
