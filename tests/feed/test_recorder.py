"""Recordings give back every byte, whatever was on the wire and however the writer ended."""

import asyncio
import gzip
import stat
from pathlib import Path

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.recorder import FrameRecorder, parts_of, split_suffix
from nautilus_orderfeeds.feed.replayer import FrameReplayer
from nautilus_orderfeeds.feed.stream import Direction
from tests.support.feed_server import EchoStream, Setup, feed_server, greet, hold, until

SUFFIXES = [".jsonl", ".jsonl.gz", ".jsonl.zst"]


def as_bytes(frame: bytes | str) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recordings")


def fresh(folder: Path, suffix: str) -> Path:
    return folder / f"run{len(list(folder.iterdir()))}" / f"feed{suffix}"


@settings(max_examples=40, deadline=None)
@given(
    frames=st.lists(
        st.tuples(
            st.sampled_from(list(Direction)),
            st.sampled_from(["BSX orders", "é\n"]),
            st.one_of(st.binary(max_size=300), st.text(st.characters(exclude_categories=["Cs"]), max_size=300)),
        ),
        max_size=30,
    ),
    suffix=st.sampled_from(SUFFIXES),
    max_bytes=st.sampled_from([1, 500, 10**9]),
)
def test_round_trip_of_any_bytes(
    folder: Path, frames: list[tuple[Direction, str, bytes | str]], suffix: str, max_bytes: int
):
    path = fresh(folder, suffix)
    path.parent.mkdir()
    clock = ManualClock()
    recorder = FrameRecorder(path, clock=clock, max_bytes=max_bytes)
    for direction, stream, frame in frames:
        recorder.record(direction, stream, as_bytes(frame))
    recorder.close()
    if not frames:
        assert parts_of(path) == []
        return
    read = list(FrameReplayer(path))
    assert [(row.direction, row.stream, row.frame) for row in read] == [(d, s, as_bytes(f)) for d, s, f in frames]
    assert {row.ts_ns for row in read} == {clock.time_ns()}
    assert len(parts_of(path)) == (len(frames) if max_bytes == 1 else 1) or max_bytes == 500


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_frame_is_readable_at_once_and_a_cut_end_is_tolerated(tmp_path: Path, suffix: str):
    path = tmp_path / f"feed{suffix}"
    recorder = FrameRecorder(path)
    frames = [b"%d" % n * 50 for n in range(20)]
    for number, frame in enumerate(frames, start=1):
        recorder.record(Direction.IN, "s", frame)
        assert len(list(FrameReplayer(path))) == number
    whole = path.read_bytes()
    for keep in range(len(whole)):
        cut = tmp_path / f"cut{suffix}"
        cut.write_bytes(whole[:keep])
        read = [row.frame for row in FrameReplayer(cut)]
        assert read == frames[: len(read)]
    cut.write_bytes(whole[:-3])
    assert len(list(FrameReplayer(cut))) >= len(frames) - 1
    recorder.close()


def test_next_run_begins_a_new_part_even_after_a_crash(tmp_path: Path):
    path = tmp_path / "feed.jsonl.gz"
    for run in range(3):
        recorder = FrameRecorder(path)
        recorder.record(Direction.IN, "s", b"run %d" % run)
        if run != 1:
            recorder.close()
    assert [part.name for part in parts_of(path)] == ["feed.jsonl.gz", "feed.1.jsonl.gz", "feed.2.jsonl.gz"]
    assert [row.frame for row in FrameReplayer(path)] == [b"run 0", b"run 1", b"run 2"]
    assert [row.frame for row in FrameReplayer(tmp_path / "feed.2.jsonl.gz")] == [b"run 2"]


def test_file_is_private_plain_and_standard(tmp_path: Path):
    for suffix in SUFFIXES:
        path = tmp_path / "deep" / f"feed{suffix}"
        recorder = FrameRecorder(path, clock=ManualClock(start_ns=5))
        recorder.record(Direction.IN, "s", b'{"a":1}')
        recorder.record(Direction.OUT, "s", b"\xff")
        recorder.close()
        recorder.close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        raw = path.read_bytes()
        match suffix:
            case ".jsonl.gz":
                raw = gzip.decompress(raw)
            case ".jsonl.zst":
                raw = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
        assert [msgspec.json.decode(line) for line in raw.splitlines()] == [
            {"ts_ns": 5, "dir": "in", "stream": "s", "text": '{"a":1}'},
            {"ts_ns": 5, "dir": "out", "stream": "s", "base64": "/w=="},
        ]
        with pytest.raises(ValueError, match="closed"):
            recorder.record(Direction.IN, "s", b"late")


