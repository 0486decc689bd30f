"""A door before the sandbox: it lets requests through, and does to one of them what networks do.

It speaks just enough HTTP/1.1 for one request and one answer a connection.
"""

import contextlib
import datetime as dt
import re
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Misdeed = Callable[["Door", socket.socket, bytes], None]
"""What is done instead of handing out the answer; the bytes are the answer, empty before the service's work."""


@dataclass
class Strike:
    """The next `times` requests whose first line fits `path` are struck, before the service works on them or after."""

    path: re.Pattern[bytes]
    before: bool
    misdeed: Misdeed
    times: int = 1


class Door:
    def __init__(self, port: int) -> None:
        self.service, self.strikes = port, list[Strike]()
        self.over = threading.Event()
        """Set when nobody has to be kept waiting any longer."""
        self.held = threading.Event()
        """Set while a struck request waits."""
        self._listener = self._opened(0)
        self.port = self._listener.getsockname()[1]
        self._listen()

    def shut(self) -> None:
        """From now on connections are refused."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def open_again(self) -> None:
        if self._listener.fileno() < 0:
            self._listener = self._opened(self.port)
            self._listen()

    def calm(self) -> None:
        """Strike no more, and let go whoever is kept waiting."""
        self.strikes.clear()
        self.over.set()
        self.open_again()
        self.over, self.held = threading.Event(), threading.Event()

    def _opened(self, port: int) -> socket.socket:
        return socket.create_server(("127.0.0.1", port), backlog=64)

    def _listen(self) -> None:
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(peer,), daemon=True).start()

    def _one(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            request = received(peer)
            strike = self._struck(request.partition(b"\r\n")[0])
            answer = b"" if strike and strike.before else self.forward(request)
            if strike:
                strike.misdeed(self, peer, answer)
            else:
                peer.sendall(answer)

    def _struck(self, line: bytes) -> Strike | None:
        strike = next((one for one in self.strikes if one.times and one.path.search(line)), None)
        if strike:
            strike.times -= 1
        return strike

    def forward(self, request: bytes) -> bytes:
        """The whole answer of the service, which closes the connection after it."""
        head, _, body = request.partition(b"\r\n\r\n")
        head = re.sub(rb"\r\n(?:connection|accept-encoding):[^\r]*", b"", head, flags=re.IGNORECASE)
        with socket.create_connection(("127.0.0.1", self.service)) as service:
            service.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
            return b"".join(iter(lambda: service.recv(65536), b""))


def received(peer: socket.socket) -> bytes:
    """One whole request."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(peer)
    found = re.search(rb"\r\ncontent-length: *(\d+)", data.partition(b"\r\n\r\n")[0], re.IGNORECASE)
    whole = data.index(b"\r\n\r\n") + 4 + (int(found[1]) if found else 0)
    while len(data) < whole:
        data += _more(peer)
    return data


def _more(peer: socket.socket) -> bytes:
    if part := peer.recv(65536):
        return part
    raise ConnectionError("gone before its request was whole")


def reset(_door: Door, peer: socket.socket, _answer: bytes) -> None:
    """RST instead of an answer."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def stall(door: Door, _peer: socket.socket, _answer: bytes) -> None:
    """Nothing, until all is over."""
    over = door.over
    door.held.set()
    over.wait(60)


def hold(door: Door, peer: socket.socket, answer: bytes) -> None:
    """The answer, or the service's work and the answer, once all is over."""
    stall(door, peer, answer)
    if answer:
        peer.sendall(answer)


def drip(door: Door, peer: socket.socket, _answer: bytes) -> None:
    """Headers a byte at a time, each in good time, without an end."""
    over = door.over
    peer.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while not over.wait(0.03):
        peer.sendall(b"a")


def cut(_door: Door, peer: socket.socket, answer: bytes) -> None:
    """The headers and half of the body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    peer.sendall(head + b"\r\n\r\n" + body[: len(body) // 2])


def badly_packed(_door: Door, peer: socket.socket, answer: bytes) -> None:
    """A body that says it is gzip and isn't."""
    head, _, body = answer.partition(b"\r\n\r\n")
    peer.sendall(head + b"\r\ncontent-encoding: gzip\r\n\r\n" + body)


def badly_chunked(_door: Door, peer: socket.socket, answer: bytes) -> None:
    """A chunk without a size."""
    head, _, body = answer.partition(b"\r\n\r\n")
    head = re.sub(rb"\r\ncontent-length:[^\r]*", b"", head, flags=re.IGNORECASE)
    peer.sendall(head + b"\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n" + body)


def meanwhile(action: Callable[[], None]) -> Misdeed:
    """Something happens on this side while the answer is on its way, which then comes."""

    def misdeed(_door: Door, peer: socket.socket, answer: bytes) -> None:
        action()
        peer.sendall(answer)

    return misdeed


class Stranger:
    """A TLS server whose certificate nobody has reason to trust."""

    def __init__(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "both.pem"
            file.write_bytes(_self_signed())
            context.load_cert_chain(file)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port, self._context = self._listener.getsockname()[1], context
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), peer, self._context.wrap_socket(peer, server_side=True):
                pass

    def stop(self) -> None:
        self._listener.close()


def _self_signed() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    kept = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*kept) + made.public_bytes(serialization.Encoding.PEM)
