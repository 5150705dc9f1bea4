# SPDX-License-Identifier: Apache-2.0
"""The devices that tests of tensors run on: ``@on_devices``, and a test takes ``device``."""

from __future__ import annotations

import pytest
import torch

# The mark is that of tests that need a GPU, which are skipped where there is none.
DEVICES = [torch.device("cpu"), pytest.param(torch.device("cuda", 0), marks=pytest.mark.cuda)]

on_devices = pytest.mark.parametrize("device", DEVICES, ids=["cpu", "cuda"])
# For laws of accelerators alone.
on_accelerators = pytest.mark.parametrize("device", DEVICES[1:], ids=["cuda"])
