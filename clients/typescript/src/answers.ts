import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { AnswerSchema, type Answer } from "./gen/cms/intake/v1/intake_pb.js";

/** An answer from the JSON value that its question's kind asks for; null clears it. */
export function answer(questionId: string, value: JsonValue, acceptTransliteration = false): Answer {
  return create(AnswerSchema, { questionId, value: fromJson(ValueSchema, value), acceptTransliteration });
}
