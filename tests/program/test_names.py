"""Positions out of the names of .npy files: consolidate --names, and what the log says where names have none."""
import os

import numpy as np

import cases
import segy_files
import tap

UNKNOWN = -2 ** 31
PATTERN = "IL{inline}_XL{crossline}"
place = tap.folder()


def at(name):
    return str(place / name)


def folder_of(name, files):
    """A folder of gathers; the first sample of each is its number in the list."""
    os.mkdir(at(name))
    for number, file in enumerate(files):
        np.save(at(name + "/" + file), np.full((4, 10), number + 1, dtype=np.float32))
    return at(name)


def consolidated(folder, *words, ranks=0):
    """The result, and {number of the file: position}."""
    result = tap.run("consolidate", "--output", at("s.h5"), "--force", folder, *words, ranks=ranks)
    if result.status != 0:
        return result, None
    data = cases.datasets(at("s.h5"))
    numbers = [int(gather[0, 0]) - 1 for gather in cases.read_gathers(at("s.h5"))]
    return result, dict(zip(numbers, zip(data["ensemble/inline"].tolist(), data["ensemble/crossline"].tolist())))


def by_pattern():
    files = ["IL1300_XL1400.npy", "survey_IL1300_XL1401_v2.npy", "il-5_xl7.npy", "IL0_XL-1.npy"]
    folder = folder_of("il", files)
    wanted = {0: (1300, 1400), 1: (1300, 1401), 2: (-5, 7), 3: (0, -1)}
    for ranks in (1, 3):
        result, found = consolidated(folder, "--names", PATTERN, ranks=ranks)
        tap.ok(found == wanted and "inline -5 to 1300, crossline -1 to 1401" in result.err and "warning" not in result.err,
               "a pattern tells positions, on %d ranks" % ranks, (found, result))
    result = tap.run("export", "--survey", at("s.h5"), "--output", at("back"), "--ensembles=-5:7,0:-1", ranks=3)
    tap.ok(result.status == 0 and sorted(os.listdir(at("back"))) == ["gather_inline_-5_crossline_7.npy",
                                                                      "gather_inline_0_crossline_-1.npy"],
           "selectors and export know them", result)
    result, _ = consolidated(at("il"), "--names", "xl{crossline}.npy")
    tap.refused(result, 2, "it has no {inline}", "a pattern needs both")
    result, found = consolidated(folder_of("swapped", ["x7 i-3.npy", "x8 i-3.npy"]), "--names", "x{crossline} i{inline}.npy")
    tap.ok(found == {0: (-3, 7), 1: (-3, 8)}, "in either order", result)


def without():
    """Names that have no position where others have one, or none at all."""
    folder = folder_of("some", ["IL1_XL2.npy", "IL1_XL99999999999.npy", "other.npy", "IL1_XL-2147483648.npy"])
    for ranks in (1, 3):
        result, found = consolidated(folder, "--names", PATTERN, ranks=ranks)
        tap.ok(found == {0: (1, 2), 1: (UNKNOWN,) * 2, 2: (UNKNOWN,) * 2, 3: (UNKNOWN,) * 2}
               and result.err.count("warning") == 1 and "3 files have no inline and crossline in the name by '%s', the first: "
               "IL1_XL-2147483648.npy" % PATTERN in result.err, "names without it, and numbers that are no position, on %d "
               "ranks" % ranks, (found, result))
    for ranks in (1, 3):
        result, found = consolidated(folder, ranks=ranks)
        tap.ok(found is not None and set(found.values()) == {(UNKNOWN,) * 2} and result.err.count("--names 'IL{inline}") == 1
               and "IL1_XL-2147483648.npy" in result.err and "warning" not in result.err,
               "where no name has a position the log says so once, and how to tell it, on %d ranks" % ranks, result)
    result, _ = consolidated(folder_of("mixed", ["shot_inline_1_crossline_2.npy", "shot_2.npy"]))
    tap.ok("1 file has no inline and crossline in the name, the first: shot_2.npy" in result.err and "--names" in result.err,
           "where some have none it is a warning", result)
    result, _ = consolidated(folder_of("all", ["shot_inline_1_crossline_2.npy"]))
    tap.ok(result.status == 0 and "--names" not in result.err, "where all have one nothing is said", result)
    np.save(at("cube.npy"), np.ones((3, 4, 10), dtype=np.float32))
    result, _ = consolidated(at("cube.npy"))
    tap.ok(result.status == 0 and "--names" in result.err, "a single file's name too", result)


def refused():
    folder = folder_of("refused", ["2024_12_1300_1400.npy", "2024_12_1300_1401.npy"])
    for words, message in (("{inline}{crossline}", "nothing stands between"), ("IL{inline}_XL{xline}", "neither {inline} nor"),
                           ("{inline}_{crossline}1", "digit directly behind"), ("{inline}_{crossline}", "is in this name twice"),
                           ("IL{inline}_XL{crossline}", "no name of the 2 .npy files has a position")):
        for ranks in (1, 3):
            result, _ = consolidated(folder, "--names", words, ranks=ranks)
            tap.refused(result, 2, message, "--names %s is refused, on %d ranks" % (words, ranks))
    result, found = consolidated(folder, "--names", "12_{inline}_{crossline}.npy", ranks=3)
    tap.ok(found == {0: (1300, 1400), 1: (1300, 1401)}, "more of the name tells which numbers are meant", result)
    fields = segy_files.positions([1, 2], [5, 6], [100, 200])
    segy_files.File(segy_files.values_of(len(fields), 8), fields).write(at("n.sgy"))
    for ranks in (1, 3):
        result = tap.run("consolidate", "--output", at("n.h5"), at("n.sgy"), "--names", PATTERN, ranks=ranks)
        tap.refused(result, 2, "--names is for .npy files", "so it is with SEG-Y, on %d ranks" % ranks)


by_pattern()
without()
refused()
tap.done()
