"""market: two Flask applications behind one host of a Kubernetes cluster, a shop at / and its API at /api.

What is theirs comes from `KubernetesApp`; the namespace, the certificate, the catalogue and the one Ingress are this
program's own.
"""

import pulumi
from pulumi_kubernetes import Provider
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ConfigMapVolumeSourceArgs,
    Namespace,
    Secret,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.networking.v1 import (
    HTTPIngressPathArgs,
    HTTPIngressRuleValueArgs,
    Ingress,
    IngressBackendArgs,
    IngressRuleArgs,
    IngressServiceBackendArgs,
    IngressSpecArgs,
    IngressTLSArgs,
    ServiceBackendPortArgs,
)

from flaskstack import AppImage, FlaskApp, KubernetesApp, KubernetesAppArgs
from flaskstack import Ingress as OwnIngress

config = pulumi.Config()
host = config.require("host")
# The plugin takes one kubeconfig file, where kubectl takes a list of them: which one, a stack may say.
cluster = Provider("cluster", kubeconfig=config.get("kubeconfig"), context=config.require("context"))
on_cluster = pulumi.ResourceOptions(provider=cluster)

namespace = Namespace(
    "namespace",
    metadata={
        "name": config.require("namespace"),
        "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
    },
    opts=on_cluster,
).metadata.name

certificate = Secret(
    "certificate",
    metadata={"namespace": namespace},
    type="kubernetes.io/tls",
    string_data={"tls.crt": config.require("tlsCertificate"), "tls.key": config.require_secret("tlsKey")},
    opts=on_cluster,
)

# Its name is made anew when its content changes, so a change rolls the pods that mount it.
catalogue = ConfigMap(
    "catalogue",
    metadata={"namespace": namespace},
    data={"catalogue.json": '{"tea": 4, "coffee": 5}'},
    immutable=True,
    opts=on_cluster,
)


def common(app: FlaskApp) -> KubernetesAppArgs:
    """Return what both applications are deployed with, the image among it."""
    repository = f"{config.require('registry')}/market-{app.name}"
    return {
        "app": app,
        "image": AppImage(app.name, {"app": app, "repository": repository}).ref,
        "host": host,
        "namespace": namespace,
        "secret_key": config.require_secret(f"{app.name}Key"),
        "replicas": config.get_int("replicas") or 2,
        # One Ingress for both is below.
        "ingress": OwnIngress(enabled=False),
    }


shop_app = FlaskApp(name="shop", path="shop", entry="shop:app", postgres=False, redis=False)
api_app = FlaskApp(name="api", path="api", entry="api:app", static_url=None, postgres=False, redis=False)
both = pulumi.ResourceOptions(providers=[cluster])
shop = KubernetesApp("shop", common(shop_app), both)
api = KubernetesApp(
    "api",
    {
        **common(api_app),
        "volumes": [VolumeArgs(name="catalogue", config_map=ConfigMapVolumeSourceArgs(name=catalogue.metadata.name))],
        "volume_mounts": [VolumeMountArgs(name="catalogue", mount_path="/catalogue", read_only=True)],
    },
    both,
)


def path(prefix: str, app: KubernetesApp) -> HTTPIngressPathArgs:
    """Return a rule that sends what begins with `prefix` to `app`."""
    service = IngressServiceBackendArgs(name=app.service, port=ServiceBackendPortArgs(name="http"))
    return HTTPIngressPathArgs(path=prefix, path_type="Prefix", backend=IngressBackendArgs(service=service))


ingress = Ingress(
    "market",
    metadata={
        "namespace": namespace,
        # Without it, Traefik would not serve the host by TLS. Other controllers pass over it.
        "annotations": {"traefik.ingress.kubernetes.io/router.tls": "true"},
    },
    spec=IngressSpecArgs(
        ingress_class_name=config.get("ingressClass"),
        tls=[IngressTLSArgs(hosts=[host], secret_name=certificate.metadata.name)],
        rules=[IngressRuleArgs(host=host, http=HTTPIngressRuleValueArgs(paths=[path("/api", api), path("/", shop)]))],
    ),
    opts=on_cluster,
)

port = config.get_int("port")
url = f"https://{host}:{port}" if port else f"https://{host}"
pulumi.export("url", ingress.id.apply(lambda _: url))
