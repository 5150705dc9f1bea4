# SPDX-License-Identifier: Apache-2.0
"""How nearly networks commute with rotations that do not map the grid to itself, for each basis of kernels.

    python benchmarks/equivariance.py [--draws 15] [--no-page]

Prints the tables, writes them between the markers of docs/measured/Equivariance.md and draws the figure beside it. That
page says how it is measured. With escnn and PyTorch installed, escnn's layers are measured too, on the same inputs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import equiconv as eq
import numpy as np
from equivariance_escnn import escnn_network

PAGE = Path(__file__).resolve().parents[1] / "docs" / "measured" / "Equivariance.md"
ORDERS, KERNELS, ANGLES, TABLE_ANGLES = (4, 8, 16), (5, 7, 9), tuple(np.arange(0, 45.1, 3.75)), (22.5, 45.0)
FIGURE_KERNEL, CHANNELS, POINTS, WAVES, LIMIT = 7, 4, 48, 24, np.pi / 2

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Network: TypeAlias = Callable[[Array], Array]
Maker: TypeAlias = Callable[[int, int, int, str], Network]
Errors: TypeAlias = dict[tuple[str, int, int, float], float]


def pixels(interpolation: str) -> Callable[[int], dict[str, Any]]:
    return lambda kernel: {"interpolation": interpolation}


KINDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "pixels, bilinear": pixels("bilinear"),
    "pixels, bicubic": pixels("bicubic"),
    "pixels, cubic spline": pixels("bspline3"),
    "round B-splines": lambda kernel: {"basis": eq.round_bspline_basis(kernel, 3)},
    "circular harmonics": lambda kernel: {"basis": eq.circular_harmonics(kernel)},
    "Gaussian derivatives": lambda kernel: {"basis": eq.gaussian_derivatives(kernel, 3, (kernel - 1) / 6)},
}


def network(kind: str) -> Maker:
    """Lifting convolution, ReLU, group convolution, mean over H; weights are normal numbers."""

    def make(order: int, kernel: int, seed: int, padding: str) -> Network:
        rng, group, options = np.random.default_rng(seed), eq.cyclic(order), KINDS[kind](kernel)
        shape = options["basis"].shape if "basis" in options else (kernel, kernel)
        w1 = rng.standard_normal((CHANNELS, 1, *shape))
        w2 = rng.standard_normal((CHANNELS, CHANNELS, order, *shape))

        def run(x: Array) -> Array:
            lifted = np.maximum(eq.lifting_conv(x, w1, group, padding=padding, **options), 0)
            return eq.group_pool(eq.group_conv(lifted, w2, group, padding=padding, **options), "mean")

        return run

    return make


def patches(seed: int, angle: float, size: int) -> Array:
    """A sum of plane waves, turned by an angle, sampled about POINTS points, which are turned with it: exact."""
    rng = np.random.default_rng(1000 + seed)
    directions, radii = rng.uniform(0, 2 * np.pi, WAVES), LIMIT * np.sqrt(rng.uniform(0, 1, WAVES))
    waves = np.stack([radii * np.cos(directions), radii * np.sin(directions)])
    phases, points = rng.uniform(0, 2 * np.pi, WAVES), rng.uniform(-50, 50, (POINTS, 2))
    # L_g f(x) = f(g^-1 x) at g p + u is f at p + g^-1 u. Coordinates are (x, y) with y up.
    taps = np.arange(size) - (size - 1) / 2
    grid = np.stack(np.broadcast_arrays(taps[None, :], -taps[:, None]))
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    turned = np.einsum("ij,jrc->rci", np.array([[cos, sin], [-sin, cos]]), grid)
    return np.cos((points[:, None, None] + turned) @ waves + phases).sum(axis=-1)[:, None]


def waves_errors(make: Maker, order: int, kernel: int, seed: int) -> dict[float, float]:
    """The relative L2 error at each angle on band-limited images: nothing is resampled."""
    run, size = make(order, kernel, seed, "valid"), 2 * kernel - 1
    expected = run(patches(seed, 0.0, size))
    turned = {angle: run(patches(seed, angle, size)) for angle in ANGLES}
    norm = float(np.linalg.norm(expected))
    return {angle: float(np.linalg.norm(value - expected)) / norm for angle, value in turned.items()}


def photograph() -> Array:
    """scikit-learn's china.jpg, gray, the mean of 6 x 6 pixels of a central square: 65 x 65, mean 0, deviation 1."""
    from sklearn.datasets import load_sample_image

    gray = load_sample_image("china.jpg").mean(axis=2)
    top, left = (gray.shape[0] - 390) // 2, (gray.shape[1] - 390) // 2
    small = gray[top : top + 390, left : left + 390].reshape(65, 6, 65, 6).mean(axis=(1, 3))
    return np.asarray((small - small.mean()) / small.std(), np.float64)[None, None]


