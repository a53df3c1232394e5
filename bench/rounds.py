"""`nacre bench` on several systems that take turns: the rounds, their medians, Nacre's ratios to the others, and
all of that as tables and JSON.

A program has SYSTEMS, of which one is "nacre", and GROUPS: {name: systems} that Nacre is compared with, always the
best of each. Its targets are {row: {group: least ratio}}.
"""

import argparse
import json
import os
import platform
import select
import shlex
import shutil
import statistics
import subprocess

from mounts import Failure, say, type_of_file_system

BUILD = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "build")


def parser_of(description, systems):
    """A parser of the options that all programs have, to which one adds its own."""
    parser = argparse.ArgumentParser(description=description.split("\n\n", maxsplit=1)[0])
    add = parser.add_argument
    add("nacre", nargs="?", default=os.path.join(BUILD, "src/cli/nacre"), help="the binary to test")
    add("--bench", help="the binary whose `bench` measures; default: the one to test")
    add("--rounds", type=int, default=3)
    add("--work", default="/var/tmp", help="where to work: a directory on ext4")
    add("--only-systems", metavar="NAME,...", help="of " + ", ".join(systems))
    add("--rows", metavar="ROW,...", help="only these rows of `nacre bench`")
    add("--files", type=int)
    add("--size")
    add("--threads", type=int)
    add("--seed", type=int)
    add("--json", metavar="FILE", help="also write every round, the medians and the ratios")
    return parser


def parse(parser, systems):
    """The options, checked, with the .systems to measure."""
    options = parser.parse_args()
    options.bench = options.bench or options.nacre
    options.systems = (options.only_systems or ",".join(systems)).split(",")
    unknown = set(options.systems) - set(systems)
    if unknown:
        parser.error(f"no such system: {', '.join(sorted(unknown))}")
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if shutil.which(options.bench) is None:
        raise Failure(f"{options.bench} is missing: build it, or name the binary (see --help)")
    kind = type_of_file_system(options.work)
    if kind != "ext4":
        say(f"{options.work} is on {kind}, not on ext4")
    return options


class Bench:
    """Runs `nacre bench` and hears its wish to mount anew before a cold row."""

    def __init__(self, options, work):
        self.options = options
        self.output = os.path.join(work, "bench.json")
        self.ask = os.path.join(work, "ask")
        self.answer = os.path.join(work, "answer")
        os.mkfifo(self.ask)
        os.mkfifo(self.answer)

    def command(self, directory, remount, rows):
        options = self.options
        command = [options.bench, "bench", directory, "--json"]
        for name in ("files", "size", "threads", "seed"):
            value = getattr(options, name)
            if value is not None:
                command += [f"--{name}", str(value)]
        if rows:
            command += ["--only", rows]
        if remount:
            ask, answer = shlex.quote(self.ask), shlex.quote(self.answer)
            command += ["--cold-command", f"echo >{ask}; read -r word <{answer}; test $word = done"]
        return command

    def run(self, directory, remount=None, rows=None):
        """The rows of one run by name: those named, else those of the options. `remount` is called before each cold
        row if given."""
        command = self.command(directory, remount, rows or self.options.rows)
        with open(self.output, "wb") as output:
            try:
                process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE,
                                           text=True, start_new_session=True)
            except OSError as error:
                raise Failure(f"{self.options.bench}: {error.strerror}") from error
        try:
            self.wait(process, remount)
        finally:
            if process.poll() is None:
                process.terminate()  # it removes what it made
            words = process.communicate()[1].strip()
        if process.returncode != 0:
            raise Failure(f"{' '.join(command)}: exit code {process.returncode}\n{words}")
        with open(self.output, encoding="utf-8") as output:
            return {row["name"]: row for row in json.load(output)["rows"]}

    def wait(self, process, remount):
        if remount is None:
            process.wait()
            return
        # Open for both, so that neither end waits for the other to appear.
        ask = os.open(self.ask, os.O_RDWR)
        try:
            while process.poll() is None:
                if select.select([ask], [], [], 0.05)[0]:
                    os.read(ask, 64)
                    remount()
                    with open(self.answer, "w", encoding="utf-8") as answer:
                        answer.write("done\n")
        finally:
            os.close(ask)


