"""An https server with one path for each thing that can happen to a download.

usage: https_server.py CERTIFICATE KEY    (prints its port, serves until its input is closed)
"""
import http.server
import os
import ssl
import sys
import threading

BODY = bytes(range(256)) * 300


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, rest = self.path[1:].partition("/")
        if path == "file":
            self.reply(200, BODY, {"Content-Length": len(BODY)})
        elif path == "unmeasured":  # no Content-Length: the end of TLS is that of the file
            self.reply(200, BODY, {})
            self.wfile.flush()
            try:
                self.connection.unwrap()
            except OSError:
                pass  # the client has closed already
        elif path == "short":
            self.reply(200, BODY[:100], {"Content-Length": len(BODY)})
        elif path == "hop":  # /hop/3 -> /hop/2 -> /hop/1 -> /file
            target = "/file" if rest == "1" else f"/hop/{int(rest) - 1}"
            self.reply(302, b"moved", {"Location": target, "Content-Length": 5})
        elif path == "loop":
            self.reply(302, b"", {"Location": "/loop", "Content-Length": 0})
        elif path == "http":
            self.reply(302, b"", {"Location": "http://localhost/file", "Content-Length": 0})
        elif path == "local":
            self.reply(302, b"", {"Location": "file:///etc/hostname", "Content-Length": 0})
        elif path == "endless":
            self.reply(200, b"", {})
            while True:
                self.wfile.write(BODY)
        else:
            self.reply(404, b"no such file", {"Content-Length": 12})

    def reply(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # clients that give up are what is being tested


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server = Server(("127.0.0.1", 0), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.write(1, b"%d\n" % server.server_address[1])  # at once: the reader closes its end then
sys.stdin.read()
os._exit(0)
