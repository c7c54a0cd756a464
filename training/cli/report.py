"""What a command prints of the bundle that it published."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelrepo.metadata import Metadata
from modelrepo.reader import read_metadata


def report(folder: Path) -> None:
    """Accuracy, loss, speed, parity and calibration."""
    metadata = read_metadata(folder)
    print(f"Published {metadata.name} version {metadata.version} in {folder}")
    print(f"  test accuracy  {metadata.evaluation['accuracy']:.2%} of {metadata.evaluation['examples']:,} images")
    print(f"  test loss      {metadata.evaluation['loss']:.4f}")
    if "throughput" in metadata.training:
        _report_speed(metadata.training)
    print(f"  parity         {metadata.parity['largest_difference']:.1e} over {metadata.parity['images']:,} images")
    if "calibration" in metadata.evaluation:
        _report_calibration(metadata)


def _report_calibration(metadata: Metadata) -> None:
    found, threshold = metadata.evaluation["calibration"], metadata.output.abstain_below
    before, after = found["expected_calibration_error_before"], found["expected_calibration_error_after"]
    print(
        f"  calibration    temperature {found['temperature']:.2f}, error {before:.3f} → {after:.3f} on held out images"
    )
    if threshold is not None:
        right, answered = found["threshold"]["precision"], found["threshold"]["coverage"]
        print(f"  abstains       below {threshold:.3f}: of {answered:.1%} answered {right:.2%} are right")


def _report_speed(training: Mapping[str, Any]) -> None:
    speed = training["throughput"]
    print(f"  input alone    {speed['input_images_per_second']:,.0f} images/s read and prepared")
    print(f"  network alone  {speed['network_images_per_second']:,.0f} images/s learned from")
    print(f"  peak memory    {training['peak_memory_bytes'] / 2**20:,.0f} MiB")
