# SPDX-License-Identifier: Apache-2.0
#
#   make demo      a group network on a photograph, equal to the last bit; then networks trained on digits; figures
#   make test      Swift, C and Python tests
#   make test-arm64  C and Python tests on 64-bit ARM, under an emulator; not part of make test
#   make fuzz      random programs of calls of the C interface; make sanitize: C tests under sanitizers
#   make setup     what both need: afterwards .venv/bin/python imports equiconv
#   make bench     speed against the processor's peak (prints a table, writes JSON)
#   make bench-peers  speed and errors beside other libraries (writes docs/measured/Peers.md and its figures)
#   make bench-slides  a network over a slide of 20,000 x 20,000 pixels (writes docs/measured/Slides.md)
#   make bench-gpu    speed and memory on a GPU (writes docs/measured/GPU.md); skipped where there is none
#   make test-gpu     tests that need a GPU, then a shorter bench-gpu; skipped where there is none
#   make docs      the documentation as a site, in .build/docs/html; make test-docs also checks its links
#   make docs-archive  the Swift reference for Xcode and for web servers, .build/docs/Equiconv.doccarchive
#   make web       a page with the engine as WebAssembly, .build/web/index.html; make test-web tests it in a browser
#   make inner-loops  instructions of the microkernels' inner loops on ARM (writes docs/measured/ARM.md)
#   make costs     measures the constants of the cost model by which algorithms are chosen
#   make accuracy  errors of each algorithm against float64 (writes docs/measured/Accuracy.md)
#   make equivariance  errors under rotations by any angle (writes docs/measured/Equivariance.md and its figure)
#   make wheels    source distribution and wheel in dist, checked, and installed where there is no Swift
#   make wheel-arm64  the wheel for 64-bit ARM as well, made and tried under an emulator
#   make test-wheel  tries the wheel in dist with the newest Python of Debian, in a fresh system
#   make debian-package  Debian packages in .build/debian; make test-debian-package installs them into a fresh system
#   make release-check  says whether this commit can be released, and what changed in its interface
#   make install   the C library (PREFIX=/usr/local), see packaging/c.mk

include packaging/c.mk
include packaging/sanitize.mk

