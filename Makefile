# seisdcn: learns seismic gathers with a small convolutional autoencoder, in parallel, and applies it to whole surveys.
# `make help` lists the targets. Every path and flag can be overridden for a cluster with modules, for example
#   make CC=mpicc HDF5_CFLAGS="-I$HDF5_ROOT/include" HDF5_LIBS="-L$HDF5_ROOT/lib -lhdf5" BLAS_LIBS="-lopenblas"

# ---- what it is built with ------------------------------------------------------------------------------------------
# Debian 12's names of the packages, and what each is for.
PACKAGES = gcc make pkg-config
PACKAGES += libopenmpi-dev openmpi-bin # MPI: the ranks, and mpirun
PACKAGES += libhdf5-openmpi-dev        # parallel HDF5: every data file
PACKAGES += libopenblas-dev            # LAPACK, for f-x filtering
PACKAGES += libyaml-dev                # the configuration
PACKAGES += librandom123-dev           # Philox: random numbers by counter
PACKAGES += libxxhash-dev              # XXH3: the checksum of every gather
PACKAGES += libsegyio-dev              # reads SEG-Y; left out where it is not there
PACKAGES += libfftw3-dev               # spectra of plot and qc, f-x filtering, attributes; a build without it says so
PACKAGES += gnuplot-nox fonts-dejavu-core # plot runs gnuplot, which draws with this font
# For tests only: units; programs run as a whole and files read back; the original's own network as the oracle; SEG-Y
# that is written, read by another.
TEST_PACKAGES = libcmocka-dev python3 python3-numpy python3-h5py python3-torch python3-segyio
TEST_PACKAGES += slurm-wlm munge       # a Slurm of the tests' own, for the job files
TEST_PACKAGES += groff-base            # formats the manual page, and warns
TEST_PACKAGES += iproute2              # network namespaces: several hosts on one machine
TEST_PACKAGES += clang libclang-rt-14-dev # the fuzzers: libFuzzer and its sanitizers
LINT_PACKAGES = clang-format clang-tidy cppcheck shellcheck

CC = mpicc
PKG_CONFIG = pkg-config
PYTHON = /usr/bin/python3
MPIRUN = mpirun
JOBS = $(shell nproc 2>/dev/null || echo 2)

# What Open MPI needs to run as root, with more ranks than cores, and several jobs side by side: no pinning (all jobs
# would share the first cores), no spinning while others compute, no CMA (containers forbid it). ob1 is what it chooses
# on one machine anyway, after 0.2 s of every start that go into looking for networks.
export OMPI_ALLOW_RUN_AS_ROOT = 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM = 1
export OMPI_MCA_rmaps_base_oversubscribe = 1
export OMPI_MCA_mpi_yield_when_idle = 1
export OMPI_MCA_hwloc_base_binding_policy = none
export OMPI_MCA_btl_vader_single_copy_mechanism = none
export OMPI_MCA_pml = ob1

# pkg-config where it knows the package, else what h5pcc says, else plain names. Recursive (=), since `make deps` may
# have to install pkg-config first.
HDF5_CFLAGS = $(shell $(PKG_CONFIG) --cflags hdf5-openmpi 2>/dev/null || h5pcc -show 2>/dev/null | tr ' ' '\n' | grep '^-I')
HDF5_LIBS = $(shell $(PKG_CONFIG) --libs hdf5-openmpi 2>/dev/null || { h5pcc -show 2>/dev/null | tr ' ' '\n' | grep '^-L'; echo -lhdf5; })
BLAS_CFLAGS = $(shell $(PKG_CONFIG) --cflags openblas 2>/dev/null)
BLAS_LIBS = $(shell $(PKG_CONFIG) --libs openblas 2>/dev/null || echo -lopenblas)
YAML_CFLAGS = $(shell $(PKG_CONFIG) --cflags yaml-0.1 2>/dev/null)
YAML_LIBS = $(shell $(PKG_CONFIG) --libs yaml-0.1 2>/dev/null || echo -lyaml)
XXHASH_LIBS = $(shell $(PKG_CONFIG) --libs libxxhash 2>/dev/null || echo -lxxhash)
# libsegyio tells pkg-config nothing; without its header the sources leave it out too (__has_include).
SEGYIO_CFLAGS =
SEGYIO_LIBS = $(shell echo '\#include <segyio/segy.h>' | $(CC) $(SEGYIO_CFLAGS) -E -x c - >/dev/null 2>&1 && echo -lsegyio)
FFTW_LIBS = $(shell $(PKG_CONFIG) --libs fftw3 2>/dev/null)
FFTW_CFLAGS = $(if $(FFTW_LIBS),-DSEISDCN_FFTW $(shell $(PKG_CONFIG) --cflags fftw3 2>/dev/null))
CMOCKA_LIBS = $(shell $(PKG_CONFIG) --libs cmocka 2>/dev/null || echo -lcmocka)

