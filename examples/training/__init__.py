"""What `examples/train.py` is made of.

config      what a run is: one value, kept in the run's folder
data        images in bytes, sharded over the processes
augment     what happens to images after recombination
model       classifiers by name, and their optimizer
processes   torchrun's processes and their devices
loop        an epoch of training, an evaluation
interrupts  Ctrl-C
lines       what is printed for people
run         the run's folder: configuration, figures, checkpoint
"""
