import { Code, ConnectError, type Interceptor, type UnaryRequest } from "@connectrpc/connect";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { refusalOf } from "./refusal.js";

const PASSING = [Code.Unavailable, Code.DeadlineExceeded, Code.ResourceExhausted];
const ATTEMPTS = 5;
const FIRST_WAIT_MS = 100;

/** Sends a call again after an error that passes, with back-off: a read, or a change that carries its request_id. */
export function retries(): Interceptor {
  return (next) => async (request) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await next(request);
      } catch (error) {
        const over = attempt === ATTEMPTS || request.signal.aborted;
        if (over || request.stream || !isSafe(request) || !mayPass(error)) throw error;
        await pause(FIRST_WAIT_MS * 2 ** attempt * (0.5 + Math.random()), request.signal);
      }
    }
  };
}

function isSafe(request: UnaryRequest): boolean {
  const reads = request.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  const requestId = (request.message as { requestId?: unknown }).requestId;
  return reads || (typeof requestId === "string" && requestId !== "");
}

function mayPass(error: unknown): boolean {
  if (error instanceof TypeError) return true; // by which fetch says that the connection failed or was lost
  const refusal = refusalOf(error);
  return PASSING.includes(refusal.code) && refusal.reason !== "TOO_LARGE";
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(ConnectError.from(signal.reason));
    });
  });
}
