"""What the suites on real nodes share: clusters on loopback, of processes that can be killed."""
import json
import os
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../mount"))
from mounted import NACRE, WORK, is_running, read, run, text, wait_until

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
    """One node: its data directory, its port, its process, which is started by a command before whose
    words stand those of `within`."""

    def __init__(self, directory, address="", within=()):
        self.directory = directory
        self.address = address or f"127.0.0.1:{free_port()}"
        self.within = within

    def command(self, *words, **options):
        return text(run(*self.within, NACRE, *words, "--data", self.directory, **options).stdout)

    def json(self, *words, **options):
        return json.loads(self.command(*words, "--json", **options))

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
    """Nodes that were started by one command each, and commands to them from wherever `within` says."""

    def __init__(self, name, count, *options, node_options=(), nodes=None, within=()):
        self.name = name
        self.nodes = nodes or [Node(os.path.join(WORK, f"{name}{i}")) for i in range(count)]
        self.within = within
        first = self.nodes[0]
        first.command("node", "start", "--listen", first.address, *options, *node_options)
        for node in self.nodes[1:]:
            self.join(node, *node_options)

    @classmethod
    def seen_by(cls, nodes, within):
        """A cluster that runs, as a client that names these nodes sees it."""
        cluster = cls.__new__(cls)
        cluster.nodes, cluster.within = nodes, within
        return cluster

    def join(self, node, *options):
        first = self.nodes[0]
        token = first.command("node", "token").strip()
        node.command("node", "join", f"{token}@{first.address}", "--listen", node.address, *options)

    @property
    def url(self):
        return "nacre://" + ",".join(node.address for node in self.nodes)

    def run(self, command, *words, **options):
        """That command of clients, whatever it ends with unless `code` says."""
        return run(*self.within, NACRE, command, self.url, *words, **{"code": None, **options})

    def json(self, command, *words):
        return json.loads(self.run(command, *words, "--json", code=OK).stdout)

    def put(self, data, *options, code=OK):
        """The id, or None when it failed as it was allowed to."""
        done = self.run("put", "-", *options, stdin=data)
        if done.returncode != OK:
            assert done.returncode == code, (done.returncode, text(done.stderr))
            return None
        return text(done.stdout).strip()

    def get(self, object_id, *options, **run_options):
        return self.run("get", object_id, *options, **{"code": OK, **run_options}).stdout

    def delete(self, object_id):
        self.run("delete", object_id, code=OK)

    def query(self, object_id):
        return self.json("query", object_id)

    def corrupt(self, object_id, *options):
        return self.json("corrupt", object_id, *options, "--yes")

    def status(self):
        return json.loads(run(*self.within, NACRE, "cluster", "status", self.url, "--json").stdout)

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
    """The nodes that run below WORK; their etcd ends with them."""
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = text(read(f"/proc/{process}/cmdline")).split("\0")
            if any(word == "--data" and value.startswith(WORK + "/") for word, value in zip(words, words[1:])):
                os.kill(int(process), signal.SIGKILL)
        except OSError:
            continue  # it has just ended
