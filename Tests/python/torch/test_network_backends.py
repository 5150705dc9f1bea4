# SPDX-License-Identifier: Apache-2.0
"""Networks by PyTorch's backend and in half precision, to files and back."""

from __future__ import annotations

import copy
import threading

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from devices import on_devices  # noqa: E402 (torch may be missing)
from equiconv._layer.transposed import transposed_sizes  # noqa: E402
from equiconv.torch import _backends  # noqa: E402
from equiconv.torch._network.modules import ConvolutionFunction, Normalize, TransposedFunction  # noqa: E402
from equiconv.torch._network.texts import plain_text  # noqa: E402
from equiconv.torch._operators.convolution import input_gradient  # noqa: E402
from equiconv.torch._operators.layers import output_shape_of, spec_of, text_of  # noqa: E402
from network_cases import CASES, signal, trained  # noqa: E402
from torch_cases import CASES as LAYERS  # noqa: E402

C4, D4 = eq.cyclic(4), eq.dihedral(4)
WITH_LAYERS = [
    "p4", "cells", "residual-in-place", "unet", "functional", "quotients", "fibers", "flat", "heads", "line", "volume",
    "bases", "from-group",
]  # fmt: skip


def file_of(network, x, path):
    et.save_network(network, path, x)
    return path.read_bytes()


def by_torch(network):
    if any(isinstance(module, _backends.Backed) for module in network.modules()):
        et.set_backend(network, "torch")
    return network


@pytest.mark.parametrize("name", WITH_LAYERS)
def test_the_file_of_a_network_does_not_depend_on_its_backend(name, tmp_path):
    make, shape = CASES[name]
    network, x = trained(make), signal(shape)
    expected = file_of(network, x, tmp_path / "engine")
    other = by_torch(copy.deepcopy(network))
    backends = [getattr(module, "backend", None) for module in other.modules()]
    assert file_of(other, x, tmp_path / "torch") == expected
    assert [getattr(module, "backend", None) for module in other.modules()] == backends


@on_devices
@pytest.mark.parametrize("name", ["p4", "residual", "unet", "functional", "fibers"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_file_of_a_network_in_half_precision_is_that_of_its_numbers(name, dtype, tmp_path, device):
    make, shape = CASES[name]
    network = trained(make).to(device, dtype)
    x = signal(shape).to(device, dtype)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    mode = network.training
    found = file_of(network, x, tmp_path / "half")
    assert found == file_of(copy.deepcopy(network).cpu().float(), x.cpu().float(), tmp_path / "single")
    after = network.state_dict()
    assert network.training == mode
    assert all(torch.equal(after[key], value) and after[key].dtype is value.dtype for key, value in before.items())


def test_functions_that_ask_for_a_backend_are_layers_of_a_file(tmp_path):
    class Asks(torch.nn.Module):
        def __init__(self, backend):
            super().__init__()
            torch.manual_seed(0)
            self.weight = torch.nn.Parameter(torch.randn(3, 2, 3, 3))
            self.backend = backend

        def forward(self, x):
            return et.lifting_conv(x, self.weight, C4, backend=self.backend)

    x = signal((1, 2, 6, 6))
    files = [file_of(Asks(backend), x, tmp_path / "network") for backend in ("torch", "engine", None)]
    assert files == [files[0]] * 3


def test_only_the_thread_that_saves_computes_by_the_engine():
    x, found = torch.zeros(1), []
    with _backends.engine_only():
        assert _backends.is_by_engine(x, "torch")
        thread = threading.Thread(target=lambda: found.append(_backends.is_by_engine(x, "torch")))
        thread.start()
        thread.join()
    assert found == [False]
    assert not _backends.is_by_engine(x, "torch")


def classifier():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        et.LiftingConv(3, 4, 3, C4), et.BatchNorm(4), torch.nn.ReLU(), et.GroupPool(C4, "max"), et.SpatialMean(C4),
        torch.nn.Linear(4, 2),
    ).eval()  # fmt: skip


EXPORTERS = {
    "wsinfer": lambda network, folder, x: et.export_wsinfer(
        network, folder, patch_size=16, pixel_size=0.5, example=x, classes=["a", "b"]
    ),
    "bioimage": lambda network, folder, x: et.export_bioimage(
        network, folder, authors=["A. Author"], license="MIT", title="Cells", example=x
    ),
}


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_zoos_get_the_same_network_from_every_backend_and_precision(exporter, tmp_path):
    network, x = classifier().bfloat16(), torch.rand(1, 3, 16, 16).bfloat16()
    variants = {"engine": copy.deepcopy(network).float(), "half": network, "torch": by_torch(copy.deepcopy(network))}
    files = []
    for name, variant in variants.items():
        EXPORTERS[exporter](variant, tmp_path / name, x)
        files.append((tmp_path / name / "network.safetensors").read_bytes())
    assert files == [files[0]] * 3


@on_devices
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_expansion_keeps_device_and_dtype_and_computes_what_the_backend_does(dtype, device):
    network, x = by_torch(classifier()).to(device, dtype), torch.rand(2, 3, 16, 16).to(device, dtype)
    plain = et.expand(network)
    assert all(tensor.device == device for tensor in plain.state_dict().values())
    with torch.no_grad():
        y = plain(x)
        assert y.dtype is dtype
        tolerance = 64 * torch.finfo(dtype).eps
        assert torch.allclose(y.float(), network(x).float(), rtol=0, atol=tolerance)


def test_synchronized_batch_norm_is_saved_and_expanded(tmp_path):
    network, x = classifier(), torch.rand(2, 3, 16, 16)
    torch.nn.init.normal_(network[1].running_mean)
    expected = file_of(network, x, tmp_path / "network")
    converted = torch.nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(network))
    assert type(converted[1]) is torch.nn.SyncBatchNorm
    assert file_of(converted, x, tmp_path / "converted") == expected
    assert torch.allclose(et.expand(converted)(x), network(x), atol=1e-5)


