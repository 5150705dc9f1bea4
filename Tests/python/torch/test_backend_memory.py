# SPDX-License-Identifier: Apache-2.0
"""Signals of PyTorch's backend lie in memory as its convolution reads and writes them, and are not copied."""

from __future__ import annotations

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from devices import on_devices  # noqa: E402 (torch may be missing)
from equiconv.torch._expanded import layer as layer_module  # noqa: E402

SPACES = [(eq.dihedral(4), torch.channels_last), (eq.octahedral(), torch.channels_last_3d)]
on_spaces = pytest.mark.parametrize(("group", "memory_format"), SPACES, ids=["plane", "space"])


@pytest.fixture
def read(monkeypatch):
    """The signals and banks that reach PyTorch's convolutions."""
    seen = []

    def spied(convolution):
        def run(signal, bank, *rest):
            seen.append((signal, bank))
            return convolution(signal, bank, *rest)

        return run

    monkeypatch.setattr(layer_module, "CONVOLUTIONS", tuple(map(spied, layer_module.CONVOLUTIONS)))
    return seen


def layers(group, device):
    torch.manual_seed(2)
    lifting = et.LiftingConv(2, 3, 3, group, padding=1, backend="torch").to(device)
    return lifting, et.GroupConv(3, 2, 3, group, padding=1, backend="torch").to(device)


@on_devices
@on_spaces
def test_results_have_channels_and_points_last_in_memory(group, memory_format, device):
    """(B, spatial..., O, |H|), of which the convolution's signal is a view."""
    d = group.dimension
    for layer, fiber in zip(layers(group, device), ((), (group.order,)), strict=True):
        y = layer(torch.randn(2, layer.in_channels, *fiber, *range(4, 4 + d), device=device))
        assert y.shape == (2, layer.out_channels, group.order, *range(4, 4 + d))
        assert y.permute(0, *range(3, 3 + d), 1, 2).is_contiguous()
        flat = y.flatten(1, 2)
        assert flat.data_ptr() == y.data_ptr()
        assert flat.is_contiguous(memory_format=memory_format)


@on_devices
@on_spaces
def test_signals_with_channels_last_reach_the_convolution_without_a_copy(group, memory_format, device, read):
    lifting, conv = layers(group, device)
    image = torch.randn(2, 2, *range(4, 4 + group.dimension), device=device).to(memory_format=memory_format)
    y = lifting(image)
    activated = torch.relu(y)
    conv(activated)
    (first, first_bank), (second, second_bank) = read
    assert first.data_ptr() == image.data_ptr()
    assert second.data_ptr() == activated.data_ptr()
    for tensor in (first, first_bank, second, second_bank):
        assert tensor.is_contiguous(memory_format=memory_format)


@on_devices
@on_spaces
def test_a_kept_bank_is_the_one_that_is_read(group, memory_format, device, read):
    _, conv = layers(group, device)
    conv.eval().requires_grad_(False)
    x = torch.randn(1, 3, group.order, *(4,) * group.dimension, device=device)
    for _ in range(2):
        conv(x)
    (_, first), (_, second) = read
    assert first.data_ptr() == second.data_ptr()
    assert first.is_contiguous(memory_format=memory_format)


@on_devices
def test_weights_are_cast_before_they_are_expanded(device, monkeypatch, read):
    """A bank has |H| times as many numbers."""
    expanded, dtypes = layer_module.expanded_bank, []

    def spied(weight, recipe):
        dtypes.append(weight.dtype)
        return expanded(weight, recipe)

    monkeypatch.setattr(layer_module, "expanded_bank", spied)
    _, conv = layers(eq.dihedral(4), device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        y = conv(torch.randn(1, 3, 8, 5, 5, device=device))
    assert dtypes == [y.dtype] == [torch.bfloat16]
    assert [tensor.dtype for tensor in read[0]] == [torch.bfloat16] * 2
