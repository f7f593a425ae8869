"""A receiver with nothing but Python: checks webhook-signature (Standard Webhooks), reads batches, drops repetitions.

    SECRET=... PORT=3000 python3 examples/receivers/python_server.py
"""

import base64
import hashlib
import hmac
import json
import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ["SECRET"]
INBOX = os.environ.get("INBOX")
TOLERANCE_SECONDS = 300
BODY_BYTES_MAX = 11_000_000
DIGITS = re.compile("[0-9]{1,15}")

if SECRET.startswith("whsec_"):
    encoded = SECRET[len("whsec_"):]
    KEY = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
else:
    KEY = SECRET.encode("utf-8")

# Ids of events whose work is done. In earnest: a unique column, written in the transaction of your work.
handled = set()
one_at_a_time = threading.Lock()


def is_genuine(headers, body):
    """True for a request that was signed with the secret, within the last minutes. A header may hold anything."""
    delivery_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not DIGITS.fullmatch(timestamp) or abs(time.time() - int(timestamp)) >= TOLERANCE_SECONDS:
        return False
    content = f"{delivery_id}.{timestamp}.".encode("utf-8") + body
    expected = b"v1," + base64.b64encode(hmac.new(KEY, content, hashlib.sha256).digest())
    # While a secret is being rotated there are two, separated by a space.
    signatures = headers.get("webhook-signature", "").encode("utf-8").split(b" ")
    return any(hmac.compare_digest(signature, expected) for signature in signatures)


def handle(payload, delivery_id):
    """Does the work of every event that is not done yet. What fails is tried again with the next attempt."""
    # A subscription with batchSettings gets several events in one request.
    is_batch = payload.get("batch") is True
    for event in payload["events"] if is_batch else [payload]:
        event_id = event["id"] if is_batch else delivery_id
        with one_at_a_time:
            if event_id in handled:
                continue
            work(event)
            # Not before the work: an id kept by work that failed would make its repetition look done.
            handled.add(event_id)


def work(event):
    """Your work: here a line on the terminal, or in the file INBOX. It raises when it could not be done."""
    line = f"Received {event['event']} {event['id']}"
    if INBOX:
        with open(INBOX, "a", encoding="utf-8") as inbox:
            print(line, file=inbox)
    else:
        print(line, flush=True)


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not DIGITS.fullmatch(length) or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            return self.answer(413, b"Too large")
        # The bytes as they came: parsed and printed again they would not match the signature.
        body = self.rfile.read(int(length))
        if not is_genuine(self.headers, body):
            return self.answer(401, b"Invalid signature")
        try:
            handle(json.loads(body), self.headers["webhook-id"])
        except Exception as error:
            print(f"Not done: {error!r}", file=sys.stderr, flush=True)
            return self.answer(500, b"Not done, try again")
        return self.answer(200, b"Event processed successfully")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "3000"))), Receiver)
    print(f"Listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
