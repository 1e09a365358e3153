// Shared by the scripts in this folder: Connect clients for services of the contract's image, without generated code.
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";

// The script's input, as JSON on standard input; `image` is the path of the contract's image.
export const given = JSON.parse(readFileSync(0, "utf8"));

const contract = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(given.image)));

export const clientOf = (name, address, token) =>
  createClient(
    contract.getService(name),
    createConnectTransport({
      baseUrl: address,
      httpVersion: "1.1",
      useBinaryFormat: false,
      defaultTimeoutMs: 10_000,
      interceptors: [
        (next) => (request) => {
          request.header.set("Authorization", `Bearer ${token}`);
          return next(request);
        },
      ],
    }),
  );
