// What every file of checks starts from: the library, pointed at one emulator, and `check`.
import { isDeepStrictEqual } from "node:util";
import { DynamicsWebApi } from "dynamics-web-api";

const [root] = process.argv.slice(2); // the Web API's root, as the emulator announces it
export const url = root;
const host = new URL(root).origin;
const organisation = root.replace(/\/api\/data\/.*$/, ""); // on-premises it may have a path of its own
const checks = [];

export function check(name, run) {
  checks.push({ name, run });
}

/** A client of its own for each check: a batch that one of them begins is none of the others' business. */
export function client(config = {}) {
  return new DynamicsWebApi({
    serverUrl: organisation,
    dataApi: { version: root.match(/v(\d+\.\d+)\/$/)[1] },
    onTokenRefresh: () => token,
    ...config,
  });
}

/** The token that the emulator's sign-in service gives, got once. */
const token = await (async () => {
  const form = { grant_type: "client_credentials", client_id: "node", client_secret: "x", scope: `${host}/.default` };
  const answer = await fetch(`${host}/tenant/oauth2/v2.0/token`, { method: "POST", body: new URLSearchParams(form) });
  return (await answer.json()).access_token;
})();

/** Change something about the emulator itself. */
export async function control(name, document) {
  const answer = await fetch(`${host}/_emulator/${name}`, { method: "PUT", body: JSON.stringify(document) });
  if (!answer.ok) throw new Error(await answer.text());
}

/** The refusal that a call meets; an answer instead is a failure. */
export async function refused(promise) {
  let answer;
  try {
    answer = await promise;
  } catch (refusal) {
    return refusal;
  }
  throw new Error(`this was expected to be refused, and answered ${JSON.stringify(answer)}`);
}

export function same(actual, expected) {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(`found ${JSON.stringify(actual)} where ${JSON.stringify(expected)} was expected`);
  }
}

export function holds(claim, otherwise = "a claim does not hold") {
  if (!claim) throw new Error(otherwise);
}

/** Run all checks one after the other: `{name: null}` for one that holds, its message for one that does not. */
export async function run() {
  const results = {};
  for (const { name, run } of checks) {
    try {
      await run();
      results[name] = null;
    } catch (problem) {
      results[name] = `${problem?.stack ?? JSON.stringify(problem)}${problem?.status ? ` [${problem.status} ${problem.code}]` : ""}`;
    }
  }
  console.log(JSON.stringify(results));
}