def take_turns(options, run):
    """{system: what run(system) gave in each round}, and why some were skipped. The order is another each round."""
    rounds, skipped = {name: [] for name in options.systems}, {}
    for number in range(options.rounds):
        turn = number % len(options.systems)
        for name in options.systems[turn:] + options.systems[:turn]:
            if name in skipped:
                continue
            say(f"round {number + 1} of {options.rounds}: {name}")
            try:
                rounds[name].append(run(name))
            except (Failure, OSError) as failure:
                skipped[name] = str(failure)
                say(f"{name} is skipped: {failure}")
    rounds = {name: each for name, each in rounds.items() if each}
    if not rounds:
        raise Failure("nothing could be measured")
    return rounds, skipped


def medians(rounds):
    """{system: {row: median value}} of {system: [{row: result}]}."""
    return {
        name: {row: statistics.median(each[row]["value"] for each in runs) for row in runs[0]}
        for name, runs in rounds.items()
    }


def widest_spread(rounds):
    """The system and row whose best round is the most times its worst."""
    spread = (0.0, "", "")
    for name, runs in rounds.items():
        for row in runs[0]:
            values = [each[row]["value"] for each in runs]
            spread = max(spread, (max(values) / min(values), name, row))
    return spread


def judge(middle, groups, targets_of_row):
    """For each row {ratios: {group: ratio}, targets, met}; None where nothing of a group was measured."""
    if "nacre" not in middle:
        return {}
    verdicts = {}
    for row, value in middle["nacre"].items():
        best = {group: max((middle[name][row] for name in names if name in middle), default=None)
                for group, names in groups.items()}
        ratios = {group: value / other if other else None for group, other in best.items()}
        targets = targets_of_row(row)
        known = [(ratios[group], least) for group, least in targets.items() if ratios[group]]
        met = all(ratio >= least for ratio, least in known) if len(known) == len(targets) else None
        verdicts[row] = {"ratios": ratios, "targets": targets, "met": met}
    return verdicts


def all_met(verdicts):
    return all(verdict["met"] is not False for verdict in verdicts.values())


def format_value(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def format_lines(lines):
    """Columns aligned: the first to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines)]
    return "\n".join(
        "  ".join(cell.ljust(width) if at == 0 else cell.rjust(width)
                  for at, (cell, width) in enumerate(zip(line, widths))).rstrip()
        for line in lines)


def values_table(rounds, middle):
    rows = next(iter(rounds.values()))[0]
    lines = [["", "unit", *middle]]
    for name, row in rows.items():
        lines.append([row["title"], row["unit"],
                      *(format_value(values[name]) for values in middle.values())])
    return format_lines(lines)


def verdicts_table(rounds, groups, verdicts):
    titles = {name: row["title"] for name, row in rounds["nacre"][0].items()}
    heads = [f"better {group}" if len(names) > 1 else group for group, names in groups.items()]
    lines = [["nacre /", *heads, "target", ""]]
    for row, verdict in verdicts.items():
        ratios = [f"{ratio:.2f}" if ratio else "-" for ratio in verdict["ratios"].values()]
        target = ", ".join(f"{least:g} {group}" for group, least in verdict["targets"].items())
        lines.append([titles[row], *ratios, target, mark_of(verdict["met"])])
    return format_lines(lines)


def mark_of(met):
    return {True: "pass", False: "SHORT", None: "?"}[met]


def print_report(rounds, middle, groups, verdicts, skipped):
    print(values_table(rounds, middle))
    if any(len(runs) > 1 for runs in rounds.values()):
        factor, name, row = widest_spread(rounds)
        print(f"\nWidest spread between rounds: {factor:.2f} times ({name}, {row})")
    if any(row["caches"] == "lukewarm" for runs in rounds.values() for row in runs[0].values()):
        print("Not run as root: rows that should be cold are lukewarm")
    if verdicts:
        print("\n" + verdicts_table(rounds, groups, verdicts))
    for name, reason in skipped.items():
        print(f"\n{name} was skipped: {reason}")


def write_json(options, rounds, middle, verdicts, skipped, **more):
    if not options.json:
        return
    document = {
        "machine": {"kernel": platform.release(), "cpus": os.cpu_count(),
                    "file_system": type_of_file_system(options.work)},
        "rounds": rounds,
        "medians": middle,
        "verdicts": verdicts,
        "skipped": skipped,
        **more,
    }
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.write("\n")
