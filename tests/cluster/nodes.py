"""What the suites on real nodes share: clusters on loopback, of processes that can be killed."""
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../mount"))
from mounted import NACRE, WORK, is_running, nacre, nacre_json, run, text, wait_until

OK, FAILURE, USAGE, MISSING, DAMAGED, BUSY, FULL, REFUSED, NEWER, IN_THE_WAY, AWAY = range(11)

# Credentials are kept per user: the suite is a user of its own.
os.environ["HOME"] = os.path.join(WORK, "home")
for name in ("NACRE_CLUSTER", "NACRE_DATA", "NACRE_CREDENTIALS", "XDG_CONFIG_HOME"):
    os.environ.pop(name, None)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Node:
    """One node: its data directory, its port, its process."""

    def __init__(self, directory, port=0):
        self.directory = directory
        self.address = f"127.0.0.1:{port or free_port()}"

    def command(self, *words, **options):
        return nacre(*words, "--data", self.directory, **options)

    def json(self, *words, **options):
        return nacre_json(*words, "--data", self.directory, **options)

    @property
    def pid(self):
        done = run("fuser", os.path.join(self.directory, "lock"), code=None)
        pids = [int(word) for word in done.stdout.split()]
        return pids[0] if pids else 0

    def start(self, *options):
        self.command("node", "start", *options)

    def stop(self):
        self.command("node", "stop")

    def kill(self):
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_running(pid), "the node is killed")

    def status(self):
        return self.json("node", "status")

    def etcd_pid(self):
        done = run("pgrep", "-P", self.pid, "etcd", code=None)
        return int(done.stdout) if done.stdout else 0


class Cluster:
    """Nodes that were started by one command each."""

    def __init__(self, name, count, *options, node_options=()):
        self.name = name
        self.nodes = [Node(os.path.join(WORK, f"{name}{i}")) for i in range(count)]
        first = self.nodes[0]
        first.command("node", "start", "--listen", first.address, *options, *node_options)
        for node in self.nodes[1:]:
            self.join(node, *node_options)

    def join(self, node, *options):
        first = self.nodes[0]
        token = first.command("node", "token").strip()
        node.command("node", "join", f"{token}@{first.address}", "--listen", node.address, *options)

    @property
    def url(self):
        return "nacre://" + ",".join(node.address for node in self.nodes)

    def put(self, data, *options, code=OK):
        """The id, or None when it failed as it was allowed to."""
        done = run(NACRE, "put", self.url, "-", *options, stdin=data, code=None)
        if done.returncode != OK:
            assert done.returncode == code, (done.returncode, text(done.stderr))
            return None
        return text(done.stdout).strip()

    def get(self, object_id, *options, **run_options):
        return run(NACRE, "get", self.url, object_id, *options, **run_options).stdout

    def delete(self, object_id):
        nacre("delete", self.url, object_id)

    def query(self, object_id):
        return nacre_json("query", self.url, object_id)

    def status(self):
        return nacre_json("cluster", "status", self.url)

    def wait_for_state(self, state, limit_seconds=40):
        def reached():
            found = self.status()
            return found["state"] == state and found["nodes_up"] == len(self.nodes)
        wait_until(reached, f"the cluster is {state}", limit_seconds)

    def is_whole(self, object_id):
        found = self.query(object_id)
        return all(fragment["state"] == "good" for block in [found["block"], *found["parts"]]
                   for fragment in block["fragments"])

    def records(self):
        return sum(device["records"] for device in self.nodes[0].json("device", "list"))

    def stop(self):
        at_once(node.stop for node in self.nodes if node.pid)

    def start(self, nodes=None, pause_seconds=0):
        """All of them, or those given, in that order: each waits until a majority of etcd's members runs."""
        at_once((node.start for node in nodes or self.nodes), pause_seconds)


def at_once(actions, pause_seconds=0):
    """Each in a thread of its own, begun one after another; fails if one does."""
    with ThreadPoolExecutor(max_workers=32) as threads:
        begun = []
        for action in actions:
            begun.append(threads.submit(action))
            time.sleep(pause_seconds)
        for each in begun:
            each.result()


def kill_all():
    """Whatever runs below WORK."""
    subprocess.run(["pkill", "-9", "-f", f"data {WORK}/"], check=False)
