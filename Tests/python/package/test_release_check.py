# SPDX-License-Identifier: Apache-2.0
"""What `make release-check` refuses, on small clones; and which changes of an interface it sees."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import zipfile
from datetime import datetime, timezone

import pytest
from paths import ROOT

HEADER = """\
#define EQUICONV_VERSION_MAJOR 0
#define EQUICONV_VERSION_MINOR 3
#define EQUICONV_VERSION_PATCH 1
#define EQUICONV_MAX_RANK 6 /* axes */
#define EQUICONV_CALL_INIT \\
  {sizeof(equiconv_call), 0}
typedef enum equiconv_mode { EQUICONV_FAST = 0, EQUICONV_EXACT = 1 /**< equal; to the last bit */ } equiconv_mode;
typedef struct equiconv_group equiconv_group;
typedef struct equiconv_call {
  size_t struct_size;
  int32_t (*is_cancelled)(void *context);
  char message[16];
} equiconv_call;
#ifdef __cplusplus
extern "C" {
#endif
/* Turns; see below. */
EQUICONV_API int32_t equiconv_turn(const equiconv_group *group,
                                   int64_t element);
#ifdef __cplusplus
}
#endif
"""
INIT = """\
from ._turns import Turn as Turn
from ._turns import turn as turn
"""
TURNS = """\
class _Named:
    name: str
    def show(self): ...
class Turn(_Named):
    angle: float = 0.0
    @property
    def order(self) -> int: ...
    def __call__(self, x, *, out=None): ...
    def _inside(self): ...
def turn(x: object, element: int = 1, *, out: object = None) -> object: ...
def _private(): ...
"""
CHANGELOG = "# Changelog\n\n## [0.3.1] - 2030-01-02\n\n- Turns.\n\n## [0.3.0] - 2029-01-01\n\n- All.\n"


@pytest.fixture
def scripts(monkeypatch):
    """Imports a script of the folder scripts as a module."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    monkeypatch.syspath_prepend(ROOT / "packaging")
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module


def git(root, *arguments):
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True)


def write(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


@pytest.fixture
def clone(tmp_path):
    """A clone of two modules and a header whose version is 0.3.1; version 0.3.0 with the same interface is tagged."""
    root = tmp_path / "clone"
    write(root, "include/equiconv.h", HEADER)
    write(root, "python/equiconv/__init__.py", INIT)
    write(root, "python/equiconv/_turns.py", TURNS)
    write(root, "CHANGELOG.md", CHANGELOG)
    write(root, "CITATION.cff", "cff-version: 1.2.0\nversion: 0.3.1\n")
    write(root, "docs/Swift.md", '`.package(url: "…", from: "0.3.1")`\n')
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "All")
    git(root, "tag", "0.3.0")
    return root


@pytest.fixture
def check(scripts, clone):
    """Calls a function of the script on the clone."""
    module = scripts("release_check")
    release = module.Release(clone, clone / "dist")
    return lambda name: getattr(module, f"{name}_problems")(release)


def test_clone_that_is_ready_passes(check):
    for name in ("version", "changelog", "clone", "interface"):
        assert check(name) == [], name


def test_another_version_in_a_copy_is_refused(check, clone):
    write(clone, "CITATION.cff", "version: 0.3.0\n")
    write(clone, "docs/Swift.md", '.package(url: "…", from: "0.2.0")\n')
    assert [problem.split()[0] for problem in check("version")] == ["CITATION.cff", "docs/Swift.md"]


def test_every_copy_of_the_version_is_found(scripts):
    """And in this source tree all are equal to that of the header."""
    versions = scripts("versions")
    assert versions.version_problems(ROOT) == []
    for copy in versions.COPIES:
        assert len(copy.found(ROOT)) == (copy.path != "CITATION.cff"), copy.path


def test_a_new_version_is_written_everywhere(scripts, tmp_path):
    versions = scripts("versions")
    for path in (versions.HEADER, *(copy.path for copy in versions.COPIES)):
        write(tmp_path, path, (ROOT / path).read_text(encoding="utf-8"))
    for _ in range(2):
        versions.set_version(tmp_path, "7.8.9", datetime(2030, 1, 2, tzinfo=timezone.utc))
        assert versions.version_of(tmp_path) == "7.8.9"
        assert versions.version_problems(tmp_path) == []
    changelog = (tmp_path / versions.DEBIAN_CHANGELOG).read_text(encoding="utf-8")
    assert changelog.count("7.8.9") == 1
    assert changelog.endswith((ROOT / versions.DEBIAN_CHANGELOG).read_text(encoding="utf-8"))
    assert "Wed, 02 Jan 2030 00:00:00 +0000" in changelog


