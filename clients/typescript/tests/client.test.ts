import assert from "node:assert/strict";
import { test } from "node:test";
import { type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport, type HandlerContext } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { answer, createCms, intake, jsonOf, refusalOf, type Cms, type CmsOptions } from "../src/index.js";
import { BadRequestSchema, ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";

const addresses = { intake: "", scheduling: "", assessment: "", gateway: "", notifier: "" };
const refused = (code: Code, reason: string, details: MessageInitShape<typeof BadRequestSchema>[] = []) =>
  new ConnectError("no", code, undefined, [
    { desc: ErrorInfoSchema, value: { reason, domain: "cms3", metadata: { a: "b" } } },
    ...details.map((value) => ({ desc: BadRequestSchema, value })),
  ]);

/** A client of a service that throws these errors in turn, and then answers; `calls` are the headers of each call. */
function serving(errors: ConnectError[]): { cms: Cms; calls: Headers[] } {
  const calls: Headers[] = [];
  const next = <T>(context: HandlerContext, response: T): T => {
    calls.push(context.requestHeader);
    const error = errors[calls.length - 1];
    if (error) throw error;
    return response;
  };
  const cms = createCms({
    addresses,
    token: async () => "abc",
    transport: ({ interceptors }) =>
      createRouterTransport(
        ({ service }) =>
          service(intake.IntakeService, {
            getClaim: (request, context) => next(context, { claim: { claimRef: request.claimRef } }),
            submitClaim: (request, context) => next(context, { claim: { claimRef: request.claimRef } }),
          }),
        { transport: { interceptors } },
      ),
  });
  return { cms, calls };
}

const away = () => refused(Code.Unavailable, "DATABASE_AWAY");
const claimRef = "C7Q4M2X9KR0T";

test("a call carries the token", async () => {
  const { cms, calls } = serving([]);

  await cms.intake.getClaim({ claimRef });

  assert.equal(calls[0]?.get("authorization"), "Bearer abc");
});

test("a read is sent again after an error that passes", async () => {
  const { cms, calls } = serving([away(), away()]);

  const { claim } = await cms.intake.getClaim({ claimRef });

  assert.equal(claim?.claimRef, claimRef);
  assert.equal(calls.length, 3);
});

test("a change is sent again only with its request id", async () => {
  const without = serving([away()]);
  const having = serving([away()]);

  await assert.rejects(without.cms.intake.submitClaim({ claimRef, version: 1 }));
  await having.cms.intake.submitClaim({ claimRef, version: 1, requestId: crypto.randomUUID() });

  assert.equal(without.calls.length, 1);
  assert.equal(having.calls.length, 2);
});

test("what does not pass is not sent again", async () => {
  for (const error of [refused(Code.ResourceExhausted, "TOO_LARGE"), refused(Code.NotFound, "NO_CLAIM")]) {
    const { cms, calls } = serving([error]);

    await assert.rejects(cms.intake.getClaim({ claimRef }));

    assert.equal(calls.length, 1);
  }
});

test("a page's call is sent again after its connection was lost", async () => {
  let tries = 0;
  const fetch: typeof globalThis.fetch = async () => {
    if (++tries === 1) throw new TypeError("Failed to fetch");
    return new Response(JSON.stringify({ claim: { claimRef } }), { headers: { "Content-Type": "application/json" } });
  };
  const transport = (options: Parameters<CmsOptions["transport"]>[0]) => createConnectTransport({ ...options, fetch });
  const cms = createCms({ addresses: { ...addresses, intake: "http://intake" }, token: () => "abc", transport });

  const { claim } = await cms.intake.getClaim({ claimRef });

  assert.equal(claim?.claimRef, claimRef);
  assert.equal(tries, 2);
});

test("an error that stays is thrown after five tries", async () => {
  const { cms, calls } = serving(Array.from({ length: 9 }, away));

  await assert.rejects(cms.intake.getClaim({ claimRef }), (error) => refusalOf(error).reason === "DATABASE_AWAY");

  assert.equal(calls.length, 5);
});

test("a refusal has its reason and the fields at fault", async () => {
  const violation = { field: "claim_ref", description: "is wrong" };
  const { cms } = serving([refused(Code.InvalidArgument, "INVALID_FIELDS", [{ fieldViolations: [violation] }])]);

  const told = refusalOf(await cms.intake.getClaim({ claimRef }).catch((error: unknown) => error));

  assert.equal(told.code, Code.InvalidArgument);
  assert.deepEqual(told.metadata, { a: "b" });
  assert.deepEqual(told.violations, [violation]);
});

test("an answer is made of a JSON value, and read as one", () => {
  for (const value of ["Abbot", null, false, 40, [], { lines: ["1 Mill Lane"], postcode: "NE1 8AX" }]) {
    assert.deepEqual(jsonOf(answer("any", value).value), value);
  }
  assert.equal(jsonOf(undefined), undefined);
});
