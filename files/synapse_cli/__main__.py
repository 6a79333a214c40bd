"""The operator's command line: `python -m synapse_cli health|doctor|app-key|...`."""

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from synapse_cli import app_env, app_keys, arbiter, gateway, keys
from synapse_cli.cluster import Cluster, ClusterError
from synapse_cli.doctor.ask import ask_servers
from synapse_cli.doctor.everything import doctor
from synapse_cli.find import FindError, find, site_folder
from synapse_cli.health import look
from synapse_cli.init import InitError, init
from synapse_cli.port_forward import Forward
from synapse_cli.rendered import arrange
from synapse_cli.site import SiteError, read_site
from synapse_cli.site_run import site_run
from synapse_cli.table import render
from synapse_cli.upgrade import Upgrade, run_here
from synapse_common.secrets import BRIDGE_ENTRY, CHAT_ENTRY, CHAT_TASKS_ENTRY
from synapse_deploy.clients.access import AccessError

NAMESPACE = "llm-infra"
READ_AT_START = {
    BRIDGE_ENTRY: ("The bridge of speech_wyoming", "wyoming"),
    CHAT_ENTRY: ("The chat page of chat_enabled", "open-webui"),
    CHAT_TASKS_ENTRY: ("The chat page of chat_enabled", "open-webui"),
}
"""Applications whose pods get their key when they start, with the pods' Deployment."""
OPERANDS = {"app": str, "file": Path, "folder": Path, "hours": float, "port": int, "tag": str}


def main() -> int:
    """Run one command; a fault is told in a sentence and makes the exit status 1."""
    options = arguments()
    console = Console(highlight=False)
    try:
        return int(options.run(options, console))
    except (
        ClusterError, FindError, InitError, SiteError, keys.KeyFileError, AccessError,
    ) as fault:  # fmt: skip
        print(fault, file=sys.stderr)
        return 1


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="synapse_cli", description=__doc__)
    parser.add_argument("--namespace", default=NAMESPACE)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, summary, operand in (
        ("doctor", run_doctor, "say what a deployment still needs", None),
        ("find", run_find, "write down what the server has", None),
        ("health", run_health, "say what runs and how fast it answers", None),
        ("app-key", run_app_key, "print one application's key", "app"),
        ("app-keys", run_app_keys, "list the applications' keys and what they are used for", None),
        ("rotate-app-key", run_rotate, "give one application a new key", "app"),
        ("export-keys", run_export, "write all keys to a new file", "file"),
        ("restore-keys", run_restore, "put an export's keys into the cluster", "file"),
        ("status-page", run_status_page, "lead a port to the arbiter's status page", "port"),
        ("chat-password", run_chat_password, "print the chat page's first password", None),
        ("admin-token", run_admin_token, "print the token for the arbiter's orders", None),
        ("gpu-release", run_release, "release the GPU, for a game say", "hours"),
        ("arrange", run_arrange, "sort what make render has written", "folder"),
        ("upgrade", run_upgrade, "go to another version and deploy it", "tag"),
        ("gpu-reclaim", run_reclaim, "take the GPU back", None),
    ):
        command = commands.add_parser(name, help=summary)
        command.set_defaults(run=run)
        if operand:
            command.add_argument(operand, type=OPERANDS[operand])
        if name == "doctor":
            text = "a list of {place, what, seen, level, remedy}"
            command.add_argument("--json", action="store_true", help=text)
        if name == "find":
            command.add_argument("--check", action="store_true", help="write nothing")
        if name == "health":
            text = "ask every model for real; wakes those of the GPU, one after another"
            command.add_argument("--deep", action="store_true", help=text)
        if name == "app-keys":
            command.add_argument("--people-of", metavar="APP", help="show this one's people")
        if name == "upgrade":
            command.add_argument("--yes", action="store_true", help="deploy without asking")
    command = commands.add_parser("app-env", help="print what an application's client needs")
    command.set_defaults(run=run_app_env)
    command.add_argument("app")
    command.add_argument("--for", dest="client", default="", help="the client; left out: any")
    command = commands.add_parser("site-run", help="go from an empty server to an answer")
    command.set_defaults(run=run_site)
    command.add_argument("--from", dest="begin", default="", metavar="PHASE", help="start later")
    command.add_argument("--yes", action="store_true", help="agree to all that may be asked")
    command = commands.add_parser("init", help="make a site from an example")
    command.set_defaults(run=run_init)
    command.add_argument("site")
    command.add_argument("example")
    command.add_argument("--host", default="", help="the server: me@192.168.1.10, or localhost")
    return parser.parse_args()


def run_init(options: argparse.Namespace, console: Console) -> int:
    """`make init`."""
    return init(options.site, options.example, console, host=options.host)


def run_doctor(options: argparse.Namespace, console: Console) -> int:
    """`make doctor`."""
    return doctor(
        lambda: Cluster(options.namespace), read_site, ask_servers, console, to_json=options.json
    )


