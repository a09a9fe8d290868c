"""One of anything is never told of as several: all commands on a survey of one gather, of one trace, on one rank."""
import re

import numpy as np

import tap
from segy_files import File

SEVERAL = re.compile(r"(?<![\d,.])1 (?:whole |more |other |training |live )?((?:gather|rank|trace|sample|byte|step|file|epoch|window|patche|model|"
                     r"attribute|inline|crossline|position|value|split|prediction|process|checkpoint|host|node|core|parameter)"
                     r"e?s)\b")
place = tap.folder()
random = np.random.RandomState(1)


def at(name):
    return str(place / name)


def check(label, *words, status=0):
    result = tap.run(*words)
    found = SEVERAL.findall(result.out + result.err)
    tap.ok(result.status == status and not found, label, "%s\n%s" % (found, result))


PATCH = ["--set", "patch.size=12", "--set", "network.levels=2", "--set", "patch.stride=100", "--set", "split.by=patch"]
MAP = ["--set", "train.max_epochs=1", "--map"]

np.save(at("shot_inline_1_crossline_1.npy"), random.standard_normal((12, 12)).astype(np.float32))
check("synth", "synth", "--output", at("synth"), "--inlines", "1", "--crosslines", "1", "--traces", "12", "--samples", "40")
check("consolidate", "consolidate", "--output", at("s.h5"), at("shot_inline_1_crossline_1.npy"), "--interval-us", "4000")
check("info", "info", at("s.h5"), "--verify")
check("index of one gather", "index", "--survey", at("s.h5"), "--output", at("no.h5"), *PATCH[:6], status=3)
check("index of one patch", "index", "--survey", at("s.h5"), "--output", at("no.h5"), *PATCH, status=3)
check("index of one inline", "index", "--survey", at("s.h5"), "--output", at("no.h5"), *PATCH[:6], "--set", "split.by=inline",
      status=3)
check("index: all to train", "index", "--survey", at("s.h5"), "--output", at("m.h5"), *PATCH, "--set", "split.test=0", "--set",
      "split.valid=0")
check("info of a map", "info", at("m.h5"))
check("train --dry-run", "train", "--survey", at("s.h5"), "--output", at("t"), "--dry-run", *PATCH[2:4], *MAP, at("m.h5"))
check("train", "train", "--survey", at("s.h5"), "--output", at("t"), *PATCH[2:4], *MAP, at("m.h5"))
check("apply --dry-run", "apply", "--survey", at("s.h5"), "--model", at("t/best.h5"), "--output", at("p.h5"), "--dry-run")
check("apply", "apply", "--survey", at("s.h5"), "--model", at("t/best.h5"), "--output", at("p.h5"))
for command in ("mean", "fxdecon"):
    check(command, command, "--survey", at("s.h5"), "--output", at(command + ".h5"))
check("qc", "qc", "--survey", at("s.h5"), "--predicted", at("p.h5"))
check("plot", "plot", "--survey", at("s.h5"), "--predicted", at("p.h5"), "--ensemble", "1:1", "--output", at("p.png"))
check("attributes", "attributes", "--survey", at("s.h5"), "--add", "envelope")
check("export", "export", "--survey", at("p.h5"), "--output", at("out"))
check("export to SEG-Y", "export", "--survey", at("p.h5"), "--output", at("out.sgy"))
check("doctor", "doctor", "--dir", at("."))

# SEG-Y of one trace with one sample that 32-bit floats cannot hold, and one byte too much
one = [{189: 1, 193: 1, 37: 100}]
File([[2 ** 24 + 1, 1]], one, format=2, trailer=b"x").write(at("one.sgy"))
check("consolidate --salvage", "consolidate", "--output", at("one.h5"), "--salvage", at("one.sgy"))
check("consolidate of a cut file", "consolidate", "--output", at("no.h5"), at("one.sgy"), status=4)
File([[2 ** 24 + 1, 1]], one, format=2).write(at("one.sgy"))
check("info of SEG-Y", "info", at("one.sgy"))
np.save(at("bad.npy"), np.array([[np.nan, 1]]))
check("--zero-bad", "consolidate", "--output", at("bad.h5"), "--zero-bad", at("bad.npy"))
tap.done()
