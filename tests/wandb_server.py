"""A W&B server on loopback: as much of its GraphQL, file streams and uploads as the client of wandb 0.31 asks for.

What the client sends was recorded from it; no sentence of this is W&B's own. It keeps what arrives, so that tests can
look at it: `runs`, `sweeps`, `artifacts`, and `calls`, the names of all operations in order.
"""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.wandb_records import Artifact, Run, Sweep

ENTITY = "team"


class Server:
    """Serves until `close`; `plan` gives the arguments of all trials of a sweep from its configuration.

    With the `trouble` "500" each answer is that error, with "silence" there is none.
    """

    def __init__(self, plan: Callable[[Mapping[str, Any]], Sequence[Mapping[str, Any]]] = lambda config: ()) -> None:
        self.plan = plan
        self.runs: dict[str, Run] = {}
        self.sweeps: dict[str, Sweep] = {}
        self.artifacts: dict[str, Artifact] = {}
        self.calls: list[str] = []
        self.unknown: list[str] = []
        self.trouble: str | None = None
        self._open = threading.Event()
        self.on_row: Callable[[Run], None] = lambda run: None
        self._serving = _Listening(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._serving.server_port}"
        threading.Thread(target=self._serving.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._open.set()
        self._serving.shutdown()
        self._serving.server_close()

    def environment(self, home: Any) -> dict[str, str]:
        """What a process needs to talk to this server and to none else."""
        return {
            "WANDB_BASE_URL": self.url,
            "WANDB_API_KEY": "a" * 40,
            "WANDB_ERROR_REPORTING": "false",
            "HOME": str(home),
            "NO_PROXY": "127.0.0.1",
        }

    def graphql(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The answer to one operation."""
        found = re.search(r"(?:query|mutation)\s+(\w+)", query)
        name = found[1] if found else ""
        self.calls.append(name)
        answer = getattr(self, f"_{_snake(name)}", None)
        if answer is None:
            self.unknown.append(name)
            return {}
        return answer(variables)

    def stream(self, run: Run, body: dict[str, Any]) -> dict[str, Any]:
        """Take a part of the files of a run."""
        for name, part in body.get("files", {}).items():
            if name == "wandb-history.jsonl":
                run.offsets.append(part["offset"])
                run.history |= {part["offset"] + i: json.loads(line) for i, line in enumerate(part["content"])}
            elif name == "wandb-summary.json":
                run.summary = json.loads(part["content"][-1])
        run.preempting |= bool(body.get("preempting"))
        if body.get("complete"):
            run.exit_code = body.get("exitcode")
            run.state = "finished" if run.exit_code == 0 else "preempted" if run.preempting else "failed"
        self.on_row(run)
        return {"exitcode": None, "limits": {}, "stopped": run.stopped}

    # What the client of every run asks for.

    def _server_info(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"serverInfo": {"cliVersionInfo": {}}}

    def _viewer(self, _: dict[str, Any]) -> dict[str, Any]:
        viewer = {"id": "u", "entity": ENTITY, "username": "someone", "flags": "{}", "admin": False, "email": "a@b.c"}
        return {"viewer": viewer | {"teams": {"edges": []}, "apiKeys": {"edges": []}}}

    def _get_default_entity(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"viewer": {"id": "u", "entity": ENTITY}}

    def _run_resume_status(self, variables: dict[str, Any]) -> dict[str, Any]:
        run = self.runs.get(variables["name"])
        bucket = None if run is None else self._bucket(run) | self._tail(run)
        return {"model": {"id": "m", "name": variables["project"], "entity": _ENTITY, "bucket": bucket}}

    def _upsert_bucket(self, variables: dict[str, Any]) -> dict[str, Any]:
        inserted = variables["name"] not in self.runs
        run = self.runs.setdefault(variables["name"], Run(variables["name"]))
        run.project = variables.get("project") or run.project
        run.facts |= {name: value for name, value in variables.items() if value is not None}
        return {"upsertBucket": {"bucket": self._bucket(run), "inserted": inserted}}

    def _create_run_files(self, variables: dict[str, Any]) -> dict[str, Any]:
        files = [{"name": n, "uploadUrl": f"{self.url}/upload/{variables['run']}/{n}"} for n in variables["files"]]
        return {"createRunFiles": {"runID": variables["run"], "uploadHeaders": [], "files": files}}

    def _notify_scriptable_run_alert(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"notifyScriptableRunAlert": {"success": True}}

    def _bucket(self, run: Run) -> dict[str, Any]:
        project = {"id": "p", "name": run.project, "entity": _ENTITY}
        return {
            "id": f"id-{run.name}",
            "name": run.name,
            "displayName": run.facts.get("displayName") or run.name,
            "description": None,
            "config": run.facts.get("config", "{}"),
            "sweepName": run.facts.get("sweep"),
            "project": project,
            "historyLineCount": len(run.history),
        }

    def _tail(self, run: Run) -> dict[str, Any]:
        last = [json.dumps(row) for _, row in sorted(run.history.items())][-1:]
        return {
            "summaryMetrics": json.dumps(run.summary),
            "logLineCount": 0,
            "eventsLineCount": 0,
            "historyTail": json.dumps(last),
            "eventsTail": "[]",
            "tags": run.facts.get("tags") or [],
            "notes": None,
            "wandbConfig": json.dumps({"t": 1}),
        }

    # Artifacts.

    def _create_artifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        told = variables["input"]
        identity = f"artifact-{len(self.artifacts)}"
        aliases = [entry["alias"] for entry in told.get("aliases") or []]
        for other in self.artifacts.values():
            if other.name == told["artifactCollectionName"]:
                other.aliases = [alias for alias in other.aliases if alias not in aliases]
        made = Artifact(
            identity, len(self.artifacts), told["artifactTypeName"], told["artifactCollectionName"], aliases
        )
        self.artifacts[identity] = made
        return {"createArtifact": {"artifact": {"id": identity, "state": "PENDING", "artifactSequence": _NO_VERSION}}}

    def _create_artifact_manifest(self, variables: dict[str, Any]) -> dict[str, Any]:
        file = {
            "id": "f",
            "name": variables["name"],
            "displayName": variables["name"],
            "uploadUrl": f"{self.url}/upload/manifest/{variables['artifactID']}",
            "uploadHeaders": [],
        }
        return {"createArtifactManifest": {"artifactManifest": {"id": "manifest", "file": file}}}

    def _create_artifact_files(self, variables: dict[str, Any]) -> dict[str, Any]:
        edges = []
        for told in variables["input"]["artifactFiles"]:
            self.artifacts[told["artifactID"]].files.append(told["name"])
            node = {
                "id": told["name"],
                "name": told["name"],
                "displayName": told["name"],
                "storagePath": f"store/{told['name']}",
                "uploadUrl": f"{self.url}/upload/{told['artifactID']}/{told['name']}",
                "uploadHeaders": [],
                "uploadMultipartUrls": None,
                "artifact": {"id": told["artifactID"]},
            }
            edges.append({"node": node})
        return {"createArtifactFiles": {"files": {"edges": edges}}}

    def _commit_artifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        self.artifacts[variables["artifactID"]].committed = True
        return {"commitArtifact": {"artifact": {"id": variables["artifactID"], "digest": "d"}}}

    def _artifact_type(self, variables: dict[str, Any]) -> dict[str, Any]:
        name = variables["name"].partition(":")[0]
        kinds = [artifact.kind for artifact in self.artifacts.values() if artifact.name == name]
        return {"project": {"artifact": {"artifactType": {"name": kinds[0]}} if kinds else None}}

    def _project_artifacts(self, variables: dict[str, Any]) -> dict[str, Any]:
        found = [a for a in self.artifacts.values() if a.name == variables["collection"] and not a.deleted]
        page = {
            "totalCount": len(found),
            "pageInfo": {"endCursor": None, "hasNextPage": False},
            "edges": [{"version": f"v{each.version}", "node": _described(each)} for each in found],
        }
        collection = {"__typename": "ArtifactSequence", "artifacts": page}
        return {"project": {"artifactType": {"artifactCollection": collection}}}

    def _delete_artifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        identity = variables["input"]["artifactID"]
        self.artifacts[identity].deleted = True
        return {"result": {"artifact": {"id": identity}}}

    # Sweeps.

    def _upsert_sweep(self, variables: dict[str, Any]) -> dict[str, Any]:
        config = yaml.safe_load(variables["config"])
        name = f"sweep{len(self.sweeps)}"
        trials = [dict(trial) for trial in self.plan(config)]
        self.sweeps[name] = Sweep(name, config, variables.get("projectName") or "ganlab", trials)
        project = {"id": "p", "name": self.sweeps[name].project, "entity": _ENTITY}
        return {"upsertSweep": {"sweep": {"name": name, "project": project}, "configValidationWarnings": []}}

    def _sweep_with_runs(self, variables: dict[str, Any]) -> dict[str, Any]:
        sweep = self.sweeps[variables["sweep"]]
        found = {"id": sweep.name, "name": sweep.name, "config": yaml.safe_dump(sweep.config), "state": "RUNNING"}
        return {"project": {"sweep": found | {"runs": {"edges": []}}}}

    def _create_agent(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"createAgent": {"agent": {"id": variables["sweep"]}}}

    def _heartbeat(self, variables: dict[str, Any]) -> dict[str, Any]:
        sweep, running = self.sweeps[variables["id"]], json.loads(variables["runState"])
        sweep.heartbeats.append(running)
        commands = list(self._commands(sweep, running))
        return {"agentHeartbeat": {"agent": {"id": sweep.name}, "commands": json.dumps(commands)}}

    def _commands(self, sweep: Sweep, running: Mapping[str, bool]) -> Iterator[dict[str, Any]]:
        yield from ({"type": "stop", "run_id": name} for name in running if name in sweep.stop)
        if running:
            return
        if len(sweep.given) == len(sweep.trials):
            yield {"type": "exit"}
            return
        name, arguments = f"trial{len(sweep.given)}", sweep.trials[len(sweep.given)]
        sweep.given.append(name)
        args = {key: {"value": value} for key, value in arguments.items()}
        yield {"type": "run", "run_id": name, "args": args, "program": sweep.config.get("program")}

    def _reply(self, path: str, told: dict[str, Any]) -> dict[str, Any]:
        if self.trouble:
            return {}
        if path.startswith("/graphql"):
            return {"data": self.graphql(told["query"], told.get("variables") or {})}
        if path.endswith("/file_stream"):
            return self.stream(self.runs[path.split("/")[-2]], told)
        return {}

    def _status(self) -> int:
        if self.trouble == "silence":
            self._open.wait()
        return 500 if self.trouble else 200

    def _handler(server) -> type[http.server.BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer({})

            def do_PUT(self) -> None:
                place = self.path.removeprefix("/upload/").partition("/")
                content = self._body()
                if place[0] in server.runs:
                    server.runs[place[0]].files[place[2]] = content
                self._answer({})

            def do_POST(self) -> None:
                self._answer(server._reply(self.path, json.loads(self._body() or b"{}")))

            def log_message(self, *_: Any) -> None:
                pass

            def _body(self) -> bytes:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                return gzip.decompress(content) if self.headers.get("Content-Encoding") == "gzip" else content

            def _answer(self, value: Any) -> None:
                text = json.dumps(value).encode()
                self.send_response(server._status())
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        return Handler


class _Listening(http.server.ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that waited for no answer any more
            super().handle_error(request, client_address)


_ENTITY = {"id": "e", "name": ENTITY}
_NO_VERSION = {"id": "s", "latestArtifact": None}


def _described(artifact: Artifact) -> dict[str, Any]:
    project = {"id": "p", "internalId": "1", "name": "ganlab", "entity": {"name": ENTITY}}
    collection = {"__typename": "ArtifactSequence", "id": "s", "name": artifact.name, "project": project}
    aliases = [
        {"__typename": "ArtifactAlias", "id": f"{artifact.identity}-{alias}", "alias": alias}
        | {"artifactCollection": collection}
        for alias in artifact.aliases
    ]
    return {
        "__typename": "Artifact",
        "id": artifact.identity,
        "artifactSequence": collection,
        "versionIndex": artifact.version,
        "artifactType": {"name": artifact.kind},
        "description": None,
        "metadata": "{}",
        "ttlDurationSeconds": 0,
        "ttlIsInherited": False,
        "tags": [],
        "historyStep": None,
        "state": "COMMITTED",
        "size": 1,
        "digest": "d",
        "commitHash": "c",
        "fileCount": len(artifact.files),
        "createdAt": "2026-01-01T00:00:00",
        "updatedAt": None,
        "aliases": aliases,
    }


@contextlib.contextmanager
def serving(home: Path, monkeypatch: pytest.MonkeyPatch, *arguments: Any) -> Iterator[Server]:
    """A server, the only one that wandb in this process knows; nothing of the machine's own account is left."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    made = Server(*arguments)
    for name, value in made.environment(home).items():
        monkeypatch.setenv(name, value)
    yield made
    import wandb

    wandb.teardown()
    made.close()


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
