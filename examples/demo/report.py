# SPDX-License-Identifier: Apache-2.0
"""The result as a table of plain text."""

from __future__ import annotations

import equiconv as eq
from measure import Equality, GroupResult, LayerResult

_NAME_WIDTH = 10
_LEFT_WIDTH = 51


def element_name(group: eq.PointGroup, element: int) -> str:
    """What an element of C4 or D4 does, in short: "90°", or "M 90°" for a mirror followed by a turn."""
    turn = f"{90 * (element % 4)}°"
    return f"M {turn}" if element >= 4 else turn


def _cells(texts: list[str]) -> str:
    return "".join(text.rjust(7 if element >= 4 else 6) for element, text in enumerate(texts))


def _verdict(equality: Equality) -> str:
    marks = _cells(["equal" if equal else "NO" for equal in equality.equal])
    if equality.holds:
        return f"{marks}   0"
    return f"{marks}   {equality.largest_difference:.2g}, of values up to {equality.scale:.2g}"


def _layer_line(result: LayerResult) -> str:
    layer = result.layer
    out_channels, in_channels = layer.weight.shape[:2]
    kernel = f"{layer.weight.shape[-2]} x {layer.weight.shape[-1]}"
    channels = f"{in_channels} → {out_channels}"
    effective = "*" if layer.kind == "projection" else " "
    left = (
        f"{layer.name:<{_NAME_WIDTH}} {layer.spaces:<7} {channels:>8}  {kernel:>5} "
        f"{result.seconds * 1e3:7.2f} ms {result.gflops:8.0f}{effective}"
    )
    return left.ljust(_LEFT_WIDTH) + _verdict(result.equality)


def table(result: GroupResult, size: int) -> str:
    """The table of one group: a line for each layer, one for the network, one for an ordinary convolution."""
    group = result.group
    header = f"{'layer':<{_NAME_WIDTH}} {'maps':<6} {'channels':>8} {'kernel':>6} {'time':>9} {'GFLOP/s':>7}"
    names = [element_name(group, element) for element in range(group.order)]
    title = f"{group.name}: is f(L_g x) = L_g f(x), to the last bit?   {size} x {size} photograph, float32"
    lines = [header.ljust(_LEFT_WIDTH) + _cells(names) + "   largest difference"]
    lines += [_layer_line(layer) for layer in result.layers]
    lines.append("whole network, end to end".ljust(_LEFT_WIDTH) + _verdict(result.network))
    lines.append("ordinary convolution, to compare".ljust(_LEFT_WIDTH) + _verdict(result.control))
    rule = "─" * max(map(len, lines))
    return "\n".join([title, rule, lines[0], rule, *lines[1:-2], rule, lines[-2], lines[-1], rule])


def legend(groups: list[str]) -> str:
    """What the columns of the tables mean."""
    mirror = "; M: mirror left and right, then turn" if "D4" in groups else ""
    return (
        f"Columns 0°, 90°, ...: the element g of H that turns the input, counter-clockwise{mirror}.\n"
        "Channels are per element of H. Time is the fastest of several runs of the layer alone.\n"
        "GFLOP/s counts the operations of the layer's definition. * effective: the library first adds up the |H|\n"
        "numbers that share a coefficient of the projection's averaged kernel, so it multiplies 1/|H| as often."
    )
