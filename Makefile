# fyke's build. GNU Make, out of tree: everything made lies under build/<variant>/.
# `make help` lists the goals; CC CFLAGS CPPFLAGS LDFLAGS prefix DESTDIR are respected.

VARIANT ?= release
# What `CC ?= gcc` cannot say: make's own default is cc, and a fresh machine has none.
ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(VARIANT)),clang,gcc)
endif
CFLAGS  ?= $(VARIANT_CFLAGS)
prefix  ?= /usr/local
DESTDIR ?=
INSTALL ?= install

# ---- what is built ----------------------------------------------------------

BUILD := build/$(VARIANT)

LIB_SOURCES  := $(sort $(wildcard analyzer/*.c analyzer/*/*.c dissectors/*.c dissectors/*/*.c storage/*.c findings/*.c reports/*.c))
CLI_SOURCES  := $(sort $(filter-out cli/main.c,$(wildcard cli/*.c)))
UNIT_SOURCES := $(sort $(wildcard tests/unit/test_*.c))
UNIT_SUPPORT := $(sort $(filter-out $(UNIT_SOURCES),$(wildcard tests/unit/*.c)))
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SOURCES := $(sort $(wildcard bench/*.c))
BENCH_TRACES := $(sort $(wildcard bench/traces/*.c))
ALL_SOURCES  := $(LIB_SOURCES) $(CLI_SOURCES) cli/main.c $(UNIT_SOURCES) $(UNIT_SUPPORT) $(FUZZ_SOURCES) \
	$(BENCH_SOURCES) $(BENCH_TRACES) $(wildcard tests/fuzz/replay_main.c)

object = $(patsubst %.c,$(BUILD)/%.o,$(1))
program = $(patsubst %.c,$(BUILD)/%,$(1))

LIB     := $(BUILD)/libfyke.a
CLI_LIB := $(BUILD)/libfyke-cli.a
FYKE    := $(BUILD)/fyke
UNIT_PROGRAMS := $(call program,$(UNIT_SOURCES))
FUZZ_PROGRAMS := $(call program,$(FUZZ_SOURCES))
BENCH_PROGRAMS := $(call program,$(BENCH_SOURCES))

# ---- how --------------------------------------------------------------------

# pkg-config names; the Debian packages and what each is for: `dependencies`.
PKG_CONFIG ?= pkg-config
PACKAGES := libpcap sqlite3 jansson zlib libzstd liblz4 libcrypto libxxhash libnghttp2

# Asked once, and only when something is compiled: `make help` and `make demo` start without them.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell $(PKG_CONFIG) --cflags $(PACKAGES)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(shell $(PKG_CONFIG) --libs $(PACKAGES)))$(PKG_LIBS)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wmissing-prototypes \
	-Wstrict-prototypes -Wvla -Wundef -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough
ifneq ($(WERROR),)
WARNINGS += -Werror
endif

SANITIZE_ADDRESS := -fsanitize=address,undefined -fno-sanitize-recover=undefined
HARDENING := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
ifneq ($(filter x86_64-%,$(shell uname -m)-),)
HARDENING += -fcf-protection
endif

ifeq ($(VARIANT),release)
VARIANT_CFLAGS := -O2 -g
VARIANT_FLAGS  := $(HARDENING)
# gcc optimizes fyke as a whole; tests link the same objects one by one. LTO=0 builds faster. -fno-lto and -flto
# must not meet in one command: gcc leaves its linker plugin out whenever the first is there.
LTO ?= $(if $(findstring gcc,$(notdir $(CC))),1,0)
ifeq ($(LTO),1)
LTO_COMPILE := $() -flto -ffat-lto-objects
LTO_LINK    := $() -flto=auto
LTO_APART   := $() -fno-lto
endif
# Left alone, gcc clears and copies records with `rep stos` and `rep movs`, whose start alone takes as long as the work.
ifeq ($(findstring gcc,$(notdir $(CC)))-$(shell uname -m),gcc-x86_64)
STRATEGY := vector_loop:2048:noalign,libcall:-1:noalign
VARIANT_CFLAGS += -mmemset-strategy=$(STRATEGY) -mmemcpy-strategy=$(STRATEGY)
endif
else ifeq ($(VARIANT),debug)
VARIANT_CFLAGS := -O0 -g3
VARIANT_FLAGS  := -fstack-protector-strong
else ifeq ($(VARIANT),asan)
VARIANT_CFLAGS := -O1 -g
VARIANT_FLAGS  := $(SANITIZE_ADDRESS) -fno-omit-frame-pointer
else ifeq ($(VARIANT),tsan)
VARIANT_CFLAGS := -O1 -g
VARIANT_FLAGS  := -fsanitize=thread -fno-omit-frame-pointer
else ifeq ($(VARIANT),fuzz)
VARIANT_CFLAGS := -O1 -g
VARIANT_FLAGS  := $(SANITIZE_ADDRESS) -fsanitize=fuzzer-no-link -fno-omit-frame-pointer
else
$(error VARIANT=$(VARIANT) is none of: release debug asan tsan fuzz)
endif

COMPILE = $(CC) -std=gnu17 -D_GNU_SOURCE -I. -pthread -fPIE $(WARNINGS) $(VARIANT_FLAGS) $(PKG_CFLAGS) \
	$(CPPFLAGS) $(CFLAGS)$(LTO_COMPILE)
LINK = $(CC) -pthread -pie -Wl,-z,relro,-z,now $(VARIANT_FLAGS) $(CFLAGS) $(LDFLAGS)
LINK_APART = $(LINK)$(LTO_APART)

# V=1 shows whole commands.
SAY = @$(if $(V),,echo '  $(1) $(2)';)
RUN = $(if $(V),set -x;)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

.PHONY: all
all: $(FYKE) ## build fyke: build/release/fyke

$(FYKE): $(call object,cli/main.c) $(CLI_LIB) $(LIB)
	$(call SAY,LD,$@) $(RUN) $(LINK)$(LTO_LINK) -o $@ $^ $(PKG_LIBS) -lm

$(LIB): $(call object,$(LIB_SOURCES)) $(BUILD)/findings/builtin.o $(BUILD)/reports/schemas.o
$(CLI_LIB): $(call object,$(CLI_SOURCES))
$(LIB) $(CLI_LIB):
	@rm -f $@
	$(call SAY,AR,$@) $(RUN) $(AR) rcs $@ $^

# Flags that changed rebuild everything; so does a source that came or went (an archive forgets nothing).
$(BUILD)/flags: FORCE | build/packages
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(COMPILE) | $(LINK) | $(PKG_LIBS))' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(BUILD)/sources: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(LIB_SOURCES) $(CLI_SOURCES) >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(LIB) $(CLI_LIB): | $(BUILD)/sources
ifneq ($(wildcard $(BUILD)/sources),)
$(LIB) $(CLI_LIB): $(if $(shell printf '%s\n' $(LIB_SOURCES) $(CLI_SOURCES) | cmp -s - $(BUILD)/sources || echo changed),$(BUILD)/sources)
endif

build/packages: Makefile
	@mkdir -p $(@D)
	@scripts/dependencies pkg-config $(PKG_CONFIG) $(PACKAGES)
	@touch $@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call SAY,CC,$<) $(RUN) $(COMPILE) -MMD -MP -c -o $@ $<

# The rules and the JSON Schemas go into the binary as text.
RULES := $(sort $(wildcard findings/*.sql))
SCHEMAS := $(sort $(wildcard reports/*.schema.json))

$(BUILD)/findings/builtin.c: $(RULES) scripts/pack_text $(BUILD)/texts
	$(call SAY,RULES,$@) $(RUN) scripts/pack_text rules $(RULES) >$@

$(BUILD)/reports/schemas.c: $(SCHEMAS) scripts/pack_text $(BUILD)/texts
	$(call SAY,SCHEMAS,$@) $(RUN) scripts/pack_text schemas $(SCHEMAS) >$@

$(BUILD)/texts: FORCE
	@mkdir -p $(@D) $(BUILD)/findings $(BUILD)/reports
	@printf '%s\n' $(RULES) $(SCHEMAS) >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(BUILD)/findings/builtin.o: $(BUILD)/findings/builtin.c findings/rule.h $(BUILD)/flags
	$(call SAY,CC,$<) $(RUN) $(COMPILE) -c -o $@ $<

$(BUILD)/reports/schemas.o: $(BUILD)/reports/schemas.c reports/schemas.h $(BUILD)/flags
	$(call SAY,CC,$<) $(RUN) $(COMPILE) -c -o $@ $<

-include $(patsubst %.c,$(BUILD)/%.d,$(ALL_SOURCES))

.PHONY: FORCE
FORCE:

# ---- tests ------------------------------------------------------------------

# Goals that need more than the compiler run in two steps: install what is missing, then build in a
# make of its own, which then finds pkg-config and the libraries.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 1))
SUBMAKE = $(MAKE) $(JOBS)

# cmocka.h needs these before it, in whatever order a formatter puts them.
$(BUILD)/tests/unit/%.o: private CPPFLAGS += -include setjmp.h -include stdarg.h -include stddef.h -include stdint.h

$(UNIT_PROGRAMS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(call object,$(UNIT_SUPPORT)) $(CLI_LIB) $(LIB)
	$(call SAY,LD,$@) $(RUN) $(LINK_APART) -o $@ $^ $(PKG_LIBS) -lm -lcmocka

# libFuzzer drives the harness in the fuzz variant; elsewhere the corpus is replayed.
ifeq ($(VARIANT),fuzz)
$(FUZZ_PROGRAMS): $(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(CLI_LIB) $(LIB)
	$(call SAY,LD,$@) $(RUN) $(LINK_APART) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS) -lm
else
$(FUZZ_PROGRAMS): $(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/tests/fuzz/replay_main.o $(CLI_LIB) $(LIB)
	$(call SAY,LD,$@) $(RUN) $(LINK_APART) -o $@ $^ $(PKG_LIBS) -lm
endif

$(BUILD)/bench/generate: $(call object,$(BENCH_TRACES))
$(BENCH_PROGRAMS): $(BUILD)/bench/%: $(BUILD)/bench/%.o $(CLI_LIB) $(LIB)
	$(call SAY,LD,$@) $(RUN) $(LINK_APART) -o $@ $^ $(PKG_LIBS) -lm

.PHONY: tests-build
tests-build: $(FYKE) $(UNIT_PROGRAMS) $(BENCH_PROGRAMS) $(if $(filter fuzz,$(VARIANT)),,$(FUZZ_PROGRAMS))

.PHONY: run-tests
run-tests: tests-build
	@tests/run --build $(BUILD) $(if $(ONLY),--only '$(ONLY)') test

.PHONY: test
test: ## unit tests, command line, golden, differential, properties, fuzz corpora (ONLY=part of a name)
	@scripts/dependencies install build test
	@$(SUBMAKE) run-tests

.PHONY: test-asan
test-asan: ## the same under AddressSanitizer and UBSan
	@scripts/dependencies install build test
	@$(SUBMAKE) VARIANT=asan run-tests

.PHONY: test-tsan
test-tsan: ## the same under ThreadSanitizer
	@scripts/dependencies install build test
	@$(SUBMAKE) VARIANT=tsan run-tests

.PHONY: test-live
test-live: ## against real servers in network namespaces; skips where they or the rights are missing
	@scripts/dependencies install build test
	@$(SUBMAKE) tests-build
	@tests/run --build $(BUILD) $(if $(ONLY),--only '$(ONLY)') live

.PHONY: test-long
test-long: ## what takes minutes: every capture under the sanitizers, long properties
	@scripts/dependencies install build test
	@$(SUBMAKE) VARIANT=asan tests-build
	@tests/run --build build/asan $(if $(ONLY),--only '$(ONLY)') long

.PHONY: lint
lint: ## format, levels of includes, banned functions, function length, clang-tidy, generated files
	@scripts/dependencies install build lint
	@$(SUBMAKE) $(FYKE)
	@tests/run --build $(BUILD) $(if $(ONLY),--only '$(ONLY)') lint

FUZZ_SECONDS ?= 60
.PHONY: fuzz fuzz-build
fuzz-build: $(FUZZ_PROGRAMS)
fuzz: ## run every fuzz harness for FUZZ_SECONDS (60) each (ONLY=part of a name)
	@scripts/dependencies install build fuzz
	@$(SUBMAKE) VARIANT=fuzz fuzz-build
	@scripts/fuzz build/fuzz $(FUZZ_SECONDS) '$(ONLY)'

.PHONY: bless
bless: $(FYKE) ## show how a golden case would change, and take it as right (CASE=name)
	@FYKE=$(FYKE) tests/golden/bless $(CASE)

.PHONY: bench bench-build
bench-build: $(FYKE) $(BENCH_PROGRAMS)
bench: ## time and memory on generated traces
	@scripts/dependencies install build
	@$(SUBMAKE) bench-build
	@bench/run $(BUILD)

# ---- use --------------------------------------------------------------------

.PHONY: demo
demo: ## install what is missing, build, analyze the example, show summary, query, report, database
	@scripts/dependencies install build demo
	@$(SUBMAKE) all
	@scripts/demo $(FYKE)

.PHONY: docs
docs: $(FYKE) ## write what is generated: docs/database.md, docs/protocols.md, docs/findings.md, the output shown in README.md
	$(FYKE) help database >$(BUILD)/database.md
	@cmp -s $(BUILD)/database.md docs/database.md || cp $(BUILD)/database.md docs/database.md
	$(FYKE) protocols --markdown >$(BUILD)/protocols.md
	@cmp -s $(BUILD)/protocols.md docs/protocols.md || cp $(BUILD)/protocols.md docs/protocols.md
	$(FYKE) help rules >$(BUILD)/findings.md
	@cmp -s $(BUILD)/findings.md docs/findings.md || cp $(BUILD)/findings.md docs/findings.md
	scripts/tour $(FYKE)

FORMATTED = $(sort $(wildcard analyzer/*.[ch] analyzer/*/*.[ch] dissectors/*.[ch] dissectors/*/*.[ch] storage/*.[ch] findings/*.[ch] reports/*.[ch] \
	cli/*.[ch] tests/*/*.[ch] bench/*.[ch] bench/*/*.[ch]))
