"""No command overwrites what it reads: over the table of commands and options, every output that is an input, by the same
path, another path, a symbolic link or a hard link, with --force too, ends with status 2 and leaves every byte."""
import hashlib
import os
import re
import shutil

import tap

USAGE = 2
os.environ["OMPI_MCA_ess_singleton_isolated"] = "1"  # a run without mpirun starts sooner
NETWORK = ["--set", "patch.size=16", "--set", "network.levels=2", "--set", "train.batch_size=16", "--set",
           "train.max_patches_per_epoch=64", "--set", "train.max_valid_patches=16", "--set", "train.max_epochs=1"]
SURVEY, MODEL, PREDICTED = "survey.h5", "run/best.h5", "predicted.h5"

# The words that each command needs besides the option that is written, by its options that write files; a picture is
# asked for by name, so its inputs have one of a picture.
WORDS = {
    "consolidate": ("--output", ["line.sgy"]),
    "index": ("--output", ["--survey", SURVEY]),
    "apply": ("--output", ["--survey", SURVEY, "--model", MODEL]),
    "fxdecon": ("--output", ["--survey", SURVEY]),
    "mean": ("--output", ["--survey", SURVEY]),
    "export": ("--output", ["--survey", SURVEY, "--through", "other.h5"]),
    "plot": ("--output --script", ["--survey", SURVEY, "--predicted", PREDICTED, "--ensemble", "#0"]),
    "qc": ("--csv --gathers", ["--survey", SURVEY, "--predicted", PREDICTED, "--clean", "clean.h5", "--map", "map.h5", "--split",
                              "test"]),
    "compare": ("--csv --output --script", ["run", "--survey", SURVEY, "--clean", "clean.h5", "--map", "map.h5"]),
    "train": ("--output", ["--survey", SURVEY, "--map", "map.h5", "--init", MODEL, "--clean", "clean.h5"]),
    "sweep": ("--output", ["--survey", SURVEY, "--map", "map.h5", "--grid", "grid.yaml", "--clean", "clean.h5"]),
    "synth": ("--output", []),  # reads nothing
    "doctor": ("--dir", []),
}
ONLY_READS = {"info", "test", "attributes"}  # attributes adds to its survey: that is what it is for
PICTURES = {("plot", "--output"), ("compare", "--output")}


def listing(folder):
    """Every file below folder, with its bytes' hash and where a link leads."""
    found = {}
    for place, folders, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                found[path] = (os.path.islink(path) and os.readlink(path), hashlib.md5(file.read()).hexdigest())
    return found


def make_ground(folder):
    made = [tap.run("synth", "--output", "synth", "--inlines", "2", "--crosslines", "3", "--traces", "20", "--samples", "60",
                    cwd=folder),
            tap.run("consolidate", "--output", SURVEY, "synth/noisy", "--interval-us", "4000", cwd=folder),
            tap.run("consolidate", "--output", "clean.h5", "synth/clean", "--interval-us", "4000", cwd=folder),
            tap.run("mean", "--survey", SURVEY, "--output", PREDICTED, cwd=folder),
            tap.run("index", "--survey", SURVEY, "--output", "map.h5", "--set", "patch.size=16", cwd=folder),
            tap.run("export", "--survey", SURVEY, "--output", "line.sgy", cwd=folder),
            tap.run("train", "--survey", SURVEY, "--output", "run", *NETWORK, cwd=folder)]
    shutil.copy(folder / SURVEY, folder / "other.h5")
    (folder / "grid.yaml").write_text("train.seed: [1, 2]\n")
    good = all(result.status == 0 for result in made)
    tap.ok(good, "surveys, prediction, map, model, SEG-Y", "\n".join(map(str, made)))
    return good


def table():
    """{command: ({option: argument}, arguments)} of --help."""
    commands = re.findall(r"^  ([a-z]+) +\S", tap.run("--help").out.split("commands:\n")[1].split("\n\n")[0], re.M)
    found = {}
    for command in commands:
        text = tap.run(command, "--help").out
        options = re.findall(r"^  (--[a-z-]+) (\S+)", text.split("options:\n")[1].split("\nexample")[0], re.M)
        found[command] = dict(options)
    return found


def is_path(argument):
    """Whether --help shows an option's argument as a file or folder."""
    return "DIR" in argument or re.search(r"\.[a-z0-9]+$", argument) is not None


def ways(folder, path, ending):
    """Names of the same file: itself, by another path, by links."""
    base = os.path.splitext(path)[0].replace("/", "_")
    names = [path + ending if ending else path, "./synth/../" + path]
    if not ending:
        os.symlink(os.path.abspath(folder / path), folder / (base + "_soft"))
        os.link(folder / path, folder / (base + "_hard"))
        return names + [base + "_soft", base + "_hard"]
    made = []
    for kind, link in (("soft", os.symlink), ("hard", os.link)):  # a picture's name must be one
        made.append(base + "_" + kind + ending)
        link(os.path.abspath(folder / path), folder / made[-1])
    return made


