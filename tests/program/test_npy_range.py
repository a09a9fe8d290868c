"""64-bit floats that 32-bit ones cannot hold: named for what they are, scaled where one says so, and never made zero for it."""
import os

import numpy as np

import cases
import tap

FOLDER = str(tap.folder())
RANKS = (0, 3)


def folder(name, gathers, dtype="f8", order="C"):
    place = os.path.join(FOLDER, name)
    os.makedirs(place)
    for i, gather in enumerate(gathers):
        np.save(os.path.join(place, "shot_inline_1_crossline_%d.npy" % i), np.asarray(gather, dtype=dtype, order=order))
    return place


def consolidate(name, *options, ranks=0):
    survey = os.path.join(FOLDER, name + ".h5")
    if os.path.exists(survey):
        os.remove(survey)
    result = tap.run("consolidate", "--output", survey, *options, os.path.join(FOLDER, name), ranks=ranks)
    return result, survey


def same(survey, wanted):
    return all(np.array_equal(a, np.asarray(b, dtype=np.float32)) for a, b in zip(cases.read_gathers(survey), wanted))


random = np.random.RandomState(1)
plain = [random.standard_normal((20 + i, 50)) for i in range(4)]

# beyond float32's range: the first such sample in the file's order, wherever it stands
huge = [gather.copy() for gather in plain]
huge[2][7, 11] = -3.25e250
folder("huge", huge)
folder("huge_turned", huge, order="F")
folder("huge_swapped", huge, dtype=">f8")
for ranks in RANKS:
    on = "on %d ranks" % ranks if ranks else "alone"
    for name in ("huge", "huge_turned", "huge_swapped"):
        for options in ((), ("--zero-bad",)):
            result, survey = consolidate(name, *options, ranks=ranks)
            tap.refused(result, 4, "crossline_2.npy: trace 7, sample 11 (counted from 0) is -3.25e+250, beyond 32-bit floats",
                        "%s %s: named, %s" % (name, " ".join(options), on))
            tap.ok("--scale 1e-250" in result.err and not os.path.exists(survey), "%s: with the remedy, and no survey" % name,
                   result)
    result, survey = consolidate("huge", "--scale", "1e-250", ranks=ranks)
    tap.ok(result.status == 0 and cases.read_gathers(survey)[2][7, 11] == np.float32(-3.25)
           and "--scale 1e-250" in cases.attributes(survey)["history"], "--scale brings them near 1, and is in the history, " + on,
           result)

# all below it
tiny = [gather * 1e-50 for gather in plain]
folder("tiny", tiny)
some = [plain[0], plain[1], np.zeros((5, 50)), plain[3] * 1e-60]
folder("some", some)
folder("scaled", plain)
folder("scaled_whole", [np.arange(200).reshape(4, 50) * 3], dtype="i2")
for ranks in RANKS:
    on = "on %d ranks" % ranks if ranks else "alone"
    result, survey = consolidate("tiny", ranks=ranks)
    tap.refused(result, 4, "crossline_0.npy: its largest amplitude is below 1.2e-38", "numbers too small, " + on)
    tap.ok("--scale 1e+50" in result.err and not os.path.exists(survey), "with the remedy, and no survey, " + on, result)
    result, survey = consolidate("tiny", "--scale", "1e50", ranks=ranks)
    tap.ok(result.status == 0 and same(survey, [g * 1e50 for g in tiny]), "--scale keeps them, " + on, result)
    result, survey = consolidate("some", ranks=ranks)
    tap.ok(result.status == 0 and "1 gather holds nothing but amplitudes below" in result.err and "crossline_3" in result.err
           and same(survey, some), "one gather of them among others is a warning, " + on, result)
    result, survey = consolidate("scaled", "--scale=-0.1", ranks=ranks)
    tap.ok(result.status == 0 and same(survey, [g * -0.1 for g in plain]), "the product is that of 64 bits, " + on, result)
    result, survey = consolidate("scaled_whole", "--scale", "0.1", ranks=ranks)
    tap.ok(result.status == 0 and same(survey, [np.arange(200).reshape(4, 50) * 3 * 0.1]), "integers too, " + on, result)

# what is not finite in the file stays --zero-bad's
bad = [gather.copy() for gather in plain]
bad[1][3, 4], bad[1][3, 5] = np.inf, np.nan
folder("bad", bad)
result, survey = consolidate("bad")
tap.refused(result, 4, "trace 3, sample 4 (counted from 0) is infinite; --zero-bad", "infinite in the file is called that")
result, survey = consolidate("bad", "--zero-bad", "--scale", "10")
wanted = bad[1] * 10
wanted[3, 4:6] = 0
tap.ok(result.status == 0 and "2 samples of 1 gather" in result.err and same(survey, [bad[0] * 10, wanted]),
       "--zero-bad counts what is not finite in the file alone", result)

# float32 cannot lose what it has
small = [np.full((5, 50), 1e-42, np.float32), plain[0].astype(np.float32)]
folder("small", small, dtype="f4")
result, survey = consolidate("small")
tap.ok(result.status == 0 and "below" not in result.err and same(survey, small), "32-bit floats are taken as they are", result)
result, survey = consolidate("small", "--scale", "5e37", ranks=3)
tap.runs(result, "and scaled within their range")
result, survey = consolidate("small", "--scale", "1e39", ranks=3)
tap.refused(result, 4, "times 1e+39 of --scale, beyond 32-bit floats", "a scale that is too large is told, too")
result, survey = consolidate("small", "--scale", "0")
tap.refused(result, 2, "--scale takes a number other than 0", "a scale of 0")

tap.done()