@pytest.mark.parametrize(
    "changelog",
    [
        CHANGELOG.replace("2030-01-02", "Unreleased"),
        CHANGELOG.replace("0.3.1", "0.4.0"),
        CHANGELOG.replace("- Turns.\n", ""),
        "# Changelog\n",
    ],
    ids=["no date", "another version", "no text", "no section"],
)
def test_changelog_that_does_not_tell_of_the_version_is_refused(check, clone, changelog):
    write(clone, "CHANGELOG.md", changelog)
    assert len(check("changelog")) == 1


def test_files_that_are_not_committed_are_named(check, clone):
    write(clone, "CHANGELOG.md", "changed")
    write(clone, "notes.txt", "new")
    assert check("clone") == ["not committed: M CHANGELOG.md", "not committed: ?? notes.txt"]


def test_tag_that_exists_is_refused(check, clone):
    git(clone, "tag", "0.3.1")
    assert check("clone") == ["the tag 0.3.1 exists already"]


def test_missing_distributions_are_refused(check, clone):
    assert len(check("distribution")) == 2
    write(clone, "dist/equiconv-0.3.1-py3-none-any.whl", "no archive")
    write(clone, "dist/equiconv-0.3.1.tar.gz", "no archive")
    problems = check("distribution")
    assert [problem.split(":")[0] for problem in problems] == [
        "equiconv-0.3.1-py3-none-any.whl",
        "equiconv-0.3.1.tar.gz",
    ]


def test_wheels_beyond_their_budgets_are_refused(scripts, check, clone, monkeypatch):
    budgets = scripts("release_check").BUDGETS
    (clone / "dist").mkdir()
    with zipfile.ZipFile(clone / "dist" / "equiconv-0.3.1-cp310-abi3-any.whl", "w") as wheel:
        wheel.writestr("equiconv/libequiconv.so.0", bytes(1000))
    assert check("budget") == []
    monkeypatch.setitem(budgets, "engine", 999)
    assert [problem.split(": ")[1][:10] for problem in check("budget")] == ["the engine"]
    monkeypatch.setitem(budgets, "wheel", 1000)
    assert len(check("budget")) == 2


def test_versions_are_ordered_as_numbers(scripts, clone):
    for tag in ("0.10.0", "0.9.0", "nightly"):
        git(clone, "tag", tag)
    release = scripts("release_check").Release(clone, clone)
    assert release.tags == ["0.3.0", "0.9.0", "0.10.0"]


# ---- Interfaces ---------------------------------------------------------------------------------------------------


def test_name_that_went_without_a_new_version_is_refused(check, clone, capsys):
    write(clone, "python/equiconv/_turns.py", TURNS.replace("def show", "def _show"))
    assert check("interface") == ["1 names were removed or changed, which version 0.3.1 after 0.3.0 may not do"]
    assert "removed since 0.3.0: equiconv.Turn.show" in capsys.readouterr().out


def test_new_minor_version_may_break_before_version_1(check, clone, capsys):
    write(clone, "python/equiconv/__init__.py", "")
    write(clone, "include/equiconv.h", HEADER.replace("MINOR 3", "MINOR 4"))
    assert check("interface") == []
    assert "removed since 0.3.0: equiconv.Turn.order" in capsys.readouterr().out


def test_first_release_has_nothing_to_compare_with(check, clone, capsys):
    git(clone, "tag", "--delete", "0.3.0")
    assert check("interface") == []
    assert "no earlier tag" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after", "may"),
    [("0.3.0", "0.3.1", False), ("0.3.9", "0.4.0", True), ("0.3.0", "1.0.0", True), ("1.2.0", "1.3.0", False),
     ("1.9.9", "2.0.0", True), ("0.10.0", "0.9.0", False)],
)  # fmt: skip
def test_which_versions_may_break(scripts, before, after, may):
    assert scripts("public_api").breaks_allowed(before, after) == may


