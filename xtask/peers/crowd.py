"""What a crowd costs the live page: 50 tabs that watch, 10,000 requests, a client that never reads, one that sends garbage.

Run `cargo xtask serve FOLDER` with a folder of results, and then, on Linux,

    python3 xtask/peers/crowd.py ADDRESS PROCESS

with the address that it printed and the number of its process. It prints how long a request of somebody else takes without and with
all that, and the program's memory and processor time.
"""

import http.client
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

N_TABS, N_REQUESTS, N_ASKERS = 50, 10_000, 2
FILES = ["screen.js", "page.css", "data/models", "watch"]

address, process = urlsplit(sys.argv[1]), int(sys.argv[2])
path = address.path.rstrip("/")
is_over = threading.Event()


def connected():
    stream = socket.create_connection((address.hostname, address.port))
    stream.settimeout(0.5)
    return stream


def request(name):
    return f"GET {path}/{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def ask(connection, name):
    begun = time.perf_counter()
    connection.request("GET", f"{path}/{name}")
    reply = connection.getresponse()
    reply.read()
    assert reply.status == 200, reply.status
    return 1000 * (time.perf_counter() - begun)


def tab():
    stream = connected()
    stream.sendall(request("events/watch"))
    while not is_over.is_set():
        try:
            stream.recv(1 << 16)
        except TimeoutError:
            pass


def never_reads():
    while not is_over.is_set():
        stream = connected()
        while not is_over.is_set():
            try:
                stream.sendall(request("report.css"))
            except TimeoutError:
                time.sleep(0.05)
            except OSError:
                break  # It has been given up, and comes again.


def sends_garbage():
    while not is_over.is_set():
        with connected() as stream:
            try:
                stream.sendall(b"\xff\xfe GET / x\r\n\r\n\r\n")
                stream.recv(100)
            except OSError:
                pass
        time.sleep(0.01)


def asks():
    connection = http.client.HTTPConnection(address.netloc)
    for number in range(N_REQUESTS // N_ASKERS):
        ask(connection, FILES[number % len(FILES)])
        time.sleep(0.006)


def memory():
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def processor():
    with open(f"/proc/{process}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def looks(is_enough):
    connection, times = http.client.HTTPConnection(address.netloc), []
    while not is_enough(len(times)):
        times.append(ask(connection, "data/models"))
        time.sleep(0.02)
    return sorted(times)


def told(what, times):
    median, most = times[len(times) // 2], times[19 * len(times) // 20]
    print(f"{what}: {len(times)} requests, least {times[0]:.2f} ms, median {median:.2f} ms, 95 % within {most:.2f} ms")


told("alone", looks(lambda n: n == 300))
before, used, begun = memory(), processor(), time.time()
for work in [tab] * N_TABS + [never_reads, sends_garbage]:
    threading.Thread(target=work, daemon=True).start()
askers = [threading.Thread(target=asks) for _ in range(N_ASKERS)]
for asker in askers:
    asker.start()
told("with all", looks(lambda n: not any(asker.is_alive() for asker in askers)))
seconds = time.time() - begun
print(f"memory {before:.0f} MiB before, {memory():.0f} MiB after; {processor() - used:.1f} s of a processor in {seconds:.0f} s")
is_over.set()
time.sleep(1)
told("alone again", looks(lambda n: n == 300))
