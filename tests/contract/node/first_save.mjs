// A call and the first save of a claim by the Connect client of npm, from the contract's image without generated code.
// Reads {address, image, token, nino} as JSON from standard input; writes the responses as a line of JSON.
import { randomUUID } from "node:crypto";
import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { clientOf, given } from "./connect.mjs";

const client = (token) => clientOf("cms.intake.v1.IntakeService", given.address, token);

async function refusal(act) {
  try {
    await act();
  } catch (error) {
    const refused = ConnectError.from(error);
    return { code: Code[refused.code], details: refused.details.map((detail) => detail.type) };
  }
  return null;
}

const operator = client(given.token);
const value = (text) => ({ kind: { case: "stringValue", value: text } });
const started = await operator.startCall({
  purpose: 1,
  nino: given.nino,
  schemes: [2],
  language: 1,
  caller: { relation: 1 },
  requestId: randomUUID(),
});
const save = {
  claimRef: started.claim.claimRef,
  version: started.claim.version,
  answers: [
    { questionId: "surname", value: value("Siân O’Brien") },
    { questionId: "forenames", value: value("李") },
  ],
  requestId: randomUUID(),
};
const saved = await operator.recordAnswers(save);
const again = await operator.recordAnswers(save);
const stale = await refusal(() => operator.recordAnswers({ ...save, requestId: randomUUID() }));
const bad = await refusal(() => operator.submitClaim({ claimRef: "none", version: 1, requestId: randomUUID() }));
const nobody = await refusal(() => client("none").getClaim({ claimRef: started.claim.claimRef }));
const surname = saved.interview.questions.find((question) => question.id === "surname");

console.log(
  JSON.stringify({
    claim_ref: started.claim.claimRef,
    version: saved.interview.version,
    repeat_version: again.interview.version,
    surname: toJson(ValueSchema, surname.answer),
    proposed: surname.proposal !== undefined,
    stale,
    bad,
    nobody,
  }),
);
