"""What the suites on volumes with a bucket share: volumes whose bucket is on a server of S3, behind a proxy that
makes things go wrong.

A suite is called with the nacre binary, fsx and s3rver.js.
"""
import copy
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../mount"))
import servers
from mounted import NACRE, WORK, Volume, mounts_below, nacre, nacre_json, run, wait_until, write
from servers import LEAST_CACHE_BYTES, Server, remote_options

OK, FAILURE, USAGE, MISSING, DAMAGED, BUSY, FULL, REFUSED, NEWER, IN_THE_WAY, AWAY = range(11)
KIB, MIB = 1 << 10, 1 << 20
S3RVER = os.path.abspath(sys.argv[3])

servers.use_credentials(os.path.join(WORK, "home"))


def start_server():
    return Server(S3RVER, os.path.join(WORK, "server"))


def drop_kernel_caches(mnt):
    run("sync", "--file-system", mnt, code=None)
    write("/proc/sys/vm/drop_caches", b"3")


class TieredVolume(Volume):
    """A volume whose bucket is behind the proxy, mounted by who has these variables besides."""

    def __init__(self, name, proxy, *options, cache_bytes=LEAST_CACHE_BYTES, bucket=Server.BUCKET, **variables):
        self.cache_bytes = cache_bytes
        self.remote = remote_options(name, proxy, bucket, cache_bytes)
        super().__init__(name, *self.remote, *options)
        self.mount(**variables)

    def recovered(self, name):
        """The same volume made anew from its bucket, in another directory. This one is to be unmounted before."""
        volume = copy.copy(self)
        volume.directory, volume.mnt = os.path.join(WORK, name), os.path.join(WORK, name + ".mnt")
        nacre("volume", "recover", volume.directory, *self.remote)
        os.mkdir(volume.mnt)
        volume.mount()
        return volume

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
        drop_kernel_caches(self.mnt)

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


class Evictor:
    """Takes all data off the disk, again and again until the end of the `with`: that of all volumes mounted below
    WORK, whoever mounts and unmounts them meanwhile, or kills their daemons."""

    def __init__(self):
        self.totals = {"blocks_evicted": 0, "bytes_fetched": 0, "fetches": 0}
        self.known = {}  # the same of each volume since it was opened

    def __enter__(self):
        self.ended = threading.Event()
        self.running = ThreadPoolExecutor().submit(self.run)
        return self

    def run(self):
        while not self.ended.wait(0.3):
            for mnt in mounts_below(WORK):
                self.evict(mnt)

    def evict(self, mnt):
        for command in ("status", "flush", "evict", "status"):
            done = run(NACRE, "tier", command, mnt, "--json", code=None)
            if done.returncode != 0:
                return  # it is being unmounted, or its daemon is dead
            if command == "status":
                self.count(mnt, json.loads(done.stdout))
        drop_kernel_caches(mnt)

    def count(self, mnt, status):
        found = {"blocks_evicted": status["cache"]["blocks_evicted"], "bytes_fetched": status["fetch"]["bytes"],
                 "fetches": status["fetch"]["requests"]}
        before = self.known.get(mnt, dict.fromkeys(found, 0))
        for name, value in found.items():
            self.totals[name] += value - before[name] if value >= before[name] else value
        self.known[mnt] = found

    def __exit__(self, *_):
        self.ended.set()
        self.running.result()
