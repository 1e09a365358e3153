"""The `cms` command: the whole platform on one machine."""

import typer

from chassis import logs
from cms_local import form
from cms_local.commands import (
    accesslog,
    audit,
    calls,
    certificate,
    clock,
    demo,
    keys,
    retention,
    rotas,
    running,
    subject_access,
    token,
    trouble,
)
from cms_local.economics import economics
from cms_local.maps.commands import app as maps_app
from cms_local.replay.commands import replay_week
from cms_local.schedule.commands import app as schedule_app
from cms_local.script.commands import app as script_app

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
app.callback(help=__doc__)(logs.keep_standard_output_clean)
app.command(name="replay-week")(replay_week)
for command in (running.up, running.status, running.stop, running.purge, running.start, demo.demo):
    app.command()(command)
app.command()(certificate.certificate)
app.command(name="audit")(audit.audit_command)
app.command(name="subject-access")(subject_access.subject_access_command)
app.command(name="verify-subject-access")(subject_access.verify_command)
app.command(name="overdue")(trouble.overdue_command)
app.add_typer(accesslog.app, name="accesslog")
app.add_typer(clock.app, name="clock")
app.add_typer(calls.app, name="calls")
app.add_typer(keys.app, name="keys")
app.add_typer(retention.app, name="retention")
app.add_typer(rotas.app, name="rotas")
app.add_typer(schedule_app, name="schedule")
app.add_typer(form.app, name="form")
app.add_typer(token.app, name="token")
app.add_typer(trouble.deadletters_app, name="deadletters")
script_app.command(name="economics")(economics)
app.add_typer(script_app, name="script")
app.add_typer(maps_app, name="maps")
