"""Makes example_8x2.npy, a synthetic trace of routing: no router was trained for it.

    python3 make_example.py example_8x2.npy          # writes it
    python3 make_example.py --check example_8x2.npy  # does the file hold what would be written?

2048 tokens, 4 layers, top-2 of 8 experts. In each layer an expert's popularity is
(its rank by popularity)^-0.3, the ranks shuffled; the weight of the first choice of the token before
is multiplied by 1 + TILTS[layer]; then two different experts are drawn, one after the other.
"""

import sys

import numpy as np

TOKENS, EXPERTS, CHOICES = 2048, 8, 2
EXPONENT = 0.3
TILTS = (0.1, 0.6, 1.4, 0.9)  # by layer
SEED = 8


def make_trace():
    # RandomState's numbers are the same in every version of NumPy.
    random = np.random.RandomState(SEED)
    trace = np.empty((TOKENS, len(TILTS), CHOICES), dtype=np.int8)
    for layer, tilt in enumerate(TILTS):
        popularity = np.arange(1, EXPERTS + 1) ** -EXPONENT
        popularity = popularity[np.argsort(random.random_sample(EXPERTS))]
        before = None
        for token in range(TOKENS):
            weights = popularity.copy()
            if before is not None:
                weights[before] *= 1 + tilt
            for choice in range(CHOICES):
                cumulated = np.cumsum(weights)
                expert = int(np.searchsorted(cumulated, random.random_sample() * cumulated[-1], "right"))
                trace[token, layer, choice] = expert
                weights[expert] = 0
            before = trace[token, layer, 0]
    return trace


def main(arguments):
    if len(arguments) == 1 and not arguments[0].startswith("-"):
        np.save(arguments[0], make_trace())
    elif len(arguments) == 2 and arguments[0] == "--check":
        if not np.array_equal(np.load(arguments[1]), make_trace()):
            sys.exit(f"{arguments[1]}: differs from what this script makes")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
