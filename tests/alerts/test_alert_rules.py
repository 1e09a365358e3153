"""The alert rules fire when they should, and name metrics that there are."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from cms_local.layout import ROOT

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
BEFORE_THE_DAY = """
rule_files: [{alerts}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'intake_uncovered_rule_change_days{{change="capital_limit_2006", instance="a"}}'
        values: '{days}x30'
    alert_rule_test:
      - eval_time: 20m
        alertname: RuleChangeWithoutCatalogue
        exp_alerts: {expected}
"""
FIRING = """
          - exp_labels: {change: capital_limit_2006, severity: page, owner: service-manager}
            exp_annotations:
              summary: "capital_limit_2006 takes effect in 89 days, and no catalogue of questions has it"
              description: "%s"
"""


def test_alerts_name_metrics_that_are_documented() -> None:
    documented = set(re.findall(r"^\| `([a-z_]+)`", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]

    named = {name for rule in rules for name in re.findall(r"\b[a-z]+_[a-z_]+\b", rule["expr"])}

    assert named
    assert named <= documented


@pytest.mark.needs("promtool")
@pytest.mark.parametrize(("days", "fires"), [(89, True), (90, False)])
def test_a_change_that_no_catalogue_has_wakes_somebody_ninety_days_before(
    tmp_path: Path, days: int, *, fires: bool
) -> None:
    description = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"][0]["annotations"]["description"]
    expected = FIRING % description if fires else "[]"
    file = tmp_path / "test.yml"
    file.write_text(BEFORE_THE_DAY.format(alerts=ALERTS, days=days, expected=expected), encoding="utf-8")

    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


OF_THE_BALANCE = """
rule_files: [{alerts}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'gateway_reconciliation_last_success_timestamp_seconds{{system="JSAPS", instance="a"}}'
        values: '0x2000'
      - series: 'gateway_reconciliation_unexplained{{system="ISCS", instance="a"}}'
        values: '0x60 2x1900'
    alert_rule_test:
      - eval_time: 26h5m
        alertname: DayNotBalanced
        exp_alerts: []
      - eval_time: 26h15m
        alertname: DayNotBalanced
        exp_alerts:
          - exp_labels: {{system: JSAPS, severity: page, owner: support}}
            exp_annotations: {{summary: "No day of JSAPS was balanced for 26 hours", description: "{not_balanced}"}}
      - eval_time: 80m
        alertname: LedgersDoNotBalance
        exp_alerts: []
      - eval_time: 100m
        alertname: LedgersDoNotBalance
        exp_alerts:
          - exp_labels: {{system: ISCS, severity: page, owner: processing-officer}}
            exp_annotations:
              summary: "2 records of ISCS are in one ledger and not in the other"
              description: "{differs}"
"""


@pytest.mark.needs("promtool")
def test_a_day_that_was_not_balanced_and_a_difference_wake_somebody(tmp_path: Path) -> None:
    rules = {
        rule["alert"]: rule["annotations"]["description"]
        for group in yaml.safe_load(ALERTS.read_text())["groups"]
        for rule in group["rules"]
    }
    told = {"not_balanced": rules["DayNotBalanced"], "differs": rules["LedgersDoNotBalance"]}
    file = tmp_path / "test.yml"
    file.write_text(OF_THE_BALANCE.format(alerts=ALERTS, **told), encoding="utf-8")

    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
