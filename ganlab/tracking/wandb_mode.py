"""Whether W&B is used online: decided before the first contact, after which wandb itself may wait for long."""

from __future__ import annotations

import json
import logging
import os
import urllib.error
import urllib.request

logger = logging.getLogger(__name__)

_PROBE_TIMEOUT = 5.0  # seconds
_SERVERS_FAULT = 500  # the first code of HTTP that blames the server


def decide_mode(mode: str) -> str:
    """`online` only if the server answers and a key is known; otherwise `offline`, with one warning.

    After a first contact that failed, wandb cannot be trusted to start offline in the same process.
    """
    if mode != "online":
        return mode
    problem = problem_with_server()
    if problem is None:
        return "online"
    warn_offline(problem)
    return "offline"


def problem_with_server() -> str | None:
    """Why nothing can be sent to W&B; None if the server answers and a key is known."""
    import wandb

    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # keeps wandb's failed telemetry off the terminal
    server = wandb.setup(wandb.Settings(silent=True)).settings.base_url
    problem = _probe(server)
    if problem is None and not wandb.login(prompt=False, verify=False):
        problem = "no API key is known ('wandb login' or WANDB_API_KEY sets one)"
    return problem


def _probe(server: str) -> str | None:
    """Why a server cannot be used; None if it answers a question, be it with a refusal, for want of a key.

    The question is one that wandb itself begins with, which it would repeat for half a minute.
    """
    question = json.dumps({"query": "query ServerInfo { serverInfo { cliVersionInfo } }"}).encode()
    request = urllib.request.Request(f"{server.rstrip('/')}/graphql", question, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=_PROBE_TIMEOUT):
            return None
    except urllib.error.HTTPError as refusal:
        return f"{server} answers with error {refusal.code}" if refusal.code >= _SERVERS_FAULT else None
    except (OSError, ValueError) as error:
        return f"{server} does not answer ({error})"


def warn_offline(problem: str) -> None:
    """Say why nothing is sent, and what sends it later."""
    logger.warning(
        "ganlab: warning: W&B is used offline: %s; upload the run later with 'wandb sync'", problem.splitlines()[0]
    )
