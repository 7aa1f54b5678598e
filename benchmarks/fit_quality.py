"""Time to the PSNR of the paper's recipe: that recipe, our fast one, and the plain loop, photo by photo.

    python benchmarks/fit_quality.py [--photos FOLDER] [--limit N] [--backbone NAME] [--csv FILE]
    python benchmarks/fit_quality.py --set steps=150 --set muon_learning_rate=0.06 --no-paper

Both recipes run whole on our engine, on pictures of 218x178 pixels (height by width); without a folder the bundled
photographs are scaled to that size. ``speed-up`` is the paper's time over the fast recipe's, ``reached`` whether the
fast one ended at or above the paper's PSNR. The plain loop takes the paper's steps; its time is reckoned from steps
timed in turn with ours before the fits. A photo takes some five minutes on two cores, nearly all of it the paper's
recipe; ``--no-paper`` leaves that out, and ``--set`` changes the fast one's numbers.
"""

import argparse
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import inrlens as il
from fit_peers import plain_step
from fit_steps import our_step
from timing import about, alternate, write_csv

GRID = (218, 178)


@dataclass(frozen=True)
class Row:
    """One photo under one backbone; PSNR in dB, times in seconds."""

    photo: str
    backbone: str
    paper_psnr: float
    paper_seconds: float
    fast_psnr: float
    fast_seconds: float
    plain_seconds: float


def fast_recipe(backbone: str, changes: list[str]) -> il.Recipe:
    """The fast recipe with numbers given as ``name=value`` in place of its own."""
    given = dict(change.split("=", 1) for change in changes)
    return replace(il.recipes.fast("single", backbone), **{key: _value(text) for key, text in given.items()})


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def measure(signal: il.Signal, backbone: str, plain_share: float, changes: list[str]) -> Row:
    """Fits one photo by both recipes; ``plain_share`` is the plain loop's step over ours."""
    paper = il.fit(signal, il.recipes.single(backbone), seed=0)
    fast = il.fit(signal, fast_recipe(backbone, changes), seed=0)
    plain = paper.seconds * plain_share
    return Row(signal.name, backbone, paper.psnr, paper.seconds, fast.psnr, fast.seconds, plain)


def main() -> None:
    """Prints the table and writes it as CSV where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, help="a folder of photographs; default: the bundled ones")
    parser.add_argument("--limit", type=int, default=1, help="how many of them, by name (default 1)")
    parser.add_argument("--backbone", choices=il.backbone_names(), help="default: both")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a number of the fast recipe")
    parser.add_argument("--no-paper", action="store_true", help="the fast recipe alone")
    parser.add_argument("--csv", type=Path, help="write the table here")
    options = parser.parse_args()
    print(about())
    if options.photos:
        photos = il.load_folder(options.photos, size=GRID, how="cover", limit=options.limit)
    else:
        photos = il.bundled_photos(size=GRID)[: options.limit]
    if not options.no_paper:
        print(f"{'photo':24} {'network':8} {'paper':>16} {'fast':>16} {'speed-up':>9} {'over plain':>11}  reached")
    rows = []
    backbones = [options.backbone] if options.backbone else list(il.backbone_names())
    if options.no_paper:
        for backbone in backbones:
            for photo in photos:
                fitted = il.fit(photo, fast_recipe(backbone, options.set), seed=0)
                print(f"{photo.name[:24]:24} {backbone:8} {fitted.psnr:5.2f} dB in {fitted.seconds:.1f} s", flush=True)
        return
    for backbone in backbones:
        times = alternate({"ours": our_step(backbone, GRID, 0), "plain": plain_step(il.Field.new(backbone), GRID)}, 3)
        for photo in photos:
            row = measure(photo, backbone, times["plain"] / times["ours"], options.set)
            rows.append(row)
            print(
                f"{row.photo[:24]:24} {row.backbone:8} {row.paper_psnr:5.1f} dB {row.paper_seconds:6.1f}s "
                f"{row.fast_psnr:5.1f} dB {row.fast_seconds:6.1f}s {row.paper_seconds / row.fast_seconds:9.1f} "
                f"{row.plain_seconds / row.fast_seconds:11.1f}  {'yes' if row.fast_psnr >= row.paper_psnr else 'no'}",
                flush=True,
            )
    if options.csv:
        write_csv(options.csv, [field.name for field in fields(Row)], [astuple(row) for row in rows])


if __name__ == "__main__":
    main()