.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
DEBIAN_VENV := .venv-debian
PEERS_VENV := .venv-peers
RELEASE_VENV := .venv-release
DIST ?= dist
# Interpreters for which the wheel is installed and tried.
WHEEL_PYTHONS ?= $(PYTHON)
SWIFT_FILES := Package.swift Sources Tests/*Tests Tests/_EquiconvTestSupport examples/swift benchmarks/costs
C_FILES = $(shell find include packaging python Sources Tests benchmarks examples/c examples/cpp examples/web -name '*.[ch]' -o -name '*.[ch]pp')
PYTHON_FILES := python Tests/python Tests/web docs/site examples benchmarks packaging scripts setup.py
# What the Python package is made of: newer than the stamp means install again.
package_files := $(shell find CITATION.cff Package.swift README.md Sources include packaging python pyproject.toml setup.py -type f \
  ! -path 'packaging/debian/*' ! -path 'packaging/conda/*' ! -name '*.pyc' ! -name '*.so*' 2>/dev/null)

.PHONY: help setup demo test test-swift test-package test-python test-python-debian test-gpu bench bench-peers bench-slides bench-gpu \
  inner-loops costs accuracy equivariance docs docs-archive test-docs wheels release-check format lint clean
.PHONY: test-arm64 conda-recipe debian-package test-debian-package test-wheel wheel-arm64 web test-web
help:
	@sed -n 's/^#   //p' Makefile

setup: $(VENV)/.installed

$(VENV)/.installed: $(package_files)
	scripts/system-packages.sh
	$(MAKE) --no-print-directory $(c_jobs) c-library
	scripts/python-environment.sh $(PYTHON) $(VENV) $(abspath $(BUILD_DIR))/release "examples,test" torch jax flax equinox onnx experiments slides dask
	touch $@

demo: setup
	$(VENV)/bin/python examples/demo/demo.py --output-dir demo-output
	scripts/demo-training.sh $(VENV) demo-output/rotated-digits

test: setup lint test-swift test-c fuzz test-package test-python test-python-debian test-docs wheels conda-recipe
	@echo "All tests passed."

test-swift:
	scripts/swift-test.sh $(SWIFT)

test-arm64:
	MAKE="$(MAKE)" SWIFTC=$(SWIFTC) scripts/test-arm64.sh .build/arm64

test-package:
	Tests/package/run.sh

test-python: setup
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest --numprocesses auto --dist loadfile

# Debian's own Python and NumPy (1.24 in bookworm), beside the newest NumPy above.
test-python-debian: setup
	scripts/debian-python-tests.sh $(DEBIAN_VENV) $(abspath $(BUILD_DIR))/release

bench: setup
	$(VENV)/bin/python benchmarks/bench.py

bench-peers: $(PEERS_VENV)/.installed
	$(PEERS_VENV)/bin/python benchmarks/peers/peers.py $(PEERS_FLAGS)

$(PEERS_VENV)/.installed: $(package_files) benchmarks/peers/requirements.txt scripts/peers-environment.sh
	scripts/system-packages.sh
	$(MAKE) --no-print-directory $(c_jobs) c-library
	scripts/peers-environment.sh $(PYTHON) $(PEERS_VENV) $(abspath $(BUILD_DIR))/release
	touch $@

# escnn is in the environment of the peers, if that was made.
escnn_python = $(addprefix --escnn-python ,$(wildcard $(PEERS_VENV)/bin/python))

bench-slides: setup
	$(VENV)/bin/python benchmarks/slides/slides.py $(SLIDES_FLAGS)

bench-gpu: setup
	$(VENV)/bin/python benchmarks/gpu/gpu.py $(escnn_python) $(GPU_FLAGS)

test-gpu: setup
	scripts/gpu-check.sh $(VENV)/bin/python benchmarks/results $(escnn_python)

inner-loops:
	$(PYTHON) benchmarks/inner_loops.py --swiftc $(SWIFTC)

costs:
	$(SWIFT) run -c release equiconv-costs

accuracy: setup
	$(VENV)/bin/python benchmarks/accuracy.py

equivariance: setup
	$(VENV)/bin/python benchmarks/equivariance.py

docs: setup
	scripts/site.sh $(VENV) .build/docs

docs-archive:
	scripts/docc.sh $(SWIFT) .build/docs

# Skipped, with a sentence, where what it needs cannot be installed.
test-docs: setup
	scripts/site.sh $(VENV) .build/docs check

# The page of examples/web. Skipped, with a sentence, where wasi-libc cannot be installed.
web_make = $(MAKE) --no-print-directory -f packaging/web.mk SWIFT="$(SWIFT)" PYTHON="$(PYTHON)"
web:
	@if scripts/web-packages.sh wasi-libc; then $(web_make) web; \
	  else echo "SKIPPED: the page (it needs Debian's wasi-libc)"; fi

# Four minutes, most of them for the engine: not part of `make test`.
test-web: setup
	Tests/web/run.sh $(VENV)/bin/python $(web_make) web-tests

wheels:
	scripts/system-packages.sh
	$(MAKE) --no-print-directory $(c_jobs) c-portable
	scripts/wheels.sh $(PYTHON) $(RELEASE_VENV) $(abspath $(BUILD_DIR))/portable $(DIST) $(WHEEL_PYTHONS)

# Renders the recipe, and builds nothing.
conda-recipe:
	scripts/system-packages.sh
	scripts/conda-recipe.sh $(PYTHON) $(RELEASE_VENV)

debian-package:
	scripts/system-packages.sh
	scripts/debian-package.sh .build/debian

# What the packages and their tests depend on; dpkg refuses them if this is not enough.
debian_needs := gcc,libc6-dev,pkg-config,python3,python3-numpy,python3-pkg-resources
test-debian-package: debian-package
	scripts/fresh-system.sh "$$(. /etc/os-release && echo "$$VERSION_CODENAME")" $(debian_needs) .build/debian/system-log \
	  "installing the Debian packages" scripts/debian-try.sh .build/debian

wheel-arm64: wheels
	MAKE="$(MAKE)" SWIFTC=$(SWIFTC) scripts/wheel-arm64.sh .build/arm64 $(RELEASE_VENV) $(DIST)

# Debian's unstable distribution has the newest Python that it packages.
test-wheel: wheels
	mkdir -p .build
	scripts/fresh-system.sh sid python3,python3-venv,ca-certificates .build/system-log \
	  "the wheel with the newest Python of Debian" scripts/try-wheel-system.sh $(DIST)/equiconv-*$(ARCH).whl

release-check:
	$(PYTHON) scripts/release_check.py $(DIST)

format:
	$(SWIFT) format --in-place --recursive $(SWIFT_FILES)
	$(VENV)/bin/ruff format $(PYTHON_FILES)
	$(VENV)/bin/clang-format -i $(C_FILES)

lint: setup
	$(SWIFT) format lint --strict --recursive $(SWIFT_FILES)
	$(VENV)/bin/ruff check $(PYTHON_FILES)
	$(VENV)/bin/clang-format --dry-run --Werror $(C_FILES)
	$(VENV)/bin/mypy

clean:
	rm -rf .build dist demo-output $(VENV) $(DEBIAN_VENV) $(PEERS_VENV) $(RELEASE_VENV)
