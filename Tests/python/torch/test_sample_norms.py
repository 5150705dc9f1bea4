"""Norms of samples and squeeze-and-excitation in PyTorch: those of NumPy, equivariant, and to train."""

from __future__ import annotations

import equiconv as eq
import numpy as np
import pytest

torch = pytest.importorskip("torch")
import equiconv.torch as et  # noqa: E402
from devices import on_devices  # noqa: E402
from equiconv._signals.action import act as act_on_arrays  # noqa: E402

GROUPS = {
    "reflection": (eq.reflection(), (7,)),
    "C4": (eq.cyclic(4), (5, 5)),
    "D4": (eq.dihedral(4), (6, 4)),
    "octahedral": (eq.octahedral(), (2, 3, 2)),
}
C4 = GROUPS["C4"][0]
KINDS = ("GroupNorm", "InstanceNorm", "LayerNorm", "SqueezeExcite")


def pair(kind, group, exact=False, dtype=torch.float32):
    """The module with random weights, and the layer of NumPy with the same ones in double precision."""
    arguments = {
        "GroupNorm": (2, 4, 1e-3),
        "InstanceNorm": (4, 1e-3, True),
        "LayerNorm": (4, group),
        "SqueezeExcite": (4, 2, group),
    }[kind]
    module = getattr(et, kind)(*arguments, exact=exact, dtype=dtype)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    layer = getattr(eq, kind)(*arguments, dtype="float64")
    layer.load({name: value.double().numpy() for name, value in module.state_dict().items()})
    return module, layer


def signal(group, sizes, dtype=torch.float32, on_group=True):
    fiber = (group.order,) if on_group else ()
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(2, 4, *fiber, *sizes, generator=generator, dtype=torch.float64).to(dtype) + 1


def act(x, group, element):
    return torch.from_numpy(act_on_arrays(x.detach().double().numpy(), group, element)).to(x.dtype)


def bound(x, layer, eps, accuracy):
    """How far two ways to round may be apart: sums of n numbers lose n eps of the largest, and so does each factor.

    Args:
        x: the signal.
        layer: that of NumPy.
        eps: of what the sums are in.
        accuracy: of the result.
    """
    values = x.double().numpy()
    count = values[0].size
    largest = np.abs(values).max()
    if isinstance(layer, eq.SqueezeExcite):
        own = layer.parameters()
        scale = largest * np.abs(own["fc1.weight"]).sum() * np.abs(own["fc2.weight"]).sum()
    else:
        shape, axis = layer.options.flat(values.shape)
        deviation = np.sqrt(values.reshape(shape).var(axis).min() + layer.options.eps)
        scale = np.abs(layer.weight).max() / deviation
    return (count * eps + 4 * accuracy) * (largest * scale + 1) * 4


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", KINDS)
def test_modules_are_the_layers_of_numpy(kind, dtype, exact):
    for group, sizes in GROUPS.values():
        for on_group in (True, False):
            module, layer = pair(kind, group, exact, dtype)
            x = signal(group, sizes, dtype, on_group)
            y = module(x)
            assert y.dtype is dtype
            error = np.abs(y.detach().double().numpy() - layer(x.double().numpy())).max()
            wide = torch.finfo(torch.float64 if dtype is torch.float64 else torch.float32).eps
            assert error <= bound(x, layer, wide, torch.finfo(dtype).eps)


# In double precision a sum in another order shows.
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", GROUPS)
def test_exact_modules_commute_to_the_last_bit_and_others_up_to_rounding(name, kind, training, dtype):
    group, sizes = GROUPS[name]
    x = signal(group, sizes, dtype)
    exact, layer = pair(kind, group, exact=True, dtype=dtype)
    rounded, _ = pair(kind, group, dtype=dtype)
    limit = 2 * bound(x, layer, torch.finfo(dtype).eps, torch.finfo(dtype).eps)
    exact.train(training)
    rounded.train(training)
    for element in range(group.order):
        turned = act(x, group, element)
        assert torch.equal(exact(turned), act(exact(x), group, element))
        assert (rounded(turned) - act(rounded(x), group, element)).abs().max() <= limit


