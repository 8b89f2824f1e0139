"""Plots as SVG: numbers go in, text comes out. Colours are classes of the page's style sheet, for light and dark."""
