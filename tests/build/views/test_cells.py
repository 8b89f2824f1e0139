"""Cells of a sheet."""

import numpy as np

from producers.views.cells import SIZE, Cell, Note, drawn

RED = (250, 0, 0)


def dark(image, box):
    return (np.asarray(image.crop(box).convert("L")) < 128).any()


def test_all_cells_are_as_high_as_the_longest_notes_need():
    ((first, second),) = drawn([[Cell(notes=[Note("one"), Note("two")]), Cell()]])
    assert first.size == second.size == (SIZE[0], SIZE[1] + 40)
    ((bare,),) = drawn([[Cell()]])
    assert bare.size == SIZE


def test_an_image_is_fitted_and_its_notes_stand_right_below():
    wide = np.full((40, 160, 3), 200, np.uint8)
    ((cell,),) = drawn([[Cell(wide, [Note("a cat", RED)])]])
    assert cell.getpixel((SIZE[0] - 1, 63)) == (200, 200, 200)
    assert cell.getpixel((SIZE[0] - 1, 64)) == (255, 255, 255)
    assert cell.getpixel((5, 74)) == RED
    assert dark(cell, (15, 67, 60, 83))


def test_long_notes_and_texts_are_cut():
    long = "very " * 500
    ((cell,),) = drawn([[Cell(text=long, notes=[Note(long)])]])
    assert dark(cell, (8, SIZE[1] - 24, 30, SIZE[1] - 8))
    assert not dark(cell, (SIZE[0] - 3, SIZE[1], SIZE[0], cell.height))
    assert not dark(cell, (0, SIZE[1] - 7, SIZE[0], SIZE[1]))
