"""The SDK's gRPC messages, without the SDK.

A plugin starts at every `pulumi` command, used or not. Importing `pulumi` takes longer than everything else that a
plugin does in a preview, and a plugin needs only the messages: while they are loaded, empty shells stand for the
packages above them.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
import types
from pathlib import Path
from typing import Any, Final

_PACKAGES: Final = {"pulumi": ".", "pulumi.runtime": "runtime", "pulumi.runtime.proto": "runtime/proto"}
_lock = threading.Lock()


def load(name: str) -> Any:  # a module
    """Return the module of messages `name`, for example engine_pb2."""
    full = f"pulumi.runtime.proto.{name}"
    with _lock:
        if "pulumi" in sys.modules or full in sys.modules:
            return importlib.import_module(full)
        spec = importlib.util.find_spec("pulumi")
        if spec is None or not spec.submodule_search_locations:
            message = "the Pulumi SDK is not installed beside this plugin"
            raise ImportError(message)
        folder = Path(spec.submodule_search_locations[0])
        for package, path in _PACKAGES.items():
            shell = types.ModuleType(package)
            shell.__path__ = [str(folder / path)]
            sys.modules[package] = shell
        try:
            return importlib.import_module(full)
        finally:
            # Whoever imports the SDK itself later gets the real one.
            for package in _PACKAGES:
                del sys.modules[package]


plugin_pb2: Final = load("plugin_pb2")
provider_pb2: Final = load("provider_pb2")
provider_pb2_grpc: Final = load("provider_pb2_grpc")

import grpc  # type: ignore[import-untyped,unused-ignore] # noqa: E402  # after the messages, which say what is missing
from google.protobuf import empty_pb2, struct_pb2  # noqa: E402

__all__ = ["empty_pb2", "grpc", "load", "plugin_pb2", "provider_pb2", "provider_pb2_grpc", "struct_pb2"]
