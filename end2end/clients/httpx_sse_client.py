"""Prints each message of a stream of server-sent events as a line of JSON with its id.

httpx-sse leaves reconnecting to its user: this does it as an EventSource does, after the time that the stream
asked for and with the id that it gave last.
"""

import json
import sys
import time

import httpx
from httpx_sse import connect_sse


def follow(url: str) -> None:
    held, delay = "", 0.0
    # An idle stream is silent for longer than the time limit that httpx has by itself.
    with httpx.Client(timeout=None) as client:
        while True:
            headers = {"Last-Event-ID": held} if held else {}
            try:
                with connect_sse(client, "GET", url, headers=headers) as source:
                    source.response.raise_for_status()
                    for event in source.iter_sse():
                        # The id stays what it is until another one comes, also on the next connection.
                        held = event.id or held
                        if event.retry is not None:
                            delay = event.retry / 1000
                        print(json.dumps({"id": held, "data": event.data}), flush=True)
            except httpx.TransportError as error:
                print(f"connection lost: {error}", file=sys.stderr, flush=True)
            time.sleep(delay)


if __name__ == "__main__":
    follow(sys.argv[1])
