# SPDX-License-Identifier: Apache-2.0
#
# Sanitizers and fuzzing, with the clang of the Swift toolchain. Included by the top Makefile; c.mk comes first.
#
#   make fuzz       programs of random calls of the C interface, under AddressSanitizer and guided by coverage
#   make sanitize   C tests and the stress of threads under AddressSanitizer, UndefinedBehaviorSanitizer, ThreadSanitizer

comma := ,
CLANG ?= $(dir $(SWIFTC))clang
# What the fuzzer does: see Tests/fuzz/run.sh.
FUZZ_SECONDS ?= 30
FUZZ_SEED ?= 1
FUZZ_CORPUS ?=
FUZZ_ISA ?=
SANITIZERS ?= address thread

# The compilers instrument for libFuzzer, but only the program of Tests/fuzz is linked with it.
sanitize_flags_address := -Xswiftc -Xfrontend -Xswiftc -sanitize=address,fuzzer \
  -Xcc -fsanitize=fuzzer-no-link -Xcc -fsanitize=undefined

# $(call c_build_package,SCRATCH,FLAGS OF SWIFT BUILD,FLAGS OF THE LINKER): SCRATCH/release/libequiconv.so, which is
# written only if it is another than before. Embedded Swift has no sanitizers, so this is the library of the package;
# the Swift package manager knows what is out of date. Paths are written from the root of the repository.
sanitize_product := EquiconvC
c_build_package = cd $(c_root) && $(SWIFT) build -c release --product $(sanitize_product) --scratch-path $(1) \
  $(addprefix -Xswiftc ,-static-stdlib -file-prefix-map $(c_root)=.) $(2) $(addprefix -Xlinker ,$(c_link_flags) $(3)) && \
  { cmp -s $(1)/release/lib$(sanitize_product).so $(1)/release/$(c_name) || \
    cp $(1)/release/lib$(sanitize_product).so $(1)/release/$(c_name); }

.PHONY: fuzz sanitize sanitized-address sanitized-thread
# The engine under one sanitizer, in a folder of its own, with symbols; plans check the offsets that microkernels trust.
sanitized-address sanitized-thread: export EQUICONV_INTERNAL_CHECKS := 1
sanitized-address sanitized-thread: sanitized-%:
	$(call c_build_package,$(c_root)/.build/$*,--sanitize $* $(sanitize_flags_$*),-soname=$(c_name))

# Without the runtimes it is skipped, which sanitizer-flags.sh says, before anything is built.
can_sanitize = $(c_root)/Tests/sanitizer-flags.sh $(CLANG) $(1) >/dev/null
sanitizers_address := address,undefined
sanitizers_thread := thread

fuzz:
	@$(call can_sanitize,fuzzer$(comma)$(sanitizers_address)) || exit 0; \
	$(MAKE) --no-print-directory sanitized-address && \
	FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) FUZZ_CORPUS=$(FUZZ_CORPUS) $(if $(FUZZ_ISA),EQUICONV_ISA=$(FUZZ_ISA)) \
	  $(c_root)/Tests/fuzz/run.sh $(CLANG) $(c_root)/.build/address/release

sanitize: $(addprefix sanitize-,$(SANITIZERS))
sanitize-%:
	@$(call can_sanitize,$(sanitizers_$*)) || exit 0; \
	$(MAKE) --no-print-directory sanitized-$* && \
	$(c_root)/Tests/CTests/sanitize.sh $(CLANG) $* $(sanitizers_$*) $(c_root)/.build/$*/release
