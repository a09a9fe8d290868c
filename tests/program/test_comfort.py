"""What makes the program pleasant: help that teaches, a manual page and completion out of the same tables, presets,
names that are nearly right, and progress on a terminal."""
import os
import pathlib
import pty
import re
import select
import subprocess

import tap

os.environ["OMPI_MCA_ess_singleton_isolated"] = "1"  # a run without mpirun starts sooner
place = tap.folder()
ROOT = pathlib.Path(tap.ROOT)


def at(name):
    return str(place / name)


# ---- help ----

listed = tap.run("--help").out
commands = re.findall(r"^  ([a-z]+) +\S", listed.split("commands:\n")[1].split("\n\n")[0], re.M)
tap.ok(set(commands) >= {"synth", "consolidate", "index", "train", "test", "apply", "export", "plot", "qc", "info"}
       and "completion bash" in listed and "help man" in listed and "75 interrupted" in listed, "--help lists the commands", listed)
options = {}
for command in commands:
    result = tap.run(command, "--help")
    options[command] = re.findall(r"^  (--[a-z-]+)(?: (\S+))?", result.out.split("options:\n")[1].split("example")[0], re.M)
    example = result.out.split("\nexample:\n")[-1]
    tap.ok(result.status == 0 and f"seisdcn {command} " in example and f"usage: seisdcn {command}" in result.out
           and all(text in dict(options[command]) for line in example.splitlines()
                   for text in re.findall(r"--[a-z-]+", line.split("seisdcn")[-1])),
           f"{command} --help has an example of options that it has", result)
keys = [f"{section}.{key}" for section, body in re.findall(r"^(\w+):\n((?:  .*\n|\n)+)", tap.run("help", "config").out + "\n", re.M)
        for key in re.findall(r"^  (\w+):", body, re.M)]

# ---- the manual page ----

page = tap.run("help", "man", ranks=2)
pathlib.Path(at("seisdcn.1")).write_text(page.out)
formatted = tap.command(["groff", "-ww", "-man", "-Tascii", "-P-cbou", at("seisdcn.1")])
text = re.sub(r"\s+", " ", re.sub(r"-\n\s*", "-", formatted.out))
tap.ok(page.status == 0 and formatted.status == 0 and formatted.err == "", "the manual page passes groff without a warning", formatted)
missing = [f"{command} {name}" for command in commands for name, _ in options[command] if name not in text]
missing += [key for key in keys if key not in text] + [command for command in commands if f"seisdcn {command}" not in text]
tap.ok(len(keys) > 25 and not missing and "EXIT STATUS" in text, "it has every command, option and key", missing)
made = tap.command(["make", "-s", "-C", ROOT, "man", f"PROGRAM={tap.PROGRAM}", "-o", "all"])
tap.ok("seisdcn.1" in (ROOT / "Makefile").read_text() and made.status == 0
       and (ROOT / "build/seisdcn.1").read_text() == page.out, "make man writes it", made)

# ---- completion ----

script = tap.run("completion", "bash").out
pathlib.Path(at("complete.sh")).write_text(script)
for name in ("survey.h5", "model.h5", "run.yaml", "notes.txt", "my gather.h5"):
    pathlib.Path(at(name)).write_text("")
os.makedirs(at("trained"), exist_ok=True)


def complete(*words):
    """What bash offers for the last of these words, split as bash splits them."""
    program = ('source complete.sh; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _seisdcn; '
               'printf "%s\\n" "${COMPREPLY[@]}"')
    result = tap.command(["bash", "--norc", "-c", program, "bash", "seisdcn", *words], cwd=place)
    return sorted(line.strip() for line in result.out.splitlines() if line.strip()) if result.err == "" else result.err


