"""From papers to verdicts: what is missing of their runs is measured, then figures and claims are made from the rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.papers.claim import judge
from analysis.papers.paper import TEXTS, FramesOf, Paper
from bench.runs.files import write_whole
from bench.settings.errors import UsageError
from bench.terminal.progress import counting_bar

FOLDER = "papers"  # of the results


def measure(
    papers: Sequence[Paper], size: str, results: Path, *, progress: bool, overwrite: bool
) -> Iterator[tuple[Paper, FramesOf]]:
    """Each paper with its frames, as soon as what is missing of its runs is in ``results/papers/NAME-LABEL-SIZE``.

    Raises UsageError where such a folder holds another run, unless ``overwrite`` removes it first.
    """
    runs = [dict(paper.runs(size)) for paper in papers]
    with counting_bar(sum(map(len, runs)) + len(runs), "runs", "papers", shown=progress) as bar:
        for paper, of_paper in zip(papers, runs, strict=True):
            folders = {}
            for label, settings in of_paper.items():
                bar.set_description(f"{paper.name} {label}")
                folders[label] = _run(settings, results / FOLDER, f"{paper.name}-{label}-{size}", overwrite)
                bar.update()
            bar.set_description(paper.name)
            yield paper, FramesOf(paper.computed(size), folders)
            bar.update()


def _run(settings: Any, results: Path, name: str, overwrite: bool) -> Path:
    import bench

    start: Any = bench.train if isinstance(settings, bench.Training) else bench.run
    try:
        return start(settings, results=results, name=name, progress=False, overwrite=overwrite).path
    except bench.RunError as error:  # there, a run has the name that was asked for; here nobody asked for one
        hint = "; --overwrite removes what is there first" if "--overwrite" in error.told else ""
        raise UsageError(f"results: {error.told.partition(';')[0]}{hint}") from error


def judged(paper: Paper, size: str, frames: Mapping[str, Any]) -> dict[str, Any]:
    """A paper's reference and its claims as rows (:func:`analysis.papers.claim.judge`), as they are kept on disk."""
    reference = {name: getattr(paper, name) for name in (*TEXTS, "year")}
    return reference | {"size": size, "claims": [judge(claim, frames) for claim in paper.claims]}


def keep(paper: Paper, size: str, frames: Mapping[str, Any], results: Path) -> dict[str, Any]:
    """Write the paper's figure, NAME.png, and its verdicts, NAME.json, each whole or not at all; returns the verdicts.

    Raises OSError where they cannot be written.
    """
    from analysis.drawing.save import SaveError, save_figure  # Matplotlib takes a while

    folder = results / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    title = f"{paper.authors} {paper.year}: {paper.title}"
    verdicts, figure = judged(paper, size, frames), paper.plot(frames)
    try:
        save_figure(figure, folder / f"{paper.name}.png", title=title, note=f"depthscale papers {paper.name}")
    except SaveError as error:
        raise OSError(str(error)) from error
    text = json.dumps(verdicts, ensure_ascii=False, indent=1)
    write_whole(folder / f"{paper.name}.json", lambda path: path.write_text(text, encoding="utf-8"))
    return verdicts


def kept(results: Path) -> list[dict[str, Any]]:
    """The verdicts of all papers that were measured there, the oldest paper first; others' files are let be.

    Raises UsageError for a damaged file.
    """
    found = []
    for path in (results / FOLDER).glob("*.json"):
        try:
            verdicts = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"results: {str(path)!r} cannot be read ({error}); remove it and run its paper again"
            ) from error
        if _of_paper(verdicts, path.stem):
            found.append(verdicts)
    return sorted(found, key=lambda verdicts: (verdicts["year"], verdicts["name"]))


def _of_paper(verdicts: Any, name: str) -> bool:
    """Whether that is what :func:`keep` wrote of the paper of that name."""
    if not isinstance(verdicts, dict) or verdicts.get("name") != name:
        return False
    texts = all(isinstance(verdicts.get(each), str) for each in (*TEXTS, "size"))
    return texts and isinstance(verdicts.get("year"), int) and isinstance(verdicts.get("claims"), list)
