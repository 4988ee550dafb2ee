"""Benchmarks. Timings on shared machines are noisy, so every result is a ratio to something run beside it."""
