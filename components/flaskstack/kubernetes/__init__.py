"""Parts of `KubernetesApp`. Only `settings` and `rollout` may be imported without paying for the Kubernetes SDK."""
