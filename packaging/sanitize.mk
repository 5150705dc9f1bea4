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

.PHONY: fuzz sanitize sanitized-address sanitized-thread
# The engine under one sanitizer, in a folder of its own, with symbols; plans check the offsets that microkernels trust.
sanitized-address sanitized-thread: export EQUICONV_INTERNAL_CHECKS := 1
sanitized-address sanitized-thread: sanitized-%:
	$(call c_build_library,$(c_root)/.build/$*,--sanitize $* $(sanitize_flags_$*),-soname=$(c_name))

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
