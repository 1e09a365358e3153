"""The services that are measured."""

from pathlib import Path

import assessment.__main__
import intake.__main__
import la_notifier.__main__
import legacy_gateway.__main__
import scheduling.__main__
from tests.growth.subject import Subject
from tests.growth.subjects_assessment import Assessment
from tests.growth.subjects_gateway import Gateway
from tests.growth.subjects_intake import Intake
from tests.growth.subjects_notifier import Notifier
from tests.growth.subjects_scheduling import Scheduling

SUBJECTS: dict[str, tuple[type[Subject], Path]] = {
    Intake.name: (Intake, intake.__main__.MIGRATIONS),
    Scheduling.name: (Scheduling, scheduling.__main__.MIGRATIONS),
    Assessment.name: (Assessment, assessment.__main__.MIGRATIONS),
    Gateway.name: (Gateway, legacy_gateway.__main__.MIGRATIONS),
    Notifier.name: (Notifier, la_notifier.__main__.MIGRATIONS),
}
