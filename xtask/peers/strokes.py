"""How long the live page takes to answer a stroke: MNIST's first test digits, ten times as large, dark on light, over HTTP.

Run `cargo xtask serve FOLDER` with a folder of results, and then

    python3 xtask/peers/strokes.py ADDRESS t10k-images-idx3-ubyte.gz

with the address that it printed. Nothing else should run meanwhile. Each picture is sent as the pad sends it, and the whole
answer is read: steps, activations, bits and what speaks for them.
"""

import gzip
import http.client
import json
import sys
import time
from urllib.parse import urlsplit

N_DIGITS, SCALE, SIDE = 60, 10, 28

address = urlsplit(sys.argv[1])
with gzip.open(sys.argv[2]) as file:
    pixels = file.read()[16:]
connection = http.client.HTTPConnection(address.netloc)


def answer(method, path, body=None):
    connection.request(method, address.path.rstrip("/") + path, body, {"Content-Type": "application/octet-stream"})
    reply = connection.getresponse()
    text = reply.read()
    assert reply.status == 200, (reply.status, text)
    return json.loads(text)


model = answer("GET", "/data/models")["models"][0]["id"]
width = SCALE * SIDE
line = json.dumps({"width": width, "question": {"models": [model]}}).encode() + b"\n"
seconds = []
for index in range(N_DIGITS):
    digit = pixels[index * SIDE * SIDE :][: SIDE * SIDE]
    picture = bytes(255 - digit[y // SCALE * SIDE + x // SCALE] for y in range(width) for x in range(width))
    begun = time.perf_counter()
    answer("POST", "/do/read", line + picture)
    seconds.append(time.perf_counter() - begun)
seconds.sort()
least, median, most = (1000 * seconds[place] for place in (0, N_DIGITS // 2, 19 * N_DIGITS // 20))
print(f"{model}: {N_DIGITS} digits, least {least:.1f} ms, median {median:.1f} ms, 95 % within {most:.1f} ms")