def run_find(options: argparse.Namespace, console: Console) -> int:
    """`make find`."""
    return find(read_site, ask_servers, console, site_folder(), check=options.check)


def run_health(options: argparse.Namespace, console: Console) -> int:
    """`make test-health`."""
    cluster = Cluster(options.namespace)
    if not options.deep:
        return render(look(cluster, ask=None), console)
    with gateway.opened(cluster) as client:
        return render(look(cluster, client), console)


def run_app_key(options: argparse.Namespace, console: Console) -> int:
    """`make app-key`."""
    print(keys.read_app_key(Cluster(options.namespace), options.app))
    return 0


def run_app_keys(options: argparse.Namespace, console: Console) -> int:
    """`make app-keys`."""
    cluster = Cluster(options.namespace)
    with gateway.opened(cluster) as client:
        if options.people_of:
            return app_keys.show_people(cluster, client, options.people_of, console)
        return app_keys.show(cluster, client, console, app_keys.today_utc())


def run_app_env(options: argparse.Namespace, console: Console) -> int:
    """`make app-env`."""
    cluster = Cluster(options.namespace)
    sys.stdout.write(app_env.text(cluster, options.app, options.client, tell=to_stderr))
    return 0


def to_stderr(text: str) -> None:
    """Tell what must not stand in a file that standard output is redirected to."""
    print(text, file=sys.stderr)


def run_rotate(options: argparse.Namespace, console: Console) -> int:
    """`make rotate-app-key`."""
    cluster = Cluster(options.namespace)
    keys.rotate_app_key(cluster, options.app)
    console.print(
        f"{options.app} has a new key; the gateway knows it within two minutes. "
        f"make app-key APP={options.app} prints it."
    )
    who, deployment = READ_AT_START.get(options.app, ("", ""))
    # An application of that name may be for somebody's own client, and no pod of ours reads it.
    if who and any(one.metadata.name == deployment for one in cluster.workloads()):
        console.print(
            f"{who} reads its key when it starts: "
            f"kubectl -n {options.namespace} rollout restart deployment/{deployment}"
        )
    return 0


def run_chat_password(options: argparse.Namespace, console: Console) -> int:
    """`make chat-password`."""
    print(keys.read_chat_password(Cluster(options.namespace)))
    return 0


def run_export(options: argparse.Namespace, console: Console) -> int:
    """`make export-keys`."""
    number = keys.export_keys(Cluster(options.namespace), options.file)
    console.print(f"{number} keys are in {options.file}, in clear text. Keep it safe.")
    return 0


def run_restore(options: argparse.Namespace, console: Console) -> int:
    """`make restore-keys`."""
    number = keys.restore_keys(Cluster(options.namespace), options.file)
    console.print(f"{number} keys are in the cluster; the gateway knows them within two minutes.")
    return 0


def run_status_page(options: argparse.Namespace, console: Console) -> int:
    """`make status-page`."""
    cluster = Cluster(options.namespace)
    arbiter.pod_name(cluster)  # a reader is told at once, not by the browser
    with Forward(options.port, lambda: arbiter.dial(cluster)) as forward:
        console.print(
            f"The GPU's status page: {forward.url} (Ctrl-C ends it).\n"
            "Its buttons ask for the token that make admin-token prints."
        )
        with suppress(KeyboardInterrupt):
            forward.serve_forever()
    return 0


def run_admin_token(options: argparse.Namespace, console: Console) -> int:
    """`make admin-token`."""
    print(arbiter.read_token(Cluster(options.namespace)))
    return 0


def run_release(options: argparse.Namespace, console: Console) -> int:
    """`make gpu-release`."""
    console.print(arbiter.release(Cluster(options.namespace), options.hours))
    return 0


def run_reclaim(options: argparse.Namespace, console: Console) -> int:
    """`make gpu-reclaim`."""
    console.print(arbiter.reclaim(Cluster(options.namespace)))
    return 0


def run_arrange(options: argparse.Namespace, console: Console) -> int:
    """The end of `make render`."""
    for line in arrange(options.folder):
        print(line)
    return 0


def run_site(options: argparse.Namespace, console: Console) -> int:
    """`make site`."""

    def connect() -> Cluster:
        return Cluster(options.namespace)

    return site_run(connect, options.begin, agreed, all_agreed=options.yes)


def agreed(question: str) -> bool:
    """Ask whoever sits there; without anybody the answer is no."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print("Nobody is here to answer; YES=1 goes on without asking.")
        return False


def run_upgrade(options: argparse.Namespace, console: Console) -> int:
    """`make upgrade`."""

    def may(question: str) -> bool:
        return options.yes or agreed(question)

    return Upgrade(options.tag, run_here, may, say=lambda text: print(text, flush=True)).go()


if __name__ == "__main__":
    sys.exit(main())
