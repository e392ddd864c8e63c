"""A stand-in for the official Kubernetes provider plugin, where its download site cannot be reached.

It follows the official plugin's schema and semantics (pulumi-kubernetes v4) on the cluster's own HTTP API, so that one
program runs with either. Charts, Kustomize and YAML components are refused with an error that says so.
"""