tap.ok(tap.command(["bash", "-n", at("complete.sh")]).status == 0, "the script is bash")
wanted = [
    (("",), sorted(commands + ["help", "completion", "--help", "--version", "--quiet", "--force", "--alone"])),
    (("co",), ["compare", "completion", "consolidate"]),
    (("help", "c"), ["compare", "config", "consolidate"]),
    (("compare", ""), ["trained"]),
    (("compare", "trained", "tr"), ["trained"]),
    (("sweep", "--emit", ""), ["slurm"]),
    (("sweep", "r"), ["run.yaml"]),
    (("completion", ""), ["bash"]),
    (("plot", "--p"), ["--palette", "--predicted"]),
    (("plot", "--palette", ""), ["gray", "seismic"]),
    (("plot", "--palette", "=", "s"), ["seismic"]),
    (("--quiet", "plot", "--survey", "s"), ["survey.h5"]),
    (("apply", "--model", ""), ["model.h5", "my gather.h5", "survey.h5", "trained"]),
    (("apply", "--model", "="), ["model.h5", "my gather.h5", "survey.h5", "trained"]),
    (("info", "mo"), ["model.h5"]),
    (("info", "--verify", "mo"), ["model.h5"]),
    (("consolidate", "n"), ["notes.txt"]),
    (("train", "--config", ""), ["run.yaml", "trained"]),
    (("train", "--output", ""), ["trained"]),
    (("train", "--output", "trained", "--set", "split.b"), ["split.by="]),
    (("train", "--set", "split.by", "=", ""), ["ensemble", "inline", "patch"]),
    (("train", "--set", "split.by", "="), ["ensemble", "inline", "patch"]),
    (("train", "--set", "train.shuffle", "=", "f"), ["false"]),
    (("train", "--set", "train.batch_size", "=", ""), []),
    (("train", "--allow-change", "train.learn"), ["train.learning_rate", "train.learning_rate_decay"]),
    (("synth", "--inlines", ""), []),
    (("synth", "--config"), []),
    (("test", "--split", "t"), ["test", "train"]),
]
wrong = [(words, expected, complete(*words)) for words, expected in wanted if complete(*words) != expected]
tap.ok(not wrong, "bash completes commands, options, files, keys and words", wrong)
wrong = [(command, complete(command, "--")) for command in commands if complete(command, "--") != sorted({name for name, _ in options[command]})]
tap.ok(not wrong, "every option of every command", wrong)
tap.refused(tap.run("completion", "fish", ranks=3), 2, "no completion for fish", "a shell that is not known")
tap.refused(tap.run("completion"), 2, "seisdcn completion bash", "no shell")

# ---- names that are nearly right ----

for words, message in [(("consoildate",), "did you mean consolidate?"), (("completoin", "bash"), "did you mean completion?"),
                       (("plot", "--pallete", "gray"), "did you mean --palette?"), (("help", "tets"), "did you mean test?"),
                       (("index", "--survey", "a", "--output", "b", "--set", "ptach.size=8"), "did you mean patch?"),
                       (("index", "--survey", "a", "--output", "b", "--set", "train.btach_size=8"), "did you mean train.batch_size?")]:
    result = tap.run(*words)
    tap.refused(result, 3 if "--set" in words else 2, message, f"{' '.join(words[-2:])}: {message}")

# ---- presets ----

survey = at("s.h5")
tap.run("synth", "--quiet", "--output", at("s"), "--inlines", "4", "--crosslines", "3", "--traces", "40", "--samples", "200")
tap.run("consolidate", "--quiet", "--force", "--output", survey, at("s/noisy"))
for preset in ("penobscot", "laptop", "survey", "denoise"):
    config = ROOT / f"config/{preset}.yaml"
    # few steps of few patches: that the keys work together is what is tried
    result = tap.run("train", "--quiet", "--survey", survey, "--output", at(preset), "--config", config, "--set", "train.max_steps=2",
                     "--set", "train.max_valid_patches=64", ranks=2)
    tap.ok(result.status == 0 and pathlib.Path(at(preset), "best.h5").exists(), f"train runs with {config.name}", result)
    result = tap.run("apply", "--quiet", "--survey", survey, "--model", at(f"{preset}/best.h5"), "--output", at(f"{preset}_p.h5"),
                     "--config", config, "--ensembles", "#0", ranks=2)
    tap.ok(result.status == 0, f"apply runs with {config.name}", result)

# ---- progress ----


def on_terminal(*words):
    """Runs the program with a terminal as its standard error; what it wrote there, and its status."""
    main, side = pty.openpty()
    process = subprocess.Popen([tap.PROGRAM, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=side,
                               start_new_session=True)
    os.close(side)
    seen = b""
    while select.select([main], [], [], 60 * tap.TIME_FACTOR)[0]:
        try:
            piece = os.read(main, 4096)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        seen += piece
    os.close(main)
    process.stdout.read()
    return seen.decode(errors="replace"), process.wait()


LONG = ("apply", "--survey", survey, "--model", at("laptop/best.h5"), "--set", "apply.method=direct", "--force", "--output", at("p.h5"))
seen, status = on_terminal(*LONG)
bars = re.findall(r"\rapply \[[#.]{30}\] +\d+ %, (?:\d+ s|\d+:\d+|\?) left", "\r" + seen)
tap.ok(status == 0 and bars and not re.search(r"\[[#.]{30}\][^\r]*$", seen), "a bar with the time left on a terminal, cleared at the end",
       repr(seen[-2000:]))
seen, status = on_terminal(*LONG, "--quiet")
tap.ok(status == 0 and seen == "", "--quiet shows none", repr(seen))
result = tap.run(*LONG, ranks=2)
tap.ok(result.status == 0 and "\r" not in result.err and "[#" not in result.err, "no bar in a log file", result)
tap.done()
