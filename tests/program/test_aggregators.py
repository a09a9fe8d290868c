"""MPI-IO with many aggregators forced, in Open MPI's own implementation and in ROMIO: gathers that share blocks of the disk
with their neighbours on other ranks reach the file without a gap, by their checksums and by the bytes of one rank's file.
(Open MPI 4.1's default locks spoil collective writes with small gaps: open-mpi/ompi issue 12718.)"""
import os

import numpy as np

import cases
import tap

import original

SIZE, LEVELS = 16, 2


def settings(folder, ranks):
    """Environments by name: every rank an aggregator, with pieces far smaller than a gather."""
    hints = os.path.join(folder, "hints%d" % ranks)
    with open(hints, "w") as file:
        file.write("cb_nodes %d\nromio_cb_write enable\ncb_buffer_size 4096\nind_wr_buffer_size 4096\n" % ranks)
    ompio = {"OMPI_MCA_io": "ompio", "OMPI_MCA_io_ompio_num_aggregators": str(ranks),
             "OMPI_MCA_io_ompio_bytes_per_agg": "4096", "OMPI_MCA_io_ompio_cycle_buffer_size": "4096"}
    return {
        "vulcan": dict(ompio, OMPI_MCA_fcoll="vulcan"),
        "dynamic_gen2": dict(ompio, OMPI_MCA_fcoll="dynamic_gen2"),
        "romio": {"OMPI_MCA_io": "romio321", "ROMIO_HINTS": hints},
    }


def road(folder, npy, model, ranks, env):
    """Every command that writes with all ranks; the files by name, None where a command failed."""
    made = {name: os.path.join(folder, name + ".h5") for name in ("survey", "map", "predicted")}
    patches = ["--set", "patch.size=%d" % SIZE, "--set", "patch.stride=3", "--set", "split.by=patch"]
    for words in (["consolidate", "--output", made["survey"], npy], ["info", "--verify", made["survey"]],
                  ["index", "--survey", made["survey"], "--output", made["map"], "--materialize", *patches],
                  ["apply", "--survey", made["survey"], "--model", model, "--output", made["predicted"]],
                  ["info", "--verify", made["predicted"]]):
        result = tap.run(*words, ranks=ranks, env=env)
        good = result.status == 0 and (words[0] != "info" or "every checksum matches" in result.out)
        if not tap.ok(good, "%s: %s" % (os.path.basename(folder), " ".join(words[:2])), result):
            return None
    return {name: cases.datasets(path) for name, path in made.items()}


def main():
    folder = str(tap.folder())
    random = np.random.RandomState(0)
    # rows of 244 bytes, gathers of 5 to 14 kB: none ends where a block or a stripe does
    npy = cases.write_gathers(folder + "/gathers", [cases.random_gather(random, random.randint(20, 60), 61)
                                                    for _ in range(41)])
    model = folder + "/model.h5"
    original.write_model(model, original.randomise(original.Original(1, 2, LEVELS, 0.0), 1), SIZE)
    os.makedirs(folder + "/alone")
    wanted = road(folder + "/alone", npy, model, 0, {})
    for ranks in (4, 7):
        for name, env in settings(folder, ranks).items():
            place = "%s/%s on %d" % (folder, name, ranks)
            os.makedirs(place)
            made = road(place, npy, model, ranks, env)
            if wanted is None or made is None:
                continue
            differing = {file: cases.differing(made[file], wanted[file]) for file in wanted}
            tap.ok(not any(differing.values()), "%s on %d ranks: the bytes of one rank's files" % (name, ranks), differing)
            result = tap.run("doctor", "--dir", place, "--size", "2", ranks=ranks, env=env) # collective writes too
            tap.ok(result.status == 0 and result.out.count("every checksum matches") == 2,
                   "%s on %d ranks: doctor's writes, alone and together" % (name, ranks), result)
    tap.done()


if __name__ == "__main__":
    main()
