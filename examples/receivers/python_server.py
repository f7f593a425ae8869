"""A receiver with nothing but Python: checks webhook-signature (Standard Webhooks), drops repetitions.

    SECRET=... PORT=3000 python3 examples/receivers/python_server.py
"""

import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ["SECRET"]
TOLERANCE_SECONDS = 300

if SECRET.startswith("whsec_"):
    encoded = SECRET[len("whsec_"):]
    KEY = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
else:
    KEY = SECRET.encode("utf-8")

# Ids already handled. In earnest: a unique column in your database, written together with your work.
handled = set()


def is_genuine(headers, body):
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) >= TOLERANCE_SECONDS:
        return False
    content = f"{message_id}.{timestamp}.".encode("utf-8") + body
    expected = b"v1," + base64.b64encode(hmac.new(KEY, content, hashlib.sha256).digest())
    # While a secret is being rotated there are two, separated by a space.
    signatures = headers.get("webhook-signature", "").encode("utf-8").split(b" ")
    return any(hmac.compare_digest(signature, expected) for signature in signatures)


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        # The bytes as they came: parsed and printed again they would not match the signature.
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not is_genuine(self.headers, body):
            return self.answer(401, b"Invalid signature")
        if self.headers["webhook-id"] not in handled:
            handled.add(self.headers["webhook-id"])
            event = json.loads(body)
            print(f"Received {event['event']} {event['id']}", flush=True)
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
