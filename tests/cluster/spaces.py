"""Hosts as network namespaces, joined by bridges in a further one, whose links can be cut without a word.

Names begin with that of WORK, so no two runs meet, and go when the suite ends.
"""
import atexit
import os
import shutil
import subprocess

from mounted import WORK, run

PREFIX = os.path.basename(WORK)
SWITCH = PREFIX + ".switch"


def ip(*words, space=SWITCH):
    return run("ip", "-netns", space, *words)


class Network:
    """Hosts of the names given, all joined by one bridge, `whole`."""

    def __init__(self, names):
        self.hosts = list(names)
        run("ip", "netns", "add", SWITCH)
        for bridge in ("whole", "apart"):
            ip("link", "add", bridge, "type", "bridge")
            ip("link", "set", bridge, "up")
        for number, name in enumerate(self.hosts):
            space = f"{PREFIX}.{name}"
            run("ip", "netns", "add", space)
            ip("link", "add", name, "type", "veth", "peer", "name", "net", "netns", space)
            ip("address", "add", f"{self.address(name)}/24", "dev", "net", space=space)
            for link in ("lo", "net"):
                ip("link", "set", link, "up", space=space)
            ip("link", "set", name, "master", "whole", "up")

    def address(self, name):
        return f"10.77.0.{self.hosts.index(name) + 1}"

    def within(self, name):
        """The words that have a command run on that host."""
        return ["nsenter", f"--net=/run/netns/{PREFIX}.{name}"]

    def cut(self, name):
        """No packet comes or goes any more, and nobody is told."""
        ip("link", "set", name, "down")

    def mend(self, name):
        ip("link", "set", name, "up")

    def part(self, names):
        """Those hosts reach each other and no others."""
        for name in names:
            ip("link", "set", name, "master", "apart")

    def join(self):
        """All hosts reach all others again."""
        for name in self.hosts:
            ip("link", "set", name, "master", "whole")


def can_make_networks():
    tools = all(shutil.which(tool) for tool in ("ip", "nsenter"))
    return tools and subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0


@atexit.register
def remove_all():
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout
    for line in listed.splitlines():
        if line.startswith(PREFIX + "."):
            subprocess.run(["ip", "netns", "delete", line.split()[0]], check=False)
