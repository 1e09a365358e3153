import { create, fromJson, toJson, type JsonValue } from "@bufbuild/protobuf";
import { ValueSchema, type Value } from "@bufbuild/protobuf/wkt";
import { AnswerSchema, type Answer } from "./gen/cms/intake/v1/intake_pb.js";

/** An answer from the JSON value that its question's kind asks for; null clears it. */
export function answer(questionId: string, value: JsonValue, acceptTransliteration = false): Answer {
  return create(AnswerSchema, { questionId, value: fromJson(ValueSchema, value), acceptTransliteration });
}

/** The JSON value of a question's answer or proposal; undefined where there is none. */
export function jsonOf(value: Value | undefined): JsonValue | undefined {
  return value === undefined ? undefined : toJson(ValueSchema, value);
}
