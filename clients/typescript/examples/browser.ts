// The example in a browser: a page calls window.cmsExample({addresses, token, step, …}) and awaits what came of it.
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { createCms, refusalOf, type CmsOptions } from "../src/index.js";
import { confirmClaim, outcomeOf, takeClaim } from "./claim.js";

const transports: Record<string, CmsOptions["transport"]> = {
  "connect-json": (options) => createConnectTransport(options),
  "connect-binary": (options) => createConnectTransport({ ...options, useBinaryFormat: true, useHttpGet: true }),
  "grpc-web": (options) => createGrpcWebTransport(options),
};

async function cmsExample(given: any): Promise<unknown> {
  const transport = transports[given.protocol]!;
  const cms = createCms({ addresses: given.addresses, token: () => given.token, transport });
  const steps: Record<string, () => Promise<unknown>> = {
    take: () => takeClaim(cms, given.claimant),
    confirm: () => confirmClaim(cms, given.claimRef),
    outcome: () => outcomeOf(cms, given.claimRef),
    refusal: () => cms.intake.getClaim({ claimRef: given.claimRef }).catch(refusalOf),
  };
  return (await steps[given.step]!()) ?? {};
}

Object.assign(window, { cmsExample });
