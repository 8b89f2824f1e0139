"""Views of a run that is going on or done: sheets of its images, and its pace."""
