"""OpenVINO Model Server's own Python client, over HTTP: it names version 0 unless it is told another one."""

from collections.abc import Iterator

import numpy as np
import pytest
from ovmsclient import make_http_client
from ovmsclient.tfs_compat.base.errors import InvalidInputError, ModelNotFoundError
from ovmsclient.tfs_compat.http.serving_client import HttpClient

from tests.support.bundles.tiny_batches import batch, batch_files, expected_probabilities
from tests.support.processes.service import RunningService

VERSIONS = pytest.mark.parametrize("version", [{}, {"model_version": 0}, {"model_version": 1}, {"model_version": 2}])


@pytest.fixture
def ovms(service: RunningService) -> Iterator[HttpClient]:
    client = make_http_client(f"127.0.0.1:{service.port}")
    client.session.trust_env = False  # no proxy stands between a test and its service
    with client.session:
        yield client


@VERSIONS
def test_pixels_are_classified(ovms: HttpClient, version: dict[str, int]) -> None:
    assert np.allclose(ovms.predict({"image": batch(5)}, "mnist", **version), expected_probabilities(5))


@VERSIONS
def test_image_files_are_classified(ovms: HttpClient, version: dict[str, int]) -> None:
    assert np.allclose(ovms.predict({"image": batch_files(5)}, "mnist", **version), expected_probabilities(5))


def test_one_image_file_needs_no_list(ovms: HttpClient) -> None:
    assert np.allclose(ovms.predict({"image": batch_files(1)[0]}, "mnist"), expected_probabilities(1))


def test_the_status_is_of_the_version_or_of_all(ovms: HttpClient) -> None:
    status = {"state": "AVAILABLE", "error_code": 0, "error_message": ""}

    assert ovms.get_model_status("mnist", 1) == {1: status}
    assert ovms.get_model_status("mnist") == {1: status, 2: status}


@pytest.mark.parametrize(("version", "number"), [(0, "2"), (1, "1")])
def test_the_metadata_is_of_the_version(ovms: HttpClient, version: int, number: str) -> None:
    assert ovms.get_model_metadata("mnist", version)["model_spec"]["version"] == number


def test_an_error_has_the_sentence_of_the_service(ovms: HttpClient) -> None:
    with pytest.raises(ModelNotFoundError, match=r"Latest\(nothing\): there is no model 'nothing'"):
        ovms.predict({"image": batch(1)}, "nothing")
    with pytest.raises(ModelNotFoundError, match=r"Specific\(mnist, 7\)"):
        ovms.get_model_status("mnist", 7)
    with pytest.raises(InvalidInputError, match="mnist takes 8×8 grayscale images"):
        ovms.predict({"image": batch(1)[:, :7]}, "mnist")
