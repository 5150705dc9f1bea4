# SPDX-License-Identifier: Apache-2.0
#
# The engine as Embedded Swift, out of the sources of Package.swift: it needs the C library and nothing of the Swift
# runtime. Included by c.mk, which links the objects.

# The processor that the library is for, as compilers name it.
ARCH ?= $(shell uname -m)

# ---- What differs between processors -----------------------------------------------------------------------------

embedded_target_x86_64 := x86_64-unknown-linux-gnu
embedded_c_target_x86_64 := x86_64-linux-gnu
embedded_variants_x86_64 := Baseline AVX2 AVX512
# Variants of the microkernels whose flags are not those of the baseline.
embedded_flags_AVX2 := -Xcc -march=x86-64-v3
embedded_flags_AVX512 := -Xcc -march=x86-64-v4

# Swift 6.3 has no Embedded Swift for Linux on ARM: that for no system, with the headers and the C library of Linux.
embedded_target_aarch64 := aarch64-none-none-elf
embedded_c_target_aarch64 := aarch64-linux-gnu
embedded_variants_aarch64 := Baseline NEON
embedded_flags_aarch64 := -Xcc -isystem -Xcc /usr/aarch64-linux-gnu/include -Xcc -D__linux__=1 -Xcc -fPIC

# WebAssembly in a page: one thread, vectors of 128 bits, the C library of Debian's wasi-libc, and headers of what a page
# does not have. Linked by web.mk.
embedded_target_wasm32 := wasm32-unknown-none-wasm
embedded_c_target_wasm32 := wasm32-wasi
embedded_variants_wasm32 := Baseline
embedded_system_wasm32 := $(addprefix -isystem ,$(c_packaging)/web/system /usr/include/wasm32-wasi)
embedded_flags_wasm32 := $(addprefix -Xcc ,$(embedded_system_wasm32) -D__wasi__=1 -msimd128)

# ---- Tools -------------------------------------------------------------------------------------------------------

