"""The README's own commands, copied in their order in an empty folder as a new user would, end in a picture of a denoised
gather and its figures; and the pictures that stand in it are there."""
import os
import pathlib
import re

import png
import tap

readme = (pathlib.Path(tap.ROOT) / "README.md").read_text()
sections = dict(re.findall(r"^## (.*)\n((?:(?!## ).*\n)*)", readme, re.M))
place = tap.folder()
where = {"PATH": f"{pathlib.Path(tap.PROGRAM).parent}:{os.environ['PATH']}"}
commands = []
for title in ("The road, command by command", "Pictures and quality", "Rivals", "More channels: attributes", "Trying configurations",
              "Synthetic surveys"):
    commands += re.findall(r"^    ((?:mpirun|seisdcn|printf) (?:.*\\\n)*.*)$", sections[title], re.M)
tap.ok(len(commands) >= 27, "there are commands to copy", commands)
for command in commands:
    result = tap.command(["bash", "-c", command], seconds=240, env=where, cwd=place)
    if not tap.ok(result.status == 0, command, result):
        break
for name in ("gather.png", "spectra.png", "loss.png"):
    path = place / name
    tap.ok(path.exists() and min(png.size(path)) >= 400, f"{name} is a picture")
tap.ok((place / "ranking.png").exists() and (place / "ranking.csv").read_text().count("\n") == 5, "a ranking of four trainings")
tap.ok((place / "qc.csv").exists() and (place / "gathers.csv").read_text().count("\n") == 41, "qc's tables hold 40 gathers")

pictures = re.findall(r"!\[[^]]*\]\(([^)]*)\)", readme)
sizes = {name: (pathlib.Path(tap.ROOT) / name).stat().st_size for name in pictures if (pathlib.Path(tap.ROOT) / name).exists()}
tap.ok(len(pictures) >= 2 and len(sizes) == len(set(pictures)) and max(sizes.values()) < 200000,
       "the README's pictures are there, and small", (pictures, sizes))
tap.ok(all(min(png.size(pathlib.Path(tap.ROOT) / name)) >= 400 for name in pictures), "and whole PNG files")
tap.done()
