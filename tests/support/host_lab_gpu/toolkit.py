"""NVIDIA's container toolkit as Debian packages: real programs, units and scripts from its module.

NVIDIA's packages come from the same tree. Its C library, libnvidia-container, is no Go module: its
two packages are empty here, and what calls it (the legacy mode and its hook) does not work.
"""

from inspect import getsource
from pathlib import Path

from host_lab_gpu import deb
from host_lab_gpu.deb import Package, pack
from synapse_testbed import go
from synapse_testbed.cache import Recipe

MODULE = "github.com/NVIDIA/nvidia-container-toolkit"
NAMES = (
    "libnvidia-container1",
    "libnvidia-container-tools",
    "nvidia-container-toolkit-base",
    "nvidia-container-toolkit",
)
UNITS = ("nvidia-cdi-refresh.service", "nvidia-cdi-refresh.path")
RULES = "99-nvidia-cdi-refresh.rules"
# NVML is looked up when the program runs, so the linker has to let its names pass.
LINKING = "-Wl,--export-dynamic -Wl,--unresolved-symbols=ignore-in-object-files -Wl,-z,lazy"
# What debhelper adds to the script of a package that brings units.
ENABLES = """
if [ "$1" = configure ]; then
  for unit in {units}; do
    deb-systemd-helper unmask "$unit" >/dev/null || true
    deb-systemd-helper enable "$unit" >/dev/null || true
  done
  if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
    deb-systemd-invoke start {units} >/dev/null || true
  fi
fi
"""


def version() -> str:
    """Return the version that is built, as Debian writes it: 1.20.2-1."""
    line = next(line for line in go.pins("toolkit")["go.mod"].splitlines() if f"{MODULE} v" in line)
    return line.split(" v")[1].split()[0] + "-1"


def packages() -> Recipe:
    """The packages of the toolkit, as files of one folder."""
    made_as = version()
    upstream = made_as.removesuffix("-1")
    stamp = f"-X {MODULE}/internal/info.version={upstream}"
    flags = f"-s -w '-extldflags={LINKING}' {stamp}"

    def build(folder: Path) -> None:
        programs = folder / "programs"
        go.install_tools("toolkit", programs, flags=flags, env={"CGO_ENABLED": "1"})
        sources = go.module_folder("toolkit", f"{MODULE}@v{upstream}")
        for package in toolkit(made_as, programs, sources):
            pack(package, folder)
        for program in programs.iterdir():
            program.unlink()
        programs.rmdir()

    code = getsource(build) + getsource(toolkit) + getsource(deb) + ENABLES
    return Recipe("nvidia-toolkit", go.pins("toolkit") | {"flags": flags, "recipe": code}, build)


def toolkit(made_as: str, programs: Path, sources: Path) -> list[Package]:
    """Return the packages as NVIDIA splits them; `sources` is the module's own tree."""
    scripts, units = sources / "packaging/debian", sources / "deployments/systemd"
    engines = "10-container-engines.conf"
    needed = {"Depends": f"libnvidia-container1 (= {made_as})"}
    return [
        Package("libnvidia-container1", made_as, "stand-in without NVIDIA's C library"),
        Package("libnvidia-container-tools", made_as, "stand-in without programs", fields=needed),
        Package(
            "nvidia-container-toolkit-base",
            made_as,
            "NVIDIA Container Toolkit Base",
            files={
                **{
                    f"usr/bin/{name}": programs / name
                    for name in ("nvidia-container-runtime", "nvidia-ctk", "nvidia-cdi-hook")
                },
                **{f"usr/lib/systemd/system/{unit}": units / unit for unit in UNITS},
                f"usr/lib/systemd/system/{UNITS[0]}.d/{engines}": units / engines,
                f"usr/lib/udev/rules.d/{RULES}": sources / "deployments/udev" / RULES,
                "etc/nvidia-container-toolkit/nvidia-cdi-refresh.env": units
                / "nvidia-cdi-refresh.env",
            },
            scripts={
                "postinst": (scripts / "nvidia-container-toolkit-base.postinst")
                .read_text()
                .replace("#DEBHELPER#", ENABLES.format(units=" ".join(UNITS)))
            },
        ),
        Package(
            "nvidia-container-toolkit",
            made_as,
            "NVIDIA Container toolkit",
            files={
                "usr/bin/nvidia-container-runtime-hook": programs / "nvidia-container-runtime-hook"
            },
            fields={
                "Depends": f"nvidia-container-toolkit-base (= {made_as}), "
                f"libnvidia-container-tools (= {made_as}), libnvidia-container-tools (<< 2.0.0)"
            },
            scripts={
                name: (scripts / f"nvidia-container-toolkit.{name}").read_text()
                for name in ("postinst", "postrm")
            },
        ),
    ]
