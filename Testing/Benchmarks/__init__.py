"""How fast we are, beside the libraries that do the same: `make bench` runs it and reports.

Read `groups/effects.py` and `groups/editor.py` for what is measured, `measure.py` for how,
`peers/` for what we are compared with (one file per library) and `results.py` for what is written.
Nothing is a test here: a slow machine or a slow version gives other numbers, not a failure.
"""
