# All development happens in .venv, which is made when it is first needed.
# Arguments are passed on: make test ARGS="-k edges"

PY = .venv/bin/python
TEMPLATES = $(patsubst %/project.py,%,$(wildcard project_templates/*/project.py))

help:
	@echo "make demo     run the reference pipeline: ten pictures in demo/"
	@echo "make test     run the tests (make test ARGS=\"-k edges\" some of them)"
	@echo "make check    format, lint, types, directions of the imports"
	@echo "make bench    beside signac-flow, signac and Snakemake, in pairs; MATLAB sessions (half an hour)"
	@echo "make setup    make .venv; the others do it by themselves"

setup: .venv/.complete

.venv/.complete: pyproject.toml tools/venv.sh
	tools/venv.sh
	touch $@

demo: setup
	tools/octave.sh matlab octave-cli
	rm -rf demo
	$(PY) init.py recordings demo
	cd demo && ../$(PY) project.py run
	cd demo && ../$(PY) project.py status
	@echo "The pictures:" && ls demo/aggregates/Block/workspace/*/summary.png

test: setup
	tools/octave.sh octave-cli
	tools/slurm.sh
	$(PY) -m compileall -q package
	$(PY) -m pytest -n 2 --dist loadfile $(ARGS)

check: setup
	$(PY) -m ruff format --check
	$(PY) -m ruff check
	$(PY) -m mypy
	for template in $(TEMPLATES); do \
	    (cd $$template && $(CURDIR)/$(PY) -m mypy --config-file ../../pyproject.toml \
	        --cache-dir $(CURDIR)/.mypy_cache/$$template .) || exit 1; \
	done
	$(PY) -m pytest tests/test_imports.py

bench: setup
	$(PY) benchmarks/drop_in.py $(ARGS)
	$(PY) benchmarks/protocol.py
	$(PY) benchmarks/protocol.py --folder /dev/shm
	$(PY) benchmarks/creation.py
	$(PY) benchmarks/matlab.py
	$(PY) benchmarks/scale.py

.PHONY: help setup demo test check bench
