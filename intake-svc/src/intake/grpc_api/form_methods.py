"""The method for paper forms."""

from dataclasses import asdict
from typing import Any

from chassis.database import Connection
from chassis.idempotency import Rebuildable, run_once
from chassis.postcodes import Postcodes
from cms.intake.v1 import intake_pb2 as pb
from intake.domain.accounts import AccountRules
from intake.domain.catalogue import Catalogues
from intake.grpc_api import messages, reading
from intake.service import forms
from intake.service.forms import FormImported


class FormMethods:
    """The method that takes forms in."""

    def __init__(self, catalogues: Catalogues, postcodes: Postcodes, accounts: AccountRules) -> None:
        self._form_catalogues = catalogues
        self._form_postcodes = postcodes
        self._form_accounts = accounts

    def ImportForm(self, request: pb.ImportFormRequest) -> pb.ImportFormResponse:
        """Makes a claim of a paper form. The form is read before a transaction begins."""
        opened = forms.open_form(self._form_catalogues, reading.form_asked(request))

        def import_form(conn: Connection) -> FormImported:
            return forms.import_form(conn, self._form_catalogues, opened, postcodes=self._form_postcodes)

        def respond(imported: FormImported) -> pb.ImportFormResponse:
            account = self._form_accounts.check_of(imported.shown.interview.questions)
            return messages.form_imported(imported, account)

        rebuilt = Rebuildable(keep=_keep_form, rebuild=self._rebuild_form)
        return run_once(request, import_form, respond, rebuildable=rebuilt)

    def _rebuild_form(self, conn: Connection, kept: dict[str, Any]) -> FormImported:
        return forms.imported_again(conn, self._form_catalogues, **kept)


def _keep_form(imported: FormImported) -> dict[str, Any]:
    kept = {
        "claim_ref": imported.claim.claim_ref,
        "language": imported.shown.interview.language,
        "claim_language": imported.claim.language,
        "problems": [asdict(problem) for problem in imported.problems],
    }
    return kept | ({"duplicates": list(imported.shown.duplicates)} if imported.shown.duplicates else {})
