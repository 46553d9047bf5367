# SPDX-License-Identifier: ISC
"""The command line: finds the command's function and turns a Stop into a message and a status."""

import argparse
import os
import re
import signal
import subprocess
import sys

import add
import audit
import bench
import blessing
import build
import campaign
import checks
import console
import cover
import editors
import fleet
import fuzzbench
import inject
import inputs
import metal
import minimise
import mutants
import mutate
import new
import pack
import provenance
import reference
import report
import same
import sync
import triage


NUMBER_MAX = (1 << 31) - 1  # what the engines and QEMU take
JOBS_MAX = 1024


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"basalt: {message}; `./basalt {self.prog.split()[-1]} --help` says more\n"
                  if " " in self.prog else f"basalt: {message}; ./basalt --help says more\n")


def positive(text):
    """An argument that counts something."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    if int(text) > NUMBER_MAX:
        raise argparse.ArgumentTypeError(f"{text} is more than {NUMBER_MAX}")
    return int(text)


def campaign_name(text):
    """An argument that names a campaign among those that share a folder."""
    if not sync.CAMPAIGN.fullmatch(text) or text == sync.LAYOUT:
        raise argparse.ArgumentTypeError(f"'{text}' is no name for a campaign: those have letters, digits, '.', '-' and '_', and "
                                         "begin with a letter or digit")
    return text


def natural(text):
    """The number of something that is counted from 0."""
    return 0 if text == "0" else positive(text)


def jobs(text):
    """Processes that run at a time."""
    if positive(text) > JOBS_MAX:
        raise argparse.ArgumentTypeError(f"{text} processes are more than {JOBS_MAX}")
    return int(text)


def number(text):
    """An argument that is a number, in any base that C knows."""
    try:
        return int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number") from None


def duration(text):
    """Seconds from a number, or from one of minutes or hours: 90, 10m, 1h."""
    found = re.fullmatch(r"(\d+)([smh]?)", text)
    if not found or int(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no duration such as 90, 10m or 1h")
    return positive(str(int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]))


def boot(options):
    """Boots an image in QEMU or in the host world, or in both and compares."""
    if (options.compare or options.repeat) and options.profile in build.STAYING:
        options.profile = "phase0" # an image that ends by itself
    image = build.PROFILES[options.profile]
    program = f"build/{'shipped' if options.shipped or options.compare else 'asan'}/world"
    needed = [program] if options.world or options.compare else []
    if options.image is None:
        build.must_build(image, *needed)
    else:
        image = build.user_path(options.image)
        if not os.path.isfile(image):
            raise build.Stop(f"no such image: {options.image}", 2)
        build.must_build(*needed, metal.KERNEL)
    sys.stdout.flush()
    if options.compare:
        return metal.compare(image, program)
    if options.repeat:
        return same.repeat(image, options.repeat)
    if not options.world and options.profile == "console" and not options.gdb and sys.stdin.isatty():
        return console.talk(image)
    if not options.world:
        return metal.boot(image, options)
    return subprocess.run([program, image], stdin=subprocess.DEVNULL).returncode


def replay(options):
    names = [build.known_harness(options.harness)] if options.harness is not None else campaign.with_corpus()
    build.must_build(*[f"build/{variant}/{name}" for name in names
                       for variant in ("asan", "shipped")])
    failed = 0
    for name in names:
        for variant in ("asan", "shipped"):
            status, output = build.run([f"build/{variant}/{name}", "--replay", f"corpus/{name}",
                                        *(["--no-golden"] if options.no_golden else [])])
            sys.stdout.write(f"{variant}: {output}" if status == 0 else output)
            failed += status != 0
    return 1 if failed else 0


def show(options):
    """Prints a file readably: corpus inputs by their harness, formats by their magic."""
    path = build.user_file(options.file)
    name = options.harness or build.harness_of(path)
    if name is not None:
        program = f"build/asan/{build.known_harness(name)}"
        build.must_build(program)
        return subprocess.run([program, "--trace", path], stdin=subprocess.DEVNULL).returncode
    build.must_build("build/fast/show")
    status = subprocess.run(["build/fast/show", path], stdin=subprocess.DEVNULL).returncode
    if status == 3:
        raise build.Stop(f"{options.file} has no known magic; for a fuzz input say whose it is: "
                         f"./basalt show --harness NAME {options.file}", 2)
    return status


def parser():
    top = Parser(prog="basalt", description="Basalt: five foundation services, fuzzed. "
                 "Missing Debian packages are installed first.")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def command(name, function, help_text):
        added = commands.add_parser(name, help=help_text, description=help_text)
        added.set_defaults(function=function)
        return added

    sub = command("boot", boot, "boot an image in QEMU and print its serial log")
    where = sub.add_mutually_exclusive_group()
    where.add_argument("--world", action="store_true", help="in the host world instead: one process")
    where.add_argument("--compare", action="store_true",
                       help="in QEMU and in the world (of the shipped objects); the events must be equal")
    where.add_argument("--repeat", type=positive, metavar="N",
                       help="N times in QEMU, recorded; all must be the same event by event")
    where.add_argument("--gdb", action="store_true",
                       help="in QEMU, standing before the first instruction until a debugger connects; prints how")
    sub.add_argument("--keep", action="store_true",
                     help="go on after READY, until the image ends by itself or Ctrl-C")
    sub.add_argument("-v", "--verbose", action="store_true",
                     help="also print the QEMU command and how long it ran")
    sub.add_argument("--timeout", type=positive, default=60, metavar="SECONDS",
                     help="for QEMU (with --keep: until READY)")
    sub.add_argument("--image", metavar="FILE", help="this image; otherwise one is built")
    sub.add_argument("--profile", choices=tuple(build.PROFILES), default="none",
                     help="which image is built (with --image: which kind that one is): the runtime image, "
                     "the foundation alone, the one with probes, or those whose programs also try to do harm; all but "
                     "the first two must end by themselves")
    sub.add_argument("--shipped", action="store_true",
                     help="run the image's own objects instead of the sanitized units")
    sub = command("audit", audit.audit, "who holds and reaches what at READY, and what of it no table states")
    sub.add_argument("--profile", choices=tuple(build.PROFILES), default="none", help="of the image; default: none")
    sub.add_argument("--dot", action="store_true", help="as a graph in the DOT language; findings on standard error")
    sub = command("test", checks.test, "build and check everything; ends with `N passed, M failed`")
    sub.add_argument("names", nargs="*", metavar="NAME",
                     help="only these: groups of checks, test programs, replays of harnesses")
    sub.add_argument("--quick", action="store_true", help="no QEMU and no engine: seconds after a build")
    sub = command("replay", replay, "replay the corpus, sanitized and through the shipped objects")
    sub.add_argument("harness", nargs="?", metavar="HARNESS")
    sub.add_argument("--no-golden", action="store_true",
                     help="compare no digest and no floor: models and properties alone")
    sub = command("fuzz", fleet.fuzz, "fuzz all harnesses or some; findings and corpora stay in findings/")
    sub.add_argument("targets", nargs="*", metavar="TARGET", help="default: all, in turns, time going to those that grow")
    sub.add_argument("--target", action="append", dest="more_targets", default=[], metavar="TARGET", help="the same")
    sub.add_argument("--engine", choices=("libfuzzer", "afl", "both"),
                     help="default: libfuzzer for one target, both in turns for several")
    sub.add_argument("--seconds", type=duration, metavar="TIME",
                     help="such as 90, 10m, 1h; default: 60 for one target, until Ctrl-C for several")
    sub.add_argument("--jobs", type=jobs, metavar="N",
                     help="engine processes; default: 1 for one target, one for each core for several")
    sub.add_argument("--seed", type=positive, metavar="N", help="the engine's; otherwise one is drawn and printed")
    sub.add_argument("--sync", metavar="DIR", help="share inputs and findings with the other campaigns of this folder, of any machine")
    sub.add_argument("--name", type=campaign_name, metavar="NAME",
                     help="with --sync: of this campaign; default: host name and process id")
    sub.add_argument("--merge", action="store_true",
                     help="afterwards: add what covers more to corpus/TARGET (then bless)")
    sub = command("add", add.add, "add foreign files to the corpus of the harness that reads them, and bless them")
    sub.add_argument("files", nargs="+", metavar="FILE", help="an ELF file, an archive, a boot config, a boot image, "
                     "a handoff, a start envelope; with --harness any")
    sub.add_argument("--harness", metavar="NAME", help="whose input each file is, as it is")
    sub.add_argument("--name", type=add.input_name, metavar="NAME", help="of the input; otherwise the file's own")
    sub.add_argument("--covering", action="store_true", help="only what makes the harness do something that no input does")
    sub = command("min", minimise.minimise, "drop from working corpora what covers nothing more; loses no edge and no mark")
    sub.add_argument("targets", nargs="*", metavar="TARGET", help="default: all that have a working corpus")
    sub = command("triage", triage.triage, "list what campaigns found, show one finding, keep it, name the commit that began it")
    sub.add_argument("finding", nargs="?", metavar="FINDING", help="TARGET/NAME, or as much of it as no other has; otherwise: all")
    sub.add_argument("--keep", metavar="NAME", help="make its input corpus/TARGET/regress-NAME")
    sub.add_argument("--bisect", action="store_true", help="build older commits until one passes, and name the first that fails")
    sub = command("inject", inject.inject, "boot with one call failing, for every call and in every way")
    sub.add_argument("programs", nargs="*", metavar="PROGRAM", help="whose calls; default: all of the profile's")
    sub.add_argument("--fate", action="append", choices=inject.FATES, help="what becomes of the call; default: each")
    sub.add_argument("--status", action="append", choices=inject.STATUSES, help="of a refusal; default: each")
    sub.add_argument("--from", dest="first", type=natural, default=0, metavar="K", help="the first call; default: 0")
    sub.add_argument("--to", dest="last", type=natural, default=inject.LAST, metavar="K",
                     help="the last call; when it is the first too, the log of each boot is printed")
    sub.add_argument("--stride", type=positive, default=1, metavar="N", help="every n-th call; default: 1")
    sub.add_argument("--jobs", type=jobs, metavar="N", help="boots at a time; default: one for each core")
    sub.add_argument("--profile", choices=tuple(inject.TARGETS), default="phase0",
                     help="of the image that boots; none: the runtime image")
    sub = command("bless", blessing.bless, "store new digests and floors, showing what changed")
    sub.add_argument("harness", nargs="?", metavar="HARNESS")
    sub.add_argument("--lose-floors", action="store_true",
                     help="also when inputs reach less than before; without it, nothing is stored then")
    sub = command("mutants", mutants.mutants, "apply each seeded bug and see who catches it")
    sub.add_argument("names", nargs="*", metavar="NAME",
                     help="of props/mutants/, or any patch file with a line `Harness: NAME`")
    sub.add_argument("--seconds", type=positive, default=30, metavar="N",
                     help="how long to fuzz one that the checks miss")
    sub.add_argument("--no-golden", action="store_true",
                     help="digests, floors and generated pages do not count as noticing")
    sub = command("cover", cover.cover, "which lines and branches of the units the corpus and the test programs reach")
    sub.add_argument("names", nargs="*", metavar="NAME", help="only by these harnesses and test programs, and what they link")
    sub.add_argument("--mcdc", action="store_true", help="also which conditions of decisions decided alone (MC/DC); by clang-19")
    sub.add_argument("--html", metavar="FOLDER", help="also each line as pages, in a folder that is not there or empty")
    sub = command("mutate", mutate.mutate, "draw single-site mutants of the units from a seed and see who catches them")
    sub.add_argument("--unit", action="append", default=[], metavar="UNIT",
                     help="a folder or a file of services/, abi/ or kernel/core, such as memd; default: all")
    sub.add_argument("--count", type=positive, default=20, metavar="N", help="how many are judged; default: 20")
    sub.add_argument("--seconds", type=natural, default=0, metavar="S",
                     help="how long to fuzz one that the checks miss; default: 0, not at all")
    sub.add_argument("--seed", type=natural, metavar="N", help="of the draw; otherwise one is drawn and printed")
    sub.add_argument("--jobs", type=jobs, metavar="N", help="how many are judged at a time, each in a copy; default: one per core")
    sub.add_argument("--no-golden", action="store_true", help="digests, floors and generated pages are not asked")
    sub = command("report", report.report, "write one page of what campaigns did and what inputs reach: charts, matrices, findings")
    sub.add_argument("--output", metavar="FILE", help=f"default: {report.OUTPUT}; a report that is there gives way, no other file")
    sub = command("fuzzbench", fuzzbench.fuzzbench, "measure the fuzzing: what it reaches from nothing, and when it finds seeded bugs")
    sub.add_argument("harnesses", nargs="*", metavar="HARNESS", help=f"default: {' '.join(fuzzbench.HARNESSES)}")
    sub.add_argument("--seconds", type=duration, default=fuzzbench.SECONDS, metavar="TIME",
                     help="CPU time of one run at libFuzzer's first rate, which gives its executions; default: 60")
    sub.add_argument("--seeds", type=positive, default=fuzzbench.SEEDS, metavar="N", help="runs of each kind; default: 3")
    sub.add_argument("--mutants", type=natural, default=fuzzbench.MUTANTS, metavar="N",
                     help="seeded bugs of each harness, always the same; default: 4; 0: all")
    sub.add_argument("--engine", choices=("libfuzzer", "afl", "both"), default="both", help="default: both")
    sub.add_argument("--mutator", action="append", metavar="NAME",
                     help="none, steps, usual, or such as steps+swarm+cross; default: the first three")
    sub.add_argument("--entropic", action="store_true",
                     help="besides: libFuzzer as it is by itself, which weighs inputs by how rare their features are")
    sub.add_argument("--reached", action="store_true", help="look for no seeded bugs")
    sub.add_argument("--output", default=fuzzbench.TABLE, metavar="FILE", help=f"default: {fuzzbench.TABLE}")
    sub = command("show", show, "print a corpus input, envelope, boot config or boot image readably")
    sub.add_argument("file", metavar="FILE")
    sub.add_argument("--harness", metavar="NAME", help="whose input it is")
    sub = command("trace", inputs.trace, "make an input of a text, or a text of an input, by what the file holds; "
                  "status 1: it does something else then")
    sub.add_argument("file", metavar="FILE")
    sub.add_argument("--output", metavar="FILE", help="otherwise the standard output; it must not be there")
    sub.add_argument("--harness", metavar="NAME", help="whose input it is")
    sub = command("diff", inputs.diff, "print what two inputs, or two builds with one, do differently, event by event; "
                  "status 1: something")
    sub.add_argument("first", metavar="A")
    sub.add_argument("second", nargs="?", metavar="B")
    sub.add_argument("--build", metavar="BUILD", help="instead of B: A in another build, which is shipped, fast or a commit")
    sub.add_argument("--harness", metavar="NAME", help="whose inputs they are")
    sub = command("shrink", inputs.shrink, "make a smaller input that reaches the same marks, or shows the same finding")
    sub.add_argument("file", metavar="FILE")
    sub.add_argument("--output", metavar="FILE", help="otherwise shrunk-FILE where the command is called; it must not be there")
    sub.add_argument("--mark", action="append", default=[], metavar="MARK", help="only these must stay; otherwise all")
    sub.add_argument("--seconds", type=duration, default=60, metavar="TIME", help="at most; default: 60")
    sub.add_argument("--harness", metavar="NAME", help="whose input it is")
    command("reference", reference.reference,
            "write abi/REFERENCE.md and props/PROPERTIES.md anew from their tables")
    command("units", provenance.units,
            "print which units each daemon is linked from, and which harnesses run them")
    sub = command("pack", pack.pack, "pack a folder into an archive for an image, the same bytes for the same files")
    sub.add_argument("folder", metavar="FOLDER")
    sub.add_argument("--output", required=True, metavar="FILE", help="a whole archive, or what it was before")
    sub.add_argument("--mode", action="append", default=[], metavar="PATH=OCTAL",
                     help="of one entry; otherwise 0755 for folders and what may be executed, 0644 for all else")
    sub.add_argument("--add", action="append", default=[], metavar="PATH=FILE", help="a file from elsewhere")
    sub = command("new", lambda options: options.kind_function(options),
                  "print every place that one more operation, service or harness needs")
    kinds = sub.add_subparsers(dest="kind", metavar="KIND", required=True)
    kind = kinds.add_parser("operation", help="of a service or of the kernel")
    kind.add_argument("service", metavar="SERVICE")
    kind.add_argument("name", metavar="NAME")
    kind.add_argument("--id", type=number, metavar="ID", help="its wire id; otherwise the next free one")
    kind.set_defaults(kind_function=new.new_operation)
    kind = kinds.add_parser("service", help="a daemon of its own")
    kind.add_argument("name", metavar="NAME")
    kind.set_defaults(kind_function=new.new_service)
    kind = kinds.add_parser("harness", help="a fuzz harness")
    kind.add_argument("name", metavar="NAME")
    kind.add_argument("--family", choices=("codec", "life", "kernel", "adversary"), default="codec")
    kind.set_defaults(kind_function=new.new_harness)
    command("compdb", editors.compdb, "write compile_commands.json for editors: one entry per file")
    sub = command("bench", bench.bench, "print the figures: rates and sizes")
    sub.add_argument("what", nargs="*", metavar="fuzz [NAME...]",
                     help="instead: what an execution of each harness costs, or of those named, and whose that is")
    instead = sub.add_mutually_exclusive_group()
    instead.add_argument("--profile", metavar="ROW",
                         help="instead: where the instructions of one row go, by program and by function")
    instead.add_argument("--bless", action="store_true",
                         help="instead: write props/bench.expected, with which `test` compares, and ARCHITECTURE.md's tables anew; "
                         "with `fuzz`: fuzz/bench.expected and the tables of fuzz/RATES.md")
    instead.add_argument("--checks", action="store_true",
                         help="instead: what each check of the images costs, as a table; builds them again and again")
    command("help", lambda options: top.print_help() or 0, "this text")
    return top


def main():
    top = parser()
    options = top.parse_args()
    if options.command is None:
        top.print_help()
        return 0
    try:
        return options.function(options)
    except build.Stop as stop:
        sys.stdout.flush()
        prefix = "basalt: " if "\n" not in str(stop) else ""
        print(f"{prefix}{stop}", file=sys.stderr)
        return stop.status
    except BrokenPipeError: # nobody reads on, as with `| head`; nor what is left to write at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    except OSError as error:
        sys.stdout.flush()
        path = error.filename2 or error.filename
        print(f"basalt: {path}: {error.strerror}" if path else f"basalt: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
