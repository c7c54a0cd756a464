"""JSON from files, as far as it can be sent on."""

import json
from typing import Any


def parse_json(text: str) -> Any:
    """The document; raises ValueError or RecursionError for what is no JSON, or has a text that no answer can hold.

    That is one with half of a surrogate pair, which escapes can make.
    """
    document = json.loads(text)
    json.dumps(document, ensure_ascii=False).encode()
    return document
