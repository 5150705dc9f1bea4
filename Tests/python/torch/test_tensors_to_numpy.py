# SPDX-License-Identifier: Apache-2.0
"""The functions of NumPy say what to do with a tensor that is no array."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest

C4 = eq.cyclic(4)
WEIGHT = np.zeros((2, 1, 4, 3, 3), np.float32)
CALLS = {
    "group_conv": lambda x: eq.group_conv(x, WEIGHT, C4),
    "group_pool": eq.group_pool,
    "act": lambda x: eq.act(x, C4, 1),
    "GroupConv": lambda x: eq.GroupConv(1, 2, 3, C4)(x),
    "BatchNorm": lambda x: eq.BatchNorm(1)(x),
    "relu": eq.relu,
}
calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


class Elsewhere:
    """A tensor on another device, as NumPy meets one of PyTorch."""

    def __init__(self, device):
        self.device = device
        self.requires_grad = False

    def cpu(self):
        raise AssertionError("numbers are moved by the user")

    detach = cpu

    def __array__(self, *_arguments, **_keywords):
        raise TypeError(f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor")


@calls
@pytest.mark.parametrize("device", ["cuda:0", "mps:0", "xpu:1"])
def test_a_tensor_on_another_device_is_an_error_that_says_what_to_do(call, device):
    with pytest.raises(TypeError) as error:
        call(Elsewhere(device))
    assert str(error.value) == f"x is a tensor on {device}, expected an array: use x.cpu(), or equiconv.torch"


@calls
def test_a_tensor_without_numbers_is_an_error_that_says_so(call):
    torch = pytest.importorskip("torch", reason='needs PyTorch: pip install "equiconv[torch]"')
    with pytest.raises(TypeError, match="x is a tensor on meta, which has no numbers, expected an array"):
        call(torch.zeros(1, 1, 4, 5, 5, device="meta"))


@calls
def test_a_tensor_that_requires_a_gradient_is_an_error_that_says_what_to_do(call):
    torch = pytest.importorskip("torch", reason='needs PyTorch: pip install "equiconv[torch]"')
    x = torch.zeros(1, 1, 4, 5, 5, requires_grad=True)
    with pytest.raises(TypeError, match=r"x is a tensor that requires a gradient, .*: use x.detach\(\), or equiconv"):
        call(x)
    call(x.detach())


def test_the_weight_is_named_too():
    with pytest.raises(TypeError, match=r"weight is a tensor on cuda:0, expected an array: use weight.cpu\(\)"):
        eq.group_conv(np.zeros((1, 1, 4, 5, 5), np.float32), Elsewhere("cuda:0"), C4)


def test_what_is_like_no_tensor_keeps_the_words_of_its_own():
    class Strange:
        device = "gpu"

        def __array__(self, *_arguments, **_keywords):
            raise TypeError("use .get()")

    with pytest.raises(TypeError, match=r"x cannot be turned into an array of numbers: use \.get\(\)"):
        eq.group_pool(Strange())
