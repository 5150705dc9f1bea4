# SPDX-License-Identifier: Apache-2.0
"""What the backends cannot compute is an error that says which tensor or option, what it is, and what to do."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from devices import on_accelerators  # noqa: E402 (torch may be missing)
from equiconv.torch._expanded import operands as operands_module  # noqa: E402

C4 = eq.cyclic(4)
SHAPES = {"x": (2, 3, 4, 5, 5), "weight": (2, 3, 4, 3, 3), "bias": (2,)}


def operands(**changes):
    made = {name: torch.randn(shape) for name, shape in SHAPES.items()}
    return made | {name: change(made[name]) for name, change in changes.items()}


def call(values, **keywords):
    return et.group_conv(values["x"], values["weight"], C4, values["bias"], **({"backend": "torch"} | keywords))


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_tensors_of_two_devices_are_named(name):
    with pytest.raises(ValueError, match=f"{name} is on meta, expected cpu as x is"):
        call(operands(**{name: lambda tensor: tensor.to("meta")}))
    values = {key: tensor.to("meta") for key, tensor in operands().items()}
    with pytest.raises(ValueError, match=f"{name} is on cpu, expected meta as x is"):
        call(values | {name: torch.randn(SHAPES[name])})


@pytest.mark.parametrize("name", ["weight", "bias"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_tensors_of_two_dtypes_are_named(name, dtype):
    expected = rf"{name} has dtype {dtype}, expected torch.float32 as x has: use {name}.to\(torch.float32\)"
    with pytest.raises(TypeError, match=expected):
        call(operands(**{name: lambda tensor: tensor.to(dtype)}))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(
    ("change", "message"),
    {
        "integers": (lambda x: x.long(), "dtype torch.int64, expected torch.float32, float64, bfloat16 or float16"),
        "truth": (lambda x: x > 0, "dtype torch.bool, expected torch.float32"),
        "complex": (lambda x: x.to(torch.complex64), "dtype torch.complex64, expected torch.float32"),
        "eight bits": (lambda x: x.to(torch.float8_e4m3fn), "dtype torch.float8_e4m3fn, expected torch.float32"),
        "quantized": (lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.qint8), "dtype torch.qint8, expected"),
        "sparse": (lambda x: x.to_sparse(), r"layout torch.sparse_coo, expected torch.strided: use {}\.to_dense"),
    }.values(),
    ids=["integers", "truth", "complex", "eight bits", "quantized", "sparse"],
)
@pytest.mark.parametrize("is_autocast", [False, True], ids=["", "autocast"])
def test_tensors_of_other_kinds_are_named(name, change, message, is_autocast):
    values = operands(**{name: change})
    with (
        torch.autocast("cpu", enabled=is_autocast),
        pytest.raises(TypeError, match=f"{name} has {message.format(name)}"),
    ):
        call(values)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_nested_tensors_are_named():
    x = torch.nested.nested_tensor(list(torch.randn(SHAPES["x"])))
    with pytest.raises(TypeError, match="x is a nested tensor, expected one of a single shape"):
        call(operands() | {"x": x})
    with pytest.raises(TypeError, match="x is a nested tensor, expected one of a single shape"):
        et.GroupConv(3, 2, 3, C4, backend="torch")(x)


@pytest.mark.parametrize("name", SHAPES)
def test_a_device_without_double_precision_is_named(monkeypatch, name):
    monkeypatch.setattr(operands_module, "has_double", lambda _device: False)
    with pytest.raises(TypeError, match=rf"{name} has dtype torch.float64, which cpu does not have: use {name}.float"):
        call(operands(**{name: lambda tensor: tensor.double()}))
    assert call(operands()).dtype is torch.float32


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_autocast_leaves_double_precision_alone(name):
    with torch.autocast("cpu"):
        message = f"{name} has dtype torch.float64, which autocast does not convert to torch.bfloat16: use {name}.float"
        with pytest.raises(TypeError, match=message):
            call(operands(**{name: lambda tensor: tensor.double()}))
        assert call({key: tensor.double() for key, tensor in operands().items()}).dtype is torch.float64


@pytest.mark.parametrize("algorithm", ["fourier", "winograd", "group-fourier"])
def test_algorithms_of_the_engine_are_not_of_torch(algorithm):
    message = f"algorithm is '{algorithm}', expected 'auto', 'direct' or 'exact'"
    with pytest.raises(ValueError, match=message) as caught:
        call(operands(), algorithm=algorithm)
    assert "backend" in str(caught.value)
    module = et.GroupConv(3, 2, 3, C4, algorithm=algorithm, backend="torch")
    for _ in range(2):
        module.train(not module.training).requires_grad_(False)
        with pytest.raises(ValueError, match=message):
            module(operands()["x"])
    with pytest.raises(ValueError, match=message):
        call({key: tensor.half() for key, tensor in operands().items()}, algorithm=algorithm, backend=None)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_the_engine_says_which_dtypes_it_has(dtype):
    values = {key: tensor.to(dtype) for key, tensor in operands().items()}
    with pytest.raises(TypeError, match=f"x has dtype {dtype}, expected torch.float32 or torch.float64"):
        call(values, backend="engine")
    assert call(values, backend=None).dtype is dtype
    module = et.GroupConv(3, 2, 3, C4, backend="engine", dtype=dtype)
    with pytest.raises(TypeError, match=f"x has dtype {dtype}, expected torch.float32 or torch.float64"):
        module(values["x"])
    module.backend = None
    assert module(values["x"]).dtype is dtype


@on_accelerators
def test_the_engine_says_where_it_runs(device):
    values = {key: tensor.to(device) for key, tensor in operands().items()}
    with pytest.raises(ValueError, match=f"x is on {device}, expected a tensor on the CPU, where the engine runs"):
        call(values, backend="engine")
    with pytest.raises(ValueError, match=f"weight is on cpu, expected {device} as x is"):
        call(operands(x=lambda x: x.to(device)), backend=None)
    with pytest.raises(TypeError, match=r"x is tensor"):
        eq.group_conv(values["x"], values["weight"], C4)


@pytest.mark.parametrize("name", SHAPES)
def test_arrays_are_no_tensors(name):
    with pytest.raises(TypeError, match=rf"{name} is array.*\(ndarray\), expected a torch\.Tensor"):
        call(operands(**{name: lambda tensor: tensor.numpy()}))


def test_shapes_are_checked_as_by_the_engine():
    for change in (
        {"x": lambda x: x[:, :2]},
        {"x": lambda x: x[0]},
        {"x": lambda x: x[:, :, :3]},
        {"x": lambda x: x[..., :2]},
        {"weight": lambda w: w[:, :, :2]},
        {"weight": lambda w: w[..., 0]},
        {"bias": lambda b: b[:1]},
        {"bias": lambda b: b[0]},
    ):
        messages = []
        for backend in ("engine", "torch"):
            with pytest.raises(ValueError, match=r"(x|weight|bias) ") as caught:
                call(operands(**change), backend=backend)
            messages.append(str(caught.value))
        assert messages[0] == messages[1]


HOSTILE = [0, 1, True, "", "Torch", "torch ", "cuda", "native", b"torch", ["torch"], ("engine",), {}, {"torch"}, 1.5,
           float("nan"), np.array("torch"), object(), torch, torch.float32, torch.device("cpu"), int]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: type(value).__name__)
def test_what_is_no_backend_is_an_error_everywhere(value):
    values = operands()
    module = et.GroupConv(3, 2, 3, C4)
    network = torch.nn.Sequential(module)
    ways = {
        "function": lambda: call(values, backend=value),
        "module": lambda: et.LiftingConv(3, 2, 3, C4, backend=value),
        "attribute": lambda: setattr(module, "backend", value),
        "network": lambda: et.set_backend(network, value),
    }
    for name, way in ways.items():
        with pytest.raises((TypeError, ValueError), match=r"backend is .*expected 'engine' or 'torch'"):
            way()
        assert module.backend is None, name


def test_what_is_no_network_has_no_backend():
    with pytest.raises(TypeError, match="network is 3"):
        et.set_backend(3, "torch")
    with pytest.raises(ValueError, match=r"expected one with a convolution of equiconv\.torch"):
        et.set_backend(torch.nn.Linear(2, 2), "torch")
    network = torch.nn.Sequential(et.GroupConv(3, 2, 3, C4), torch.nn.Sequential(et.IsotropicConv(1, 1, 3, C4)))
    et.set_backend(network, "torch")
    assert [network[0].backend, network[1][0].backend] == ["torch", "torch"]
    assert "backend='torch'" in repr(network[0])
    et.set_backend(network, None)
    assert "backend" not in repr(network)
