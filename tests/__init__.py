"""The tests; a package so that tests may share the test Hub."""
