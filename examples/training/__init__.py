"""The parts of `examples/train.py`.

config      a run's configuration: one value, kept in its folder
options     the command line
presets     files with other defaults
kinds       types of their fields
session     a whole run: `train(config)`
loop        an epoch of training, an evaluation
schedule    the learning rate
average     a moving average of the weights
data        images in bytes, sharded over the processes
images      labelled images that are not ForNet's
augment     changes of images after recombination
model       classifiers by name, what is tuned of them, and their optimizer
preact      PreAct-ResNet18, for small images
processes   torchrun's processes and their devices
interrupts  Ctrl-C
lines       lines for people
board       figures for TensorBoard
run         the run's folder: configuration, figures, checkpoint
leaving     what a run leaves: weights, adapter, report, and a row of results
rows        the table of those rows
"""
