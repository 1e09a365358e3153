// An assessor's work by the Connect client of npm: waits for the work item, checks every item, and confirms.
// Reads {assessment, image, token, claim_ref} as JSON from standard input; writes the number of the state as a line of JSON.
import { randomUUID } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { setTimeout } from "node:timers/promises";
import { clientOf, given } from "./connect.mjs";

const CONFIRMED = 2; // ITEM_STATUS_CONFIRMED
const WAIT_MS = 100;
const PATIENCE_MS = 30_000;

const assessor = clientOf("cms.assessment.v1.AssessmentService", given.assessment, given.token);
const common = () => ({ claimRef: given.claim_ref, requestId: randomUUID() });

async function workItem() {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return (await assessor.startAssessment(common())).assessment;
    } catch (error) {
      // Word of the claim, and then of its office, comes as events.
      const early = [Code.NotFound, Code.PermissionDenied].includes(ConnectError.from(error).code);
      if (!early || Date.now() > until) throw error;
      await setTimeout(WAIT_MS);
    }
  }
}

const found = await workItem();
const items = found.items.map((item) => ({ fact: item.fact, status: CONFIRMED }));
const checked = (await assessor.verifyItems({ ...common(), items, version: found.version })).assessment;
const confirmed = (await assessor.confirmAssessment({ ...common(), version: checked.version })).assessment;

console.log(JSON.stringify({ state: confirmed.state }));
