"""Holds what the layer said of each start against the platform's own line about it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import duckdb

from coldstart_cli.report.figures import Contradiction

_LISTED = 50  # of each function

# A verdict belongs to the try of its request in which it was written; another try has the same id.
# Times in whole seconds make a second and a half of leeway necessary. An init takes ten seconds at
# most before it is run again ("Understanding the Lambda execution environment lifecycle").
# An id with one REPORT line has one try, and clocks that differ must not part the two lines.
_MATCHED = """
CREATE TEMP TABLE tried AS
SELECT request_id, count(*) AS tries FROM requests
SEMI JOIN verdicts USING (request_id) GROUP BY request_id HAVING tries > 1;
CREATE TEMP TABLE matched AS
SELECT *, EXISTS (
        FROM phases WHERE phases.unit = tries.unit AND kind = 'INIT_REPORT' AND failed
            AND (tries.at_us IS NULL OR phases.at_us IS NULL
                OR phases.at_us BETWEEN began_us - 15000000 AND tries.at_us + 1000000)
    ) AS init_failed
FROM (
    SELECT requests.*, requests.at_us - (duration * 1000)::BIGINT AS began_us, verdicts.start_type,
        verdicts.cold, requests.init IS NOT NULL OR requests.restore IS NOT NULL AS started
    FROM requests LEFT JOIN tried USING (request_id)
    LEFT JOIN verdicts ON requests.request_id = verdicts.request_id AND (
        tries IS NULL OR requests.at_us IS NULL OR verdicts.at_us IS NULL OR verdicts.at_us BETWEEN
            requests.at_us - (duration * 1000)::BIGINT - 1500000 AND requests.at_us + 1500000)
    WHERE requests.counted AND requests.function IN (SELECT function FROM verdicts)
        AND (started OR verdicts.start_type IS NOT NULL)
    QUALIFY row_number() OVER (
            PARTITION BY requests.request_id, requests.at_us, duration ORDER BY verdicts.at_us DESC
        ) = 1
        AND (requests.at_us IS NOT NULL OR count(*) OVER (PARTITION BY requests.request_id) = 1)
) AS tries
"""

# Of the starts that the layer wrote no line about, those that say nothing: it may lie before the
# logs begin; that version of the function may not have the layer; $LATEST may have got it later
# (a published version cannot: "Manage Lambda function versions").
_LINES = """
CREATE TEMP TABLE lines AS
SELECT function, version, min(at_us) AS first_us FROM verdicts GROUP BY function, version;
CREATE TEMP TABLE logged AS
SELECT function, min(us) AS since_us FROM (
    SELECT function, files.first_us AS us FROM requests JOIN files USING (file)
    UNION ALL SELECT function, at_us FROM requests
    UNION ALL SELECT function, at_us FROM verdicts
) GROUP BY function;
CREATE TEMP TABLE silent AS
SELECT matched.*, coalesce(
        began_us - (coalesce(init, restore) * 1000)::BIGINT < since_us, false
    ) AS at_edge,
    at_us IS NULL OR first_us IS NULL OR first_us > at_us AND (
        matched.version IS NULL OR matched.version = '$LATEST') AS without_layer
FROM matched JOIN logged USING (function) LEFT JOIN (
    SELECT function, version, first_us FROM lines WHERE version IS NOT NULL
    UNION ALL SELECT function, NULL, min(first_us) FROM lines GROUP BY function
) AS of_version ON matched.function = of_version.function
    AND matched.version IS NOT DISTINCT FROM of_version.version
WHERE start_type IS NULL
"""

# What is as it should be:
# - a start after a failed or timed out init: Lambda runs the init again in the invocation, and
#   REPORT counts it to the duration ("Understanding the Lambda execution environment lifecycle");
#   the layer calls it reinit, or cold if the first init ended before the layer was there, and says
#   nothing where no init succeeds
# - an environment that was ready before the request: its first REPORT has the Init Duration (or
#   Restore Duration) of back then ("Configuring provisioned concurrency": the initialization time
#   is in the logs after an instance processes a request). Unless INIT_START shows that the init
#   ended when the request began: then it was waited for.
_CONTRADICTIONS = """
CREATE TEMP TABLE contradictions AS
SELECT found.function, kind, request_id, stream, at_us, start_type FROM (
    SELECT *, CASE
        WHEN start_type = 'cold' AND init IS NULL AND NOT init_failed THEN 'cold-without-init'
        WHEN start_type = 'restore' AND restore IS NULL THEN 'restore-without-restore'
        WHEN restore IS NOT NULL AND start_type NOT IN ('restore', 'proactive')
            THEN 'restored-without-restore'
        WHEN init IS NOT NULL AND NOT cold AND (
            start_type NOT IN ('proactive', 'provisioned', 'managed', 'reinit')
            OR start_type = 'proactive' AND EXISTS (
                FROM phases WHERE phases.unit = matched.unit AND kind = 'INIT_START'
                    AND NOT starts_with(phases.unit, 'file ') AND phases.at_us <= matched.at_us
                    AND began_us - phases.at_us < (init + 100) * 1000
            )
        ) THEN 'init-without-cold'
    END AS kind
    FROM matched WHERE start_type IS NOT NULL
    UNION ALL BY NAME
    SELECT *, CASE WHEN init IS NULL THEN 'restored-without-restore' ELSE 'init-without-line' END
        AS kind
    FROM silent WHERE NOT at_edge AND NOT without_layer AND NOT init_failed
) AS found LEFT JOIN environments USING (unit)
WHERE kind IS NOT NULL
"""


@dataclass(frozen=True)
class Audit:
    """What was found of a function."""

    counts: dict[str, int]
    listed: tuple[Contradiction, ...]
    # Starts of the platform's lines that may have been without the layer.
    not_compared: int


def audit(connection: duckdb.DuckDBPyConnection) -> dict[str, Audit]:
    """The contradictions of each function that the layer wrote lines of.

    Args:
        connection: the database, after facts.gather.
    """
    connection.execute(_MATCHED)
    connection.execute(_LINES)
    connection.execute(_CONTRADICTIONS)
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for function, kind, count in connection.execute(
        "SELECT function, kind, count(*) FROM contradictions GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        counts[function][kind] = count
    listed: dict[str, list[Contradiction]] = defaultdict(list)
    for function, kind, request_id, stream, at_us, start_type in connection.execute(
        "SELECT * FROM contradictions QUALIFY row_number() OVER"
        " (PARTITION BY function ORDER BY at_us, request_id) <= ? ORDER BY at_us, request_id",
        [_LISTED],
    ).fetchall():
        at = None if at_us is None else at_us / 1e6
        listed[function].append(Contradiction(kind, request_id, stream, at, start_type))
    silent = dict(
        connection.execute(
            "SELECT function, count(*) FROM silent WHERE without_layer AND NOT at_edge GROUP BY ALL"
        ).fetchall()
    )
    with_layer = connection.execute("SELECT DISTINCT function FROM verdicts").fetchall()
    return {
        function: Audit(
            counts.get(function, {}), tuple(listed.get(function, ())), silent.get(function, 0)
        )
        for (function,) in with_layer
    }
