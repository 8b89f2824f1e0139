"""Mixing: two images of a batch become one.

masks          FMix masks and lambdas in NumPy alone, for any framework
on_tensors     the same masks in torch, on the CPU and on a GPU
configuration  what masks depend on, validated
spectrum       the frequencies of a mask
ranking        from grey maps to masks of an exact mean
hashing        noise from a key and counters, the same on every device
"""
