import { createClient, type Client, type Interceptor, type Transport } from "@connectrpc/connect";
import { AssessmentService } from "./gen/cms/assessment/v1/assessment_pb.js";
import { LegacyGatewayService } from "./gen/cms/gateway/v1/gateway_pb.js";
import { IntakeService } from "./gen/cms/intake/v1/intake_pb.js";
import { LaNotifierService } from "./gen/cms/notifier/v1/notifier_pb.js";
import { OperationsService } from "./gen/cms/operations/v1/operations_pb.js";
import { SchedulingService } from "./gen/cms/scheduling/v1/scheduling_pb.js";
import { retries } from "./retries.js";

/** The base address of each service. */
export interface Addresses {
  intake: string;
  scheduling: string;
  assessment: string;
  gateway: string;
  notifier: string;
}

export interface TransportOptions {
  /** For TLS: the name in the service's certificate. */
  serverName: string;
  baseUrl: string;
  interceptors: Interceptor[];
  defaultTimeoutMs: number;
}

/** The name in each service's certificate, by which it is believed wherever it is. */
const NAMES: Record<keyof Addresses, string> = {
  intake: "intake-svc",
  scheduling: "scheduling-svc",
  assessment: "assessment-svc",
  gateway: "legacy-gateway",
  notifier: "la-notifier",
};

export interface CmsOptions {
  addresses: Addresses;
  /** Gives the bearer token of each call. */
  token: () => string | Promise<string>;
  /** Makes a transport: createConnectTransport of @connectrpc/connect-web or connect-node, perhaps with options of your own. */
  transport: (options: TransportOptions) => Transport;
  /** The deadline of a call. The platform ends each after 30 seconds at most. */
  timeoutMs?: number;
}

export interface Cms {
  intake: Client<typeof IntakeService>;
  scheduling: Client<typeof SchedulingService>;
  assessment: Client<typeof AssessmentService>;
  gateway: Client<typeof LegacyGatewayService>;
  notifier: Client<typeof LaNotifierService>;
  /** What is left to people at each service. */
  operations: Record<keyof Addresses, Client<typeof OperationsService>>;
}

/** Makes a client of every service. Calls carry the token, and are sent again where that is safe. */
export function createCms(options: CmsOptions): Cms {
  const authorize: Interceptor = (next) => async (request) => {
    request.header.set("Authorization", `Bearer ${await options.token()}`);
    return next(request);
  };
  const to = (service: keyof Addresses) =>
    options.transport({
      serverName: NAMES[service],
      baseUrl: options.addresses[service],
      interceptors: [retries(), authorize],
      defaultTimeoutMs: options.timeoutMs ?? 10_000,
    });
  const transports = {
    intake: to("intake"),
    scheduling: to("scheduling"),
    assessment: to("assessment"),
    gateway: to("gateway"),
    notifier: to("notifier"),
  };
  return {
    intake: createClient(IntakeService, transports.intake),
    scheduling: createClient(SchedulingService, transports.scheduling),
    assessment: createClient(AssessmentService, transports.assessment),
    gateway: createClient(LegacyGatewayService, transports.gateway),
    notifier: createClient(LaNotifierService, transports.notifier),
    operations: {
      intake: createClient(OperationsService, transports.intake),
      scheduling: createClient(OperationsService, transports.scheduling),
      assessment: createClient(OperationsService, transports.assessment),
      gateway: createClient(OperationsService, transports.gateway),
      notifier: createClient(OperationsService, transports.notifier),
    },
  };
}