def c_changes(scripts, old, new):
    api = scripts("public_api")
    found = api.differences(api.c_api(HEADER), api.c_api(HEADER.replace(old, new)))
    return found.added, found.removed, [line.split(":")[0] for line in found.changed]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("/* Turns; see below. */", "/* typedef int equiconv_other; */", ([], [], [])),
        ("group,\n                                   int64", "group, int64", ([], [], [])),
        ("VERSION_PATCH 1", "VERSION_PATCH 2", ([], [], [])),
        ("int64_t element", "int32_t element", ([], [], ["equiconv_turn"])),
        ("equiconv_turn", "equiconv_act", (["equiconv_act"], ["equiconv_turn"], [])),
        ("EQUICONV_FAST = 0", "EQUICONV_FAST = 2", ([], [], ["equiconv_mode.EQUICONV_FAST"])),
        ("1 /**", "1, EQUICONV_OTHER /**", (["equiconv_mode.EQUICONV_OTHER"], [], [])),
        ("message[16];", "message[16]; int32_t more;", (["equiconv_call.more"], [], [])),
        ("message[16];", "message[32];", ([], [], ["equiconv_call.message"])),
        ("  char", "  int32_t first;\n  char", (["equiconv_call.first"], [], ["equiconv_call.message"])),
        ("(*is_cancelled)(void *", "(*is_cancelled)(int *", ([], [], ["equiconv_call.is_cancelled"])),
        ("MAX_RANK 6", "MAX_RANK 8", ([], [], ["#define EQUICONV_MAX_RANK"])),
    ],
    ids=["comment", "layout", "version", "parameter", "name", "number", "enumerator", "field behind", "size",
         "field between", "pointer to a function", "macro"],
)  # fmt: skip
def test_changes_of_a_header(scripts, old, new, expected):
    assert HEADER.count(old) == 1
    assert c_changes(scripts, old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("x: object", "x: int", ([], [], [])),
        ("def _private", "def _other", ([], [], [])),
        ("element: int = 1", "element: int = 2", ([], [], ["equiconv.turn(element)"])),
        ("x: object,", "signal: object,", (["equiconv.turn(signal)"], ["equiconv.turn(x)"], ["equiconv.turn"])),
        ("out: object = None)", "out=None, mode=0)", (["equiconv.turn(mode)"], [], [])),
        ("out: object = None)", "out=None, mode)", (["equiconv.turn(mode)"], [], ["equiconv.turn"])),
        ("x: object, element: int = 1,", "x, mode=0, element=1,",
         (["equiconv.turn(mode)"], [], ["equiconv.turn(element)"])),
        ("def show", "def tell", (["equiconv.Turn.tell"], ["equiconv.Turn.show"], [])),
        ("self, x, *, out=None", "self, x, out=None", ([], [], ["equiconv.Turn.__call__(out)"])),
        ("    @property\n", "", ([], [], ["equiconv.Turn.order"])),
        ("name: str", "label: str", (["equiconv.Turn.label"], ["equiconv.Turn.name"], [])),
    ],
    ids=["type", "private", "default", "name of a parameter", "parameter with a default", "required parameter",
         "parameter between", "inherited method", "keyword that is a place", "property", "field"],
)  # fmt: skip
def test_changes_of_a_package(scripts, clone, old, new, expected):
    api = scripts("public_api")
    before = api.python_api(clone / "python" / "equiconv")
    assert TURNS.count(old) == 1
    write(clone, "python/equiconv/_turns.py", TURNS.replace(old, new))
    found = api.differences(before, api.python_api(clone / "python" / "equiconv"))
    assert (found.added, found.removed, [line.split(":")[0] for line in found.changed]) == expected


def test_interface_of_this_project_is_read_whole(scripts):
    """Every function that the header exports, and every public name of the package."""
    found = scripts("release_check").interface_of(ROOT)
    headers = [ROOT / "include" / "equiconv.h", *(ROOT / "include" / "equiconv").glob("*.h")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in headers)
    functions = set(re.findall(r"^EQUICONV_API[^;(]*?\b(equiconv_\w+)\(", text, re.MULTILINE))
    enumerators = set(re.findall(r"^  (EQUICONV_\w+) = \d+", text, re.MULTILINE))
    assert len(functions) > 150
    assert functions <= found.keys()
    assert len(enumerators) > 50
    assert enumerators <= {name.split(".")[-1] for name in found}
    public = {f"equiconv.{name}" for name in importlib.import_module("equiconv").__all__}
    assert public <= found.keys()
