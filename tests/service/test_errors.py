"""Errors in requests."""

from service.errors import MAX_SENTENCE, InvalidRequest


def test_an_error_does_not_send_back_whatever_text_a_client_sent() -> None:
    assert len(str(InvalidRequest("x" * 1_000_000))) == MAX_SENTENCE + 1
