"""The road of SEG-Y files in a test's own folder: written, consolidated, exported, compared."""
import tap

place = tap.folder()


def consolidate(name, *words, ranks=0):
    return tap.run("consolidate", "--force", "--output", place / name, *words, ranks=ranks)


def export(survey, output, *words, ranks=0):
    return tap.run("export", "--force", "--survey", place / survey, "--output", place / output, *words, ranks=ranks)


def write(name, data):
    with open(place / name, "wb") as file:
        file.write(data)
    return place / name


def content(name):
    with open(place / name, "rb") as file:
        return file.read()


def same_but_for_a_line(before, after):
    """Whether two files differ in one line of their text header alone."""
    lines = [i for i in range(40) if before[80 * i:80 * i + 80] != after[80 * i:80 * i + 80]]
    return len(before) == len(after) and before[3200:] == after[3200:] and len(lines) == 1