.PHONY: format
format: ## clang-format every source in place
	clang-format -i $(FORMATTED)

.PHONY: install uninstall
install: $(FYKE) ## install below $(DESTDIR)$(prefix)
	$(INSTALL) -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(prefix)/share/fyke $(DESTDIR)$(prefix)/share/doc/fyke
	$(INSTALL) -m 755 $(FYKE) $(DESTDIR)$(prefix)/bin/fyke
	$(foreach file,$(wildcard reports/*.schema.json),$(INSTALL) -m 644 $(file) $(DESTDIR)$(prefix)/share/fyke/;)
	$(INSTALL) -m 644 README.md $(wildcard docs/*.md) $(DESTDIR)$(prefix)/share/doc/fyke/

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(prefix)/bin/fyke
	rm -rf $(DESTDIR)$(prefix)/share/fyke $(DESTDIR)$(prefix)/share/doc/fyke

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this list
	@echo 'Goals:'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16
	@echo 'Variables: VARIANT=release|debug|asan|tsan|fuzz  WERROR=1  LTO=0  ONLY=name  V=1  CC CFLAGS CPPFLAGS LDFLAGS'
	@echo '           prefix=$(prefix) DESTDIR=$(DESTDIR)  FYKE_CAPTURES=directory of captures for the differential tests'
