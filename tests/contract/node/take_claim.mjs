// An operator's call by the Connect client of npm: every answer, section by section, the booking and the submission.
// Reads {intake, scheduling, image, token, nino, answers, postcode} as JSON from standard input; writes a line of JSON.
import { randomUUID } from "node:crypto";
import { fromJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { clientOf, given } from "./connect.mjs";

const intake = clientOf("cms.intake.v1.IntakeService", given.intake, given.token);
const scheduling = clientOf("cms.scheduling.v1.SchedulingService", given.scheduling, given.token);

const started = await intake.startCall({
  purpose: 1,
  nino: given.nino,
  schemes: [2],
  language: 1,
  caller: { relation: 1 },
  requestId: randomUUID(),
});
const claimRef = started.claim.claimRef;
const due = (interview) =>
  interview.questions
    .filter((question) => question.answer === undefined && question.id in given.answers)
    .map((question) => ({ questionId: question.id, value: fromJson(ValueSchema, given.answers[question.id]) }));

let interview = started.interview;
for (let answers = due(interview); answers.length > 0; answers = due(interview)) {
  const save = { claimRef, answers, version: interview.version, requestId: randomUUID() };
  interview = (await intake.recordAnswers(save)).interview;
}
const booking = { claimRef, earliest: true, postcode: given.postcode, requestId: randomUUID() };
const { appointment } = await scheduling.bookAppointment(booking);
await intake.submitClaim({ claimRef, version: interview.version, requestId: randomUUID() });

console.log(
  JSON.stringify({ claim_ref: claimRef, assessor: appointment.assessorId, office: appointment.office.code }),
);
