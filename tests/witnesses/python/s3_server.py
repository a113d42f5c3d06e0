"""An S3 server with one bucket, for vaults that lie in one: moto, by other people, which checks
signatures and heeds `If-None-Match`.

Says `s3 ready {json}` once the bucket is there and only its user's requests are accepted. SIGUSR1 has
it go away, with every connection; SIGUSR2 brings it back with all that it held.
"""

import json
import signal
import socket
import sys
import threading

import boto3
import moto.settings
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}


class Server:
    """Serves the same world each time it is there."""

    def __init__(self, port):
        self.port = port
        self.app = DomainDispatcherApplication(create_backend_app)
        # moto looks and then writes: two requests at once could both create one object.
        self.turn = threading.Lock()
        self.there = False
        self.server = None

    def __call__(self, environ, start_response):
        if not self.there:
            # A connection from before.
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        with self.turn:
            return self.app(environ, start_response)

    def come(self):
        self.there = True
        self.server = make_server("127.0.0.1", self.port, self, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def go(self):
        self.there = False
        self.server.shutdown()
        self.server.server_close()


def main():
    port, bucket = int(sys.argv[1]), sys.argv[2]
    signals = {signal.SIGUSR1, signal.SIGUSR2}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    server = Server(port)
    server.come()
    address = {
        "endpoint_url": f"http://127.0.0.1:{port}",
        "region_name": "us-east-1",
        "aws_access_key_id": "nobody",
        "aws_secret_access_key": "nothing",
    }
    boto3.client("s3", **address).create_bucket(Bucket=bucket)
    iam = boto3.client("iam", **address)
    iam.create_user(UserName="worker")
    iam.put_user_policy(
        UserName="worker", PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING)
    )
    key = iam.create_access_key(UserName="worker")["AccessKey"]
    moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = 0.0
    told = {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
    print(f"s3 ready {json.dumps(told)}", flush=True)
    while True:
        if signal.sigwait(signals) == signal.SIGUSR1:
            server.go()
        else:
            server.come()


main()