def test_redact_changes_or_leaves_out(tmp_path: Path):
    def redact(direction: Direction, stream: str, frame: bytes) -> bytes | None:
        return None if direction is Direction.OUT else frame.replace(b"sesame", b"***")

    path = tmp_path / "feed.jsonl"
    recorder = FrameRecorder(path, redact=redact)
    recorder.record(Direction.OUT, "s", b"sesame")
    recorder.record(Direction.IN, "s", b"open sesame")
    recorder.close()
    assert [row.frame for row in FrameReplayer(path)] == [b"open ***"]
    assert b"sesame" not in path.read_bytes()


@pytest.mark.parametrize(
    "damage", [b"not json\n", b'{"ts_ns":1}\n', b'{"ts_ns":1,"dir":"in","stream":"s"}\n', b"\xff\n"]
)
def test_damage_before_the_end_is_an_error(tmp_path: Path, damage: bytes):
    path = tmp_path / "feed.jsonl"
    good = b'{"ts_ns":1,"dir":"in","stream":"s","text":"x"}\n'
    path.write_bytes(good + b"\n" + damage)
    assert [row.frame for row in FrameReplayer(path)] == [b"x"]
    path.write_bytes(good + damage + good)
    with pytest.raises(FrameError, match="line 2"):
        list(FrameReplayer(path))


def test_names_are_checked(tmp_path: Path):
    assert split_suffix(Path("a.b.jsonl.zst")) == ("a.b", ".jsonl.zst")
    for name in ("feed.json", "feed", ".jsonl", "feed.gz"):
        with pytest.raises(ValueError, match="expected a file name ending in"):
            FrameRecorder(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="no recording"):
        list(FrameReplayer(tmp_path / "none.jsonl"))


@pytest.mark.parametrize(("speed", "due_secs"), [(1.0, [0, 2, 2, 5]), (2.0, [0, 1, 1, 2.5]), (0.5, [0, 4, 4, 10])])
async def test_playing_keeps_the_scaled_pauses(tmp_path: Path, speed: float, due_secs: list[float]):
    path = tmp_path / "feed.jsonl"
    then = ManualClock()
    recorder = FrameRecorder(path, clock=then)
    for pause in (0, 2, 0, 3):
        await then.advance(pause)
        recorder.record(Direction.IN, "s", b"frame")
        recorder.record(Direction.OUT, "s", b"not played")
    recorder.close()
    clock = ManualClock()
    played: list[float] = []
    replay = FrameReplayer(path, clock=clock)
    playing = asyncio.ensure_future(replay.play(lambda frame: played.append(clock.monotonic()), speed=speed))
    await clock.advance(100)
    assert await playing == 4
    assert played == pytest.approx(due_secs)


async def test_playing_as_fast_as_possible_and_filtered(tmp_path: Path):
    path = tmp_path / "feed.jsonl"
    recorder = FrameRecorder(path)
    for n in range(250):
        recorder.record(Direction.IN if n % 2 else Direction.OUT, "a" if n % 3 else "b", b"%d" % n)
    recorder.close()
    frames: list[bytes] = []
    replay = FrameReplayer(path, clock=ManualClock())
    assert await replay.play(frames.append, speed=None, direction=None) == 250
    assert frames == [str(n).encode() for n in range(250)]
    assert await replay.play(frames.append, speed=None) == 125
    assert await replay.play(frames.append, speed=None, direction=None, stream="b") == 84
    with pytest.raises(ValueError, match="speed above 0"):
        await replay.play(frames.append, speed=0)


async def test_session_records_what_came_and_only_recordable_commands(tmp_path: Path):
    class Careful(EchoStream):
        def recordable(self, frame: bytes) -> bool:
            return frame.startswith(b"order")

    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws, after=["snapshot"])
        await ws.send(b"\xff", text=True)
        await hold(ws)

    path = tmp_path / "feed.jsonl.zst"
    recorder = FrameRecorder(path)
    async with feed_server(script) as server:
        setup = Setup(server, stream=Careful(server), sink=recorder)
        await setup.session.start()
        await until(lambda: len(setup.frames) == 2)
        await setup.session.send("order 1")
        await setup.session.send("secret 1")
        await setup.session.stop()
    recorder.close()
    assert [(row.direction, row.frame) for row in FrameReplayer(path)] == [
        (Direction.IN, b"welcome"),
        (Direction.IN, b"snapshot"),
        (Direction.IN, b"subscribed"),
        (Direction.IN, b"\xff"),
        (Direction.OUT, b"order 1"),
    ]


async def test_recorder_that_fails_does_not_stop_the_feed(tmp_path: Path):
    recorder = FrameRecorder(tmp_path / "feed.jsonl")
    recorder.close()

    async def script(ws: ServerConnection, number: int) -> None:
        await greet(ws)
        await ws.send("1")
        await hold(ws)

    async with feed_server(script) as server:
        setup = Setup(server, sink=recorder)
        await setup.session.start()
        await until(lambda: setup.frames == [b"1"])
        assert server.connections == 1
        await setup.session.stop()
