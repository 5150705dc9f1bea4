# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of the microkernels' inner loops on 64-bit ARM, and writes docs/measured/ARM.md.

    python benchmarks/inner_loops.py [--swiftc swiftc] [--headers /usr/aarch64-linux-gnu/include] [--output PAGE]

It compiles the variants for ARM, whatever processor this one is, and reads them back with the toolchain's llvm-objdump.
Nothing is timed. A tile whose loop is not found, because the compiler made another one of it, is an error.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "Sources"
BRANCH = re.compile(r"b(\..+)?|cbn?z|tbn?z")
VECTOR_REGISTER = re.compile(r"\b[vqds](\d+)\b")


@dataclass(frozen=True)
class Instruction:
    """An instruction as it is disassembled."""

    address: int
    name: str
    operands: str

    @property
    def target(self) -> int | None:
        """Where it may jump to."""
        found = re.search(r"0x([0-9a-f]+)", self.operands) if BRANCH.fullmatch(self.name) else None
        return int(found[1], 16) if found else None


@dataclass(frozen=True)
class Tile:
    """An inner loop that is looked for: in a function whose mangled name fits `function`."""

    kernel: str
    tile: str
    accumulators: int
    multiply_adds: int
    function: str


# Panels that are computed in a function of their own have integers in its name, each less by one.
NEON = [
    Tile("multiply", "8 by 3", 24, 24, r"multiply_call.*U_$"),
    Tile("multiply", "8 by 2", 16, 16, r"multiply_call.*U_$"),
    Tile("multiply", "8 by 1", 8, 8, r"multiply_call.*U_$"),
    Tile("multiply", "4 by 6", 24, 24, r"sweep.*Lanes32V_\$3_\$5_"),
    Tile("multiply", "2 by 8", 16, 16, r"sweep.*Lanes32V_\$1_\$7_"),
    Tile("multiply", "1 by 8", 8, 8, r"sweep.*Lanes32V_\$0_\$7_"),
    Tile("reduce", "8 by 3", 24, 24, r"reduce_call.*U0_$"),
    Tile("reduce", "12 by 2", 24, 24, r"sweep.*Lanes32V_\$11_\$3_\$1_"),
    Tile("reduce", "12 by 1, 2 pixels", 12, 24, r"sweep.*Lanes32V_\$11_\$3_\$0_"),
    Tile("complexMultiply", "8 by 1", 24, 24, r"complex_multiply_call.*U2_$"),
    Tile("inner", "4 by 6", 24, 24, r"inner_call.*U8_$"),
    Tile("inner", "4 by 5", 20, 20, r"innerColumns.*Lanes32V_\$3_\$0_\$4_"),
]
BASELINE = [
    Tile("multiply", "4 by 2", 8, 8, r"multiply_call.*U_$"),
    Tile("reduce", "4 by 3", 12, 12, r"reduce_call.*U0_$"),
    Tile("complexMultiply", "4 by 1", 12, 12, r"complex_multiply_call.*U2_$"),
    Tile("inner", "3 by 3", 9, 9, r"inner_call.*U8_$"),
]

PAGE = """\
# Inner loops on 64-bit ARM

The microkernels of NEON (`Sources/EquiconvMicrokernelsNEON`) as the compiler makes them: the instructions of one
iteration of each inner loop, in float32. Those of float64 are the same, on vectors of two numbers. `make inner-loops`
compiles the kernels for ARM on any processor, disassembles them and writes this page. **These are counts, not times**:
nothing here was run on an ARM processor.

- **Tile**: outputs, scalars or rows by vectors. It has that many accumulators; `complexMultiply` has three for each.
- **Multiply-adds** are `fmla` of whole vectors. {by_lane} take one factor from a lane of a register, so that a
  weight needs no instruction to be spread.
- **Loads** are of weights and pixels. A load of a pair counts once.
- **Others** count the loop and compute addresses.
- **Registers** are the vector registers in use, of 32. **Stack** counts accesses to it: 0 where nothing is spilled.
- **Share** is that of multiply-adds among all instructions. A processor that starts two multiply-adds, two loads and
  four instructions in a cycle can keep its multiply-add units busy where the share is at least a half and where loads
  are no more than multiply-adds.

| variant | kernel | tile | accumulators | multiply-adds | loads | others | registers | stack | share |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
{rows}

The tiles of the baseline are for the 16 registers of x86-64. Here they have few accumulators: where the result of a
multiply-add is ready after four cycles, two of them a cycle need eight sums that do not depend on each other, and four
a cycle need sixteen.

With two pixels at a time, as on AVX-512, the tile of 8 by 3 of `reduce` used the stack 9 times in an iteration. A tile
of 24 by 1, whose 24 addresses leave few of the 31 other registers, used it 39 times.
"""


