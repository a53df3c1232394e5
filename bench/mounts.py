"""FUSE mounts for benchmarks: started, watched and taken down by process id.

Nothing here touches a mount, a process or a directory that it did not make itself.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

READY_SECONDS_MAX = 120
DRAIN_SECONDS_MAX = 600
PR_SET_CHILD_SUBREAPER = 36


class Failure(Exception):
    """Something the user should read, without a stack trace."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def adopt_orphans():
    """Makes daemons that detach themselves our children, to be found and waited for."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def exit_on_signals():
    """The first SIGINT, SIGTERM or SIGHUP unwinds the program; later ones do not stop that."""

    def unwind(number, _frame):
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        say(f"{signal.Signals(number).name}: cleaning up")
        raise SystemExit(128 + number)

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, unwind)


def is_mounted(path):
    path = os.path.realpath(path)
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        return any(unescape(line.split()[4]) == path for line in lines)


def unescape(field):
    """mountinfo writes blanks, tabs, newlines and backslashes as octal numbers."""
    for escaped, plain in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        field = field.replace(escaped, plain)
    return field


def mounts_below(directory):
    prefix = os.path.realpath(directory) + "/"
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        return [at for at in (unescape(line.split()[4]) for line in lines) if at.startswith(prefix)]


def type_of_file_system(path):
    """The type of the mount that holds `path`, such as "ext4"."""
    path = os.path.realpath(path)
    best, kind = "", "unknown"
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            fields = line.split()
            at = unescape(fields[4])
            holds = path == at or path.startswith(at.rstrip("/") + "/")
            if holds and len(at) >= len(best):
                best, kind = at, fields[fields.index("-") + 1]
    return kind


def children():
    """Process ids of our own children that have not ended."""
    found = set()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8",
                                                errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
            if int(fields[1]) == os.getpid() and fields[0] != "Z":
                found.add(int(name))
    return found


def reap(pid, seconds_max):
    """Waits for a child to end; False if it has not by then."""
    deadline = time.monotonic() + seconds_max
    while True:
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                return True
        except ChildProcessError:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)


def end(pid, seconds_max):
    """Waits for a child, then asks it to end, then makes it."""
    if reap(pid, seconds_max):
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        say(f"process {pid} is still there: {number.name}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if reap(pid, 10):
            return


class Mount:
    """A FUSE file system and the processes that serve it. A context: leaving it unmounts."""

    def __init__(self, command, mountpoint, log):
        self.command = command
        self.mountpoint = mountpoint
        self.log = log
        self.pids = []
        self.ready_seconds = None  # from exec to the first answered stat

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        before = children()
        start = time.monotonic()
        with open(self.log, "ab") as log:
            process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, start_new_session=True)
        self.pids = [process.pid]
        while not is_mounted(self.mountpoint):
            ended = process.poll()
            if ended not in (None, 0):
                raise Failure(f"{' '.join(self.command)}: exit code {ended}\n{self.last_words()}")
            if time.monotonic() - start > READY_SECONDS_MAX:
                raise Failure(f"{' '.join(self.command)}: not mounted in {READY_SECONDS_MAX} s")
            time.sleep(0.002)
        os.stat(self.mountpoint)
        self.ready_seconds = time.monotonic() - start
        time.sleep(0.1)  # a parent that leaves its daemon behind does so now
        process.poll()
        self.pids = sorted(children() - before)

    def stop(self):
        """Unmounts and waits until the processes have ended, however long their data takes."""
        deadline = time.monotonic() + 30
        while is_mounted(self.mountpoint):
            unmount = subprocess.run(["fusermount3", "-u", self.mountpoint], check=False,
                                     capture_output=True, text=True, start_new_session=True)
            if unmount.returncode != 0 and time.monotonic() > deadline:
                say(f"detaching {self.mountpoint}: {unmount.stderr.strip()}")
                subprocess.run(["fusermount3", "-uz", self.mountpoint], check=False)
                break
            if unmount.returncode != 0:
                time.sleep(0.2)
        for pid in self.pids:
            end(pid, DRAIN_SECONDS_MAX if self.ready_seconds is not None else 1)
        self.pids = []

    def again(self):
        """Unmounts and mounts anew, so that nothing is cached in the daemon either."""
        self.stop()
        self.start()

    def last_words(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-5:]).strip()


@contextlib.contextmanager
def work_directory(parent, prefix):
    """A new directory below `parent`; goes with all in it, unless a mount is left there."""
    path = tempfile.mkdtemp(prefix=prefix, dir=parent)
    try:
        yield path
    finally:
        left = mounts_below(path)
        if left:
            say(f"left as it is, since it holds mounts ({', '.join(left)}): {path}")
        else:
            shutil.rmtree(path, ignore_errors=True)
            if os.path.exists(path):
                say(f"could not remove all of {path}")


def create_volume(nacre, directory, *options):
    """`nacre volume create`. Failure with its words if the binary or the command is not there."""
    try:
        made = subprocess.run([nacre, "volume", "create", directory, *options], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError as error:
        raise Failure(f"{nacre}: {error.strerror}") from error
    if made.returncode != 0:
        words = (made.stderr or made.stdout).strip().splitlines()
        raise Failure(f"{nacre} volume create: {words[0] if words else made.returncode}")
