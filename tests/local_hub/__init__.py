"""A Hub for tests: an HTTP server on the loopback which the unmodified Hugging Face clients talk to."""
