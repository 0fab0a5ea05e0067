// Runs `oauth-wasm sandbox` as npx does, out of the installed package, and logs in by hand.
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { get } from "node:http";

const CLIENT = "1620218256833906";
const check = (is, what) => {
  console.log(`${is ? "ok" : "WRONG"}  sandbox: ${what}`);
  if (!is) process.exitCode = 1;
};

const named = "https://app.example";
// Offline: out of node_modules.
const npx = ["--offline", "oauth-wasm", "sandbox", "--port", "0", "--origin", named];
const child = spawn("npx", npx, { stdio: ["ignore", "pipe", "inherit"], detached: true });
const told = {};
let paste = "";
for await (const line of createInterface({ input: child.stdout })) {
  const [, name, origin] = /^(console page|sandbox)\s+(\S+)\/$/.exec(line) ?? [];
  if (name) told[name] = origin;
  if (line.startsWith("    ")) paste += `${line}\n`;
  if (line.startsWith("Ctrl-C")) break;
}
const { "console page": page, sandbox } = told;
const control = (path, body) => fetch(`${sandbox}/_sandbox/${path}`, { method: "POST", body: body && JSON.stringify(body) });
/** As it is written, dots and all. */
const statusOf = (path) =>
  new Promise((resolve, reject) => get(page, { path }, (answer) => resolve(answer.resume().statusCode)).on("error", reject));

try {
  const says = (text) => paste.includes(text);
  check(says(CLIENT) && says(`${page}/relay/${CLIENT}`) && says(`${sandbox}/authorization`), "the lines to paste name all that is needed");
  const calls = { location: { origin: page }, fetchPrivate: async () => new Response("{}"), handleRedirect: () => null, startLogin: () => {} };
  const run = Object.getPrototypeOf(async () => {}).constructor;
  await new run(...Object.keys(calls), paste)(...Object.values(calls));
  const html = await fetch(page);
  check(html.ok && html.headers.get("content-security-policy").includes("script-src 'self'"), "the console page, under a CSP");
  check((await fetch(`${page}/pkg/oauth-wasm.js`)).ok, "the package beside it");
  for (const path of ["/../package.json", "/pkg/../../secret", "/pkg/%2e%2e/x", "/..\\x", "/pkg/../../../etc/passwd"]) {
    check((await statusOf(path)) === 404, `no way out by ${path}`);
  }

  await control("settings", { autoConsent: true });
  const verifier = randomBytes(32).toString("base64url");
  const redirect_uri = `${page}/`;
  const asked = new URLSearchParams({
    response_type: "code",
    client_id: CLIENT,
    redirect_uri,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const back = await fetch(`${sandbox}/authorization?${asked}`, { redirect: "manual" });
  const code = new URL(back.headers.get("location")).searchParams.get("code");
  const form = new URLSearchParams({ grant_type: "authorization_code", client_id: CLIENT, code, redirect_uri, code_verifier: verifier });
  const direct = await fetch(`${sandbox}/oauth/token`, { method: "POST", body: form });
  check((await direct.json()).error === "invalid_client", "a token request without the secret is refused");
  const relayed = await fetch(`${page}/relay/${CLIENT}`, { method: "POST", body: form, headers: { origin: page } });
  const { access_token } = await relayed.json();
  check(relayed.ok && access_token?.startsWith("APP_USR-"), "the relay adds the secret");
  const me = await fetch(`${sandbox}/users/me`, { headers: { authorization: `Bearer ${access_token}` } });
  check((await me.json()).nickname === "TETE9928972", "the API knows the user");
  const foreign = await fetch(`${page}/relay/${CLIENT}`, { method: "POST", body: form, headers: { origin: "https://evil.example" } });
  check(foreign.status === 403, "the relay refuses other origins");
  check(foreign.headers.get("access-control-allow-origin") === null, "and no page of theirs may read why");
  for (const origin of ["http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:8080", "http://shop.localhost:4200", named]) {
    const answer = await fetch(`${page}/relay/${CLIENT}`, { method: "POST", body: form, headers: { origin } });
    const read = answer.headers.get("access-control-allow-origin") === origin;
    check(read && (await answer.json()).error === "invalid_grant", `the relay serves ${origin}`);
  }
  for (const origin of ["null", "http://localhost.evil.example", "https://app.example:444", "http://127.0.0.1.evil.example:80"]) {
    const answer = await fetch(`${page}/relay/${CLIENT}`, { method: "POST", body: form, headers: { origin } });
    check(answer.status === 403, `and not ${origin}`);
  }

  // What only a server can do: hold, drop, wait.
  await control("hold?path=/sites");
  let released = false;
  const held = fetch(`${sandbox}/sites`).then((answer) => released && answer.ok);
  await fetch(`${sandbox}/_sandbox/held?count=1`);
  released = true;
  await control("release");
  check(await held, "a held request waits until it is released");
  await control("settings", { faults: [{ pathPrefix: "/sites", kind: "dropAfterProcessing" }] });
  check(await fetch(`${sandbox}/sites`).then(() => false, () => true), "a dropped request has no answer");
  const [last] = (await (await fetch(`${sandbox}/_sandbox/requests`)).json()).slice(-1);
  check(last.path === "/sites" && last.status === 0, "and is in the log");
  await control("settings", { faults: [{ pathPrefix: "/sites", kind: { delay: 300 } }] });
  const before = performance.now();
  check((await fetch(`${sandbox}/sites`)).ok && performance.now() - before >= 290, "a delayed answer comes later");

  // As somebody's terminal does that is closed, or a tool that knows only its own child.
  const closed = new Promise((resolve) => child.stdout.on("close", () => resolve(true)));
  child.kill("SIGKILL");
  check(await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 10_000, false))]), "it ends with its npx");
  check(await fetch(page).then(() => false, () => true), "and leaves its ports");
} finally {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}
