"""What the suites on a real mount share: volumes of their own, commands with the exit codes they should
have, and checks that cannot hang.

A suite is called with the nacre binary and fsx, marks its checks with @check and ends with run(). It works
in WORK, a directory of its own. Its checks run in order in a child process, while the parent watches the
time: a check that takes longer than its limit ends the suite, after what the daemons were doing is shown.
Whatever happens, what the suite mounted is unmounted and what it made is removed.

NACRE_VOLUME_OPTIONS in the environment are options of each new volume; {name} in them is its name.
"""
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

NACRE, FSX = (os.path.abspath(path) for path in sys.argv[1:3])
WORK = os.path.realpath(tempfile.mkdtemp(prefix="nacre-test."))
os.chmod(WORK, 0o755)
COMMAND_LIMIT_SECONDS = 60
VOLUME_OPTIONS = os.environ.get("NACRE_VOLUME_OPTIONS", "").split()
checks = []


def check(limit_seconds=60):
    def add(function):
        checks.append((function, limit_seconds))
        return function

    return add


class Skip(Exception):
    """Raised by a check whose machine lacks what it needs; the text says what."""


def text(output):
    return output.decode(errors="backslashreplace")


def run(*words, code=0, stdin=b"", limit_seconds=COMMAND_LIMIT_SECONDS, **options):
    """Runs a command, which must end with that exit code (None: any). Returns what it printed, as bytes in
    .stdout and .stderr."""
    words = [word if isinstance(word, bytes) else str(word) for word in words]
    done = subprocess.run(words, input=stdin, capture_output=True, timeout=limit_seconds, **options)
    if code is not None and done.returncode != code:
        raise AssertionError(f"{words} ended with {done.returncode} where {code} was expected\n"
                             f"{text(done.stdout[-3000:])}{text(done.stderr[-3000:])}")
    return done


def shell(script, **options):
    """Runs lines of bash, of which none may fail."""
    return run("bash", "-euo", "pipefail", "-c", script, **options)


def nacre(*words, **options):
    """Runs nacre; returns its standard output as text."""
    return text(run(NACRE, *words, **options).stdout)


def nacre_json(*words, **options):
    return json.loads(nacre(*words, "--json", **options))


def refuses(words, code, *parts, **options):
    """Runs nacre, which must end with that exit code and name all the parts in one line on standard error."""
    done = run(NACRE, *words, code=code, **options)
    error = text(done.stderr)
    for part in parts:
        assert part in error, f"{words}: {error!r} does not say {part!r}"
    assert error.startswith("nacre: ") and error.count("\n") == 1, f"{words}: {error!r}"
    return error


def fails(code, function, *arguments, **options):
    """Calls the function, which must raise an OSError with that errno."""
    try:
        function(*arguments, **options)
    except OSError as error:
        assert error.errno == code, f"{error} where {os.strerror(code)} was expected"
        return
    raise AssertionError(f"no error where {os.strerror(code)} was expected")


def write(path, data, mode="wb"):
    with open(path, mode) as file:
        file.write(data)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write_and_sync(path, data, flags=os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
    file = os.open(path, flags, 0o644)
    try:
        os.write(file, data)
        os.fsync(file)
    finally:
        os.close(file)


def wait_until(condition, what, limit_seconds=20):
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not after {limit_seconds} s"
        time.sleep(0.01)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Volume:
    """A volume below WORK and the directory where it is mounted."""

    def __init__(self, name, *options):
        self.directory = os.path.join(WORK, name)
        self.mnt = os.path.join(WORK, name + ".mnt")
        nacre("volume", "create", self.directory, *(each.format(name=name) for each in VOLUME_OPTIONS), *options)
        os.mkdir(self.mnt)

    def mount(self, *options):
        nacre("mount", self.directory, self.mnt, *options)

    def unmount(self):
        nacre("unmount", self.mnt)

    def remount(self, *options):
        self.unmount()
        self.mount(*options)

    def path(self, *names):
        return os.path.join(self.mnt, *names)

    def pid(self):
        """Of the process that has the volume open."""
        return int(read(os.path.join(self.directory, "nacre.lock")))

    def kill(self):
        """Kills the daemon and takes its mount away, of which nobody has a file open."""
        self.kill_daemon()
        self.unmount()

    def kill_daemon(self):
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_running(pid), "a killed daemon ends")

    def is_clean(self, *options):
        nacre("check", self.directory, *options, limit_seconds=120)


def mounts_below(directory):
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        places = [line.split()[4] for line in file]
    return [place for place in reversed(places) if place.startswith(directory + "/")]


def daemons_below(directory):
    """Processes that have a volume below the directory open."""
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{process}/exe").removesuffix(" (deleted)") != os.path.realpath(NACRE):
                continue
            for file in os.listdir(f"/proc/{process}/fd"):
                if os.readlink(f"/proc/{process}/fd/{file}").startswith(directory + "/"):
                    yield int(process)
                    break
        except OSError:
            continue  # it has just ended


def loop_devices_below(directory):
    """Those on images below the directory."""
    for name in os.listdir("/sys/block"):
        try:
            with open(f"/sys/block/{name}/loop/backing_file") as file:
                if file.read().startswith(directory + "/"):
                    yield f"/dev/{name}"
        except OSError:
            continue  # another kind of device, or not in use


def show_threads(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        lines = [f"    {pid}/{task}"]
        for fact in ("comm", "wchan", "syscall"):
            try:
                with open(f"/proc/{pid}/task/{task}/{fact}") as file:
                    lines.append(file.read().strip())
            except OSError:
                lines.append("?")
        print(" ".join(lines))


def run_checks(report):
    """Runs them all; `report` gets a line with limit and name before each."""
    passed = failed = 0
    only = os.environ.get("ONLY", "")
    for function, limit_seconds in checks:
        if not re.search(only, function.__name__):
            continue
        name = function.__name__.replace("_", " ")
        os.write(report, f"{limit_seconds} {name}\n".encode())
        began = time.monotonic()
        try:
            function()
            passed += 1
            print(f"ok - {name} ({time.monotonic() - began:.1f} s)", flush=True)
        except Skip as why:
            print(f"skipped - {name}: {why}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok - {name}")
            print("".join("    " + line for line in traceback.format_exc().splitlines(True)), flush=True)
        os.chdir("/")
    print(f"{passed} passed, {failed} failed", flush=True)
    return failed == 0


def watch(report, child):
    """Waits for the child as long as each of its checks may take. Returns whether it succeeded."""
    limit_seconds, name = COMMAND_LIMIT_SECONDS, "the beginning"
    while True:
        if not select.select([report], [], [], limit_seconds)[0]:
            print(f"not ok - {name}: still running after {limit_seconds} s; the daemons:")
            for pid in daemons_below(WORK):
                show_threads(pid)
            sys.stdout.flush()
            return False
        lines = os.read(report, 65536).decode()
        if not lines:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        limit, _, name = lines.splitlines()[-1].partition(" ")
        limit_seconds = int(limit)


def clean_up(child):
    """Ends what the suite started, mounts and all."""
    for pid in daemons_below(WORK):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
    for mountpoint in mounts_below(WORK):
        subprocess.run(["umount", "-l", mountpoint])
    for device in loop_devices_below(WORK):
        subprocess.run(["losetup", "--detach", device])
    shutil.rmtree(WORK, ignore_errors=True)


def run_suite():
    """Runs the checks and ends the program: with 0 if none failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setpgid(0, 0)
        try:
            os._exit(0 if run_checks(writing) else 1)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(writing)
    good = False
    try:
        good = watch(reading, child)
    finally:
        clean_up(child)
    sys.exit(0 if good else 1)
