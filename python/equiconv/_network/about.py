# SPDX-License-Identifier: Apache-2.0
"""What a document says of a network beside its operations: for people, and for whoever feeds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._checks.arguments import items, real, value_text
from .._checks.arrays import Array


@dataclass(frozen=True)
class Normalization:
    """What a network reads instead of x: ``(scale x - mean[c]) / deviation[c]``."""

    scale: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def checked(cls, value: object, channels: int) -> Normalization:
        """Of a mapping. Raises TypeError or ValueError."""
        keys = {"scale", "mean", "deviation"}
        if not isinstance(value, Mapping) or not set(value) <= keys:
            raise TypeError(
                f"normalization is {value_text(value)}, expected a dictionary with some of 'mean', 'deviation' and "
                "'scale'"
            )
        mean = _numbers("normalization['mean']", value.get("mean", 0.0), channels)
        deviation = _numbers("normalization['deviation']", value.get("deviation", 1.0), channels)
        if not all(number > 0 for number in deviation):
            raise ValueError(f"normalization['deviation'] is {deviation}, expected positive numbers")
        scale = _finite("normalization['scale']", value.get("scale", 1.0))
        if scale == 0:
            raise ValueError("normalization['scale'] is 0.0, expected another number")
        return cls(scale, mean, deviation)

    def entry(self) -> dict[str, Any]:
        """As a document has it."""
        return {"scale": self.scale, "mean": list(self.mean), "deviation": list(self.deviation)}

    def apply(self, x: Array) -> Array:
        """What the network reads for x, in the dtype of x."""
        shape = (-1,) + (1,) * (x.ndim - 2)
        mean, deviation = (np.array(numbers, x.dtype).reshape(shape) for numbers in (self.mean, self.deviation))
        result: Array = (x * x.dtype.type(self.scale) - mean) / deviation
        return result


@dataclass(frozen=True)
class About:
    """The texts, classes and units of a document.

    Attributes:
        name, description: for people.
        classes: a name for each channel of an output: for the only output, or by the names of outputs.
        normalization: of the input.
        pixel_size: in micrometers, for each axis.
    """

    name: str
    description: str | None = None
    classes: Mapping[str, tuple[str, ...]] | tuple[str, ...] | None = None
    normalization: Normalization | None = None
    pixel_size: tuple[float, ...] | None = None

    @classmethod
    def checked(
        cls,
        name: object,
        description: object,
        classes: object,
        normalization: object,
        pixel_size: object,
        channels: int,
    ) -> About:
        """Of the arguments of a user. Raises TypeError or ValueError."""
        title = _text("name", name)
        text = None if description is None else _text("description", description)
        on_input = None if normalization is None else Normalization.checked(normalization, channels)
        sizes: tuple[float, ...] | None = None
        if pixel_size is not None:
            given = pixel_size if isinstance(pixel_size, Sequence) else (pixel_size,)
            sizes = tuple(_finite("pixel_size", number) for number in given)
            if not all(size > 0 for size in sizes):
                raise ValueError(f"pixel_size is {value_text(pixel_size)}, expected positive numbers of micrometers")
        return cls(title, text, _classes(classes), on_input, sizes)

    def completed(self, other: About) -> About:
        """With the description, the classes and the pixel size of another where this one has none."""
        return replace(
            self,
            description=other.description if self.description is None else self.description,
            classes=other.classes if self.classes is None else self.classes,
            pixel_size=other.pixel_size if self.pixel_size is None else self.pixel_size,
        )

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> About:
        """What a document says."""
        own = document["input"]
        normalization = own.get("normalization")
        channels = own["channels"]
        classes = {output["name"]: output["classes"] for output in document["outputs"] if "classes" in output}
        return cls.checked(
            document["name"],
            document.get("description"),
            classes or None,
            normalization,
            own.get("pixel_size"),
            channels,
        )

    def pixel_sizes(self, dimension: int) -> tuple[float, ...] | None:
        """One for each axis. Raises ValueError for another number of them."""
        sizes = self.pixel_size
        if sizes is not None and len(sizes) not in (1, dimension):
            raise ValueError(f"pixel_size is {sizes}, expected a number, or {dimension}: one for each spatial axis")
        return sizes * dimension if sizes is not None and len(sizes) == 1 else sizes

    def classes_of(self, output: str, outputs: Sequence[str]) -> tuple[str, ...] | None:
        """The names of an output's channels."""
        if self.classes is None:
            return None
        if isinstance(self.classes, Mapping):
            unknown = set(self.classes) - set(outputs)
            if unknown:
                raise ValueError(f"classes has {sorted(unknown)}, expected names of outputs: {list(outputs)}")
            return self.classes.get(output)
        if len(outputs) > 1:
            raise ValueError(
                f"classes is {value_text(self.classes)}, expected a dictionary of lists by the outputs {list(outputs)}"
            )
        return self.classes


def _classes(value: object) -> Mapping[str, tuple[str, ...]] | tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {_text("classes", key): _texts(f"classes[{key!r}]", names) for key, names in value.items()}
    return _texts("classes", value)


def _texts(name: str, value: object) -> tuple[str, ...]:
    return tuple(_text(f"{name}[{i}]", item) for i, item in enumerate(items(name, value, "a list of texts")))


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value_text(value)} ({type(value).__name__}), expected a text")
    return str(value)


def _finite(name: str, value: object) -> float:
    number = real(name, value)
    if not np.isfinite(number):
        raise ValueError(f"{name} is {number}, expected a finite number")
    return number


def _numbers(name: str, value: object, count: int) -> tuple[float, ...]:
    """A number for each channel, of one or of as many."""
    given = items(name, value, "numbers") if isinstance(value, Sequence | np.ndarray) else [value] * count
    numbers = tuple(_finite(name, number) for number in given)
    if len(numbers) != count:
        raise ValueError(f"{name} is {value_text(numbers)}, expected a number, or {count}: one for each channel")
    return numbers
