"""The policy pack: `pulumi preview --policy-pack policies`. Its rules are those of `flaskstack.policy`."""  # noqa: INP001  # a program of its own

from flaskstack.policy.pack import run

run("flaskstack")
