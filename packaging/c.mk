# SPDX-License-Identifier: Apache-2.0
#
# The C library on Linux: build, install, test. Included by the top Makefile; setup.py takes its shared library too.
#
#   make c-library                          shared and static library in $(BUILD_DIR)
#   make c-shared                           the shared one alone, $(BUILD_DIR)/release/libequiconv.so
#   make c-portable                         the shared one for wheels, $(BUILD_DIR)/portable/libequiconv.so
#   make install PREFIX=... [DESTDIR=...]   libraries, header, pkg-config and CMake files
#   make uninstall PREFIX=... [DESTDIR=...]
#   make test-c                             Tests/CTests against an installation in $(BUILD_DIR)/prefix

SWIFT ?= swift
INSTALL ?= install
BUILD_DIR ?= .build/c
PREFIX ?= /usr/local
DESTDIR ?=
INCLUDEDIR ?= $(PREFIX)/include
LIBDIR ?= $(PREFIX)/lib
# swiftc of the toolchain that SWIFT runs.
SWIFTC ?= $(dir $(shell command -v $(SWIFT)))swiftc

c_root := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)
c_header := $(c_root)/include/equiconv.h
# What it includes.
c_header_parts := $(wildcard $(c_root)/include/equiconv/*.h)
c_packaging := $(c_root)/packaging
c_build := $(abspath $(BUILD_DIR))
c_name := libequiconv.so
c_shared := $(c_build)/release/$(c_name)
c_portable := $(c_build)/portable/$(c_name)
c_static := $(c_build)/libequiconv.a

# The version is that of the header.
c_version_part = $(shell sed -n 's/^.define EQUICONV_VERSION_$(1) //p' $(c_header))
c_major := $(call c_version_part,MAJOR)
c_minor := $(call c_version_part,MINOR)
c_version := $(c_major).$(c_minor).$(call c_version_part,PATCH)
c_soname := $(c_name).$(c_major)

# The engine and its microkernels are compiled side by side.
c_jobs := -j$(shell getconf _NPROCESSORS_ONLN)

.PHONY: c-library c-shared c-portable install uninstall test-c
c-library: $(c_shared) $(c_static)
c-shared: $(c_shared)
c-portable: $(c_portable)

# The library holds thread-specific keys and threads, so it must never be unloaded.
c_link_flags := --version-script=$(c_packaging)/equiconv.map -z nodelete
# What the loader has filled in is read-only afterwards, and nothing is left for a debugger: `make sanitize` builds with
# symbols. The extensions of the Python package are linked with these flags too.
c_hardening := $(shell cat $(c_packaging)/hardening.ld)

include $(c_packaging)/embedded.mk

# The loader looks for other libraries beside this one, and nowhere that the compiler would add.
c_link = $(embedded_clang) -shared -fuse-ld=lld $(1) -o $@ $(embedded_objects) $(embedded_unicode) \
  $(addprefix -Xlinker ,$(c_link_flags) $(c_hardening) -soname=$(c_soname) --gc-sections --icf=all -z defs) \
  -Xlinker -rpath -Xlinker '$$ORIGIN' -lm

$(c_shared): $(embedded_objects) $(c_packaging)/equiconv.map $(c_packaging)/hardening.ld
	mkdir -p $(dir $@)
	$(call c_link)

# For wheels: of the same objects, linked with the oldest glibc that is supported, so that it runs with that one and all
# later ones. Threads have a library of their own there, so it needs more libraries than the other.
c_glibc := $(c_build)/glibc-$(ARCH)
$(c_portable): $(c_shared) $(c_packaging)/glibc-stubs.sh $(c_packaging)/oldest-glibc
	mkdir -p $(dir $@)
	CC="$(embedded_clang)" LDFLAGS=-fuse-ld=lld $(c_packaging)/glibc-stubs.sh \
	  "$$(cat $(c_packaging)/oldest-glibc)" $(c_glibc)
	$(call c_link,-L $(c_glibc))

$(c_static): $(embedded_merged)
	rm -f $@
	$(embedded_tools)/llvm-ar rcsD $@ $<

c_config_files := EquiconvConfig.cmake EquiconvConfigVersion.cmake
c_substitute = sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|g' -e 's|@LIBDIR@|$(LIBDIR)|g' \
  -e 's|@VERSION@|$(c_version)|g' -e 's|@VERSION_MAJOR@|$(c_major)|g' -e 's|@VERSION_MINOR@|$(c_minor)|g' \
  -e 's|@SONAME@|$(c_soname)|g' \
  -e "s|@INCLUDEDIR_FROM_LIBDIR@|$$(realpath -m --relative-to=$(LIBDIR) $(INCLUDEDIR))|g"

install: c-library
	$(INSTALL) -d $(DESTDIR)$(INCLUDEDIR)/equiconv $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(LIBDIR)/cmake/Equiconv
	$(INSTALL) -m 644 $(c_header) $(DESTDIR)$(INCLUDEDIR)/equiconv.h
	$(INSTALL) -m 644 $(c_header_parts) $(DESTDIR)$(INCLUDEDIR)/equiconv
	$(INSTALL) -m 755 $(c_shared) $(DESTDIR)$(LIBDIR)/$(c_name).$(c_version)
	ln -sf $(c_name).$(c_version) $(DESTDIR)$(LIBDIR)/$(c_soname)
	ln -sf $(c_soname) $(DESTDIR)$(LIBDIR)/$(c_name)
	$(INSTALL) -m 644 $(c_static) $(DESTDIR)$(LIBDIR)/libequiconv.a
	$(c_substitute) $(c_packaging)/equiconv.pc.in > $(c_build)/equiconv.pc
	$(INSTALL) -m 644 $(c_build)/equiconv.pc $(DESTDIR)$(LIBDIR)/pkgconfig/equiconv.pc
	for file in $(c_config_files); do \
	  $(c_substitute) $(c_packaging)/$$file.in > $(c_build)/$$file && \
	  $(INSTALL) -m 644 $(c_build)/$$file $(DESTDIR)$(LIBDIR)/cmake/Equiconv/$$file || exit 1; \
	done

uninstall:
	rm -f $(DESTDIR)$(INCLUDEDIR)/equiconv.h $(DESTDIR)$(LIBDIR)/libequiconv.a $(DESTDIR)$(LIBDIR)/$(c_name) \
	  $(DESTDIR)$(LIBDIR)/$(c_soname) $(DESTDIR)$(LIBDIR)/$(c_name).$(c_version) \
	  $(DESTDIR)$(LIBDIR)/pkgconfig/equiconv.pc
	rm -rf $(DESTDIR)$(INCLUDEDIR)/equiconv $(DESTDIR)$(LIBDIR)/cmake/Equiconv

test-c: c-library
	rm -rf $(c_build)/prefix
	$(MAKE) --no-print-directory -f $(c_packaging)/c.mk install PREFIX=$(c_build)/prefix DESTDIR= \
	  INCLUDEDIR=$(c_build)/prefix/include LIBDIR=$(c_build)/prefix/lib BUILD_DIR=$(c_build)
	$(c_root)/Tests/CTests/run.sh $(c_build)/prefix