# ---- variants: release (default), asan, debug (failures on demand: include/seisdcn/fault.h), fuzz ---------------------
VARIANT = release
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes
STRICT =
OPTIMISE_release = -O3
OPTIMISE_asan = -O1 -DSEISDCN_FAULTS -rdynamic -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
OPTIMISE_debug = -O1 -DSEISDCN_FAULTS
OPTIMISE_fuzz = -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
CFLAGS = $(OPTIMISE_$(VARIANT)) -g $(WARNINGS) $(STRICT)
# The vector kernels read no file, and clang takes minutes over them with sanitizers: the fuzzers have them plain.
VECTOR_CFLAGS = $(if $(filter fuzz,$(VARIANT)),-O0 -g,$(CFLAGS))
VERSION = 0.1.0
OUT = build/$(VARIANT)

ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -DSEISDCN_VERSION='"$(VERSION)"' -Iinclude -MMD -MP
# -lrt: asynchronous I/O, in the C library itself since glibc 2.34.
LINK_LIBS = $(HDF5_LIBS) $(BLAS_LIBS) $(YAML_LIBS) $(XXHASH_LIBS) $(SEGYIO_LIBS) $(FFTW_LIBS) -lrt -lm

# src/kernel/vector_*.c are compiled once for each instruction set; the best that all ranks have is chosen at start.
# ISAS=portable builds one that serves every processor.
ISAS = $(if $(filter debug fuzz,$(VARIANT)),portable,portable avx2 avx512)
ALL_CFLAGS += $(if $(filter-out portable,$(ISAS)),,-DVECTOR_PORTABLE_ONLY)
ISA_FLAGS_portable = -DISA=portable
ISA_FLAGS_avx2 = -DISA=avx2 -mavx2 -mfma -mtune=haswell
ISA_FLAGS_avx512 = -DISA=avx512 -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx2 -mfma -mprefer-vector-width=512 -mtune=skylake-avx512
VECTOR_FLAGS = -ffp-contract=fast -fno-math-errno -fno-trapping-math -fno-signed-zeros -Wno-psabi

