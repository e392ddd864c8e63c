"""A plugin: its types of resources, served over the provider protocol."""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent import futures
from typing import TYPE_CHECKING, Final

from plugins.proto import grpc, provider_pb2_grpc
from plugins.resource import PluginError
from plugins.servicer import UNLIMITED, Servicer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plugins.resource import Failure, Resource, Values

# As many operations as the engine may run side by side. A thread exists only once it is needed.
_WORKERS: Final = 128


class Provider:
    """A plugin: its name, version, types of resources, and configuration."""

    name: str
    version: str
    resources: Mapping[str, Resource]

    def check_config(self, config: Values) -> list[Failure]:
        """Return what is wrong with the provider's own configuration."""
        del config
        return []

    def configure(self, config: Values) -> None:
        """Take the provider's own configuration."""

    def invoke(self, token: str, arguments: Values) -> Values:
        """Answer a function call."""
        del arguments
        raise PluginError(f"{token} is not supported by the fallback plugin of {self.name} {self.version}")


def serve(make: Callable[[], Provider]) -> None:
    """Serve a plugin until the engine ends."""
    parent = os.getppid()
    ended = threading.Event()
    # A plugin is in a group of processes of its own: the user's Ctrl-C comes as `Cancel`, an interrupt means the end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ended.set())
    engine = next((item for item in sys.argv[1:] if not item.startswith("-")), "")
    servicer = Servicer(make(), engine)
    server = grpc.server(futures.ThreadPoolExecutor(_WORKERS), options=UNLIMITED)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # The engine stops its plugins, unless it was killed itself.
    while not ended.wait(2):
        if os.getppid() != parent:
            break
    servicer.Cancel(None, None)
    server.stop(1).wait(2)
    os._exit(0)  # threads in the middle of a request must not hold the process
