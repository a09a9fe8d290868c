"""The command line: help and versions, every refusal with its exit status, printed once on any number of ranks."""
import pathlib
import re

import tap

place = tap.folder()


def text_file(name, text):
    path = place / name
    path.write_text(text)
    return path


for ranks in (0, 3):
    on = f"on {ranks} ranks" if ranks else "alone"
    result = tap.run("--help", ranks=ranks)
    tap.ok(result.status == 0 and result.out.count("usage: seisdcn COMMAND") == 1 and "  synth " in result.out
           and result.err == "", f"--help lists the commands once, {on}", result)
    result = tap.run("--version", ranks=ranks)
    tap.ok(result.status == 0 and len(re.findall(r"^seisdcn \d+\.\d+", result.out, re.M)) == 1
           and "HDF5 1." in result.out and "MPI: " in result.out, f"--version names the libraries, {on}", result)
    result = tap.run("synth", "--help", ranks=ranks)
    tap.ok(result.status == 0 and result.out.count("--inlines N") == 1 and "(default 61; 1 to 1000000)" in result.out
           and "--quiet" in result.out and "--config" not in result.out, f"synth --help shows its options with defaults, {on}",
           result)
    # no command, or not a command
    tap.refused(tap.run(ranks=ranks), 2, "seisdcn: error: no command", f"no command, {on}")
    tap.refused(tap.run("syth", ranks=ranks), 2, "did you mean synth?", f"a misspelt command, {on}")
    tap.refused(tap.run("zzz", ranks=ranks), 2, "seisdcn --help lists", f"an unknown command, {on}")
    tap.refused(tap.run("--nonsense", ranks=ranks), 2, "unknown option '--nonsense'", f"an unknown first option, {on}")
    # options
    synth = ("synth", "--output", place / "never")
    cases = [
        (("synth",), "--output DIR is missing"),
        (("synth", "--outptu", "x"), "unknown option --outptu; did you mean --output?"),
        (("synth", "--outptu=x"), "did you mean --output?"),
        (("synth", "--output"), "--output needs a value"),
        (("synth", "--output", "--force"), "--output needs a value"),
        (("synth", "--output="), "empty value"),
        ((*synth, "--output", "b"), "--output is given twice"),
        ((*synth, "--traces", "0"), "--traces takes a whole number from 1 to 1000000, not '0'"),
        ((*synth, "--traces", "1.5"), "not '1.5'"),
        ((*synth, "--traces", "0x10"), "not '0x10'"),
        ((*synth, "--traces", "99999999999999999999"), "--traces"),
        ((*synth, "--snr", "nan"), "--snr takes a number"),
        ((*synth, "--snr=101"), "from -20 to 100"),
        ((*synth, "--quiet=1"), "--quiet takes no value"),
        ((*synth, "stray"), "'stray' is one argument too many"),
        ((*synth, "--", "--force"), "'--force' is one argument too many"),
        ((*synth, "--config", "c.yaml"), "unknown option --config"),
    ]
    for words, message in cases[:: 4 if ranks else 1]:  # found before the ranks speak: a few of them say it all
        tap.refused(tap.run(*words, ranks=ranks), 2, message, f"{' '.join(map(str, words[1:]))[-40:]} is refused, {on}")
    tap.ok(not (place / "never").exists(), f"a refused command makes nothing, {on}")

help_config = tap.run("help", "config")
default = (pathlib.Path(tap.ROOT) / "config/default.yaml").read_text()
tap.ok(help_config.status == 0 and help_config.out == default,
       "config/default.yaml is what the program's table says (else: build/seisdcn help config > config/default.yaml)")

# Configuration errors, through a command that takes one.
listed = tap.run("--help").out
if "  index " in listed:
    index = ("index", "--survey", "none.h5", "--output", place / "map.h5")
    good = text_file("good.yaml", "patch: {stride: 4}\n")
    cases = [
        ("patch: {size: 3.7}\n", 3, "bad.yaml:1:15: patch.size cannot be '3.7'"),
        ("patch:\n  sise: 3\n", 3, "bad.yaml:2:3: unknown key patch.sise; did you mean patch.size?"),
        ("patch: {size: 32\n", 3, "bad.yaml:2:1: this is no YAML"),
        ("split: {test: 1}\n", 3, "0 <= value < 1"),
    ]
    for ranks in (1, 3):
        for text, status, message in cases:
            bad = text_file("bad.yaml", text)
            tap.refused(tap.run(*index, "--config", bad, ranks=ranks), status, message, f"{text!r} is refused on {ranks}")
        for words, status, message in [
            (("--set", "patch.size=2"), 3, "--set patch.size=2: patch.size cannot be '2'"),
            (("--set", "patch.size"), 2, "wanted: section.key=value"),
            (("--config", place / "missing.yaml"), 5, "missing.yaml"),
            (("--config", place), 5, str(place)),
            (("--config", good, "--config", good), 2, "--config is given twice"),
        ]:
            tap.refused(tap.run(*index, *words, ranks=ranks), status, message, f"{words[-1]} is refused on {ranks}")
else:
    tap.skip("configuration errors through a command", "no command that takes a configuration is built yet")
tap.done()
