"""The services that are measured."""

from pathlib import Path

import intake.__main__
from tests.growth.subject import Subject
from tests.growth.subjects_intake import Intake

SUBJECTS: dict[str, tuple[type[Subject], Path]] = {
    Intake.name: (Intake, intake.__main__.MIGRATIONS),
}
