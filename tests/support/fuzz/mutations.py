"""Mutated requests: a seed and a number give the same request in every run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.support.fuzz.body_mutations import compress, damage_body, replace_body
from tests.support.fuzz.corpus import Request
from tests.support.fuzz.framing_mutations import FRAMINGS
from tests.support.fuzz.head_mutations import (
    add_many_headers,
    change_header,
    change_header_length,
    change_method,
    change_query,
    change_segment,
    remove_header,
    rewrite_path,
    send_in_chunks,
)
from tests.support.fuzz.json_mutations import restructure
from tests.support.fuzz.random_choice import Random, pick

Mutation = Callable[[Request, Random], Request]

MUTATIONS: tuple[Mutation, ...] = (
    *[damage_body] * 4,
    *[replace_body] * 2,
    *[restructure] * 12,
    *[change_header] * 5,
    *(remove_header, add_many_headers, change_header_length),
    *[compress] * 2,
    *[change_segment] * 3,
    *(rewrite_path, change_query, change_query, change_method, send_in_chunks),
)


@dataclass(frozen=True)
class Mutant:
    """`data` is sent; `whole` says whether it is exactly one request, so that exactly one response is due."""

    data: bytes
    method: str
    path: str
    whole: bool


def mutant(corpus: Sequence[Request], seed: int, number: int) -> Mutant:
    """The request of this number, with up to four mutations, and rarely one of its framing."""
    random = np.random.default_rng([seed, number])
    request = pick(random, corpus)
    if random.random() < 0.05:  # a body that was meant for another route
        other = pick(random, corpus)
        request = replace(other, method=request.method, path=request.path)
    for _ in range(pick(random, (0, 1, 1, 1, 1, 1, 2, 2, 3, 4))):
        request = pick(random, MUTATIONS)(request, random)
    if random.random() < 0.05 and request.method.upper() != "HEAD":
        return Mutant(pick(random, FRAMINGS)(request, random), request.method, request.path, whole=False)
    return unchanged(request)


def unchanged(request: Request) -> Mutant:
    """The request as it is."""
    return Mutant(request.to_bytes(), request.method, request.path, whole=True)
