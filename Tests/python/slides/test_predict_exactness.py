# SPDX-License-Identifier: Apache-2.0
"""Tiles change nothing: outputs of slides are those of the network on all of them, to the last bit."""

from __future__ import annotations

import equiconv as eq
import equiconv.slides as slides
import numpy as np
import pytest
from slide_networks import GROUPS, NETWORKS, Maker, several

CASES = [(group, network) for group in GROUPS for network in NETWORKS]
# Primes, and more than there are tiles of; of a U-Net, whose levels have to fit, multiples of 4.
EXTENTS = {"strided": (211, 137), "unet": (212, 140), "valid": (211, 137)}
SYMMETRIC = {"strided": (121, 121), "unet": (120, 120), "valid": (120, 120)}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Paths of all networks."""
    folder = tmp_path_factory.mktemp("networks")
    return {case: NETWORKS[case[1]](GROUPS[case[0]], folder / "-".join(case)) for case in CASES}


def image(extents, seed=7):
    """Pixels as slides have them, (3, H, W)."""
    return np.random.default_rng(seed).integers(0, 256, (3, *extents), np.uint8)


def untiled(path, pixels):
    """The outputs for all of it, in mode "exact"."""
    return eq.load_network(path, "exact")(pixels[None].astype(np.float32))


@pytest.mark.parametrize("tile", [1, 64, 100, 1024])
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_tiles_of_every_size_give_the_bits_of_the_whole(files, case, tile):
    pixels = image(EXTENTS[case[1]])
    if tile == 1:  # The smallest there is, one period: on an image that they do not take long for.
        pixels = pixels[:, :40, :28]
    found = slides.predict(files[case], pixels, tile=tile, axes="CYX")
    assert found.array.tobytes() == untiled(files[case], pixels)[0].tobytes()
    assert found.tiles.computed == found.tiles.all > 0
    assert not found.failed


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_a_turned_slide_gives_the_turned_prediction(files, case):
    group, pixels = GROUPS[case[0]], image(SYMMETRIC[case[1]])
    straight = slides.predict(files[case], pixels, tile=48, axes="CYX").array
    for element in range(group.order):
        turned = np.ascontiguousarray(eq.act(pixels[None].astype(np.float32), group, element)[0].astype(np.uint8))
        found = slides.predict(files[case], turned, tile=48, axes="CYX").array
        assert found.tobytes() == np.ascontiguousarray(eq.act(straight[None], group, element)[0]).tobytes()


@pytest.mark.parametrize("tile", [64, 128])
def test_threads_do_not_change_bits(files, threads, tile):
    case = ("C4", "strided")
    pixels, found = image((160, 128)), set()
    for count in (1, 2, 3):
        threads(count)
        found.add(slides.predict(files[case], pixels, tile=tile, axes="CYX").array.tobytes())
    assert len(found) == 1


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_mode_fast_is_the_whole_up_to_rounding(files, case):
    pixels = image(EXTENTS[case[1]])
    found = slides.predict(files[case], pixels, tile=64, axes="CYX", mode="fast").array
    expected = untiled(files[case], pixels)[0]
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("extents", [(1, 1), (1, 97), (5, 3), (64, 64), (65, 63)])
def test_images_smaller_than_tiles_and_at_their_edges(files, extents):
    pixels = image(extents)
    found = slides.predict(files["D4", "strided"], pixels, tile=64, axes="CYX").array
    assert found.tobytes() == untiled(files["D4", "strided"], pixels)[0].tobytes()


@pytest.mark.parametrize("shape", [(7, 5), (211, 137)])
def test_a_mask_leaves_out_tiles_without_any_of_it(files, shape):
    case = ("C4", "strided")
    pixels = image(EXTENTS["strided"])
    mask = np.zeros(shape, np.uint8)
    mask[shape[0] // 2, shape[1] // 3] = 5
    found = slides.predict(files[case], pixels, tile=32, mask=mask, axes="CYX")
    whole = untiled(files[case], pixels)[0]
    is_there = ~np.isnan(found.array)
    assert found.array[is_there].tobytes() == whole[is_there].tobytes()
    # The pixels of the mask's one pixel, and the places of the tiles that have any of them; 4 pixels a place.
    rows, columns = (
        range(at * n // size // 32, (-(-(at + 1) * n // size) - 1) // 32 + 1)
        for at, n, size in zip((shape[0] // 2, shape[1] // 3), pixels.shape[1:], shape, strict=True)
    )
    expected = np.zeros(whole.shape, bool)
    for row in rows:
        for column in columns:
            expected[:, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = True
    assert np.array_equal(is_there, expected)
    assert found.tiles.masked == found.tiles.all - len(rows) * len(columns)


def test_an_empty_mask_computes_nothing(files):
    pixels = image((64, 64))
    found = slides.predict(files["C4", "unet"], pixels, mask=np.zeros((2, 2)), axes="CYX")
    assert np.isnan(found.array).all()
    assert found.tiles.computed == 0


@pytest.mark.parametrize("tile", [10, 64])
def test_outputs_of_different_sizes_and_on_the_group(tmp_path, tile):
    path = several(GROUPS["D4"], tmp_path / "network")
    pixels = image((90, 62))
    found = slides.predict(path, pixels, tile=tile, axes="CYX")
    expected = untiled(path, pixels)
    assert found.arrays["fine/plane"].tobytes() == expected["fine/plane"][0].tobytes()
    assert found.arrays["on group"].shape == (3 * 8, 45, 31)
    assert found.arrays["on group"].tobytes() == expected["on group"][0].tobytes()
    assert found.classes["on group"][:2] == ("tissue, element 0", "tissue, element 1")
    one = slides.predict(path, pixels, tile=tile, axes="CYX", outputs=["on group"])
    assert list(one.arrays) == ["on group"]
    assert one.array.tobytes() == expected["on group"][0].tobytes()


def test_networks_in_all_their_forms(files):
    path, pixels = files["C4", "valid"], image((61, 67))
    expected = untiled(path, pixels)[0].tobytes()
    with open(path, "rb") as file:
        content = file.read()
    for network in (content, eq.load_network(path), eq.load_network(path, "exact")):
        assert slides.predict(network, pixels, tile=20, axes="CYX").array.tobytes() == expected


@pytest.mark.slow
def test_modules_of_pytorch():
    torch = pytest.importorskip("torch", reason='needs PyTorch: pip install "equiconv[torch]"')
    et = pytest.importorskip("equiconv.torch")
    group = GROUPS["C4"]
    torch.manual_seed(0)
    layers = (et.LiftingConv(3, 4, 5, group), et.SpatialMaxPool(group, 2), torch.nn.ReLU(), et.GroupPool(group, "max"))
    module = torch.nn.Sequential(*layers).eval()
    pixels = image((70, 84)).astype(np.float32)
    with torch.no_grad():
        expected = module(torch.from_numpy(pixels[None]))[0].numpy()
    found = slides.predict(module, pixels, tile=32, axes="CYX").array
    assert found.shape == expected.shape
    assert np.allclose(found, expected, rtol=1e-5, atol=1e-3)


def test_float64(tmp_path):
    path = NETWORKS["valid"](GROUPS["D4"], tmp_path / "network", dtype="float64")
    pixels = np.random.default_rng(3).standard_normal((3, 50, 41))
    found = slides.predict(path, pixels, tile=16, axes="CYX").array
    assert found.tobytes() == eq.load_network(path, "exact")(pixels[None])[0].tobytes()


def test_networks_that_read_all_of_an_image_are_refused_by_name(tmp_path):
    maker = Maker(GROUPS["C4"])
    pooled = maker.add("group_pool", maker.conv("image", 3), mode="max")
    path = maker.save(tmp_path / "network", [("scores", maker.add("spatial_mean", pooled))])
    with pytest.raises(ValueError, match="spatial_mean"):
        slides.predict(path, image((40, 40)), axes="CYX")
