// The example in Node.js. Reads {protocol, addresses, certificate, token, step, …} as JSON from standard input, writes what came of it.
// protocol: connect-json, connect-binary, connect-gzip, grpc (addresses are then those of the gRPC doors) or grpc-web.
import { readFileSync } from "node:fs";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { createCms, type CmsOptions } from "../src/index.js";
import { confirmClaim, outcomeOf, takeClaim } from "./claim.js";

const given = JSON.parse(readFileSync(0, "utf8"));

/** The certificate that the gRPC doors ask for; the service is believed by its name in its own. */
const tls = (serverName: string) => ({
  cert: readFileSync(given.certificate.certificate),
  key: readFileSync(given.certificate.key),
  ca: readFileSync(given.certificate.authority),
  servername: serverName,
});

const transports: Record<string, CmsOptions["transport"]> = {
  "connect-json": (options) => createConnectTransport({ ...options, httpVersion: "1.1", useBinaryFormat: false }),
  "connect-binary": (options) => createConnectTransport({ ...options, httpVersion: "1.1" }),
  "connect-get": (options) => createConnectTransport({ ...options, httpVersion: "1.1", useHttpGet: true }),
  "connect-gzip": (options) =>
    createConnectTransport({
      ...options,
      httpVersion: "1.1",
      acceptCompression: [compressionGzip],
      sendCompression: compressionGzip,
      compressMinBytes: 1,
    }),
  grpc: ({ serverName, ...options }) => createGrpcTransport({ ...options, nodeOptions: tls(serverName) }),
  "grpc-gzip": ({ serverName, ...options }) =>
    createGrpcTransport({
      ...options,
      nodeOptions: tls(serverName),
      acceptCompression: [compressionGzip],
      sendCompression: compressionGzip,
      compressMinBytes: 1,
    }),
  "grpc-web": (options) => createGrpcWebTransport({ ...options, httpVersion: "1.1" }),
};

const cms = createCms({ addresses: given.addresses, token: () => given.token, transport: transports[given.protocol]! });
const steps: Record<string, () => Promise<unknown>> = {
  take: () => takeClaim(cms, given.claimant),
  confirm: () => confirmClaim(cms, given.claimRef),
  outcome: () => outcomeOf(cms, given.claimRef),
};
console.log(JSON.stringify((await steps[given.step]!()) ?? {}));
process.exit(0); // connections of gRPC are kept open
