# SPDX-License-Identifier: Apache-2.0
"""Layers leave the storage of tensors as they found it, and read no memory that is not a tensor's."""

from __future__ import annotations

import copy
import gc
import weakref

import equiconv as eq
import pytest

torch = pytest.importorskip("torch", reason='equiconv.torch is not tested: pip install "equiconv[torch]"')
et = pytest.importorskip("equiconv.torch")

from torch.autograd import forward_ad  # noqa: E402 (torch may be missing)

C4 = eq.cyclic(4)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(20200426)


def operands(**keywords):
    shapes = {"x": (2, 3, 4, 7, 7), "weight": (2, 3, 4, 3, 3), "bias": (2,)}
    return {name: torch.randn(*shape, **keywords) for name, shape in shapes.items()}


def call(x, weight, bias):
    return et.group_conv(x, weight, C4, bias)


def test_storages_of_operands_and_results_may_be_resized_afterwards():
    """As those of a convolution of torch's: FSDP frees gathered weights so."""
    values = operands(requires_grad=True)
    y = call(**values)
    gradients = torch.autograd.grad(y.square().sum(), tuple(values.values()), create_graph=True)
    pooled = [et.group_pool(y, mode) for mode in ("mean", "max")]
    spatial = [et.SpatialMaxPool(C4, 5)(y), et.SpatialMean(C4)(y)]
    second = torch.autograd.grad(sum(g.square().sum() for g in gradients), values["x"])
    module = et.GroupConv(3, 2, 3, C4)
    module.expand()
    et.expand(module)
    for tensor in (*values.values(), y, *gradients, *pooled, *spatial, *second, *module.parameters()):
        size = tensor.untyped_storage().nbytes()
        tensor.untyped_storage().resize_(0)
        tensor.untyped_storage().resize_(size)


@pytest.mark.parametrize("size", [0, 4])
@pytest.mark.parametrize("name", ["x", "weight", "bias"])
def test_freed_operands_are_an_error_that_names_them(name, size):
    values = operands()
    values[name].untyped_storage().resize_(size)
    with pytest.raises(RuntimeError, match=rf"{name} has shape .* and a storage of {size} bytes, expected at least"):
        call(**values)


def test_freed_operands_of_gradients_are_an_error():
    values = operands(requires_grad=True)
    y = call(**values)
    values["weight"].untyped_storage().resize_(0)
    with pytest.raises(RuntimeError, match=r"weight has shape .* its memory has been freed or resized"):
        y.sum().backward()
    signal = torch.randn(1, 2, 4, 3, 3)
    signal.untyped_storage().resize_(0)
    with pytest.raises(RuntimeError, match=r"x has shape"):
        et.group_pool(signal)


def test_views_are_read_within_their_storage():
    """Slices, steps, expansions and transpositions, whose storage is smaller or larger than their shape."""
    values = operands(dtype=torch.float64)
    expected = call(**values)
    base = torch.randn(2 * 3 * 4 * 7 * 7 + 5, dtype=torch.float64)
    shifted = base[5:].view(2, 3, 4, 7, 7)
    shifted.copy_(values["x"])
    stepped = torch.zeros(2, 3, 4, 7, 14, dtype=torch.float64)[..., ::2]
    stepped.copy_(values["x"])
    for x in (shifted, stepped, values["x"].mT.contiguous().mT):
        assert torch.equal(call(**(values | {"x": x})), expected)
    one = values["x"][:1, :, :1, :1]
    assert torch.equal(
        call(**(values | {"x": one.expand(2, 3, 4, 7, 7)})), call(**(values | {"x": one.expand(2, 3, 4, 7, 7).clone()}))
    )
    torch.testing.assert_close(
        call(**(values | {"bias": torch.tensor(2.0, dtype=torch.float64).expand(2)})),
        call(**(values | {"bias": torch.tensor([2.0, 2.0], dtype=torch.float64)})),
        rtol=0,
        atol=0,
    )


def test_tensors_that_are_not_aligned_are_read_as_they_are():
    raw = torch.zeros(4 * 3 * 4 * 25 + 1, dtype=torch.uint8)
    values = torch.randn(1, 3, 4, 5, 5)
    raw[1:] = values.view(torch.uint8).flatten()
    x = torch.frombuffer(bytearray(raw.numpy().tobytes()), dtype=torch.float32, offset=1).view(1, 3, 4, 5, 5)
    assert x.data_ptr() % 4
    weight = torch.randn(2, 3, 4, 3, 3)
    assert torch.equal(et.group_conv(x, weight, C4), et.group_conv(values, weight, C4))
    assert torch.equal(et.group_pool(x), et.group_pool(values))


