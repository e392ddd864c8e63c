"""The command plugin, version 1.2.1: `local.Command`."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import threading
from typing import IO, Any, Final

from plugins import infer
from plugins.base import Provider, serve
from plugins.resource import Call, Difference, Failure, PluginError, Resource, Values
from plugins.values import UNKNOWN, plain

_KINDS: Final = {
    "addPreviousOutputInEnv": "bool",
    "create": "string",
    "delete": "string",
    "dir": "string",
    "environment": "map",
    "interpreter": "list",
    "logging": "string",
    "stdin": "string",
    "triggers": "list",
    "update": "string",
}
_UNSUPPORTED: Final = ("archivePaths", "assetPaths")
_LOGGING: Final = ("stdout", "stderr", "stdoutAndStderr", "none")
_DRAIN_SECONDS: Final = 5


class Command(Resource):
    """A program run at creation, update and deletion."""

    computed = ("stdout", "stderr")

    def check(self, call: Call, inputs: Values, olds: Values) -> tuple[Values, list[Failure]]:
        """Return inputs with defaults."""
        del call, olds
        failures = infer.check(inputs, _KINDS, unsupported=_UNSUPPORTED)
        logging = plain(inputs.get("logging"))
        if isinstance(logging, str) and logging not in _LOGGING:
            failures.append(Failure("logging", f"must be one of {', '.join(_LOGGING)}, and is {logging!r}"))
        return infer.with_defaults(inputs, {"addPreviousOutputInEnv": True}), failures

    def diff(self, call: Call, olds: Values, inputs: Values, old_inputs: Values) -> Difference:
        """Any change runs the command again; one of `triggers` makes a new resource."""
        del old_inputs
        return infer.diff(olds, inputs, _KINDS, ("triggers",), call.ignored)

    def create(self, call: Call, inputs: Values) -> tuple[str, Values]:
        """Run `create`."""
        identity = f"{call.name}{secrets.token_hex(4)}"
        outputs = {**inputs, "stdout": "", "stderr": ""}
        if inputs.get("create") is not None:
            outputs.update(_run(call, inputs["create"], inputs, {}))
        return identity, outputs

    def update(self, call: Call, identity: str, olds: Values, inputs: Values) -> Values:
        """Run `update`, or `create` when there is none."""
        del identity
        former = {name: olds.get(name, "") for name in ("stdout", "stderr")}
        script = inputs.get("update", inputs.get("create"))
        return {**inputs, **(former if script is None else _run(call, script, inputs, former))}

    def preview_update(self, call: Call, identity: str, olds: Values, inputs: Values) -> Values:
        """Return the inputs: what a command will say is not known."""
        del call, identity, olds
        return {**inputs, "stdout": UNKNOWN, "stderr": UNKNOWN}

    def delete(self, call: Call, identity: str, olds: Values) -> None:
        """Run `delete`."""
        del identity
        if olds.get("delete") is not None:
            _run(call, olds["delete"], olds, olds)


def _run(call: Call, script: str, inputs: Values, former: Values) -> Values:
    """Run a script and return its output. A non-zero exit is an error with all that it said."""
    environment = {**os.environ, **{key: str(value) for key, value in (inputs.get("environment") or {}).items()}}
    if inputs.get("addPreviousOutputInEnv", True):
        for name in ("stdout", "stderr"):
            if former.get(name):
                environment[f"PULUMI_COMMAND_{name.upper()}"] = former[name]
    arguments = [*(inputs.get("interpreter") or ["/bin/sh", "-c"]), script]
    stdin = inputs.get("stdin") or ""
    try:
        process = subprocess.Popen(
            arguments,
            cwd=inputs.get("dir"),
            env=environment,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that what it started ends with it when the user cancels
        )
    except OSError as error:
        raise PluginError(f"{error}: running {script!r}:\n") from error
    return _Running(call, process, inputs.get("logging", "stdoutAndStderr")).result(script, stdin)


class _Running:
    """A program that runs: its output is kept, and shown line by line."""

    def __init__(self, call: Call, process: subprocess.Popen[bytes], logging: str) -> None:
        self._call = call
        self._process = process
        self._said: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        self._both: list[bytes] = []
        self._logged = {name for name in self._said if logging in (name, "stdoutAndStderr")}

    def result(self, script: str, stdin: str) -> Values:
        streams = {"stdout": self._process.stdout, "stderr": self._process.stderr}
        readers = [threading.Thread(target=self._read, args=item, daemon=True) for item in streams.items()]
        if self._process.stdin:
            readers.append(threading.Thread(target=self._feed, args=(self._process.stdin, stdin), daemon=True))
        for reader in readers:
            reader.start()
        self._wait()
        for reader in readers:
            while reader.is_alive() and not self._call.cancelled.is_set():
                reader.join(0.2)
        if self._call.cancelled.is_set():
            for reader in readers:
                reader.join(_DRAIN_SECONDS)
        code = self._process.returncode
        if code:
            how = f"exit status {code}" if code > 0 else f"signal: {signal.Signals(-code).name}"
            raise PluginError(f"{how}: running {script!r}:\n{b''.join(self._both).decode(errors='replace')}")
        return {name: b"".join(parts).decode(errors="replace").removesuffix("\n") for name, parts in self._said.items()}

    def _wait(self) -> None:
        """Wait for the end, and make it at once when the user cancels."""
        pause = 0.005
        while self._process.poll() is None:
            if self._call.cancelled.wait(pause):
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
                return
            pause = min(pause * 2, 0.1)

    def _read(self, name: str, stream: IO[bytes]) -> None:
        for line in stream:
            self._said[name].append(line)
            self._both.append(line)
            if name in self._logged:
                self._call.log("info", line.decode(errors="replace").rstrip("\n"))

    @staticmethod
    def _feed(stream: IO[bytes], text: str) -> None:
        try:
            stream.write(text.encode())
            stream.close()
        except BrokenPipeError:
            pass  # a program may end without reading all


class Plugin(Provider):
    """The provider. It has no configuration."""

    name = "command"
    version = "1.2.1"

    def __init__(self) -> None:
        """Make the type of resource."""
        self.resources: dict[str, Any] = {"command:local:Command": Command()}


if __name__ == "__main__":
    serve(Plugin)
