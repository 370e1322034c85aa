"""The work without a server: `python loop.py` paints as long as each line of its input asks.

A line in: `{"jpegs": [paths], "seconds": 3, "workers": 1}`; a line out: pictures, seconds, and the
processor seconds that they took. One worker is the plain loop that all servers are held to; two
workers decode and encode while the network runs on another picture, which no plain loop does.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from painting import PaintingWork


def main() -> None:
    """Answer lines until the input ends."""
    work = PaintingWork(threads=int(sys.argv[1]))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        jpegs = [Path(path).read_bytes() for path in asked["jpegs"]]
        if "picture" in asked:
            Path(asked["picture"]).write_bytes(work.paint(jpegs[0]))
            print(json.dumps({"done": True}), flush=True)
            continue
        print(json.dumps(run(work, jpegs, asked["seconds"], asked["workers"])), flush=True)


def run(work: PaintingWork, jpegs: list[bytes], seconds: float, workers: int) -> dict[str, float]:
    """Paint one picture after the other for about so many seconds."""
    for jpeg in jpegs[:2]:
        work.paint(jpeg)
    numbers = count()
    started, processor = time.perf_counter(), time.process_time()

    def paint_on(_: int) -> int:
        done = 0
        while not done or time.perf_counter() - started < seconds:
            work.paint(jpegs[next(numbers) % len(jpegs)])
            done += 1
        return done

    with ThreadPoolExecutor(workers) as pool:
        pictures = sum(pool.map(paint_on, range(workers)))
    return {
        "pictures": pictures,
        "seconds": time.perf_counter() - started,
        "processor_seconds": time.process_time() - processor,
    }


if __name__ == "__main__":
    main()
