// Typed clients of the CMS3 services. The messages and enumerations of each service are under its name:
//
//   const cms = createCms({ addresses, token: () => session.token, transport: createConnectTransport });
//   const { claim } = await cms.intake.getClaim({ claimRef });
//   if (claim?.state === intake.ClaimState.DRAFT) { … }

export { createCms, type Addresses, type Cms, type CmsOptions } from "./cms.js";
export { refusalOf, type Refusal, type Violation } from "./refusal.js";
export { answer, jsonOf } from "./answers.js";
export * as assessment from "./assessment.js";
export * as common from "./gen/cms/common/v1/common_pb.js";
export * as gateway from "./gen/cms/gateway/v1/gateway_pb.js";
export * as intake from "./gen/cms/intake/v1/intake_pb.js";
export * as notifier from "./gen/cms/notifier/v1/notifier_pb.js";
export * as operations from "./gen/cms/operations/v1/operations_pb.js";
export * as scheduling from "./gen/cms/scheduling/v1/scheduling_pb.js";
