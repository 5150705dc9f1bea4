# SPDX-License-Identifier: Apache-2.0
"""The numbers of the page are those of the C library, and it shows what is true of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import equiconv as eq
import numpy as np
import pytest
from browser import Browser
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
PAGE = ROOT / ".build" / "web"
NETWORKS = ROOT / "examples" / "web" / "networks"
GROUPS = {"C4": eq.cyclic(4), "C8": eq.cyclic(8), "D4": eq.dihedral(4)}
CHANNELS, EXTENT, SIZE, SMALL = 4, 5, 48, 16
CASES = [(group, layers) for group in GROUPS for layers in (1, 2)]
EDGE, BAR, CORNER = (
    "-1 -2 0 2 1 -2 -5 0 5 2 -3 -8 0 8 3 -2 -5 0 5 2 -1 -2 0 2 1",
    "0 -2 0 4 -2 0 -3 0 6 -3 0 -4 0 8 -4 0 -3 0 6 -3 0 -2 0 4 -2",
    "0 0 0 -2 -4 0 2 4 4 -2 0 4 6 4 0 -2 2 4 2 0 -4 -2 0 0 0",
)

Array = NDArray[np.float32]


def digest(array: Array) -> str:
    """FNV-1a of 64 bits of its bytes."""
    state = 0xCBF29CE484222325
    for byte in array.tobytes():
        state = (state ^ byte) * 0x100000001B3 & (1 << 64) - 1
    return f"{state:016x}"


def drawn(digit: int) -> Array:
    """A picture that the page begins with, (1, 1, 48, 48)."""
    shades = np.fromfile(NETWORKS / "digits.u8", np.uint8).reshape(-1, 1, 1, SIZE, SIZE)[digit]
    return (shades / 255).astype(np.float32)


def random(seed: int, count: int) -> Array:
    """The page's random numbers."""
    numbers = []
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) % 2**31
        numbers.append(((seed >> 16) % 255 - 127) / 128)
    return np.array(numbers, np.float32)


def maps(group: eq.PointGroup, layers: int, picture: Array) -> Array:
    """The maps of the page, by the C library: (1, 1, |H|, 48, 48)."""
    tables = np.array([number for table in (EDGE, BAR, CORNER) for number in table.split()], np.float32) / 16
    lifting = np.concatenate([tables, random(1, EXTENT**2)]).reshape(CHANNELS, 1, EXTENT, EXTENT)
    lifted = eq.lifting_conv(picture, lifting, group, padding="same", algorithm="direct")
    if layers == 1:
        return lifted[:, :1]
    shape = (1, CHANNELS, group.order, EXTENT, EXTENT)
    weight = random(2, int(np.prod(shape))).reshape(shape)
    return eq.group_conv(np.maximum(lifted, 0), weight, group, padding="same", algorithm="direct")


def entries(report: dict[str, Any], group: str, layers: int) -> list[dict[str, Any]]:
    """What the page showed for each element."""
    return [entry for entry in report["maps"] if (entry["group"], entry["layers"]) == (group, layers)]


def is_exact(entry: dict[str, Any]) -> bool:
    """Whether the element of an entry maps the grid to itself."""
    return int(entry["name"].removeprefix("mirror, ").removesuffix("°")) % 90 == 0


@pytest.mark.parametrize(("name", "layers"), CASES)
def test_maps_have_the_bits_of_the_c_library(report: dict[str, Any], name: str, layers: int) -> None:
    expected = digest(maps(GROUPS[name], layers, drawn(3)))
    found = entries(report, name, layers)
    assert len(found) == GROUPS[name].order
    assert {entry["before"] for entry in found} == {expected}
    assert {entry["shown"] for entry in found} == {GROUPS[name].order}


@pytest.mark.parametrize(("name", "layers"), CASES)
def test_turned_maps_have_the_bits_of_the_c_library(report: dict[str, Any], name: str, layers: int) -> None:
    group, picture = GROUPS[name], drawn(3)
    for entry in entries(report, name, layers):
        if not is_exact(entry):
            continue
        turned = eq.act(picture, group, entry["element"])
        assert entry["turned"] == digest(turned)
        assert entry["first"] == digest(maps(group, layers, turned))
        assert entry["second"] == digest(eq.act(maps(group, layers, picture), group, entry["element"]))


