"""Servers of a test's own, on loopback: an engine, a store, and a proxy that loses connections; each stopped by its process."""
import asyncio
import os
import pathlib
import select
import socket
import ssl
import subprocess
import sys
import threading
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A program of this virtual environment that listens on a port."""

    def __init__(self, *arguments, log, **environment):
        self.port = free_port()
        program = pathlib.Path(sys.executable).with_name(arguments[0])
        words = [str(word).replace("PORT", str(self.port)) for word in arguments[1:]]
        self.log = open(log, "wb")
        self.process = subprocess.Popen([program, *words], stdout=self.log, stderr=subprocess.STDOUT, env={**os.environ, "RUST_LOG": "error", **environment})
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    self.stop()
                    raise RuntimeError(f"{program} does not listen: {pathlib.Path(log).read_text()[-2000:]}")
                time.sleep(0.1)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


class TlsFront:
    """Speaks TLS with a certificate of its own, and passes what it hears on to a server that does not."""

    def __init__(self, port, folder):
        self.certificate = folder / "authority.pem"
        self.make("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test", "-keyout", folder / "authority.key", "-out", self.certificate)
        self.make("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "request.pem")
        (folder / "names").write_text("subjectAltName=DNS:localhost")
        self.make("x509", "-req", "-in", folder / "request.pem", "-CA", self.certificate, "-CAkey", folder / "authority.key", "-CAcreateserial", "-days", "2",
                  "-extfile", folder / "names", "-out", folder / "server.pem")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "server.pem", folder / "key.pem")
        context.set_alpn_protocols(["h2"])
        loop = asyncio.new_event_loop()

        async def pass_on(reader, writer):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
            writer.close()

        async def serve(reader, writer):
            to_server = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pass_on(reader, to_server[1]), pass_on(to_server[0], writer), return_exceptions=True)

        server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0, ssl=context))
        self.port = server.sockets[0].getsockname()[1]
        threading.Thread(target=loop.run_forever, daemon=True).start()

    @staticmethod
    def make(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Proxy:
    """Passes bytes on, until it is told to cut every connection for some time."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.is_cut = threading.Event()
        self.pairs = []
        self.n_accepted = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.n_accepted += 1
            if self.is_cut.is_set():
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            self.pairs.append((client, server))
            threading.Thread(target=self.pass_on, args=(client, server), daemon=True).start()

    def pass_on(self, client, server):
        try:
            while True:
                ready, _, _ = select.select([client, server], [], [])
                for one in ready:
                    data = one.recv(1 << 16)
                    if not data:
                        return
                    (server if one is client else client).sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            client.close()
            server.close()

    def cut(self, seconds):
        """Closes all connections and takes no new one for so long."""
        self.is_cut.set()
        for client, server in self.pairs:
            for one in (client, server):
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs.clear()
        time.sleep(seconds)
        self.is_cut.clear()

    def stop(self):
        self.listener.close()
        self.is_cut.set()
