"""The API of the shop. What there is stands in the file that the cluster mounts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from flask import Flask

CATALOGUE = Path("/catalogue/catalogue.json")

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]


@app.get("/health")
def health() -> dict[str, str]:
    """Say that it lives."""
    return {"status": "ok"}


@app.get("/ready")
def ready() -> dict[str, int]:
    """Say that it can serve: it has its catalogue."""
    return {"products": len(products())}


@app.get("/api/products")
def products() -> dict[str, Any]:
    """Return product -> price."""
    return dict(json.loads(CATALOGUE.read_text()))
