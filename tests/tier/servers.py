"""A server of S3 and a proxy that makes things go wrong, as processes on loopback."""
import json
import os
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
KEY = "S3RVER"  # both its id and its secret
READY_SECONDS_MAX = 40
LEAST_CACHE_BYTES = 64 << 20  # that a volume may have


def use_credentials(home):
    """From here on, credentials are those of s3rver, and nobody's own; what is on loopback needs no other proxy."""
    os.environ.update(HOME=home, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=KEY, no_proxy="127.0.0.1")
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE",
                 "B2_APPLICATION_KEY_ID", "B2_APPLICATION_KEY"):
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


class Process:
    """A program that listens on ports of loopback once it is up; `log` gets what it says."""

    def start_process(self, command, ports, log, **options):
        with open(log, "ab") as words:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, **options)
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not all(answers(port) for port in ports):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                with open(log, encoding="utf-8", errors="replace") as words:
                    raise OSError(f"{' '.join(command)} does not come up: {words.read()[-2000:]}")
            time.sleep(0.01)

    def stop(self):
        self.process.kill()
        self.process.wait()


class Server(Process):
    """s3rver with one bucket, and what it has on its disk. The options are those of Popen."""

    BUCKET = "tier"

    def __init__(self, s3rver, directory, **options):
        self.directory, self.log = directory, directory + ".log"
        self.port = free_port()
        if not os.path.exists(s3rver):
            raise OSError(f"{s3rver} is missing: run tests/tier/install-s3rver")
        # Its tokens for listings are DES.
        command = ["node", "--openssl-legacy-provider", os.path.join(HERE, "run_s3rver.js"), s3rver, "--directory",
                   directory, "--address", "127.0.0.1", "--port", str(self.port), "--silent", "--configure-bucket",
                   self.BUCKET]
        self.start_process(command, [self.port], self.log, **options)

    def path_of(self, bucket):
        return os.path.join(self.directory, bucket)

    def objects(self, prefix):
        """The bytes of each object below the prefix."""
        found = {}
        for place, _, names in os.walk(os.path.join(self.path_of(self.BUCKET), prefix)):
            for name in names:
                if name.endswith("._S3rver_object"):
                    path = os.path.join(place, name)
                    key = os.path.relpath(path, self.path_of(self.BUCKET)).removesuffix("._S3rver_object")
                    found[key] = os.path.getsize(path)
        return found


class Proxy(Process):
    """fault_proxy before the server. It is away between stop() and start(), and has the same port after."""

    def __init__(self, server, seed=1):
        self.server, self.seed = server, seed
        self.port = free_port()
        self.start()

    def start(self):
        self.control = free_port()
        command = [os.path.join(HERE, "fault_proxy"), "--upstream", f"127.0.0.1:{self.server.port}", "--listen",
                   str(self.port), "--control", str(self.control), "--seed", str(self.seed)]
        self.start_process(command, [self.port, self.control], self.server.log)

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


def remote_options(name, server, bucket=Server.BUCKET, cache_bytes=LEAST_CACHE_BYTES):
    """What `nacre volume create` is told of a volume of that name whose data is at the server, or behind the proxy."""
    return ["--remote", f"s3://{bucket}/{name}", "--endpoint", f"http://127.0.0.1:{server.port}", "--cache-size",
            str(cache_bytes)]


def rclone_remote(server, path):
    """How rclone is told of a bucket and what is in it; it has the credentials from the environment."""
    return f":s3,provider=Other,env_auth=true,endpoint='http://127.0.0.1:{server.port}':{path}"
