"""Plot accuracy against time of every reader that a bench measured, a panel a set.

shizi bench SET --only lines --peers … -o sroie.json
python scripts/plot_readers.py sroie.json pages.json --to docs/accuracy-latency.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.ticker import FixedLocator, NullFormatter, ScalarFormatter


def main() -> None:
    """Read the reports, draw them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path, nargs="+")
    parser.add_argument("--to", type=Path, required=True)
    args = parser.parse_args()
    size = (5.2 * len(args.reports), 4.2)
    figure, panels = plt.subplots(1, len(args.reports), figsize=size, squeeze=False)
    for panel, path in zip(panels[0], args.reports, strict=True):
        report = json.loads(path.read_text(encoding="utf-8"))
        for result in report["results"]:
            lines = result["lines"]["all"]
            ours = result["name"].startswith("shizi")
            place = (lines["ms_a_line"], lines["cer"])
            panel.plot(*place, "o" if ours else "s", color="tab:blue" if ours else "tab:orange")
            # Neighbours' names would cover each other: those of the slow stand below.
            below = result["name"].endswith("accurate")
            panel.annotate(
                result["name"],
                place,
                textcoords="offset points",
                xytext=(5, -14) if below else (6, 5),
                fontsize=9,
            )
        panel.set(xscale="log", xlabel="ms a line", ylabel="CER", title=path.stem)
        panel.margins(x=0.35, y=0.15)
        panel.grid(alpha=0.3, which="both")
        panel.set_ylim(bottom=0)
        panel.xaxis.set_major_locator(FixedLocator([1, 2, 3, 5, 10, 20]))
        panel.xaxis.set_major_formatter(ScalarFormatter())
        panel.xaxis.set_minor_formatter(NullFormatter())
    figure.tight_layout()
    figure.savefig(args.to, dpi=110)


if __name__ == "__main__":
    main()