def test_sums_with_an_order_do_not_commute_to_the_last_bit():
    group, _ = GROUPS["D4"]
    x = signal(group, (13, 13))
    for kind in KINDS[:3]:
        norm, _ = pair(kind, group)
        assert not all(torch.equal(norm(act(x, group, h)), act(norm(x), group, h)) for h in range(group.order))


@pytest.mark.parametrize("sizes", [(7,), (4, 5), (2, 3, 4)])
def test_of_the_trivial_group_they_are_those_of_torch(sizes):
    group = eq.trivial(len(sizes))
    x = signal(group, sizes, torch.float64, on_group=False)
    lifted = x[:, :, None]
    theirs = torch.nn.GroupNorm(2, 4, dtype=torch.float64)
    ours = et.GroupNorm(2, 4, dtype=torch.float64)
    places = torch.nn.LayerNorm(4, dtype=torch.float64)
    pairs = [
        (ours, theirs(x)),
        (et.InstanceNorm(4), torch.nn.functional.instance_norm(x)),
        (et.LayerNorm(4, group, dtype=torch.float64), places(x.movedim(1, -1)).movedim(-1, 1)),
    ]
    for module, expected in pairs:
        # Both take sums of at most 160 numbers of at most 10.
        assert torch.allclose(module(x), expected, rtol=0, atol=1e-12)
        assert torch.allclose(module(lifted), expected[:, :, None], rtol=0, atol=1e-12)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert list(et.InstanceNorm(4).state_dict()) == list(torch.nn.InstanceNorm2d(4).state_dict()) == []


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_the_definition(kind, exact):
    group = eq.dihedral(2)
    module, _ = pair(kind, group, exact, torch.float64)
    x = signal(group, (2, 2), torch.float64)[:1].requires_grad_()
    names = [name for name, _ in module.named_parameters()]
    parameters = tuple(module.parameters())

    def call(x, *values):
        return torch.func.functional_call(module, dict(zip(names, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(call, (x, *parameters))
    assert torch.autograd.gradgradcheck(call, (x, *parameters))
    batch = x.detach().expand(3, *x.shape)
    assert torch.equal(torch.func.vmap(module)(batch)[1], module(x))


@on_devices
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", KINDS)
def test_exact_modules_commute_on_any_device_and_in_half_precision(kind, dtype, device):
    group, sizes = GROUPS["D4"]
    module = pair(kind, group, exact=True, dtype=dtype)[0].to(device)
    x = signal(group, sizes, dtype)
    y = module(x.to(device)).cpu()
    for element in range(group.order):
        assert torch.equal(module(act(x, group, element).to(device)).cpu(), act(y, group, element))


def test_signals_of_half_precision_may_have_weights_of_single():
    norm, layer = pair("GroupNorm", C4)
    x = signal(C4, (5, 5), torch.bfloat16)
    assert norm(x).dtype is torch.bfloat16
    expected = layer(x.double().numpy())
    assert np.all(np.abs(norm(x).detach().double().numpy() - expected) <= 2**-8 * np.abs(expected) + 1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        assert et.SqueezeExcite(4, 2, C4)(x).dtype is torch.bfloat16


def test_the_algorithm_of_a_network_decides_on_sums():
    network = torch.nn.Sequential(
        et.LiftingConv(1, 4, 3, C4, padding=1), et.GroupNorm(2, 4), et.SqueezeExcite(4, 2, C4), et.LayerNorm(4, C4)
    )
    eq.set_algorithm(network, "exact")
    assert [module.exact for module in network[1:]] == [True] * 3
    x = torch.randn(2, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    network.eval()
    for element in range(4):
        assert torch.equal(network(act(x, C4, element)), act(network(x), C4, element))
    eq.set_algorithm(network, "auto")
    assert not any(module.exact for module in network[1:])
    with pytest.raises(ValueError, match="expected one with a convolution"):
        eq.set_algorithm(et.GroupNorm(2, 4), "exact")


def test_expanded_and_traced_networks_compute_the_same():
    network = torch.nn.Sequential(
        et.LiftingConv(1, 4, 3, C4), et.GroupNorm(2, 4, exact=True), et.SqueezeExcite(4, 2, C4), et.InstanceNorm(4)
    ).eval()
    x = torch.randn(2, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    y = network(x)
    assert torch.allclose(et.expand(network)(x), y, atol=1e-4)
    assert not et.expand(network)[1].exact
    assert network[1].exact
    assert torch.equal(torch.fx.symbolic_trace(network)(x), y)
    program = torch.export.export(network, (x,)).module()
    assert torch.equal(program(x), y)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_compiled_modules_are_one_program_for_any_size(kind, exact):
    module, _ = pair(kind, C4, exact)
    programs = []

    def count(graph, _example):
        programs.append(graph)
        return graph

    compiled = torch.compile(module, fullgraph=True, dynamic=True, backend=count)
    for sizes in ((5, 7), (7, 6), (4, 9)):
        x = signal(C4, sizes)
        assert torch.equal(compiled(x), module(x))
    assert len(programs) == 1


def test_norms_look_at_the_history_of_signals():
    x = et.LiftingConv(1, 4, 3, eq.dihedral(2))(torch.zeros(1, 1, 5, 5))
    for kind in KINDS:
        with pytest.raises(ValueError, match=r"D2.*wants one on G for C4"):
            et.GroupPool(C4)(pair(kind, C4)[0](x))


def test_networks_with_them_cannot_be_saved(tmp_path):
    for kind in KINDS:
        for exact in (False, True):
            network = torch.nn.Sequential(et.LiftingConv(3, 4, 3, C4), pair(kind, C4, exact)[0]).eval()
            with pytest.raises(ValueError, match=rf"at 1 \({kind}\).* is of a {kind}, no operation of a network file"):
                et.save_network(network, tmp_path / "network", torch.zeros(1, 3, 5, 5))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: et.GroupNorm(3, 4), ValueError, "num_channels is 4, expected a multiple of num_groups, 3"),
        (lambda: et.GroupNorm(2, 4, exact=1), TypeError, "exact is 1"),
        (lambda: et.GroupNorm(2, 4, dtype=torch.int32), TypeError, "weight has dtype torch.int32"),
        (lambda: et.LayerNorm(4, None), TypeError, "group is None"),
        (lambda: et.InstanceNorm(4, float("nan")), ValueError, "eps is nan"),
        (lambda: et.SqueezeExcite(0, 2, C4), ValueError, "channels is 0"),
        (lambda: et.GroupNorm(2, 4)(np.zeros((1, 4, 2))), TypeError, "x is"),
        (lambda: et.GroupNorm(2, 4)(torch.zeros(1, 3, 2)), ValueError, r"x has shape \(1, 3, 2\), expected \(B, 4, "),
        (lambda: et.GroupNorm(2, 4)(torch.zeros(1, 4, 2, dtype=int)), TypeError, "x has dtype torch.int64"),
        (lambda: et.GroupNorm(2, 4)(torch.zeros(1, 4, 2).double()), TypeError, "weight has dtype torch.float32"),
        (lambda: et.LayerNorm(4, C4)(torch.zeros(1, 4, 2)), ValueError, "with 2 spatial axes"),
        (lambda: et.InstanceNorm(4)(torch.zeros(1, 4, 0)), ValueError, "sizes of at least 1"),
        (lambda: et.SqueezeExcite(4, 2, C4)(torch.zeros(1, 4, 2)), ValueError, "for SqueezeExcite"),
        (lambda: et.SqueezeExcite(4, 2, C4)(torch.zeros(1, 4, 2, 2).half()), TypeError, "x has dtype torch.float16"),
    ],
)
def test_wrong_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_no_samples_are_no_error():
    for kind in KINDS:
        for exact in (False, True):
            assert pair(kind, C4, exact)[0](torch.zeros(0, 4, 4, 3, 3)).shape == (0, 4, 4, 3, 3)