def remove(folder, names):
    for name in names:
        if "_soft" in name or "_hard" in name:
            os.remove(folder / name)


def refuse(folder, words, label, ranks=0, message="an input is never overwritten"):
    before = listing(folder)
    result = tap.run(*words, "--force", ranks=ranks, cwd=folder)
    tap.refused(result, USAGE, message, label)
    after = listing(folder)
    tap.ok(after == before, "and every file is as it was", sorted(set(after.items()) ^ set(before.items())))


def walk(folder):
    """Every command, every option that is written, every input of it."""
    commands = table()
    tap.ok(set(commands) == set(WORDS) | ONLY_READS, "every command is in this table", sorted(commands))
    n = 0
    for command, (written, words) in WORDS.items():
        options = commands[command]
        inputs = [word for word, before in zip(words, [""] + words) if is_path(word) and before != "--ensemble"]
        named = {word for word in words if word.startswith("--") and is_path(options.get(word, ""))} | set(written.split())
        others = {option for option, argument in options.items() if is_path(argument)} - named
        tap.ok(others <= {"--config", "--training"}, command + ": every option of a file is in this table", others)
        if command in ("train", "sweep", "synth", "doctor"):
            continue  # folders
        for option in written.split():
            for path in inputs if (command, option) in (("qc", "--csv"), ("apply", "--output")) else inputs[:1]:
                names = ways(folder, path, ".png" if (command, option) in PICTURES else "")
                for name in names:
                    n += 1
                    more = ["--output", "new.png"] if option == "--script" else []
                    refuse(folder, [command, *words, option, name, *more],
                           "%s %s %s" % (command, option, name), 3 if n % 8 == 0 else 0)
                remove(folder, names)


def derived(folder):
    """The names under which outputs grow, and what stands beside them."""
    for name, words in (("x.h5.part", ["apply", "--survey", "x.h5.part", "--model", MODEL, "--output", "x.h5"]),
                        ("x.h5.part.new", ["mean", "--survey", "x.h5.part.new", "--output", "x.h5"]),
                        ("x.sgy.part", ["export", "--survey", "x.sgy.part", "--output", "x.sgy"]),
                        ("x.png.part", ["plot", "--survey", "x.png.part", "--ensemble", "#0", "--output", "x.png"]),
                        ("x.png.part.dat", ["plot", "--survey", "x.png.part.dat", "--ensemble", "#0", "--output", "x.png"]),
                        ("x.dat", ["plot", "--survey", "x.dat", "--ensemble", "#0", "--output", "y.png", "--script", "x.gp"])):
        shutil.copy(folder / SURVEY, folder / name)
        refuse(folder, words, "what grows as an input: " + name)
        os.remove(folder / name)
    refuse(folder, ["qc", "--survey", SURVEY, "--predicted", PREDICTED, "--csv", "a.csv", "--gathers", "synth/../a.csv"],
           "two outputs are one file", message="--csv and --gathers name the same file")
    refuse(folder, ["plot", "--survey", SURVEY, "--ensemble", "#0", "--output", "base.png", "--script", "./base.png"],
           "a picture and its script are one file", message="name the same file")


def sources(folder):
    """What a survey was made of, and what a prediction was made from."""
    gather = "synth/noisy/gather_inline_1300_crossline_1401.npy"
    tap.runs(tap.run("consolidate", "--output", "segy.h5", "line.sgy", cwd=folder), "a survey of SEG-Y")
    tap.runs(tap.run("mean", "--survey", "segy.h5", "--output", "segy_mean.h5", cwd=folder), "and its prediction")
    tap.runs(tap.run("apply", "--survey", SURVEY, "--model", MODEL, "--output", "applied.h5", cwd=folder), "one by a model")
    os.symlink(folder / "line.sgy", folder / "link.sgy")
    os.makedirs(folder / "linked", exist_ok=True)
    os.link(folder / gather, folder / "linked/gather_inline_1301_crossline_1400.npy")
    for words, label in ((["export", "--survey", "segy.h5", "--output", "line.sgy"], "export over its SEG-Y"),
                         (["export", "--survey", "segy_mean.h5", "--output", "./line.sgy"], "and of the prediction"),
                         (["export", "--survey", "segy_mean.h5", "--output", "link.sgy"], "by a link"),
                         (["export", "--survey", SURVEY, "--output", "synth/noisy"], "export over its gathers"),
                         (["export", "--survey", PREDICTED, "--output", "synth/noisy/"], "and of the prediction"),
                         (["export", "--survey", PREDICTED, "--output", "linked"], "by a hard link of another name"),
                         (["qc", "--survey", SURVEY, "--predicted", PREDICTED, "--csv", gather], "a table over a gather"),
                         (["qc", "--survey", SURVEY, "--predicted", "applied.h5", "--csv", MODEL], "over the model of a prediction"),
                         (["index", "--survey", "segy.h5", "--output", "line.sgy"], "a map over the SEG-Y"),
                         (["fxdecon", "--survey", PREDICTED, "--output", SURVEY], "over the survey of a prediction"),
                         (["consolidate", "--output", gather, "synth/noisy"], "over a file of the folder that is read"),
                         (["compare", "run", "--csv", "run/metrics.csv"], "over the metrics that are read"),
                         (["plot", "--training", "run", "--output", "p.png", "--script", "run/metrics.csv"], "or by the script")):
        refuse(folder, words, label)
    os.makedirs(folder / "elsewhere")
    for ranks in (1, 3):
        before = listing(folder)
        result = tap.run("export", "--survey", "../segy.h5", "--output", "../line.sgy", "--force", ranks=ranks,
                         cwd=folder / "elsewhere")
        tap.refused(result, USAGE, "an input is never overwritten", "from another folder, on %d ranks" % ranks)
        tap.ok(listing(folder) == before, "and every file is as it was")