def test_memory_ends_with_its_tensor():
    """No array keeps it alive."""
    values = operands()
    y = call(**values)
    storages = [weakref.ref(value) for value in (*values.values(), y)]
    del values, y
    gc.collect()
    assert [storage() for storage in storages] == [None] * 4


KINDS = {
    "nested": lambda x: torch.nested.nested_tensor([x[0], x[1]]),
    "jagged": lambda x: torch.nested.nested_tensor([x[0], x[1]], layout=torch.jagged),
    "mkldnn": lambda x: x.to_mkldnn(),
    "sparse": lambda x: x.to_sparse(),
    "compressed": lambda x: x.flatten(1).to_sparse_csr(),
    "quantized": lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.qint8),
    "complex": lambda x: x.to(torch.complex64),
    "conjugate": lambda x: x.to(torch.complex64).conj(),
    "eight bits": lambda x: x.to(torch.float8_e5m2),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_tensors_of_other_kinds_are_an_error(kind):
    values = operands()
    x = KINDS[kind](values["x"])
    with pytest.raises((TypeError, ValueError, RuntimeError), match=r"x (has|is)|nested"):
        call(**(values | {"x": x}))
    with pytest.raises((TypeError, ValueError, RuntimeError), match=r"x (has|is)|nested"):
        et.GroupConv(3, 2, 3, C4)(x)
    with pytest.raises((TypeError, ValueError, RuntimeError), match=r"x (has|is)|nested"):
        et.GroupConv(3, 2, 3, C4, backend="torch").eval().requires_grad_(False)(x)


class Tagged(torch.Tensor):
    pass


class Counted(torch.Tensor):
    """A subclass that sees operators."""

    @classmethod
    def __torch_function__(cls, function, types, arguments=(), keywords=None):
        return super().__torch_function__(function, types, arguments, keywords or {})


@pytest.mark.parametrize("kind", [Tagged, Counted, torch.nn.Parameter, torch.nn.Buffer])
def test_subclasses_and_views_of_other_numbers_have_the_results_of_tensors(kind):
    values = operands()
    expected = call(**values)
    for name in values:
        changed = values[name].as_subclass(kind) if kind in (Tagged, Counted) else kind(values[name])
        assert torch.equal(call(**(values | {name: changed})).detach().as_subclass(torch.Tensor), expected)


def test_negated_views_zero_tensors_and_tensors_of_inference_are_read():
    values = operands()
    expected = call(**values)
    negated = torch.conj(torch.complex(values["x"], -values["x"])).imag
    assert negated.is_neg()
    assert torch.equal(call(**(values | {"x": negated})), expected)
    zeros = torch._efficientzerotensor((2, 3, 4, 7, 7))
    assert torch.equal(call(**(values | {"x": zeros})), call(**(values | {"x": torch.zeros(2, 3, 4, 7, 7)})))
    with torch.inference_mode():
        x = values["x"].clone()
    assert torch.equal(call(**(values | {"x": x})), expected)
    with pytest.raises(RuntimeError, match=r"[Ii]nference tensors cannot be saved for backward"):
        call(x, values["weight"].requires_grad_(), None)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensors_out_of_a_transformation_that_has_ended_are_an_error_or_their_value():
    values, kept, errors = operands(), [], []
    torch.func.vmap(lambda x: kept.append(x) or x)(values["x"])
    torch.func.grad(lambda x: kept.append(x) or x.sum())(values["x"])
    for dead in kept:
        try:
            y = call(**(values | {"x": dead}))
        except RuntimeError as error:
            # torch's own words, of a tensor that wraps another
            errors.append(str(error))
        else:
            assert torch.equal(y, call(**values))
    assert all(any(word in text for word in ("escaped", "data pointer", "storage")) for text in errors)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(values["x"], torch.ones_like(values["x"]))
    assert torch.equal(call(**(values | {"x": dual})), call(**values))


def test_meta_and_fake_tensors_compute_shapes():
    values = operands()
    on_meta = {name: value.to("meta") for name, value in values.items()}
    assert call(**on_meta).shape == call(**values).shape
    with pytest.raises((RuntimeError, ValueError), match=r"weight is on cpu, expected meta as x is"):
        call(**(values | {"x": on_meta["x"]}))
    with torch._subclasses.FakeTensorMode() as mode:
        fake = {name: mode.from_tensor(value) for name, value in values.items()}
    assert call(**fake).shape == call(**values).shape


def test_copies_of_modules_share_no_memory():
    module = et.GroupConv(3, 2, 3, C4)
    module(torch.randn(1, 3, 4, 5, 5))
    again = copy.deepcopy(module)
    assert again.weight.data_ptr() != module.weight.data_ptr()
