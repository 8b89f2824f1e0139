"""The parts of `examples/train.py`.

config      a run's configuration: one value, kept in its folder
data        images in bytes, sharded over the processes
augment     changes of images after recombination
model       classifiers by name, and their optimizer
processes   torchrun's processes and their devices
loop        an epoch of training, an evaluation
interrupts  Ctrl-C
lines       lines for people
run         the run's folder: configuration, figures, checkpoint
"""
