"""The eight variants a second time, pixel by pixel with loops, from the words of the paper and its authors' rules.

An image is a list of rows of (r, g, b); a mask a list of rows of 0 and 1; a box is xmin, ymin, xmax, ymax, and its
corners belong to it.
"""

from __future__ import annotations

BLACK = (0, 0, 0)


def in_box(x, y, box):
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def each(image, change):
    return [[change(x, y, pixel) for x, pixel in enumerate(row)] for y, row in enumerate(image)]


def only_bg_b(image, box):
    return each(image, lambda x, y, pixel: BLACK if in_box(x, y, box) else pixel)


def only_fg(image, mask):
    return each(image, lambda x, y, pixel: tuple(value * mask[y][x] for value in pixel))


def no_fg(image, mask):
    return each(image, lambda x, y, pixel: tuple(value * (1 - mask[y][x]) for value in pixel))


def strip(image, box):
    """Return x0, y0, x1, y1 of the tile, ends excluded."""
    height, width = len(image), len(image[0])
    xmin, ymin, xmax, ymax = box
    beside = [(xmin, (0, 0, xmin, height)), (width - xmax, (xmax, 0, width, height))]
    over = [(ymin, (0, 0, width, ymin)), (height - ymax, (0, ymax, width, height))]
    (first, second) = beside if max(a for a, _ in beside) * height > max(a for a, _ in over) * width else over
    return first[1] if first[0] > second[0] else second[1]


def only_bg_t(image, box):
    x0, y0, x1, y1 = strip(image, box)
    canvas = [[None] * len(image[0]) for _ in image]
    for top in range(0, len(image), y1 - y0):
        for left in range(0, len(image[0]), x1 - x0):
            for y in range(y0, y1):
                for x in range(x0, x1):
                    if top + y - y0 < len(canvas) and left + x - x0 < len(canvas[0]):
                        canvas[top + y - y0][left + x - x0] = image[y][x]
    return each(image, lambda x, y, pixel: canvas[y][x] if in_box(x, y, box) else pixel)


def under(old, new):
    """Return the pixel under the middle of each new pixel; Pillow adds up in floating point, which decides ties."""
    step, place, found = old / new, old / new / 2, []
    for _ in range(new):
        found.append(min(int(place), old - 1))
        place += step
    return found


def nearest(image, edge):
    """Resize the shorter side to `edge`."""
    height, width = len(image), len(image[0])
    rows = edge if height <= width else int(edge * height / width)
    columns = edge if width <= height else int(edge * width / height)
    return [[image[y][x] for x in under(width, columns)] for y in under(height, rows)]


def middle(image, side):
    top, left = round((len(image) - side) / 2), round((len(image[0]) - side) / 2)
    return [row[left : left + side] for row in image[top : top + side]]


def mixed(image, mask, other, other_box, edge):
    front = middle(nearest(only_fg(image, mask), edge), edge)
    back = middle(nearest(only_bg_t(other, other_box), edge), edge)
    return each(front, lambda x, y, pixel: back[y][x] if pixel == BLACK else pixel)


def covered(box, width, height, edge, side):
    """Return the box's pixels inside of the crop, and after resizing alone."""
    whole = nearest([[int(in_box(x, y, box)) for x in range(width)] for y in range(height)], edge)
    return sum(map(sum, middle(whole, side))), sum(map(sum, whole))
