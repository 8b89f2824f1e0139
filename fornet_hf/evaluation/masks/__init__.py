"""Masks against the truth: IoU, Dice, accuracy and mIoU of what segmenters found."""