SOURCES := $(filter-out src/kernel/vector_%.c,$(wildcard src/*/*.c))
VECTOR_SOURCES := $(wildcard src/kernel/vector_*.c)
OBJECTS = $(SOURCES:src/%.c=$(OUT)/%.o) \
	$(foreach isa,$(ISAS),$(VECTOR_SOURCES:src/%.c=$(OUT)/%.$(isa).o))
LIBRARY = $(OUT)/libseisdcn.a
EXTRA = $(if $(filter asan,$(VARIANT)),$(OUT)/keep_modules.o)
PROGRAM = $(if $(filter release,$(VARIANT)),build/seisdcn,$(OUT)/seisdcn)

UNIT_SOURCES := $(wildcard tests/unit/test_*.c tests/parallel/test_*.c)
UNIT_PROGRAMS = $(UNIT_SOURCES:tests/%.c=$(OUT)/tests/%)
FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_PROGRAMS = $(FUZZ_SOURCES:tests/%.c=$(OUT)/tests/%)
FUZZ_COMMON := $(filter-out tests/fuzz/fuzz_%.c,$(wildcard tests/fuzz/*.c))
FUZZ_OBJECTS = $(FUZZ_COMMON:tests/%.c=$(OUT)/tests/%.o)
FUZZ_LIBRARY = $(OUT)/tests/libfuzz.a
BENCH_SOURCES := $(wildcard tests/bench/*.c)
BENCH_PROGRAMS = $(BENCH_SOURCES:tests/%.c=$(OUT)/tests/%)

.PHONY: help all man deps demo test test-slurm bench lint asan fuzz format clean build-tests build-bench build-debug \
	build-fuzz fuzz-programs run-tests
.DEFAULT_GOAL := help

# One short line a file; V=1 shows the commands.
Q = $(if $(V),,@)
SAY = $(if $(V),,@echo "  $(1)	$(2)")

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z_.-]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

all: $(PROGRAM) ## builds build/seisdcn

man: all ## writes build/seisdcn.1, the manual page, and build/seisdcn.bash, completion for bash
	@$(PROGRAM) help man >build/seisdcn.1
	@$(PROGRAM) completion bash >build/seisdcn.bash

$(PROGRAM): $(OUT)/main.o $(EXTRA) $(LIBRARY)
	@mkdir -p $(@D)
	$(call SAY,link,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LINK_LIBS)

$(LIBRARY): $(OBJECTS)
	@rm -f $@
	$(Q)ar rcs $@ $^

COMPILE_WITH = $(CC) $(ALL_CFLAGS) $(HDF5_CFLAGS) $(BLAS_CFLAGS) $(YAML_CFLAGS) $(SEGYIO_CFLAGS) $(FFTW_CFLAGS)
COMPILE = $(COMPILE_WITH) $(CFLAGS)

$(OUT)/%.o: src/%.c
	@mkdir -p $(@D)
	$(call SAY,cc,$@)
	$(Q)$(COMPILE) -c -o $@ $<

define isa_rule
$$(OUT)/%.$(1).o: src/%.c
	@mkdir -p $$(@D)
	$$(call SAY,cc,$$@)
	$$(Q)$$(COMPILE_WITH) $$(VECTOR_CFLAGS) $$(VECTOR_FLAGS) $$(ISA_FLAGS_$(1)) -c -o $$@ $$<
endef
$(foreach isa,$(ISAS),$(eval $(call isa_rule,$(isa))))

# The fuzzers: MPI's compiler is clang there.
ifeq ($(VARIANT),fuzz)
export OMPI_CC = clang
export MPICH_CC = clang
endif

$(OUT)/tests/fuzz/%.o: tests/fuzz/%.c
	@mkdir -p $(@D)
	$(call SAY,cc,$@)
	$(Q)$(COMPILE) -Itests -c -o $@ $<

$(FUZZ_LIBRARY): $(FUZZ_OBJECTS)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(FUZZ_PROGRAMS): $(OUT)/tests/fuzz/%: $(OUT)/tests/fuzz/%.o $(FUZZ_LIBRARY) $(EXTRA) $(LIBRARY)
	$(call SAY,link,$@)
	$(Q)$(CC) $(CFLAGS) -fsanitize=fuzzer -Wl,--wrap=memory_new,--wrap=memory_grow,--wrap=memory_free $(LDFLAGS) \
		-o $@ $^ $(LINK_LIBS)

# Unit tests may reach into a room's headers only; they link the whole library.
$(OUT)/tests/%: tests/%.c $(EXTRA) $(LIBRARY)
	@mkdir -p $(@D)
	$(call SAY,cc,$@)
	$(Q)$(COMPILE) $(LDFLAGS) -Itests -o $@ $< $(EXTRA) $(LIBRARY) $(CMOCKA_LIBS) $(LINK_LIBS)

$(OUT)/keep_modules.o: tests/keep_modules.c
	@mkdir -p $(@D)
	$(call SAY,cc,$@)
	$(Q)$(COMPILE) -c -o $@ $<

build-tests: $(UNIT_PROGRAMS)

build-bench: $(BENCH_PROGRAMS)
	@:

# The program in which failures can be asked for, for tests/program/test_faults.py.
build-debug:
	$(Q)$(MAKE) --no-print-directory VARIANT=debug all

fuzz-programs: $(FUZZ_PROGRAMS)
	@:

# The fuzzers, where clang has libFuzzer; tests/program/test_fuzz.py says so where it has not.
CAN_FUZZ = printf 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' | \
	clang -fsanitize=fuzzer,address,undefined -x c -o /dev/null - >/dev/null 2>&1
build-fuzz:
	$(Q)if $(CAN_FUZZ); then $(MAKE) --no-print-directory VARIANT=fuzz fuzz-programs; else \
		echo "clang has no libFuzzer here: the fuzzers are not built"; fi

deps: ## installs what is missing (Debian; nothing where all is there)
	@./.ci/deps $(PACKAGES) $(TEST_PACKAGES)

# Recursive, since what is found where is only known once the packages are there.
AGAIN = @$(MAKE) --no-print-directory -j$(JOBS)

# ---- what it is tried with ------------------------------------------------------------------------------------------
RUN_TESTS = $(PYTHON) tests/run.py --build $(OUT) --program $(PROGRAM) --mpirun "$(MPIRUN)"
TESTS = # words: only the tests whose names hold one of them

test: ## sets up, builds and runs every test (TESTS="config synth": only those)
	@./.ci/deps $(PACKAGES) $(TEST_PACKAGES)
	$(AGAIN) all build-tests build-debug build-fuzz
	@$(RUN_TESTS) $(TESTS)

test-slurm: ## the job files under a Slurm of its own (a part of `make test`)
	@$(MAKE) --no-print-directory test TESTS=test_slurm

demo: ## sets up, builds and walks the whole road on a synthetic survey, in build/demo
	@./.ci/deps $(PACKAGES)
	$(AGAIN) all
	@SEISDCN="$(PROGRAM)" MPIRUN="$(MPIRUN)" sh tests/demo.sh build/demo

ROUNDS ?= # how often everything is timed in turn
SECONDS ?= # of one measurement
QUICK ?= # 1: a short look

bench: ## sets up, builds and measures speed, against PyTorch too (QUICK=1: below a minute; ROUNDS=5, SECONDS=1)
	@./.ci/deps $(PACKAGES) $(TEST_PACKAGES)
	$(AGAIN) all build-bench
	@$(PYTHON) tests/bench/run.py --build $(OUT) --program $(PROGRAM) --mpirun "$(MPIRUN)" \
		--rounds "$(ROUNDS)" --seconds "$(SECONDS)" $(if $(filter-out 0,$(QUICK)),--quick)

# MPI and HDF5 keep memory to the end: their leaks are left out by the names of their libraries (tests/lsan.supp), which
# whole stacks tell. use_tls=0: threads that MPI has ended already crash the search of their storage. OpenBLAS starts its
# threads when it is loaded, before any main; one that just starts looks like a leak.
asan: ## builds with AddressSanitizer and UndefinedBehaviorSanitizer and runs the tests with it
	@./.ci/deps $(PACKAGES) $(TEST_PACKAGES)
	$(AGAIN) VARIANT=asan all build-tests
	@OPENBLAS_NUM_THREADS=1 ASAN_OPTIONS=fast_unwind_on_malloc=0 UBSAN_OPTIONS=print_stacktrace=1 \
		LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0:use_tls=0 \
		$(MAKE) --no-print-directory VARIANT=asan run-tests

run-tests:
	@$(RUN_TESTS) --slow $(TESTS)

FUZZ = # words: only the fuzzers whose names hold one of them

fuzz: ## builds and runs the fuzzers of what reads strangers' files, two at a time (SECONDS=20 each, FUZZ="npy segy")
	@./.ci/deps $(PACKAGES) $(TEST_PACKAGES)
	$(AGAIN) build-fuzz
	@$(PYTHON) tests/fuzz/run.py $(if $(SECONDS),--seconds $(SECONDS)) $(FUZZ)

FORMATTED = $(wildcard src/*.c src/*/*.[ch] include/seisdcn/*.h tests/*.[ch] tests/*/*.[ch])
TIDIED = $(wildcard src/*.c src/*/*.c)
TIDIED_TESTS = $(wildcard tests/unit/*.c tests/parallel/*.c tests/bench/kernels.c) # without the analyzer, which takes minutes
TIDY_FLAGS = -std=c11 -D_GNU_SOURCE -DSEISDCN_VERSION="$(VERSION)" -DISA=portable -Iinclude -Itests $(shell $(CC) --showme:compile 2>/dev/null) \
	$(HDF5_CFLAGS) $(BLAS_CFLAGS) $(YAML_CFLAGS) $(SEGYIO_CFLAGS) $(FFTW_CFLAGS)

compile_commands.json: ## tells clangd and other tools how each file is compiled
	@FLAGS='$(TIDY_FLAGS)' && .ci/compile-commands "$$FLAGS" $(TIDIED) $(TIDIED_TESTS)

.PHONY: compile_commands.json check tidy
lint: check ## checks format, faults, includes and that nothing warns
	@$(MAKE) --no-print-directory tidy

# Its two parts: what is done in two minutes, and what takes five (.ci/run does that beside the tests).
check:
	@./.ci/deps $(PACKAGES) $(TEST_PACKAGES) $(LINT_PACKAGES)
	@clang-format --dry-run -Werror $(FORMATTED)
	@./.ci/check-includes
	@shellcheck -x jobs/*.sh jobs/*.sbatch jobs/submit .ci/deps .ci/run tests/demo.sh
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 -Iinclude \
		-D_GNU_SOURCE -DISA=portable -DSEISDCN_VERSION='"$(VERSION)"' src
	$(AGAIN) STRICT=-Werror all build-tests build-bench

tidy:
	@printf '%s\n' $(TIDIED) | xargs -P $(JOBS) -n 4 sh -c 'clang-tidy --quiet "$$@" -- $$FLAGS 2>/dev/null' tidy
	@clang-tidy --quiet --checks='-clang-analyzer-*' $(TIDIED_TESTS) -- $$FLAGS 2>/dev/null

tidy: export FLAGS = $(TIDY_FLAGS)

format: ## puts every C file into shape
	clang-format -i $(FORMATTED)

clean: ## removes build/
	rm -rf build

-include $(FUZZ_OBJECTS:.o=.d) $(FUZZ_PROGRAMS:=.d)
-include $(OBJECTS:.o=.d) $(OUT)/main.d $(UNIT_PROGRAMS:=.d) $(BENCH_PROGRAMS:=.d)
