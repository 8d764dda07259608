"""Chalice: its own logger shows the two fields where the runtime formats its lines."""

from __future__ import annotations

import pytest
from conftest import library_environment
from start_scenarios import run

ENVIRONMENT = library_environment("chalice")
APPLICATION = """
    import logging
    from chalice import Chalice
    app = Chalice(app_name="shop"{options})

    @app.lambda_function()
    def handler(event, context):
        app.log.error("of the application")
        logging.getLogger("shop.orders").error("of a module")
        return "answer"
"""
FIELDS = {"cold_start", "initialization_type"}


@pytest.mark.parametrize(
    ("options", "shown"), [("", False), (", configure_logs=False", True)], ids=["as is", "plain"]
)
async def test_the_log_of_an_application(wrapper, make_function, options: str, shown: bool) -> None:
    """Chalice formats what `app.log` and those below it log, unless it is told not to."""
    function = make_function(ENVIRONMENT, APPLICATION.format(options=options))
    (bare,) = await run(function, None, events=({},))
    first, second = await run(function, wrapper)
    for told, cold_start in ((first, True), (second, False)):
        assert told.outcome.body == b'"answer"'
        assert told.subsegment("coldstart")["annotations"]["ColdStart"] is cold_start
        if shown:
            assert [line["message"] for line in told.logs] == ["of the application", "of a module"]
            assert [line["cold_start"] for line in told.logs] == [cold_start] * 2
        else:
            assert told.logs == []
            assert told.stdout.endswith(bare.stdout)
