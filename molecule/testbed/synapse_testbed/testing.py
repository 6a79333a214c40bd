"""The unit and render tests once more, on Debian 13's Python with the libraries meant for it."""

import shutil
import sys
import sysconfig
import tomllib
from inspect import getsource
from pathlib import Path

from synapse_testbed import python
from synapse_testbed.cache import Cache, Recipe
from synapse_testbed.commands import run, say

ROOT = Path(__file__).parents[3]
REQUIREMENTS = ROOT / "requirements-dev.txt"
COLLECTIONS = Path(sysconfig.get_path("purelib"), "ansible_collections")
TESTS = ["tests/unit", "tests/render"]
CHECKOUT, VENV = "/synapse", "/synapse/.venv"
# The repository is mounted to be read; what Python compiles is kept for the container's life.
ENVIRONMENT = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PATH": f"{VENV}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PYTHONPYCACHEPREFIX": "/tmp/compiled",
}
LIMIT_S = 1800


def run_again(cache: Cache) -> None:
    """Run the tests in a container, unless this machine's Python is the same: there they ran."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if here == python.VERSION:
        say(f"this machine's Python is Debian 13's ({here}): `make test-fast` is the test on it")
        return
    say(f"the tests on Python {python.VERSION}, beside this machine's {here} ...")
    tools, environment = cache.obtain(python.root()), cache.obtain(environment_for_tests())
    # A worktree's own .git is only a file that names this folder.
    git = run(
        ["git", "rev-parse", "--path-format=absolute", "--git-common-dir"], cwd=ROOT, limit_s=60
    )
    python.run_in_debian(
        tools,
        ["python", "-m", "pytest", "-p", "no:cacheprovider", "--quiet", *TESTS],
        {
            ROOT: f"{CHECKOUT}:ro",
            environment: f"{VENV}:ro",
            Path(git.strip()): f"{git.strip()}:ro",
        },
        f"--workdir={CHECKOUT}",
        *(f"--env={name}={value}" for name, value in ENVIRONMENT.items()),
        limit_s=LIMIT_S,
        stdout=sys.stdout.buffer,
    )


def environment_for_tests() -> Recipe:
    """A virtual environment of that Python with `requirements-dev.txt`, for a checkout."""
    requirements = REQUIREMENTS.read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = project["tool"]["hatch"]["build"]["dev-mode-dirs"]

    def build(folder: Path) -> None:
        packages = folder / "lib" / f"python{python.VERSION}" / "site-packages"
        packages.mkdir(parents=True)
        python.install(requirements, packages)
        programs = (packages / "bin").rename(folder / "bin")
        # Those made by the installer name its Python; the others are links into its cache.
        for program in programs.iterdir():
            text = program.read_bytes()
            if (named := sys.executable.encode()) in text:
                program.write_bytes(text.replace(named, f"{VENV}/bin/python".encode()))
        for name in ("python", "python3"):
            (programs / name).symlink_to("/usr/bin/python3")
        (folder / "pyvenv.cfg").write_text("home = /usr/bin\n")
        shutil.copytree(COLLECTIONS, packages / COLLECTIONS.name)
        (packages / "synapse.pth").write_text("".join(f"{CHECKOUT}/{one}\n" for one in folders))

    inputs = {
        "requirements": requirements,
        "collections": (ROOT / "requirements.yml").read_text(),
        "folders": " ".join(folders),
        "recipe": getsource(build) + VENV,
        "way": python.way_to_install(),
    }
    return Recipe("test-environment", inputs, build)