def compile_variant(variant: str, options: argparse.Namespace, folder: Path) -> Path:
    """The object file of a variant for 64-bit ARM."""
    compiled = folder / f"{variant}.o"
    c_flags = ["-isystem", options.headers, "-D__linux__=1", "-D_GNU_SOURCE", "-fPIC"]
    command = [options.swiftc, "-swift-version", "6", "-enable-experimental-feature", "Embedded", "-wmo"]
    command += ["-parse-as-library", "-package-name", "equiconv", "-target", "aarch64-none-none-elf"]
    command += ["-I", str(SOURCES / "_EquiconvShims/include"), *(word for flag in c_flags for word in ("-Xcc", flag))]
    command += [
        "-O",
        "-Ounchecked",
        "-Xllvm",
        "-unroll-threshold=4000",
        "-module-name",
        f"EquiconvMicrokernels{variant}",
    ]
    sources = sorted((SOURCES / "EquiconvMicrokernels").glob("*.swift"))
    target = SOURCES / f"EquiconvMicrokernels{variant}" / "Target.swift"
    subprocess.run([*command, "-c", str(target), *map(str, sources), "-o", str(compiled)], check=True)
    return compiled


def functions(compiled: Path, objdump: str) -> Iterator[tuple[str, list[Instruction]]]:
    """The functions of an object file, by their mangled names."""
    command = [objdump, "--disassemble", "--no-show-raw-insn", str(compiled)]
    name, body = "", list[Instruction]()
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        if begin := re.fullmatch(r"[0-9a-f]+ <(.*)>:", line):
            yield name, body
            name, body = begin[1], []
        elif parts := re.fullmatch(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)", line):
            body.append(Instruction(int(parts[1], 16), parts[2], parts[3]))
    yield name, body


def inner_loops(body: list[Instruction]) -> Iterator[list[Instruction]]:
    """What lies between a jump back and its target, where there is no other such jump between."""
    places = {instruction.address: place for place, instruction in enumerate(body)}
    spans = [
        (places[instruction.target], end)
        for end, instruction in enumerate(body)
        if instruction.target in places and places[instruction.target] <= end
    ]
    for first, last in spans:
        if not any(first <= a and b <= last and (a, b) != (first, last) for a, b in spans):
            yield body[first : last + 1]


def multiply_adds(loop: list[Instruction]) -> list[Instruction]:
    return [instruction for instruction in loop if instruction.name in ("fmla", "fmls")]


def loop_of(tile: Tile, found: list[tuple[str, list[Instruction]]]) -> list[Instruction]:
    """The shortest loop of that many multiply-adds in the tile's function."""
    loops = [
        loop
        for name, body in found
        if re.search(tile.function, name)
        for loop in inner_loops(body)
        if len(multiply_adds(loop)) == tile.multiply_adds
    ]
    if not loops:
        raise SystemExit(f"no loop of {tile.multiply_adds} multiply-adds for {tile.kernel} {tile.tile}")
    return min(loops, key=len)


def row(variant: str, tile: Tile, loop: list[Instruction]) -> str:
    """A line of the table."""
    products, loads = len(multiply_adds(loop)), sum(each.name.startswith("ld") for each in loop)
    stack = sum("[sp" in each.operands or "[x29" in each.operands for each in loop)
    registers = {number for each in loop for number in VECTOR_REGISTER.findall(each.operands)}
    cells: list[str | int] = [variant, f"`{tile.kernel}`", tile.tile, tile.accumulators, products, loads]
    cells += [len(loop) - products - loads, len(registers), stack, f"{round(100 * products / len(loop))} %"]
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--swiftc", default=shutil.which("swiftc") or "swiftc")
    parser.add_argument("--headers", default="/usr/aarch64-linux-gnu/include", help="those of a C library for ARM")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/measured/ARM.md")
    options = parser.parse_args()
    objdump = str(Path(options.swiftc).resolve().parent / "llvm-objdump")
    rows, by_lane, all_products = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for variant, tiles in (("NEON", NEON), ("Baseline", BASELINE)):
            found = list(functions(compile_variant(variant, options, Path(folder)), objdump))
            for tile in tiles:
                loop = loop_of(tile, found)
                rows.append(row(variant.replace("Baseline", "baseline"), tile, loop))
                all_products += len(multiply_adds(loop))
                by_lane += sum("[" in each.operands for each in multiply_adds(loop))
    share = f"{round(100 * by_lane / all_products)} % of them"
    options.output.write_text(PAGE.format(rows="\n".join(rows), by_lane=share), encoding="utf-8")


if __name__ == "__main__":
    main()
