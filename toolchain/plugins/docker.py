"""The docker plugin, version 5.2.0: containers, networks, volumes, images, tags."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Final

from plugins.base import Provider, serve
from plugins.docker_container import Container
from plugins.docker_image import RemoteImage, Tag, image_finder
from plugins.docker_objects import Network, Volume, network_state
from plugins.resource import Failure, PluginError, Values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.engine import Engine

_HOST: Final = "unix:///var/run/docker.sock"
_UNSUPPORTED: Final = ("caMaterial", "certMaterial", "context", "keyMaterial", "sshOpts")
_PING_SECONDS: Final = 10


class Docker(Provider):
    """The provider: which engine, and whose credentials."""

    name = "docker"
    version = "5.2.0"

    def __init__(self) -> None:
        """Make the types of resources. They ask for the engine when they need it."""
        self._config: Values = {}
        self._made: Engine | None = None
        find = image_finder(self.engine, self._login)
        self.resources = {
            "docker:index/container:Container": Container(self.engine, find),
            "docker:index/network:Network": Network(self.engine),
            "docker:index/remoteImage:RemoteImage": RemoteImage(self.engine, find),
            "docker:index/tag:Tag": Tag(self.engine),
            "docker:index/volume:Volume": Volume(self.engine),
        }

    def check_config(self, config: Values) -> list[Failure]:
        """Refuse what is not supported."""
        return [
            Failure(name, f"{name!r} is not supported by the fallback plugin of docker; set host, or DOCKER_HOST")
            for name in _UNSUPPORTED
            if config.get(name)
        ]

    def configure(self, config: Values) -> None:
        """Take the configuration, and see that the engine answers, as the official plugin does at every command."""
        self._config = config
        named = os.environ.get("DOCKER_CONTEXT", "")
        if named not in ("", "default") and not config.get("host"):
            raise PluginError(
                f"the fallback plugin of docker does not know docker contexts (DOCKER_CONTEXT is {named!r}); "
                "unset it and set DOCKER_HOST"
            )
        if not config.get("disableDockerDaemonCheck"):
            _ping(self._host)

    @property
    def _host(self) -> str:
        return str(self._config.get("host") or os.environ.get("DOCKER_HOST") or _HOST)

    def engine(self) -> Engine:
        """Return the engine's client."""
        if self._made is None:
            from plugins.engine import Engine  # noqa: PLC0415  # not needed in previews

            folder = self._config.get("certPath") or os.environ.get("DOCKER_CERT_PATH", "")
            self._made = Engine(self._host, str(folder))
        return self._made

    def _login(self, registry: str) -> Mapping[str, str] | None:
        for entry in self._config.get("registryAuth") or []:
            address = entry["address"].removeprefix("https://").removeprefix("http://").rstrip("/")
            if address != (registry or "registry-1.docker.io") or entry.get("authDisabled"):
                continue
            if not entry.get("username"):
                raise PluginError("the fallback plugin of docker takes registryAuth with username and password only")
            return {"username": entry["username"], "password": entry["password"], "serveraddress": address}
        return None

    def invoke(self, token: str, arguments: Values) -> Values:
        """Answer the functions that look something up."""
        if token == "docker:index/getNetwork:getNetwork":  # noqa: S105  # a function's name
            found = self.engine().find(f"/networks/{arguments['name']}")
            if found is None:
                raise PluginError(f"Could not find docker network: {arguments['name']}")
            return {**network_state(found), "id": found["Id"]}
        if token == "docker:index/getRemoteImage:getRemoteImage":  # noqa: S105
            found = self.engine().find(f"/images/{arguments['name']}/json")
            if found is None:
                raise PluginError(f"did not find docker image: {arguments['name']}")
            digests = found.get("RepoDigests") or [""]
            return {"id": found["Id"], "name": arguments["name"], "repoDigest": digests[0]}
        return super().invoke(token, arguments)


def _ping(host: str) -> None:
    """See that the engine answers. By hand: an HTTP client takes longer to import than to use."""
    scheme, _, address = host.partition("://")
    try:
        if scheme == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(_PING_SECONDS)
            connection.connect(address)
        elif scheme == "tcp":
            name, _, port = address.rstrip("/").rpartition(":")
            connection = socket.create_connection((name.strip("[]"), int(port)), _PING_SECONDS)
            connection.close()  # it may speak TLS
            return
        else:
            return
        with connection:
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            answer = connection.recv(64)
    except OSError as error:
        raise PluginError(
            f"Error pinging Docker server, please make sure that {host} is reachable and has a '_ping' endpoint. "
            f"Error: {error}"
        ) from error
    if b" 200 " not in answer:
        raise PluginError(f"Error pinging Docker server at {host}: {answer.decode(errors='replace')}")


if __name__ == "__main__":
    serve(Docker)