# Loaded networks.


@pytest.mark.parametrize("name", ["p4", "residual", "unet", "quotients", "functional"])
@on_devices
@pytest.mark.parametrize("backend", ["torch", None])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_loaded_networks_move_to_a_device_and_a_dtype(name, backend, dtype, tmp_path, device):
    make, shape = CASES[name]
    network, x = trained(make), signal(shape)
    et.save_network(network, tmp_path / "network", x)
    loaded = et.load_network(tmp_path / "network").to(device, dtype)
    et.set_backend(loaded, backend)
    with torch.no_grad():
        y, expected = loaded(x.to(device, dtype)).cpu(), network(x)
    assert y.dtype is dtype
    # Roundings of a dozen operations on numbers of this size.
    bound = (2e-6 if dtype is torch.float64 else 0.1) * expected.abs().max()
    assert (y - expected).abs().max() <= bound


def test_normalization_moves_with_its_network():
    from equiconv._network.about import Normalization

    module = Normalize(Normalization(mean=(1.0, 2.0), deviation=(0.5, 0.25), scale=1.0), 2, torch.float32).to(
        torch.bfloat16
    )
    y = module(torch.full((1, 2, 3, 3), 3.0, dtype=torch.bfloat16))
    assert y.dtype is torch.bfloat16
    assert torch.equal(y[0, :, 0, 0].float(), torch.tensor([4.0, 4.0]))


def text_of_case(case):
    options = {
        "stride": 1, "padding": 0, "dilation": 1, "padding_mode": "zeros", "algorithm": "auto", "basis": None,
        "interpolation": "bilinear", "group_basis": None, "quadrature": False, "groups": 1,
    } | case.keywords  # fmt: skip
    stabilizers = [tuple(options.pop(name)) for name in ("input_stabilizer", "output_stabilizer") if name in options]
    return text_of(case.layer, case.group, *options.values(), *stabilizers)


def adjoint_of(g, weight, shape, text):
    """The adjoint by PyTorch, of this shape: with the output padding that the stride leaves out."""
    spec = spec_of(text)
    d = spec.group.dimension
    extents = spec.kernel.extents(weight, d)
    least = transposed_sizes(g.shape[-d:], extents, spec.sampling, (0,) * d)
    more = tuple(size - smallest for size, smallest in zip(shape[-d:], least, strict=True))
    return _backends.transposed(g, weight, None, text, more, "torch")


