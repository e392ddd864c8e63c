"""A single-node Kubernetes of this project's own, with real pods, for machines that have no cluster.

Nothing of the product imports it: programs talk to it as to any cluster, by a kubeconfig and a context.
It does not enforce NetworkPolicy (its network is the plain CNI plugins) and has no metrics server.
"""
