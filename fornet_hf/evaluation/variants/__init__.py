"""ImageNet-9 after Xiao et al. (Noise or Signal, 2020): its classes, its eight variants, and its files."""
