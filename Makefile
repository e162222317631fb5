# Short names for what one does here; tools/setup.py and tools/run.py do it.
#
#   make demo                 set up, build, run the demonstration, leave demo-output/report.md
#   make demo SIZE=512        a rock of 512 voxels along each edge
#   make test ARGS='-k islands'   set up, build, and pass the tests

PYTHON ?= python3
SIZE ?= 256
RANKS ?= 3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test bench build lint docs pictures fuzz clean distclean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

demo: ## set up everything, build, run the main job, leave pictures and a report (SIZE=256 RANKS=3)
	@$(PYTHON) tools/setup.py demo
	@$(PYTHON) tools/run.py demo --size $(SIZE) --ranks $(RANKS) $(ARGS)

test: ## set up everything, build, pass the tests (ARGS: options for pytest)
	@$(PYTHON) tools/setup.py test
	@$(PYTHON) tools/run.py test $(ARGS)

bench: ## time us beside other libraries, leave bench-output/report.md (SIZE=256; ARGS='--quick --group effects')
	@$(PYTHON) tools/setup.py bench
	@$(PYTHON) tools/run.py bench --size $(SIZE) $(ARGS)

build: ## set up what is needed to build, build the plugin and the wheel
	@$(PYTHON) tools/setup.py build

lint: ## check formatting, style and types
	@$(PYTHON) tools/setup.py lint
	@$(PYTHON) tools/run.py lint $(ARGS)

docs: ## make docs/effects.md and docs/data-model.md from the declarations
	@$(PYTHON) SegmentationCore/CMake/generate_effects.py --effects SegmentationCore/Effects --docs docs/effects.md
	@$(PYTHON) SegmentationCore/CMake/generate_data_model_docs.py --differences SegmentationCore/DataModel/differences --docs docs/data-model.md

pictures: ## make docs/effects-pictures.md: every effect and query, on real data (ARGS: effects)
	@$(PYTHON) tools/setup.py test
	@$(PYTHON) tools/run.py pictures $(ARGS)

fuzz: ## run each fuzz target for a minute (needs the packages clang and libclang-rt-14-dev)
	@cmake --preset fuzz && cmake --build --preset fuzz
	@for target in FuzzJournal FuzzNrrd FuzzOperations; do \
	  mkdir -p build/fuzz/corpus/$$target; \
	  ASAN_OPTIONS=detect_leaks=0:alloc_dealloc_mismatch=0 build/fuzz/bin/$$target -max_len=4096 -max_total_time=60 \
	    -dict=Testing/Fuzz/Seeds/operations.dict build/fuzz/corpus/$$target Testing/Fuzz/Seeds/$$target || exit 1; \
	done

clean: ## remove what was built and what the demonstration and the tests wrote
	rm -rf build dist demo-output bench-output test-output .setup/stamps/plugin .setup/stamps/wheel

distclean: clean ## also remove the virtual environments and what was downloaded
	rm -rf .setup
