"""Two releases on this machine, with real models and real requests, in a few minutes.

The first one goes from `crnn-s` to `ppocr-v6-small` and ends promoted. The second one brings a
version that passes its verification and then fails on short lines; it goes by itself, and no user
sees a failure. The page shows both while they go on; the reports lie in `build/demo-release`.

    python scripts/demo_release.py [--stay]
"""

from __future__ import annotations

import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.program import serving  # noqa: E402 - it lies beside, not in the package
from tests.releasing import ask, follow, traffic  # noqa: E402
from tests.versions import BUNDLED, make_version  # noqa: E402

OUT = ROOT / "build" / "demo-release"
PLAN = {
    "shares_bp": [1_000, 3_000, 6_000, 10_000],
    "step_s": 3,
    "step_requests": 8,
    "shadow_bp": 5_000,
    "shadow_s": 3,
    "shadow_requests": 8,
    "soak_s": 5,
}
# PP-OCRv6 small takes three times as long a line, which its owner knows.
GUARDS = {"latency_ratio": 10, "latency_requests": 20, "quality_requests": 20}
ENDS = {"promoted", "rolled_back"}


def main() -> None:
    begun_s = time.monotonic()
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="shizi-demo-") as place:
        folder = Path(place)
        bad = make_version(folder / "models", "9.1", "crashes")
        (folder / "shizi.yaml").write_text(
            f"releases: {{store: {folder}/store, spot_checks: {folder}/pairs}}\n"
            f"paths: {{models: {folder}/models}}\n"
            f"reader: {{recognizer: {BUNDLED}}}\n"
            "model_routing: {check_interval_seconds: 0.5}\n"
        )
        with serving(folder) as service:
            say(f"the page: {service.url}/releases")
            release(service.url, "ppocr-v6-small", PLAN, "promoted")
            # Without a shadow phase, which would find it before anybody meets it.
            unseen = {"shadow_bp": 0, "shadow_s": 0, "shadow_requests": 0}
            release(service.url, bad, PLAN | unseen | {"shares_bp": [5_000, 10_000]}, "rolled_back")
            say(f"done in {time.monotonic() - begun_s:.0f} s; the reports are in {OUT}")
            if "--stay" in sys.argv:
                say("the page stays until Ctrl-C")
                stay()


def release(url: str, version: str, plan: dict[str, Any], wanted: str) -> None:
    """Take one release to its end, under traffic, and keep its report."""
    with traffic(url, clients=1, pause_s=0.02) as flow:
        order = {"canary": version, "plan": plan, "guards": GUARDS, "reason": "a demonstration"}
        status, content = ask(url, "/v1/releases", order)
        if status != 201:
            raise SystemExit(content["detail"])
        ended = follow(url, ENDS, tell, most_s=240)
    keep_report(url, ended["release"]["canary"].partition("@")[0] + "-" + wanted)
    answers = ", ".join(f"{count} by {name}" for name, count in flow.versions.items())
    say(f"answers: {answers}; statuses: {dict(flow.statuses)}")
    if ended["release"]["phase"] != wanted or set(flow.statuses) != {200}:
        raise SystemExit(f"expected {wanted} and no failed request")


def tell(content: dict[str, Any]) -> None:
    state = content["release"]
    share = f"{state['ratio_bp'] / 100:g} %"
    say(f"{state['canary']:<20} {state['phase']:<12} {share:>6}  {state['reason']}")


def keep_report(url: str, name: str) -> None:
    for path, ending in (("report", "md"), ("report.svg", "svg")):
        with urllib.request.urlopen(f"{url}/v1/releases/{path}", timeout=30) as answer:
            (OUT / f"{name}.{ending}").write_bytes(answer.read())


def stay() -> None:
    try:
        while True:
            time.sleep(3_600)
    except KeyboardInterrupt:
        return


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