# All are of the Swift toolchain, which compiles and links for any processor.
embedded_resources = $(shell $(SWIFTC) -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
embedded_tools = $(abspath $(embedded_resources)/../../bin)
embedded_clang = $(embedded_tools)/clang --target=$(embedded_c_target_$(ARCH))

# ---- Flags -------------------------------------------------------------------------------------------------------

embedded := $(c_build)/embedded-$(ARCH)
embedded_headers := $(addprefix -I ,$(addprefix $(c_root)/,Sources/_EquiconvShims/include Sources/_EquiconvPlatform \
  Sources/EquiconvInC include))
# Warnings are those of the package. The pass that is left out crashes the compiler (Swift 6.3.1) on generic structs that
# have a deinitializer; functions that are not inlined are mended in embedded/Objects.c.
embedded_mended := swift_deallocPartialClassInstance swift_bridgeObjectRetain swift_bridgeObjectRetain_n
embedded_flags = -swift-version 6 -enable-experimental-feature Embedded -wmo -parse-as-library \
  -package-name equiconv -target $(embedded_target_$(ARCH)) $(embedded_flags_$(ARCH)) -Xcc -D_GNU_SOURCE \
  -suppress-warnings -I $(embedded) $(embedded_headers) -file-prefix-map $(c_root)=. -Xfrontend -function-sections \
  -Xllvm -sil-disable-pass=deinit-devirtualizer \
  $(addprefix -Xllvm -force-attribute=,$(addsuffix :noinline,$(embedded_mended)))
# For size: hot loops are in microkernels, and the whole library has to stay small.
embedded_optimization := -Osize
# As in Package.swift.
embedded_kernel_flags := -Ounchecked -Xllvm -unroll-threshold=4000
embedded_c_flags := -std=gnu11 -O2 -fPIC -fvisibility=hidden -ffunction-sections \
  -fstack-protector-strong -D_FORTIFY_SOURCE=2 -ffile-prefix-map=$(c_root)=. $(embedded_headers)
ifeq ($(ARCH),wasm32)
embedded_c_flags := -std=gnu11 -O2 -fvisibility=hidden -ffunction-sections -msimd128 $(embedded_system_wasm32) \
  -ffile-prefix-map=$(c_root)=. $(embedded_headers)
endif

# ---- Modules -----------------------------------------------------------------------------------------------------

embedded_variants := $(embedded_variants_$(ARCH))
embedded_kernels := $(addprefix EquiconvMicrokernels,$(embedded_variants))
# One module of all the rest, so that generic functions of the engine are compiled once, for the two scalar types, and
# not anew for each module that calls them.
embedded_module := EquiconvC
embedded_parts := _EquiconvErrors _EquiconvMemory EquiconvGroups EquiconvBases EquiconvEngine EquiconvNetwork

embedded_sources = $(shell cd $(c_root) && find -L $(addprefix Sources/,$(1)) -name '*.swift' | LC_ALL=C sort)
embedded_c := $(wildcard $(c_root)/Sources/_EquiconvShims/*.c $(c_root)/Sources/EquiconvInC/*.c \
  $(if $(filter wasm32,$(ARCH)),$(c_packaging)/web/*.c $(c_packaging)/embedded/Objects.c,$(c_packaging)/embedded/*.c))
# What any object is out of date without.
embedded_common := $(shell find $(c_root)/Sources $(c_root)/include -name '*.h' -o -name '*.modulemap') \
  $(c_packaging)/embedded.mk
embedded_objects := $(patsubst %,$(embedded)/%.o,$(embedded_module) $(embedded_kernels)) \
  $(patsubst %.c,$(embedded)/%.c.o,$(notdir $(embedded_c)))

$(embedded):
	mkdir -p $@

# What `import` finds for a part: a module of its name with nothing in it.
$(embedded)/parts: $(c_packaging)/embedded.mk | $(embedded)
	@: > $(embedded)/Empty.swift
	@for part in $(embedded_parts); do \
	  $(SWIFTC) $(embedded_flags) -module-name $$part -emit-module -emit-module-path $(embedded)/$$part.swiftmodule \
	    $(embedded)/Empty.swift || exit 1; \
	done
	@touch $@

embedded_module_sources := $(call embedded_sources,$(embedded_parts) $(embedded_module))
$(embedded)/$(embedded_module).o: $(addprefix $(c_root)/,$(embedded_module_sources)) $(embedded)/parts \
  $(embedded_common)
	@echo "Compiling the engine for $(ARCH)"
	@cd $(c_root) && $(SWIFTC) $(embedded_flags) $(embedded_optimization) -module-name $(embedded_module) -c -o $@ \
	  $(embedded_module_sources)
	@touch $@

# $(call embedded_kernel,VARIANT). Objects are touched: the compiler leaves those alone that would be the same, and make
# would compile them each time.
define embedded_kernel
$(embedded)/$(1)-whole.o: $(addprefix $(c_root)/,$(call embedded_sources,EquiconvMicrokernels$(1))) \
  $(embedded_common) | $(embedded)
	@echo "Compiling microkernels for $(ARCH): $(1)"
	@cd $(c_root) && $$(SWIFTC) $$(embedded_flags) $(embedded_kernel_flags) $(embedded_flags_$(1)) \
	  -module-name EquiconvMicrokernels$(1) -c -o $$@ $(call embedded_sources,EquiconvMicrokernels$(1))
	@touch $$@
endef
$(foreach variant,$(embedded_variants),$(eval $(call embedded_kernel,$(variant))))

# Each object has the small runtime of Embedded Swift, compiled for its own processor: only the table of entry points
# may be seen from outside, or other code would be linked to what older processors cannot run. Groups are dissolved:
# once their symbols are local, a linker must not drop one for another.
$(embedded)/EquiconvMicrokernels%.o: $(embedded)/%-whole.o
	@$(embedded_tools)/ld.lld -r --force-group-allocation -o $@.part $<
	@$(embedded_tools)/llvm-objcopy --wildcard --keep-global-symbol='_equiconv_microkernels_*' \
	  $@.part $@
	@rm -f $@.part

vpath %.c $(sort $(dir $(embedded_c)))
$(embedded)/%.c.o: %.c $(embedded_common) | $(embedded)
	@$(embedded_clang) $(embedded_c_flags) -c -o $@ $<

# ---- Linking -----------------------------------------------------------------------------------------------------

embedded_unicode = $(embedded_resources)/embedded/$(embedded_target_$(ARCH))/libswiftUnicodeDataTables.a
embedded_merged := $(embedded)/equiconv.o

# One object whose only global definitions are the functions of equiconv.h.
$(embedded_merged): $(embedded_objects)
	@$(embedded_tools)/ld.lld -r --force-group-allocation -o $@.part $^ $(embedded_unicode)
	@$(embedded_tools)/llvm-objcopy --strip-debug --localize-hidden --wildcard --keep-global-symbol='equiconv_*' $@.part $@
	@rm -f $@.part
