"""A guestbook: leave a note, read what others left, and see which process served the page.

`create_app()` is the whole interface. Gunicorn calls it as `app:create_app()`, the `flask` command as
`--app app:create_app`, both with this package's parent folder as the working directory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from app import api, assets, config, database, errors, health, logs, metrics, pages, proxies, tracking, visits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["create_app"]


def create_app(overrides: Mapping[str, Any] | None = None) -> Flask:
    """Return the application, set by the environment and then by `overrides`.

    Raises `config.ConfigurationError`, which names everything that is missing at once.
    """
    logs.set_up()
    # Static files are routed by `assets`, under names that carry a hash of the content.
    app = Flask(__name__, static_folder=None)
    app.config.update(config.load(app.instance_path, overrides or {}))
    proxies.init_app(app)
    tracking.init_app(app)
    metrics.init_app(app)
    assets.init_app(app)
    database.init_app(app)
    visits.init_app(app)
    errors.init_app(app)
    pages.init_app(app)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(health.blueprint)
    return app
