"""Fallback Pulumi provider plugins: stand-ins for machines that cannot download the official ones.

Each follows the schema, defaults and semantics of the official plugin of the same version, over the real Docker engine.
What one of them cannot do, it refuses by the field's name.
"""
