"""The review as Markdown, for a comment on a pull request, a job's summary or a terminal."""

from __future__ import annotations

import difflib
import html
import json
from typing import TYPE_CHECKING, Any, Final

from flaskstack.policy.resource import Opaque
from flaskstack.review.images import images
from flaskstack.review.masking import scrubbed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flaskstack.review.changes import Change
    from flaskstack.review.differences import Property
    from flaskstack.review.verdict import Review

MARK: Final = "<!-- flaskstack review -->"
"""First line of a report: by it, a workflow finds its comment again."""
LIMIT: Final = 60_000
"""Characters at most: a comment on GitHub holds 65,536."""
WIDTH: Final = 160
"""Characters of a value at most."""
LINES: Final = 12
"""Changed lines of a text at most."""
KINDS: Final = {"create": "created", "change": "changed", "replace": "replaced", "delete": "deleted"}
OTHERS: Final = {"import": "imported", "forget": "forgotten"}


def render(reviews: Sequence[Review]) -> str:
    """Return the report on stacks, in their order. Details go first when it gets too long."""
    for details in (True, False):
        parts = [MARK, "# What this would change", "", *_summary(reviews)]
        for review in reviews:
            parts += ["", *_stack(review, details=details)]
        text = "\n".join(parts) + "\n"
        if len(text) <= LIMIT:
            return text
    return text[:LIMIT].rpartition("\n")[0] + "\n\n(cut here: see the whole one with `python -m flaskstack review`)\n"


def _summary(reviews: Sequence[Review]) -> Iterator[str]:
    yield f"| stack | {' | '.join(KINDS.values())} | unchanged | verdict |"
    yield "|---|" + "---:|" * (len(KINDS) + 1) + "---|"
    for review in reviews:
        counts = [str(len(review.preview.of(kind))) for kind in (*KINDS, "unchanged")]
        yield f"| {_code(review.preview.stack)} | {' | '.join(counts)} | {review.verdict} |"


def _stack(review: Review, *, details: bool) -> Iterator[str]:
    preview = review.preview
    yield f"## {_text(preview.stack)}"
    if preview.error:
        yield "\nThere is no preview:\n"
        yield _block(preview.error)
    if preview.fresh:
        yield "\nPreviewed as new, without its state: what exists is not compared."
        yield from (f"- {_text(note)}" for note in preview.notes)
    open_, accepted = ([item for item in review.dangers if item.accepted is wanted] for wanted in (False, True))
    for title, found in (
        ("Danger", open_),
        ("Danger, accepted", accepted),
        ("Worth knowing", list(review.warnings)),
    ):
        if found:
            yield f"\n### {title}\n"
            yield from (f"- {_named(item.change)} is {_past(item.change)}: {item.reason}" for item in found)
    yield from _policies(review)
    yield from _images(review)
    for kind, past in {**KINDS, **OTHERS}.items():
        changed = preview.of(kind)
        if changed:
            # What is there all the same is read one by one; what is new, by who wants to.
            yield from _changes(past, changed, folded=kind == "create" or not details)
    # One cause may be said by many resources.
    messages = dict.fromkeys(f"- {severity}: {_code(text)}" for severity, text in preview.messages)
    if messages:
        yield "\n### What the plugins said\n"
        yield from messages
    if not preview.error and not preview.of(*KINDS, *OTHERS):
        yield "\nNothing would change."


def _policies(review: Review) -> Iterator[str]:
    counted = [item for item in review.violations if not item.excuse]
    excused = [item for item in review.violations if item.excuse]
    if counted:
        yield "\n### Policies\n"
    for item in counted:
        at = f"{_code(item.resource.kind)} {_code(item.resource.name)}, {_code(item.finding.where)}"
        yield (
            f"- **{item.rule.name}** ({item.level.value}): {at} is {_code(item.finding.value)}: "
            f"{_text(item.finding.reason)}. Fix: {_text(item.finding.fix)}."
        )
    if excused:
        yield "\n### Exceptions to policies\n"
        names = {(item.rule.name, item.resource.kind, item.resource.name, item.excuse) for item in excused}
        for rule, kind, name, excuse in sorted(names):
            yield f"- **{rule}**: {_code(kind)} {_code(name)}: {_text(excuse)}"


def _images(review: Review) -> Iterator[str]:
    found = images(review.preview.changes)
    if found:
        yield "\n### Images\n"
        yield "| image | built | from | platforms | goes to |"
        yield "|---|---|---|---|---|"
    for item in found:
        cells = _code(item.tags), _text(item.built), _code(item.source), _text(item.platforms), _text(item.goes)
        yield f"| {' | '.join(cells)} |"


def _changes(past: str, changed: list[Change], *, folded: bool) -> Iterator[str]:
    title = f"{len(changed)} {past}"
    if folded:
        yield f"\n<details><summary>{title}</summary>\n"
        yield from (f"- {_named(change)}" for change in changed)
        yield "\n</details>"
        return
    yield f"\n### {title}\n"
    for change in changed:
        yield f"- {_named(change)}"
        if change.properties:
            yield "\n  | property | is | would be |\n  |---|---|---|"
            yield from (f"  {_property(item)}" for item in change.properties)
            yield ""


def _property(item: Property) -> str:
    name = _code(item.path) + (" **replaces**" if item.replaces else "")
    if isinstance(item.old, str) and isinstance(item.new, str) and "\n" in item.old + item.new:
        return f"| {name} | {len(item.old.splitlines())} lines | {_lines(item.old, item.new)} |"
    return f"| {name} | {_value(item.old)} | {_value(item.new)} |"


def _lines(old: str, new: str) -> str:
    """Return what differs between two texts, line by line."""
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0))[2:]
    shown = [line for line in lines if not line.startswith("@@")]
    more = f"<br>and {len(shown) - LINES} more lines" if len(shown) > LINES else ""
    return "<br>".join(_code(line[:WIDTH]) for line in shown[:LINES]) + more


def _value(value: Any) -> str:  # noqa: ANN401  # whatever stands in an input
    if value is None:
        return "not set"
    if isinstance(value, Opaque):
        return _text(str(value))
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return _code(text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}...")


def _named(change: Change) -> str:
    return f"{_code(change.resource.kind)} {_code(change.name)}"


def _past(change: Change) -> str:
    return KINDS[change.kind]


def _text(value: str) -> str:
    """Return a text that Markdown and HTML take as it is."""
    escaped = html.escape(" ".join(scrubbed(value).split()), quote=False)
    return "".join(f"\\{letter}" if letter in "\\`*_[]|#~" else letter for letter in escaped)


def _code(value: str) -> str:
    text = html.escape(scrubbed(value), quote=False)
    # A table's cell is one line.
    for letter, entity in (("|", "&#124;"), ("`", "&#96;"), ("\n", "<br>")):
        text = text.replace(letter, entity)
    return f"<code>{text}</code>"


def _block(text: str) -> str:
    return "\n".join(f"    {line}" for line in scrubbed(text).splitlines())
