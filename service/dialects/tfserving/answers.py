"""What is answered to :predict and :classify."""

import orjson

from modelrepo.metadata import Metadata
from service.prediction import Classification, rank


def write_predictions(by_row: bool, classification: Classification) -> bytes:
    """Every class's probability, in the order of the labels, with the fewest digits that are the same float32."""
    member = "predictions" if by_row else "outputs"
    return orjson.dumps({member: classification.probabilities}, option=orjson.OPT_SERIALIZE_NUMPY)


def write_results(metadata: Metadata, classification: Classification) -> bytes:
    """Every class's label and probability, the most probable first."""
    ranked = rank(classification.probabilities, metadata.labels, metadata.output.classes)
    return orjson.dumps({"results": [[(best.label, best.probability) for best in row] for row in ranked]})
