"""Reads what a node tells Prometheus, and accepts nothing that its text format does not allow."""
import http.client
import re

SAMPLE = re.compile(r'([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,(?=.)|$)')
ESCAPES = {r'\\': '\\', r'\"': '"', r'\n': '\n'}
UNITS = ("_seconds", "_bytes", "_ratio", "_info")
TYPES = ("counter", "gauge", "histogram")


def ask(address, path, method="GET", body=None):
    """Status, headers and text of the answer."""
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


class Family:
    def __init__(self, name, what):
        self.name, self.help, self.type = name, what, None
        self.samples = {}  # value by (suffix, labels)

    def label_names(self):
        return sorted({label for _, labels in self.samples for label, _ in labels if label != "le"})

    def value(self, suffix="", **wanted):
        """Of all samples together that have these labels."""
        return sum(value for (end, labels), value in self.samples.items()
                   if end == suffix and wanted.items() <= dict(labels).items())


def parse_labels(words):
    labels, at = {}, 0
    while at < len(words):
        found = LABEL.match(words, at)
        assert found and found[1] not in labels, f"labels {words!r}"
        labels[found[1]] = re.sub(r'\\.', lambda each: ESCAPES[each[0]], found[2])
        at = found.end()
    return tuple(sorted(labels.items()))


def parse(text):
    """Families by name. Each is one block: HELP, TYPE, samples."""
    assert text.endswith("\n") and "\r" not in text
    families, family = {}, None
    for line in text.splitlines():
        words = line.split(" ", 3)
        if line.startswith("# HELP "):
            assert words[2] not in families, f"{words[2]} comes twice"
            family = families[words[2]] = Family(words[2], words[3])
        elif line.startswith("# TYPE "):
            assert family.name == words[2] and family.type is None and words[3] in TYPES, line
            family.type = words[3]
        else:
            add_sample(family, line)
    for family in families.values():
        check_family(family)
    return families


def add_sample(family, line):
    found = SAMPLE.fullmatch(line)
    assert found, f"no sample: {line!r}"
    name, labels, value = found.groups()
    assert family.type and name.startswith(family.name), line
    suffix = name.removeprefix(family.name)
    assert suffix in (("_bucket", "_sum", "_count") if family.type == "histogram" else ("",)), line
    key = suffix, parse_labels(labels or "")
    assert key not in family.samples, f"{line!r} comes twice"
    family.samples[key] = float(value)


def check_family(family):
    assert family.type and family.help.endswith("."), family.name
    assert family.name.startswith(("nacre_", "process_")), family.name
    assert (family.type == "counter") == family.name.endswith("_total"), family.name
    if family.type == "histogram":
        assert family.name.endswith(UNITS), family.name
        check_buckets(family)
    if family.type == "counter":
        assert all(value >= 0 for value in family.samples.values()), family.name


def check_buckets(family):
    series = {}
    for (suffix, labels), value in family.samples.items():
        if suffix == "_bucket":
            rest = tuple(pair for pair in labels if pair[0] != "le")
            series.setdefault(rest, []).append((float(dict(labels)["le"]), value))
    for rest, buckets in series.items():
        assert buckets == sorted(buckets) and buckets[-1][0] == float("inf"), family.name
        counts = [count for _, count in buckets]
        assert counts == sorted(counts) and counts[-1] == family.samples["_count", rest], family.name
        assert ("_sum", rest) in family.samples, family.name


def scrape(address):
    status, headers, text = ask(address, "/metrics")
    assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", headers
    return parse(text)
