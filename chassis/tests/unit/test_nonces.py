"""A nonce that was given is never given again: not to another thread, and not to the child of a fork."""

import os
from concurrent.futures import ThreadPoolExecutor

from chassis.vault import _NONCE_BYTES, _Nonces

_MANY = 5_000


def taken(nonces: _Nonces, count: int) -> list[bytes]:
    return [nonces.take() for _ in range(count)]


def taken_in_a_child(nonces: _Nonces, count: int) -> bytes:
    """What a fork of this process takes, one behind the other."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"".join(taken(nonces, count)))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        found = answer.read()
    os.waitpid(child, 0)
    return found


def test_a_nonce_has_the_length_that_the_cipher_asks_for() -> None:
    assert {len(nonce) for nonce in taken(_Nonces(), _MANY)} == {_NONCE_BYTES}


def test_threads_are_never_given_the_same_nonce() -> None:
    nonces = _Nonces()

    with ThreadPoolExecutor(8) as takers:
        given = [nonce for each in takers.map(lambda _: taken(nonces, _MANY), range(8)) for nonce in each]

    assert len(given) == 8 * _MANY
    assert len(set(given)) == len(given)


def test_a_fork_is_never_given_the_nonces_of_its_parent() -> None:
    nonces = _Nonces()
    taken(nonces, 1)

    given = taken_in_a_child(nonces, 200)

    theirs = {given[at : at + _NONCE_BYTES] for at in range(0, len(given), _NONCE_BYTES)}
    assert len(theirs) == 200
    assert theirs.isdisjoint(taken(nonces, 200))
