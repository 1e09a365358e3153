import { Code, ConnectError } from "@connectrpc/connect";
import { type RecordChanged_Change, RecordChangedSchema } from "./gen/cms/common/v1/common_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";

/** A field at fault: a path in the request (`answers[1].value`), or the id of a question (`children[1].name`). */
export interface Violation {
  field: string;
  description: string;
}

/** Why a call was refused. docs/api/errors.md lists every reason and what to do about it. */
export interface Refusal {
  code: Code;
  /** Stable, such as STALE_VERSION; empty where no service answered. */
  reason: string;
  message: string;
  metadata: Record<string, string>;
  violations: Violation[];
  /** What changed since the version that a stale request named, and who changed it; never a value. */
  changes: RecordChanged_Change[];
  /** The call's W3C trace context, under which the platform's logs have it; empty where no service answered. */
  traceparent: string;
}

/** Reads what a client throws. */
export function refusalOf(error: unknown): Refusal {
  const refused = ConnectError.from(error);
  const [info] = refused.findDetails(ErrorInfoSchema);
  const [bad] = refused.findDetails(BadRequestSchema);
  const [changed] = refused.findDetails(RecordChangedSchema);
  return {
    code: refused.code,
    reason: info?.reason ?? "",
    message: refused.rawMessage,
    metadata: info?.metadata ?? {},
    violations: (bad?.fieldViolations ?? []).map(({ field, description }) => ({ field, description })),
    changes: changed?.changes ?? [],
    traceparent: refused.metadata.get("traceparent") ?? "",
  };
}
