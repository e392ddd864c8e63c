"""The toolchain's commands on this machine, with homes of their own; its Pulumi download, from a site made here."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.server
import io
import os
import platform
import shlex
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from lib import engine, images, places, plugins, progress, pulumi

ROOT = Path(__file__).parents[2]
OWN = ("FLASKSTACK_", "PULUMI_", "XDG_", "DOCKER_")


def environment(home: Path, **more: str) -> dict[str, str]:
    """A person's environment as a new shell has it, without what the shell that runs the tests was given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    path = [part for part in os.environ["PATH"].split(os.pathsep) if "flaskstack" not in part and ".venv" not in part]
    return {**kept, "HOME": str(home), "PATH": os.pathsep.join(path), **more}


def toolchain(command: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "toolchain" / command],
        env=environment(home, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def shell(home: Path, script: str, **more: str) -> str:
    line = f'eval "$({shlex.quote(sys.executable)} {shlex.quote(str(ROOT / "toolchain" / "env"))})"; {script}'
    done = subprocess.run(
        ["sh", "-euc", line], env=environment(home, **more), capture_output=True, text=True, check=True
    )
    assert not done.stderr
    return done.stdout.strip()


def exports(home: Path, **more: str) -> dict[str, str]:
    done = toolchain("env", home, **more)
    assert done.returncode == 0, done.stderr
    found = {}
    for line in done.stdout.splitlines():
        word, _, assignment = line.partition(" ")
        assert word == "export", f"not an export: {line}"
        name, _, value = assignment.partition("=")
        found[name] = shlex.split(value)[0]
    return found


def test_env_gives_a_shell_the_environment_and_a_backend_that_needs_no_account(tmp_path: Path) -> None:
    found = shell(
        tmp_path, 'echo "$PULUMI_BACKEND_URL"; command -v python; test -d "${PULUMI_BACKEND_URL#file://}"'
    ).split()
    assert found == [f"file://{tmp_path}/.local/state/flaskstack/pulumi", str(ROOT / ".venv/bin/python")]


def test_env_makes_one_passphrase_that_only_its_owner_reads_and_never_shows_it(tmp_path: Path) -> None:
    outputs = [toolchain("env", tmp_path).stdout for _ in range(2)]
    file = Path(exports(tmp_path)["PULUMI_CONFIG_PASSPHRASE_FILE"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text()) >= 32
    assert outputs[0] == outputs[1]
    assert file.read_text() not in outputs[0]


def test_env_leaves_a_chosen_backend_and_passphrase_alone(tmp_path: Path) -> None:
    found = exports(tmp_path, PULUMI_BACKEND_URL="s3://bucket", PULUMI_CONFIG_PASSPHRASE="")
    assert not {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE"} & found.keys()
    assert not (tmp_path / ".local/state/flaskstack/passphrase").exists()


def test_env_leaves_a_login_alone(tmp_path: Path) -> None:
    (tmp_path / ".pulumi").mkdir()
    (tmp_path / ".pulumi" / "credentials.json").write_text('{"current": "https://api.pulumi.com"}')
    assert "PULUMI_BACKEND_URL" not in exports(tmp_path)


def test_env_points_to_a_login_when_it_takes_over_pulumis_home(tmp_path: Path) -> None:
    (tmp_path / ".pulumi").mkdir()
    (tmp_path / ".pulumi" / "credentials.json").write_text('{"current": "https://api.pulumi.com"}')
    (tmp_path / ".cache/flaskstack/pulumi-home/plugins").mkdir(parents=True)
    found = exports(tmp_path)
    assert found["PULUMI_HOME"] == str(tmp_path / ".cache/flaskstack/pulumi-home")
    assert found["PULUMI_CREDENTIALS_PATH"] == str(tmp_path / ".pulumi")
    assert found["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"


def test_env_keeps_pulumis_own_home_when_no_fallback_plugin_is_in_use(tmp_path: Path) -> None:
    assert not {"PULUMI_HOME", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"} & exports(tmp_path).keys()


def test_env_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    script = 'before=$(env | sort); eval "$(toolchain/env)"; test "$before" = "$(env | sort)" && echo same'
    assert shell(tmp_path, f"cd {shlex.quote(str(ROOT))}; {script}") == "same"


def test_env_quotes_a_home_with_spaces_and_dollars(tmp_path: Path) -> None:
    home = tmp_path / "a $HOME 'b'"
    home.mkdir()
    assert shell(home, 'cat "$PULUMI_CONFIG_PASSPHRASE_FILE" | wc -c').isdigit()
    assert exports(home)["PULUMI_BACKEND_URL"].startswith(f"file://{home}")


def test_env_prefers_a_persons_own_pulumi_to_one_made_here(tmp_path: Path) -> None:
    made = tmp_path / "cache" / f"pulumi-{places.PULUMI_VERSION}"
    made.mkdir(parents=True)
    (made / "pulumi").touch(mode=0o755)
    own = tmp_path / "own"
    own.mkdir()
    cache = {"FLASKSTACK_CACHE": str(tmp_path / "cache")}
    without = exports(tmp_path, PATH="/usr/bin:/bin", **cache)
    assert without["PATH"].split(os.pathsep)[2].startswith(str(made))
    (own / "pulumi").touch(mode=0o755)
    assert str(made) not in exports(tmp_path, PATH=f"{own}:/usr/bin:/bin", **cache)["PATH"]


def test_doctor_names_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    done = toolchain("doctor", tmp_path, PATH="/usr/bin:/bin", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == 1
    rows = {line[9:43].strip(): line for line in done.stdout.splitlines()}
    assert rows["Pulumi"].startswith("MISSING")
    assert "toolchain/setup pulumi" in rows["Pulumi"]
    assert rows["Docker engine"].startswith("MISSING")
    assert "none.sock does not answer" in rows["Docker engine"]
    assert not done.stderr


def test_setup_refuses_a_step_that_it_does_not_know() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "toolchain/setup", "kernel"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no such step: kernel" in done.stderr


def test_setup_does_not_start_an_engine_in_place_of_a_chosen_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(progress.StepError, match="does not answer: start that engine, or unset the variable"):
        engine.make()


def test_a_step_that_fails_shows_the_end_of_its_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLASKSTACK_CACHE", str(tmp_path))
    with pytest.raises(progress.StepError, match=r"(?s)broken step failed with status 3.*the reason"):
        progress.run("broken step", ["sh", "-c", "echo the reason; exit 3"])


def test_two_set_ups_wait_for_each_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLASKSTACK_CACHE", str(tmp_path))
    script = "from lib import progress\nwith progress.only_one(): print('in')"
    with progress.only_one():
        other = subprocess.Popen(
            [sys.executable, "-c", script], cwd=ROOT / "toolchain", stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert other.stderr is not None
        assert b"waiting" in other.stderr.readline()
        assert other.poll() is None
    assert other.communicate(timeout=20)[0] == b"in\n"


def test_every_plugin_that_the_program_needs_has_a_fallback() -> None:
    needed = plugins.needed()
    assert {"docker", "docker-build", "random", "command"} <= needed.keys()
    assert [name for name in needed if not plugins.has_fallback(name)] == []


def test_the_stand_ins_cover_the_products_images() -> None:
    dockerfile = (ROOT / "toolchain/images/Dockerfile").read_text()
    assert [role for role in images.defaults() if f" AS {role}\n" not in dockerfile] == []


@contextlib.contextmanager
def site(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A site with a release whose `pulumi` is a script. Gives the list of sums and the archive's name."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    name = f"pulumi-v{places.PULUMI_VERSION}-{platform.system().lower()}-{machine}.tar.gz"
    folder = tmp_path / "site" / "releases" / "sdk"
    folder.mkdir(parents=True)
    with tarfile.open(folder / name, "w:gz") as archive:
        member = tarfile.TarInfo("pulumi/pulumi")
        content = b"#!/bin/sh\necho v3.250.0\n"
        member.size, member.mode = len(content), 0o755
        archive.addfile(member, io.BytesIO(content))
    sums = tmp_path / "site" / "sums.txt"
    sums.write_text(f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n")
    monkeypatch.setenv("FLASKSTACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "/nonexistent")
    pulumi.site_answers.cache_clear()
    with site(tmp_path / "site") as address:
        monkeypatch.setattr(pulumi, "SITE", address)
        monkeypatch.setattr(pulumi, "CHECKSUMS", f"{address}/sums.txt")
        yield sums, name
    pulumi.site_answers.cache_clear()


@pytest.mark.usefixtures("release")
def test_a_release_whose_sum_is_right_is_installed_whole() -> None:
    pulumi.make()
    cli = places.pulumi()
    assert cli == places.pulumi_made_here() / "pulumi"
    assert cli is not None
    assert os.access(cli, os.X_OK)
    assert [entry.name for entry in places.cache().iterdir()] == [f"pulumi-{places.PULUMI_VERSION}"], (
        "something was left behind"
    )


def test_a_release_whose_sum_is_wrong_is_never_used(release: tuple[Path, str]) -> None:
    sums, name = release
    sums.write_text(f"{'0' * 64}  {name}\n")
    with pytest.raises(progress.StepError, match="not used"):
        pulumi.make()
    assert places.pulumi() is None


def test_a_release_without_sums_is_not_used_and_the_way_out_is_said(release: tuple[Path, str]) -> None:
    release[0].unlink()
    with pytest.raises(progress.StepError, match="install Pulumi"):
        pulumi.make()
    assert places.pulumi() is None


def test_a_pulumi_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pulumi").write_text("#!/bin/sh\necho v3.99.0\n")
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(progress.StepError, match=r"is version v3\.99\.0; 3\.200 or later is needed"):
        pulumi.make()
