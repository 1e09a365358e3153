// One claim from the call to its outcome: what an operator's, an assessor's and a support engineer's pages would do.
import type { JsonValue } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { answer, assessment, common, gateway, intake, notifier, refusalOf, type Cms } from "../src/index.js";

const newId = () => crypto.randomUUID();

export interface Claimant {
  nino: string;
  /** Answers by question. */
  answers: Record<string, JsonValue>;
  postcode: string;
}

export interface Taken {
  claimRef: string;
  assessor: string;
  office: string;
}

/** Takes the call: every question of the interview, the booking and the submission. */
export async function takeClaim(cms: Cms, claimant: Claimant): Promise<Taken> {
  const started = await cms.intake.startCall({
    purpose: intake.CallPurpose.NEW,
    nino: claimant.nino,
    schemes: [common.Scheme.JOBSEEKERS_ALLOWANCE],
    language: common.Language.EN,
    caller: { relation: intake.CallerRelation.SELF },
    requestId: newId(),
  });
  const claimRef = started.claim!.claimRef;
  let interview = started.interview!;
  for (let due = dueOf(interview, claimant); due.length > 0; due = dueOf(interview, claimant)) {
    const saved = await cms.intake.recordAnswers({ claimRef, answers: due, version: interview.version, requestId: newId() });
    interview = saved.interview!;
  }
  const booking = { claimRef, earliest: true, postcode: claimant.postcode, requestId: newId() };
  const appointment = (await cms.scheduling.bookAppointment(booking)).appointment!;
  await cms.intake.submitClaim({ claimRef, version: interview.version, requestId: newId() });
  const ended = { callId: started.call!.callId, outcome: intake.CallOutcome.COMPLETED, requestId: newId() };
  await cms.intake.endCall(ended);
  return { claimRef, assessor: appointment.assessorId, office: appointment.office!.code };
}

/** Questions that are asked now, and that the claimant answers. */
function dueOf(interview: intake.Interview, claimant: Claimant): intake.Answer[] {
  return interview.questions
    .filter((question) => question.answer === undefined && question.id in claimant.answers)
    .map((question) => answer(question.id, claimant.answers[question.id]!));
}

/** Checks every item and confirms, at the office of the appointment. */
export async function confirmClaim(cms: Cms, claimRef: string): Promise<void> {
  const work = await eventually(async () => {
    try {
      return (await cms.assessment.startAssessment({ claimRef, requestId: newId() })).assessment!;
    } catch (error) {
      // Word of the claim, and then of its office, comes as events.
      if ([Code.NotFound, Code.PermissionDenied].includes(refusalOf(error).code)) return undefined;
      throw error;
    }
  });
  const items = work.items.map(({ fact }) => ({ fact, status: assessment.ItemStatus.CONFIRMED }));
  const checks = { claimRef, items, version: work.version, requestId: newId() };
  const checked = (await cms.assessment.verifyItems(checks)).assessment!;
  await cms.assessment.confirmAssessment({ claimRef, version: checked.version, requestId: newId() });
}

/** Waits until the paying system has accepted the claim and the council has loaded its notice. */
export async function outcomeOf(cms: Cms, claimRef: string): Promise<{ systems: string[]; councils: string[] }> {
  return eventually(async () => {
    const work = { headers: { "cms-purpose": `work item ${claimRef}` } };
    const { systems } = await cms.gateway.getTransfers({ claimRef }, work);
    const { notices } = await cms.notifier.getNotices({ claimRef }, work);
    const whole = notices.filter(({ kind }) => kind !== notifier.NoticeKind.INTENTION);
    const accepted = systems.length > 0 && systems.every(({ state }) => state === gateway.TransferState.ACCEPTED);
    const told = whole.length > 0 && whole.every(({ state }) => state === notifier.NoticeState.LOADED);
    if (!accepted || !told) return undefined;
    return {
      systems: systems.map(({ system }) => common.System[system]),
      councils: whole.map(({ authorityCode }) => authorityCode),
    };
  });
}

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const until = Date.now() + 60_000; Date.now() < until; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("it did not come within a minute");
}
