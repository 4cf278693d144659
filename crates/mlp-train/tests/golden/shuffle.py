"""Prints the orders in which `shuffle_for_epoch` puts ten samples, and keys of dropout, from an independent ChaCha8.

Run as `python3 shuffle.py`; the seed is expanded as rand_core 0.9 does it, by a PCG-32.
"""

import struct

MASK32, MASK64 = 2**32 - 1, 2**64 - 1


def rotate_left(x, n):
    return (x << n | x >> (32 - n)) & MASK32


def key_of_seed(seed):
    state, words = seed, []
    for _ in range(8):
        state = (state * 6364136223846793005 + 11634580027462260723) & MASK64
        shifted, turn = ((state >> 18 ^ state) >> 27) & MASK32, state >> 59
        words.append((shifted >> turn | shifted << (32 - turn)) & MASK32)
    return words


def chacha8_block(key, counter, stream):
    constants = struct.unpack("<4I", b"expand 32-byte k")
    start = [*constants, *key, counter & MASK32, counter >> 32, stream & MASK32, stream >> 32]
    x = list(start)

    def quarter(a, b, c, d):
        for left, right, target, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[left] = (x[left] + x[right]) & MASK32
            x[target] = rotate_left(x[target] ^ x[left], turn)

    for _ in range(4):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return [(a + b) & MASK32 for a, b in zip(x, start)]


def order(n_samples, seed, epoch):
    words = []
    for block in range(n_samples // 8 + 1):
        words += chacha8_block(key_of_seed(seed), (epoch << 40) // 16 + block, 1)
    order = list(range(n_samples))
    for draw, last in enumerate(range(n_samples - 1, 0, -1)):
        number = words[2 * draw] | words[2 * draw + 1] << 32
        other = number * (last + 1) >> 64
        order[last], order[other] = order[other], order[last]
    return order


def dropout_key(seed, step):
    words = chacha8_block(key_of_seed(seed), step, 5)
    return words[0] | words[1] << 32


for seed, epoch in [(0, 1), (0, 2), (1, 1)]:
    print(f"seed {seed}, epoch {epoch}:", order(10, seed, epoch))
for seed, step in [(0, 1), (0, 2), (5, 3), (1, 2**40)]:
    print(f"seed {seed}, step {step}:", hex(dropout_key(seed, step)))