@pytest.mark.parametrize("case", LAYERS, ids=str)
def test_the_transposed_layer_of_torch_is_that_of_the_engine(case, rng):
    text = text_of_case(case)
    x, weight, _ = (torch.from_numpy(array) for array in case.operands(rng))
    g = torch.from_numpy(rng.normal(size=output_shape_of(text, tuple(x.shape), tuple(weight.shape))))
    expected = input_gradient(g, weight, x.shape, text)
    for algorithm in ("auto", "direct"):
        if '"auto"' not in text and algorithm == "direct":
            continue
        found = adjoint_of(g, weight, x.shape, text.replace('"auto"', f'"{algorithm}"'))
        assert found.shape == x.shape
        assert (found - expected).abs().max() <= 1e-12 * expected.abs().max()


@pytest.mark.parametrize("case", [case for case in LAYERS if case.layer in ("group", "conv")], ids=str)
def test_the_transposed_layer_has_derivatives_of_all_orders(case, rng):
    text = text_of_case(case)
    x, weight, _ = (torch.from_numpy(array) for array in case.operands(rng, batch=1, channels=1, outputs=1))
    g = torch.from_numpy(rng.normal(size=output_shape_of(text, tuple(x.shape), tuple(weight.shape))))

    def adjoint(g, weight):
        return adjoint_of(g, weight, x.shape, text)

    arguments = (g.requires_grad_(), weight.requires_grad_())
    assert torch.autograd.gradcheck(adjoint, arguments, fast_mode=True)
    assert torch.autograd.gradgradcheck(adjoint, arguments, fast_mode=True)


SAMPLINGS = [((2, 2), (1, 1), (0, 0)), ((2, 2), (1, 1), (1, 1)), ((2, 1), (0, 2), (1, 0))]


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
@pytest.mark.parametrize("mode", ["zeros", "circular"])
def test_transposed_modules_are_those_of_torch_in_every_backend(mode, sampling):
    stride, padding, more = sampling
    module = TransposedFunction(plain_text(stride, padding, (1, 1), mode, 1), more)
    x, weight, bias = torch.randn(2, 3, 4, 5), torch.randn(3, 2, 3, 3), torch.randn(2)
    expected = module(x, weight, bias)
    if mode == "zeros":
        plain = torch.nn.functional.conv_transpose2d(x, weight, bias, stride, padding, more)
        assert torch.allclose(plain, expected, atol=1e-5)
    et.set_backend(module, "torch")
    assert torch.allclose(module(x, weight, bias), expected, atol=1e-5)
    et.set_backend(module, None)
    half = module(x.bfloat16(), weight.bfloat16(), bias.bfloat16())
    assert half.dtype is torch.bfloat16
    assert torch.allclose(half.float(), expected, atol=0.2)
    with torch.autocast("cpu"):
        et.set_backend(module, "torch")
        assert module(x, weight, bias).dtype is torch.bfloat16


def test_functions_of_files_have_the_backend_that_is_asked_for():
    module = ConvolutionFunction(text_of("lifting", C4, 1, 0, 1, "zeros", "auto", None, "bilinear", None, False, 1))
    x, weight = torch.randn(1, 2, 5, 5), torch.randn(3, 2, 3, 3)
    expected = module(x, weight)
    et.set_backend(module, "torch")
    y = module(x, weight)
    assert not y.is_contiguous()
    assert torch.allclose(y, expected, atol=1e-5)


def test_transposed_layers_refuse_what_does_not_fit():
    text = plain_text((2, 2), (1, 1), (1, 1), "zeros", 1)
    weight = torch.zeros(3, 2, 3, 3)
    for backend in ("engine", "torch"):
        arguments = (None, text, (0, 0), backend)
        with pytest.raises(ValueError, match=r"weight has shape .*, expected 2 on axis 0, the channels of x"):
            _backends.transposed(torch.zeros(1, 2, 4, 4), weight, *arguments)
        with pytest.raises(TypeError, match=r"weight has dtype torch.float64, expected torch.float32 as x has"):
            _backends.transposed(torch.zeros(1, 3, 4, 4), weight.double(), *arguments)
        with pytest.raises(TypeError, match=r"x has dtype torch.int64"):
            _backends.transposed(torch.zeros(1, 3, 4, 4).long(), weight, *arguments)
