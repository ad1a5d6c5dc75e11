"""Runs notebooks: `--write FILES` keeps their outputs; without it, what they print must be what was kept, but for small differences in numbers."""
import pathlib
import re
import sys
import tempfile

import nbformat
from nbclient import NotebookClient

ROOT = pathlib.Path(__file__).parents[2]
# Where a kernel keeps a cell while it runs it, which a warning names.
KERNEL_FILE = re.compile(r"\S*/ipykernel_\d+/\d+\.py")
# A model's id is of its bits, and is no number, although it may look like one (16e54698083).
MODEL_ID = re.compile(r"\b[0-9a-f]{16}\b")
NUMBER = re.compile(r"-?\d[\d,]*\.?\d*(?:e[+-]?\d+)?")


def run(notebook):
    """The notebook with the outputs of a fresh kernel in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    for cell in notebook.cells:
        # When a cell ran says nothing about it.
        cell.get("metadata", {}).pop("execution", None)
        # A bar that was shown while it ran, and is empty now.
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not is_empty(output)]
            for output in cell.outputs:
                if output.output_type == "stream":
                    output.text = KERNEL_FILE.sub("<cell>", output.text)
    return notebook


def is_empty(output):
    return output.output_type == "display_data" and output.data.get("text/html") == ""


def texts(cell):
    """What a cell says, without pictures: its output, its warnings, its results, since the first two come in any order."""
    outputs = cell.get("outputs", [])
    streams = ["".join(output.text for output in outputs if output.output_type == "stream" and output.name == name) for name in ("stdout", "stderr")]
    results = [output.data.get("text/plain", "") for output in outputs if output.output_type in ("execute_result", "display_data")]
    return "\n".join([*streams, *results])


def differences(kept, found):
    """Cells that say something else than they did, beyond 2 % in numbers."""
    for position, (before, after) in enumerate(zip(kept.cells, found.cells, strict=True)):
        old, new = (MODEL_ID.sub("<id>", texts(cell)) for cell in (before, after))
        numbers = [[float(number.replace(",", "")) for number in NUMBER.findall(text)] for text in (old, new)]
        is_same = NUMBER.sub("#", old) == NUMBER.sub("#", new) and all(abs(a - b) <= 0.02 * max(abs(a), abs(b), 1) for a, b in zip(*numbers))
        if not is_same:
            yield f"cell {position}:\n{old}\n--- is now\n{new}"


def main(arguments):
    write = "--write" in arguments
    paths = [pathlib.Path(path) for path in arguments if path != "--write"] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    failures = 0
    for path in paths:
        kept = nbformat.read(path, as_version=4)
        found = run(nbformat.from_dict(kept.copy()) if write else nbformat.read(path, as_version=4))
        if write:
            found.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
            nbformat.write(found, path)
            print(f"wrote {path.name}")
            continue
        said = list(differences(kept, found))
        print(f"{path.name}: {'as kept' if not said else 'says something else'}")
        print("\n".join(said), end="")
        failures += bool(said)
    return failures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
