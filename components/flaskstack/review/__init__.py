"""The review of a preview: what an update would do, how dangerous that is, and what policies say, as Markdown.

It reads what `pulumi preview --json` writes, and needs neither a cluster's credentials nor a Docker engine for that.
"""
