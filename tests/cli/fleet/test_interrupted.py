"""Ctrl-C: what is under way is brought to its end and told of, the rest is left alone."""

from __future__ import annotations

import json
import signal
import threading

from account import OURS


def test_ctrl_c(account) -> None:
    account.layer()
    for number in range(40):
        account.function(f"f-{number:02}")
    updates = []
    held = threading.Event()

    def hold(asked, request) -> None:
        if asked.operation == "UpdateFunctionConfiguration":
            updates.append(asked.subject)
            if len(updates) == 5:
                process.send_signal(signal.SIGINT)
                held.set()

    account.server.service.before = hold
    process = account.process("attach", "--all", "--yes", "--json", "--rate", "25")
    stdout, stderr = process.communicate(timeout=60)
    assert held.is_set()
    assert process.returncode == 1
    assert (
        stderr == "coldstart: stopped: what was begun has been brought to its end; run it again\n"
    )
    told = {one["function"]: one["result"] for one in json.loads(stdout)["functions"]}
    done = {name for name in told if account.wired(name)[1] == {"AWS_LAMBDA_EXEC_WRAPPER": OURS}}
    assert {name for name, result in told.items() if result == "done"} == done
    assert set(updates) == done
    assert len(done) < 40
    assert account.run("attach", "--all", "--yes").exit_code == 0
    assert all(account.wired(name)[1] for name in told)