def lost(folder):
    """A source whose place nobody knows any more: its name is enough, but for what export itself has made."""
    os.makedirs(folder / "moved")
    os.makedirs(folder / "given")
    raw = bytearray((folder / "line.sgy").read_bytes())
    raw[:3200] = b"\x40" * 3200  # no word of who made it
    (folder / "given/one.sgy").write_bytes(raw)
    tap.runs(tap.run("consolidate", "--output", "one.h5", "given/one.sgy", cwd=folder), "a survey of a SEG-Y file")
    os.rename(folder / "given/one.sgy", folder / "moved/one.sgy")
    refuse(folder, ["export", "--survey", "one.h5", "--output", "moved/one.sgy"], "a source that was moved")
    shutil.copytree(folder / "synth/noisy", folder / "given/gathers")
    tap.runs(tap.run("consolidate", "--output", "npy.h5", "given/gathers", cwd=folder), "a survey of .npy files")
    os.rename(folder / "given/gathers", folder / "moved/gathers")
    refuse(folder, ["export", "--survey", "npy.h5", "--output", "moved/gathers"], "gathers that were moved")
    for attempt in ("new", "again"):
        result = tap.run("export", "--survey", "one.h5", "--output", "one.sgy", "--force", ranks=3, cwd=folder)
        tap.runs(result, "the same name elsewhere is %s" % attempt)


def folders(folder):
    """Of a folder, the files that are written there."""
    def train(*words):
        return ["train", "--survey", SURVEY, *NETWORK, "--output", "run", *words]

    step = "run/checkpoints/" + os.listdir(folder / "run/checkpoints")[0]
    shutil.copy(folder / "run/config.yaml", folder / "run/mine.yaml")
    os.link(folder / "run/last.h5", folder / "last_hard.h5")
    for words, label in ((train("--init", MODEL), "train over the model that it starts from"),
                         (train("--init", step), "or over the checkpoint"),
                         (train("--init", "last_hard.h5"), "by a hard link"),
                         (train("--config", "run/config.yaml"), "or over its configuration"),
                         (["sweep", "--survey", SURVEY, *NETWORK, "--output", "sweeps", "sweeps/one.yaml"], "sweep"),
                         (["sweep", "--survey", SURVEY, *NETWORK, "--output", "sweeps", "--grid", "sweeps/train.seed=1.yaml"],
                          "or over its grid")):
        os.makedirs(folder / "sweeps", exist_ok=True)
        (folder / "sweeps/one.yaml").write_text("train: {seed: 4}\n")
        (folder / "sweeps/train.seed=1.yaml").write_text("train.seed: [1]\n")
        refuse(folder, words, label)
    before = listing(folder)
    tap.refused(tap.run(*train("--config", "run/config.yaml", "--resume"), ranks=3, cwd=folder), USAGE,
                "an input is never overwritten", "with --resume too")
    tap.ok(listing(folder) == before, "and every file is as it was")


def permitted(folder):
    """Former outputs, and inputs beside them, are no inputs."""
    shutil.copy(folder / SURVEY, folder / "run/survey.h5")
    for words in (["export", "--survey", SURVEY, "--output", "out"], ["mean", "--survey", SURVEY, "--output", "out.h5"],
                  ["consolidate", "--output", "synth/noisy/survey.h5", "synth/noisy"],
                  ["train", "--survey", "run/survey.h5", "--config", "run/mine.yaml", *NETWORK, "--output", "run"],
                  ["sweep", "--survey", SURVEY, "--config", "sweeps/one.yaml", *NETWORK, "--grid", "grid.yaml", "--output", "sweeps"],
                  ["compare", "sweeps", "--csv", "sweeps/ranking.csv"],
                  ["qc", "--survey", SURVEY, "--predicted", PREDICTED, "--csv", "qc.csv"]):
        for attempt in ("first", "again"):
            tap.runs(tap.run(*words, "--force", ranks=0 if attempt == "first" else 3, cwd=folder),
                     "permitted, %s: %s" % (attempt, " ".join(words[:5])))


ground = tap.folder()
if make_ground(ground):
    walk(ground)
    derived(ground)
    sources(ground)
    lost(ground)
    folders(ground)
    permitted(ground)
tap.done()