def photograph_errors(make: Maker, order: int, kernel: int, seed: int, photo: Array) -> dict[float, float]:
    """Those of `equivariance_error`: the photograph and the answer are resampled."""
    run = make(order, kernel, seed, "same")
    return {angle: eq.equivariance_error(run, photo, eq.cyclic(order), angles=angle) for angle in TABLE_ANGLES}


def measure(
    makers: dict[str, Maker], draws: int, errors_of: Callable[..., dict[float, float]], *inputs: Array
) -> Errors:
    """Medians over the draws of weights (and of images)."""
    result: Errors = {}
    for name, make in makers.items():
        for order in ORDERS:
            for kernel in KERNELS:
                found = [errors_of(make, order, kernel, seed, *inputs) for seed in range(draws)]
                for angle in found[0]:
                    result[name, order, kernel, angle] = statistics.median(errors[angle] for errors in found)
        print(f"{name}: {time.process_time():.0f} s", file=sys.stderr)
    return result


def table(names: list[str], errors: Errors) -> str:
    """Rows: groups and kernels' functions; columns: sizes of kernels at each angle."""
    columns = [(angle, kernel) for angle in TABLE_ANGLES for kernel in KERNELS]
    lines = ["| group | kernels | " + " | ".join(f"{angle:g}°, k = {kernel}" for angle, kernel in columns) + " |"]
    lines.append("| --- | --- |" + " ---: |" * len(columns))
    for order in ORDERS:
        for name in names:
            cells = [f"{errors[name, order, kernel, angle]:.2g}" for angle, kernel in columns]
            lines.append(f"| C{order} | {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(names: list[str], errors: Errors, path: Path) -> None:
    """Error against angle: one panel for each group, one line for each kind of kernel."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(ORDERS), figsize=(11, 4.2), sharey=True, layout="constrained")
    lines: dict[str, Any] = {}
    for panel, order in zip(panels, ORDERS, strict=True):
        for index, name in enumerate(names):
            values = [errors[name, order, FIGURE_KERNEL, angle] for angle in ANGLES[1:]]
            style = ("-", "--", ":")[index % 3] if name.startswith("pixels") else "-"
            (lines[name],) = panel.semilogy(ANGLES[1:], values, style, color=f"C{index}", marker="o", markersize=3)
        panel.set_title(f"C{order}: multiples of {360 / order:g}°")
        panel.set_xlabel("angle of rotation, degrees")
        panel.set_xticks(np.arange(0, 46, 11.25))
        panel.grid(alpha=0.3)
    panels[0].set_ylabel(f"relative error, k = {FIGURE_KERNEL}")
    figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=110)


def write(page: Path, name: str, text: str) -> None:
    """Puts a text between two markers of the page."""
    before, start, rest = page.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- /{name} -->")
    if not start or not end:
        raise SystemExit(f"{page} has no markers <!-- {name} --> and <!-- /{name} -->")
    page.write_text(f"{before}{start}\n{text}\n\n{end}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=15, help="random networks for each median")
    parser.add_argument("--no-page", action="store_true", help="print the tables, write no files")
    arguments = parser.parse_args()
    makers = {name: network(name) for name in KINDS}
    if escnn_network is None:
        print("escnn is not installed: measured without it", file=sys.stderr)
    else:
        makers["escnn"] = escnn_network
    waves = measure(makers, arguments.draws, waves_errors)
    photo = measure(makers, arguments.draws, photograph_errors, photograph())
    for name, errors in (("waves", waves), ("photograph", photo)):
        text = table(list(makers), errors)
        print(f"\n{name}\n\n{text}")
        if not arguments.no_page:
            write(PAGE, name, text)
    if not arguments.no_page:
        draw(list(makers), waves, PAGE.with_name("equivariance.png"))


if __name__ == "__main__":
    main()
