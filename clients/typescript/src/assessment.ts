// The messages of assessment-svc, from each file of its contract.

export * from "./gen/cms/assessment/v1/assessment_pb.js";
export * from "./gen/cms/assessment/v1/record_pb.js";
