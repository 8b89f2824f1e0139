"""Images learned as layers, without any mask: a generator paints foreground, mask and background by themselves."""