@pytest.mark.parametrize(("name", "layers"), CASES)
def test_the_difference_that_is_shown_is_zero_for_what_maps_the_grid_to_itself(
    report: dict[str, Any], name: str, layers: int
) -> None:
    for entry in entries(report, name, layers):
        if is_exact(entry):
            numbers = f"{GROUPS[name].order * SIZE**2:,}"
            assert entry["verdict"] == f"Difference: 0. All {numbers} numbers are equal to the last bit."
            assert entry["first"] == entry["second"]
        else:
            assert entry["verdict"].startswith("Largest difference: ")
            assert "only multiples of 90° are exact" in entry["verdict"]
            assert entry["first"] != entry["second"]


@pytest.mark.parametrize("name", ["c4", "cnn"])
def test_scores_have_the_bits_of_the_c_library(report: dict[str, Any], name: str) -> None:
    network = eq.load_network(NETWORKS / f"{name}.safetensors", mode="exact")
    blocks = (SMALL, SIZE // SMALL, SMALL, SIZE // SMALL)
    for entry in report["digits"]:
        picture = drawn(entry["digit"])
        assert entry["picture"] == digest(picture)
        for turn in range(4):
            turned = np.rot90(picture, turn, (-2, -1)).astype(np.float64)
            image = (turned.reshape(blocks).sum((1, 3)) / 9).astype(np.float32)[None, None]
            assert entry["scores"][name][turn] == digest(network(image))


def test_scores_of_the_group_network_are_equal_under_quarter_turns(report: dict[str, Any]) -> None:
    for entry in report["digits"]:
        assert len(set(entry["scores"]["c4"])) == 1
        assert "scores of the C4 network by 0, " in entry["verdict"]


def test_scores_of_the_plain_network_move(report: dict[str, Any]) -> None:
    for entry in report["digits"]:
        # Only a picture that is its own turn could have equal scores.
        assert len(set(entry["scores"]["cnn"])) == 4
    right = [[entry["classes"][name] for entry in report["digits"]] for name in ("c4", "cnn")]
    turned_right = [sum(classes[1] == digit for digit, classes in enumerate(one)) for one in right]
    assert turned_right[0] > turned_right[1]


def ink(browser: Browser) -> int:
    """How many pixels of the picture are not empty."""
    return int(browser.run("pageLoaded.then((page) => page.picture.shades.filter((shade) => shade > 0).length)"))


def press(browser: Browser, *keys: str) -> None:
    """Presses keys one after the other."""
    for key in keys:
        for kind in ("rawKeyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key=key)


def place(browser: Browser, selector: str) -> dict[str, float]:
    """Where an element is on the screen, scrolled into it."""
    browser.run(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
    script = f"(({{x, y, width, height}}) => ({{x, y, width, height}}))(document.querySelector('{selector}')"
    result: dict[str, float] = browser.run(script + ".getBoundingClientRect())")
    return result


def test_a_line_is_drawn_with_keys(browser: Browser, report: dict[str, Any]) -> None:
    browser.run("byId('clear').click()")
    assert ink(browser) == 0
    browser.run("byId('picture').focus()")
    press(browser, " ", "ArrowRight", "ArrowRight", "ArrowUp", " ")
    drawn_pixels = ink(browser)
    assert 20 < drawn_pixels < 200
    press(browser, "ArrowLeft", "ArrowLeft")
    assert ink(browser) == drawn_pixels


def test_a_line_is_drawn_with_a_finger(browser: Browser, report: dict[str, Any]) -> None:
    browser.run("byId('clear').click()")
    browser.resize(390, 844, is_phone=True)
    box = place(browser, "#picture")
    for kind, share in (("touchStart", 0.2), ("touchMove", 0.5), ("touchMove", 0.8), ("touchEnd", None)):
        points = [] if share is None else [{"x": box["x"] + share * box["width"], "y": box["y"] + 0.5 * box["height"]}]
        browser.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    assert 100 < ink(browser) < 400


def test_a_photograph_becomes_the_picture(browser: Browser, report: dict[str, Any]) -> None:
    browser.run("byId('clear').click()")
    before = ink(browser)
    choose_file(browser, ROOT / "docs" / "mitosis.png")
    assert (before, ink(browser) > SIZE**2 / 2) == (0, True)
    assert browser.run("byId('verdict').textContent").startswith("Difference: 0.")
    choose_file(browser, ROOT / "LICENSE")
    assert "is not a picture" in browser.run("byId('problem').textContent")
    choose_file(browser, ROOT / "docs" / "mitosis.png")
    assert browser.run("byId('problem').hidden")


def choose_file(browser: Browser, path: Path) -> None:
    """Gives the page a file, as from the browser's window for files, and waits until it has shown the outcome."""
    document = browser.call("DOM.getDocument")["root"]["nodeId"]
    node = browser.call("DOM.querySelector", nodeId=document, selector="#photograph")["nodeId"]
    browser.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])
    browser.run("new Promise((done) => setTimeout(done, 500))")


def test_arrow_keys_choose_elements(browser: Browser, report: dict[str, Any]) -> None:
    browser.run("Report.choose('groups', 'C4'); document.querySelector('input[name=elements]:checked').focus()")
    before = browser.run("byId('turned-name').textContent")
    browser.call("Input.dispatchKeyEvent", type="rawKeyDown", key="ArrowRight", windowsVirtualKeyCode=39)
    browser.call("Input.dispatchKeyEvent", type="keyUp", key="ArrowRight", windowsVirtualKeyCode=39)
    assert (before, browser.run("byId('turned-name').textContent")) == ("90°", "180°")


def test_nothing_moves_where_reduced_motion_is_preferred(browser: Browser, report: dict[str, Any]) -> None:
    moving = "Report.choose('elements', 1); Report.choose('elements', 3); document.getAnimations().length"
    browser.prefer(prefers_reduced_motion="no-preference")
    assert browser.run(moving) > 0
    browser.prefer(prefers_reduced_motion="reduce")
    browser.run("Report.choose('elements', 0); document.getAnimations().forEach((one) => one.finish())")
    assert browser.run(moving) == 0


@pytest.mark.parametrize(
    ("name", "width", "scheme", "choice"),
    [
        ("desktop", 1280, "light", ("D4", 5, 2)),
        ("desktop-45-degrees", 1280, "dark", ("C8", 1, 1)),
        ("phone", 390, "light", ("C4", 1, 1)),
        ("phone-dark", 390, "dark", ("C8", 2, 2)),
    ],
)
def test_the_page_fits_its_screen(
    browser: Browser, report: dict[str, Any], name: str, width: int, scheme: str, choice: tuple[str, int, int]
) -> None:
    browser.prefer(prefers_reduced_motion="reduce", prefers_color_scheme=scheme)
    browser.resize(width, 900, is_phone=width < 600)
    group, element, layers = choice
    browser.run("pageLoaded.then((page) => page.picture.set(page.sample(3)))")
    browser.run(f"Report.choose('groups', '{group}'); Report.choose('layers', {layers})")
    browser.run(f"Report.choose('elements', {element}); scrollTo(0, 0)")
    browser.picture(PAGE / f"{name}.png")
    assert browser.run("document.documentElement.scrollWidth") <= width


def test_every_control_has_a_name(browser: Browser, report: dict[str, Any]) -> None:
    browser.call("Accessibility.enable")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "radio", "image", "application", "table", "region", "group"}
    found = [node for node in nodes if not node["ignored"] and node["role"]["value"] in roles]
    nameless = [node for node in found if not node.get("name", {}).get("value")]
    assert len(found) > 30
    assert [node["role"]["value"] for node in nameless if node["role"]["value"] != "group"] == []
