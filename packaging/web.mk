# SPDX-License-Identifier: Apache-2.0
#
# The page of examples/web: the engine as WebAssembly, with what of it the page calls, and the folder of the page.
# Called by the top Makefile, with the C library's variables:
#
#   make -f packaging/web.mk web                   the page, in $(WEB_DIR)
#   make -f packaging/web.mk web-tests             and Tests/CTests/digests.c as WebAssembly, in $(WEB_DIR)-tests
#
# Needs Debian's wasi-libc: its C library is linked.

.DEFAULT_GOAL := web
ARCH := wasm32
WEB_DIR ?= .build/web
PYTHON ?= python3

include $(dir $(lastword $(MAKEFILE_LIST)))c.mk

web_dir := $(abspath $(WEB_DIR))
web_libc := /usr/lib/wasm32-wasi
web_source := $(c_root)/examples/web
web_engine := $(embedded)/page.wasm

# The page is checked with all warnings; the C of the engine has its own.
web_c_flags := $(embedded_c_flags) -D_GNU_SOURCE -Wall -Wextra -Werror -pedantic
$(embedded)/page.o: $(web_source)/page.c $(embedded_common) | $(embedded)
	@$(embedded_clang) $(web_c_flags) -std=c11 -c -o $@ $<

# Functions that the page does not call are left out, and those that they alone call.
web_objects := $(embedded)/$(embedded_module).o $(embedded)/Baseline-whole.o \
  $(patsubst %.c,$(embedded)/%.c.o,$(notdir $(embedded_c)))
web_link = $(embedded_tools)/wasm-ld --no-entry --gc-sections --strip-all -z stack-size=1048576 -o $@ \
  $(filter %.o,$^) $(web_libc)/crt1-reactor.o $(embedded_unicode) -L$(web_libc) -lc
$(web_engine): $(embedded)/page.o $(web_objects)
	$(web_link)

.PHONY: web
web: $(web_engine) $(wildcard $(web_source)/*) $(wildcard $(web_source)/networks/*)
	$(PYTHON) $(web_source)/assemble.py $(web_engine) $(web_dir)

# ---- Tests -------------------------------------------------------------------------------------------------------

web_tests := $(web_dir)-tests
web_digest_sources := digests digest_layers digest_networks test network_example
web_digest_objects := $(patsubst %,$(embedded)/tests/%.o,$(web_digest_sources))

$(embedded)/tests/%.o: $(c_root)/Tests/CTests/%.c $(embedded_common) | $(embedded)
	@mkdir -p $(dir $@)
	@$(embedded_clang) $(embedded_c_flags) -D_GNU_SOURCE -Wno-deprecated-declarations -c -o $@ $<

# The program prints through the C library, whose other functions of files have the names of those in System.c.
$(web_tests)/digests.wasm: $(web_digest_objects) $(web_objects)
	@mkdir -p $(dir $@)
	$(embedded_tools)/wasm-ld --gc-sections --strip-all --allow-multiple-definition -z stack-size=1048576 -o $@ \
	  $^ $(web_libc)/crt1-command.o $(embedded_unicode) -L$(web_libc) -lc

.PHONY: web-tests
web-tests: web $(web_tests)/digests.wasm
