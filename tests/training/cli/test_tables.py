from training.cli.tables import align


def test_columns_are_as_wide_as_their_widest_cell_and_numbers_stand_right() -> None:
    lines = align([("variant", "n"), ("max", "1,000")])

    assert lines == ["variant      n", "max      1,000"]


def test_lines_end_where_their_last_word_does() -> None:
    assert align([("kernel 3", "7×7"), ("kernel 7", "")]) == ["kernel 3  7×7", "kernel 7"]
