"""The options of `train` that say from which weights, on which machines and in which numbers a network learns."""

from argparse import ArgumentParser
from pathlib import Path

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
DEVICES = ("one", "all")


def add_learning(parser: ArgumentParser) -> None:
    """Give the parser these options."""
    _add_start(parser)
    _add_place(parser)
    parser.add_argument(
        "--tensorboard", type=Path, metavar="FOLDER", help="write loss, accuracy and learning rate for TensorBoard here"
    )


def _add_start(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("an earlier network")
    group.add_argument(
        "--from",
        type=Path,
        dest="start",
        metavar="BUNDLE|FILE.keras",
        help="start from its weights, not from random ones",
    )
    group.add_argument("--freeze", action="store_true", help="let only the last layer learn; with --from")


def _add_place(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("where and how it computes; TF_CONFIG makes several processes train together")
    group.add_argument("--devices", choices=DEVICES, default="one", help="all: every GPU of this machine (default one)")
    group.add_argument("--precision", choices=PRECISIONS, help="another than the recipe's")
