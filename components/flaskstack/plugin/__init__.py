"""The components for programs in other languages: a Pulumi component plugin, and the schema that it publishes.

Nothing is stated here a second time: names, types, descriptions and defaults are read from the components' own
arguments (`XArgs`) and from the models that these refer to.
"""
