"""What the suites on volumes with a bucket share: a server of S3, a proxy before it that makes things go wrong,
and volumes whose bucket is behind both.

A suite is called with the nacre binary, fsx and s3rver.js.
"""
import json
import os
import socket
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../mount"))
from mounted import WORK, Volume, nacre, nacre_json, run, wait_until, write

OK, FAILURE, USAGE, MISSING, DAMAGED, BUSY, FULL, REFUSED, NEWER, IN_THE_WAY, AWAY = range(11)
KIB, MIB = 1 << 10, 1 << 20
S3RVER = os.path.abspath(sys.argv[3])

# Credentials are those of s3rver, and nobody's own; what is on loopback needs no other proxy.
os.environ.update(HOME=os.path.join(WORK, "home"), AWS_ACCESS_KEY_ID="S3RVER", AWS_SECRET_ACCESS_KEY="S3RVER",
                  no_proxy="127.0.0.1")
for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "B2_APPLICATION_KEY_ID",
             "B2_APPLICATION_KEY"):
    os.environ.pop(name, None)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Server:
    """s3rver with one bucket, and what it has on its disk."""

    BUCKET = "tier"

    def __init__(self):
        self.directory = os.path.join(WORK, "server")
        self.port = free_port()
        with open(os.path.join(WORK, "server.log"), "ab") as log:
            # Its tokens for listings are DES.
            self.process = subprocess.Popen(
                ["node", "--openssl-legacy-provider", os.path.join(HERE, "run_s3rver.js"), S3RVER, "--directory",
                 self.directory, "--address", "127.0.0.1", "--port", str(self.port), "--silent",
                 "--configure-bucket", self.BUCKET], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: answers(self.port), "s3rver answers (is it there? tests/tier/install-s3rver)", 40)

    def path_of(self, bucket):
        return os.path.join(self.directory, bucket)

    def objects(self, prefix):
        """The bytes of each object below the prefix."""
        found = {}
        for place, _, names in os.walk(os.path.join(self.path_of(self.BUCKET), prefix)):
            for name in names:
                if name.endswith("._S3rver_object"):
                    path = os.path.join(place, name)
                    found[os.path.relpath(path, self.directory)] = os.path.getsize(path)
        return found


class Proxy:
    """fault_proxy before the server. It is away between stop() and start(), and has the same port after."""

    def __init__(self, server, seed=1):
        self.server, self.seed = server, seed
        self.port = free_port()
        self.start()

    def start(self):
        self.control = free_port()
        with open(os.path.join(WORK, "proxy.log"), "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(HERE, "fault_proxy"), "--upstream", f"127.0.0.1:{self.server.port}", "--listen",
                 str(self.port), "--control", str(self.control), "--seed", str(self.seed)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: answers(self.port) and answers(self.control), "the proxy answers")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def tell(self, **command):
        with socket.create_connection(("127.0.0.1", self.control), 20) as sock, sock.makefile("rw") as lines:
            lines.write(json.dumps(command) + "\n")
            lines.flush()
            answer = json.loads(lines.readline())
        assert "error" not in answer, answer
        return answer

    def rules(self, *rules):
        self.tell(rules=rules)

    def bandwidth(self, up=0, down=0):
        self.tell(bandwidth={"up": up, "down": down})

    def stats(self):
        return self.tell(stats=True)


def remote_options(name, proxy, bucket=Server.BUCKET, cache_bytes=64 * MIB):
    """Where a volume of that name has its data."""
    return ["--remote", f"s3://{bucket}/{name}", "--endpoint", f"http://127.0.0.1:{proxy.port}", "--cache-size",
            cache_bytes]


class TieredVolume(Volume):
    """A volume whose bucket is behind the proxy, mounted by who has these variables besides."""

    def __init__(self, name, proxy, *options, cache_bytes=64 * MIB, bucket=Server.BUCKET, **variables):
        self.cache_bytes = cache_bytes
        super().__init__(name, *remote_options(name, proxy, bucket, cache_bytes), *options)
        self.mount(**variables)

    def mount(self, *options, **variables):
        nacre("mount", self.directory, self.mnt, *options, env={**os.environ, **variables})

    def remount(self, *options, **variables):
        self.unmount()
        self.mount(*options, **variables)

    def close(self):
        """Unmounts it, and looks whether all is well."""
        self.unmount()
        self.is_clean()

    def tier(self, command, *names):
        """That command of `nacre tier`, on the volume or on a path in it."""
        return nacre_json("tier", command, self.path(*names))

    def status(self):
        return self.tier("status")

    def flush(self):
        self.tier("flush")

    def wait_for_uploads(self):
        """Those that go on by themselves."""
        wait_until(lambda: self.status()["dirty"]["blocks"] == 0, "all is in the bucket", 60)

    def evict(self, *names):
        """All of it leaves the disk, and the memory of the kernel."""
        self.flush()
        done = self.tier("evict", *names)
        assert done["blocks"] > 0 and done["not_uploaded"] == 0, done
        self.drop_kernel_caches()

    def drop_kernel_caches(self):
        """What is read then, the daemon is asked for."""
        run("sync", "--file-system", self.mnt)
        write("/proc/sys/vm/drop_caches", b"3")

    def taken_bytes(self):
        """What the directory takes of the disk."""
        total = 0
        for place, _, names in os.walk(self.directory):
            for name in [".", *names]:
                try:
                    total += os.lstat(os.path.join(place, name)).st_blocks * 512
                except FileNotFoundError:
                    pass  # it has just gone
        return total


class Sampler:
    """Looks at what a volume takes of the disk, again and again until the end of the `with`."""

    def __init__(self, volume):
        self.volume, self.most_bytes, self.samples = volume, 0, 0

    def __enter__(self):
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        while not self.ended.wait(0.05):
            self.most_bytes = max(self.most_bytes, self.volume.taken_bytes())
            self.samples += 1

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def assert_within_cache(self):
        assert self.samples >= 20, self.samples
        assert self.most_bytes <= self.volume.cache_bytes * 1.01, \
            f"{self.most_bytes / MIB:.1f} MiB of {self.volume.cache_bytes / MIB:.0f} MiB"
