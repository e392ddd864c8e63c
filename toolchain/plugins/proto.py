"""The SDK's gRPC messages, without the SDK.

A plugin starts at every `pulumi` command, used or not. Importing `pulumi` takes longer than everything else that a
plugin does in a preview, and a plugin needs only the messages: so the packages above them stay empty shells.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

if "pulumi" not in sys.modules:
    _spec = importlib.util.find_spec("pulumi")
    if _spec is None or not _spec.submodule_search_locations:
        message = "the Pulumi SDK is not installed beside this plugin"
        raise ImportError(message)
    _folder = Path(_spec.submodule_search_locations[0])
    for _name, _path in (
        ("pulumi", _folder),
        ("pulumi.runtime", _folder / "runtime"),
        ("pulumi.runtime.proto", _folder / "runtime" / "proto"),
    ):
        _shell = types.ModuleType(_name)
        _shell.__path__ = [str(_path)]
        sys.modules[_name] = _shell

# The order matters: the shells come first.
import grpc  # noqa: E402
from google.protobuf import empty_pb2, struct_pb2  # noqa: E402
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc  # noqa: E402

__all__ = ["empty_pb2", "grpc", "plugin_pb2", "provider_pb2", "provider_pb2_grpc", "struct_pb2"]
