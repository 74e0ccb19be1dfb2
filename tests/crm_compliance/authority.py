"""A time-stamp authority of our own: OpenSSL's `ts` behind a small web server, with a certificate that
OpenSSL makes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

CONFIG = """
[tsa]
default_tsa = stamps
[stamps]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[req]
distinguished_name = name
[name]
"""


def openssl(folder: Path, command: str) -> bytes:
    return subprocess.run(["openssl", *command.split()], cwd=folder, capture_output=True, check=True).stdout


def make(folder: Path) -> Path:
    """The authority's files below a folder; gives the certificate to trust."""
    folder.mkdir()
    (folder / "ts.cnf").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    new = "-newkey rsa:2048 -nodes -config ts.cnf"
    openssl(folder, f"req -x509 {new} -keyout ca.key -out ca.pem -days 3650 -subj /CN=Fictieve-CA -extensions ca")
    openssl(folder, f"req -new {new} -keyout tsa.key -out tsa.csr -subj /CN=Fictieve-tijd")
    signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile ts.cnf -extensions signer"
    openssl(folder, f"x509 -req -in tsa.csr {signed} -out tsa.pem")
    return folder / "ca.pem"


@contextmanager
def serving(folder: Path, *, answer: bytes | None = None) -> Iterator[str]:
    """The address of the authority; `answer` is what it says whatever it is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            body = answer if answer is not None else self._stamp(query)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _stamp(self, query: bytes) -> bytes:
            (folder / "query.tsq").write_bytes(query)
            # The signer's certificate alone: OpenSSL writes two of them in an order that a strict reader of
            # DER refuses.
            openssl(folder, "ts -reply -config ts.cnf -queryfile query.tsq -signer tsa.pem -inkey tsa.key -out reply.tsr")
            return (folder / "reply.tsr").read_bytes()

        def log_message(self, format: str, *args: object) -> None:
            """Nobody listens."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
