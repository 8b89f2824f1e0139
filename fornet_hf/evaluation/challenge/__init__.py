"""The background challenge of ImageNet-9: each foreground on all backgrounds, until one fools the classifier."""
