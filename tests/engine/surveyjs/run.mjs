// Evaluates a survey of SurveyJS with the answers of a claim. Reads {survey, functions, variables, answers, rounds} as JSON
// from standard input; writes {visible, required, refused, anew, once_more} as a line of JSON:
// medians in milliseconds for answers that are given anew, and for rules that are run once more over the same answers.
import { readFileSync } from "node:fs";
import { FunctionFactory, Model } from "survey-core";

const given = JSON.parse(readFileSync(0, "utf8"));

const parts = (time) => { const day = new Date(time); return [day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate()]; };
const years = (from, to) => {
  const [y1, m1, d1] = parts(from), [y2, m2, d2] = parts(to);
  return y2 - y1 - (m2 < m1 || (m2 === m1 && d2 < d1) ? 1 : 0);
};
const monthsBefore = (time, count) => {
  const [year, month, day] = parts(time);
  const last = new Date(Date.UTC(year, month - count + 1, 0)).getUTCDate();
  return Date.UTC(year, month - count, Math.min(day, last));
};

for (const [name, [names, body]] of Object.entries(given.functions)) {
  const rule = new Function("years", "monthsBefore", ...names, `return ${body};`);
  FunctionFactory.Instance.register(name, (values) => {
    // A name without a value makes the rule unknown.
    if (values.some((value) => value === undefined || value === null)) return null;
    try { return rule(years, monthsBefore, ...values); } catch { return null; }
  });
}

const model = new Model(given.survey);
for (const [name, value] of Object.entries(given.variables)) model.setVariable(name, value);

const evaluate = () => {
  model.data = given.answers;
  model.validate(false, false);
  return model.getAllQuestions();
};

const again = () => {
  model.runConditions();
  model.validate(false, false);
};

const middle = (times) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
const measured = (act, before) => {
  const elapsed = [], processor = [];
  for (let round = 0; round < given.rounds; round += 1) {
    before();
    const from = performance.now(), used = process.cpuUsage();
    act();
    elapsed.push(performance.now() - from);
    const { user, system } = process.cpuUsage(used);
    processor.push((user + system) / 1000);
  }
  return { elapsed: middle(elapsed), processor: middle(processor) };
};

const anew = measured(evaluate, () => { model.data = {}; });
const questions = evaluate();
model.validate(true, false); // only so does a question show its errors
const once_more = measured(again, () => {});
const visible = questions.filter((question) => question.isVisible);
const names = (list) => list.map((question) => question.name);
console.log(JSON.stringify({
  visible: names(visible),
  required: names(visible.filter((question) => question.isRequired)),
  refused: names(visible.filter((question) => question.errors.some((error) => error.getErrorType() === "custom"))),
  anew,
  once_more,
}));
