"""The schema that other languages get: all that the components take and give, in their own words."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from flaskstack import AppImageArgs, KubernetesAppArgs, LocalStackArgs, model
from flaskstack.plugin import schema
from flaskstack.plugin.provider import SIGNATURES

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = schema.package(SIGNATURES, version="1.2.3", description="What it is.")
RESOURCES = PACKAGE["resources"]
TYPES = PACKAGE["types"]
LOCAL = RESOURCES["flaskstack:index:LocalStack"]["inputProperties"]
KUBERNETES = RESOURCES["flaskstack:index:KubernetesApp"]["inputProperties"]


def properties() -> Iterator[tuple[str, dict[str, Any]]]:
    for token, resource in RESOURCES.items():
        for part in ("inputProperties", "properties"):
            yield from ((f"{token}.{part}.{name}", found) for name, found in resource[part].items())
    for token, kind in TYPES.items():
        yield from ((f"{token}.{name}", found) for name, found in kind.get("properties", {}).items())


def models() -> list[type[model.Model]]:
    """The models that the schema's types are made from, wherever in the package they are."""

    def below(kind: type[model.Model]) -> Iterator[type[model.Model]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    ours = [kind for kind in below(model.Model) if kind.__module__.startswith("flaskstack.")]
    return [kind for kind in ours if f"flaskstack:index:{kind.__name__}" in TYPES]


def test_the_three_components_are_there() -> None:
    assert {token.rpartition(":")[2] for token in RESOURCES} == {"AppImage", "LocalStack", "KubernetesApp"}
    assert all(resource["isComponent"] and resource["description"] for resource in RESOURCES.values())


def test_every_argument_output_and_type_has_a_description() -> None:
    undescribed = [name for name, found in properties() if not found.get("description")]
    undescribed += [token for token, kind in TYPES.items() if not kind.get("description")]
    assert undescribed == []


@pytest.mark.parametrize("args", [AppImageArgs, LocalStackArgs, KubernetesAppArgs])
def test_every_argument_of_a_python_program_is_there_but_for_providers(args: type) -> None:
    component = args.__name__.removesuffix("Args")
    hints = inspect.get_annotations(args).items()
    declared = {schema.key(name) for name, hint in hints if "ProviderResource" not in str(hint)}
    assert set(RESOURCES[f"flaskstack:index:{component}"]["inputProperties"]) == declared


def test_an_argument_is_required_where_python_requires_it() -> None:
    required = {token.rpartition(":")[2]: set(found["requiredInputs"]) for token, found in RESOURCES.items()}
    assert required == {
        "AppImage": {"app"},
        "LocalStack": {"app", "image"},
        "KubernetesApp": {"app", "image", "host"},
    }


def test_the_defaults_are_those_of_the_models() -> None:
    found = models()
    assert {"FlaskApp", "EdgePolicy", "Limits", "Probes", "Rollout"} <= {kind.__name__ for kind in found}
    for kind in found:
        published = TYPES[f"flaskstack:index:{kind.__name__}"]["properties"]
        for field in kind.model_fields.values():
            value = field.get_default(call_default_factory=True)
            default = value if isinstance(value, str | int | float) else None
            assert published[field.alias].get("default") == default, f"{kind.__name__}.{field.alias}"


def test_the_defaults_of_arguments_are_those_of_the_components() -> None:
    defaults = {name: found["default"] for name, found in LOCAL.items() if "default" in found}
    assert defaults == {"dev": False, "address": "127.0.0.1", "port": 8080, "keepData": True}
    assert KUBERNETES["proxyHops"]["default"] == 1
    assert KUBERNETES["namespace"]["default"] == "default"


def test_a_default_said_in_words_is_the_one_published() -> None:
    """A description that says "Default 30" and a schema that says 31 would both be believed."""
    for name, found in properties():
        if "default" in found and not isinstance(found["default"], bool):
            said = found["description"].split("Default ")
            if len(said) > 1 and said[1][0].isdigit():
                assert said[1].replace(",", "").startswith(str(found["default"]).removesuffix(".0")), name


def test_what_is_read_before_anything_is_made_must_be_plain_and_the_rest_may_be_an_output() -> None:
    assert LOCAL["app"]["plain"]
    assert LOCAL["port"]["plain"]
    assert "plain" not in LOCAL["secretKey"]
    assert "plain" not in LOCAL["secretKeyFallbacks"]["items"]
    assert TYPES["flaskstack:index:FlaskApp"]["properties"]["path"]["plain"]


def test_a_choice_is_a_named_enumeration() -> None:
    worker = TYPES["flaskstack:index:Server"]["properties"]["workerClass"]
    assert worker["$ref"] == "#/types/flaskstack:index:ServerWorkerClass"
    assert worker["default"] == "gthread"
    members = TYPES["flaskstack:index:ServerWorkerClass"]["enum"]
    assert [member["value"] for member in members] == ["gthread", "sync", "gevent"]


def test_fields_of_kubernetes_own_objects_are_any_value() -> None:
    assert KUBERNETES["podTemplate"]["$ref"] == "pulumi.json#/Any"
    assert KUBERNETES["volumes"]["items"] == {"$ref": "pulumi.json#/Any"}
    assert KUBERNETES["volumes"]["description"].endswith("Fields: those of kubernetes core/v1 Volume.")


def test_texts_name_arguments_as_other_languages_write_them() -> None:
    assert "`databaseUrl`" in LOCAL["ownPostgres"]["description"]
    assert not [name for name, found in properties() if "_" in name]
