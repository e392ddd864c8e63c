"""The shop: a page, which asks the API of the same host for what there is."""

from __future__ import annotations

import os

from flask import Flask

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]


@app.get("/health")
@app.get("/ready")
def answers() -> dict[str, str]:
    """Say that it can serve: it needs nothing else for that."""
    return {"status": "ok"}


@app.get("/")
def page() -> str:
    """Return the page."""
    return """\
<!doctype html>
<html lang="en">
<title>Shop</title>
<h1>Shop</h1>
<ul id="products"></ul>
<script src="/static/shop.js"></script>
"""
