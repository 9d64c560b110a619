"""The servers that tests stand on: each starts, answers, survives a crash if it should, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import psutil
import psycopg
import pytest
import redis
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.services import S3, PostgreSQL, Redis, Service

ROOT = Path(__file__).resolve().parents[2]


def test_postgresql_keeps_what_it_acknowledged_through_a_crash() -> None:
    with PostgreSQL() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('hải đăng')")
        server.crash()
        assert not server.is_running()
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT upper(word) FROM kept").fetchall() == [("HẢI ĐĂNG",)]
            assert connection.execute("SHOW max_connections").fetchone() == ("200",)
            assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_fast_postgresql_gives_up_only_durability() -> None:
    with PostgreSQL(fast=True) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)


def test_redis_answers_and_asks_for_its_password() -> None:
    with Redis() as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("a", "1")
            assert client.get("a") == b"1"
        with (
            redis.Redis(host="127.0.0.1", port=server.port) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()


def test_s3_keeps_an_object_and_refuses_a_stranger() -> None:
    with S3() as server:
        owner = _client(server, server.password)
        owner.put_object(Bucket=server.bucket, Key="photos/1.jpg", Body=b"jpeg")
        assert owner.get_object(Bucket=server.bucket, Key="photos/1.jpg")["Body"].read() == b"jpeg"
        assert (server.bucket_directory / "photos" / "1.jpg").read_bytes() == b"jpeg"
        with pytest.raises(ClientError):
            _client(server, "wrong").get_object(Bucket=server.bucket, Key="photos/1.jpg")


@pytest.mark.parametrize("server", [PostgreSQL(fast=True), Redis(), S3()], ids=lambda server: server.name)
def test_a_stopped_server_leaves_nothing_behind(server: Service) -> None:
    before = _descendants(os.getpid())
    server.start()
    directory = server.directory
    assert directory is not None
    assert directory.exists()
    server.stop()
    assert not directory.exists()
    assert not _descendants(os.getpid()) - before


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGKILL])
def test_servers_end_with_a_killed_test_run(with_signal: signal.Signals) -> None:
    script = (
        "import time\n"
        "from tests.services import *\n"
        "servers = [kind().start() for kind in (PostgreSQL, Redis, S3)]\n"
        "print(*[server.directory for server in servers], flush=True)\n"
        "time.sleep(60)\n"
    )
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert run.stdout is not None
    with run.stdout:
        directories = [Path(word) for word in run.stdout.readline().split()]
    assert len(directories) == 3
    family = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(with_signal)
    run.wait(10)
    _, alive = psutil.wait_procs(family, timeout=15)
    assert not alive
    deadline = time.monotonic() + 5
    while any(directory.exists() for directory in directories) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [directory for directory in directories if directory.exists()]


def _client(server: S3, secret: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=secret,
        region_name=server.region,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


def _descendants(pid: int) -> set[int]:
    return {process.pid for process in psutil.Process(pid).children(recursive=True)}
