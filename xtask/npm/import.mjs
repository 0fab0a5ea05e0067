// Imports every entry of the installed package; the arguments are the names it must export.
import { readdirSync, readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

const expected = process.argv.slice(2).sort().join(" ");
// What exports something else than the functions.
const others = { "oauth-wasm/vault": "OAuthError isOAuthError vault", "oauth-wasm/vault-page": "serveVault" };
const directory = new URL("./node_modules/oauth-wasm/", import.meta.url);
const read = (name) => readFileSync(new URL(name, directory), "utf8");

// The library itself and the vault; what stands beside them is for a framework, which is not here, or for tests.
const library = [".", "./inline", "./vault", "./vault-page"];
const modules = Object.entries(JSON.parse(read("package.json")).exports)
  .filter(([name]) => library.includes(name))
  .map(([name]) => name.replace(/^\./, "oauth-wasm"));

function check(entry, exported) {
  const actual = Object.keys(exported).sort().join(" ");
  const right = actual === (others[entry] ?? expected);
  console.log(`${right ? "ok" : "WRONG"}  ${entry}: ${actual}`);
  if (!right) process.exitCode = 1;
}

for (const name of modules) check(name, await import(name));
const { mock, createTestLibrary, reply, ...functions } = await import("oauth-wasm/testing");
check("oauth-wasm/testing", functions);
const providers = readdirSync(new URL("providers", directory)).filter((name) => /^\w+\.js$/.test(name));
for (const name of providers.map((name) => name.slice(0, -3))) {
  const { default: provider, ...more } = await import(`oauth-wasm/providers/${name}`);
  const right = provider.name === name && provider.about && Object.keys(more).length === 0;
  console.log(`${right ? "ok" : "WRONG"}  oauth-wasm/providers/${name}`);
  if (!right) process.exitCode = 1;
}
runInThisContext(read("classic.js"), { filename: "classic.js" });
check("classic.js", globalThis.OAuthWasm);

// On a server nobody is logged in, a login says what is missing, and nothing keeps the process running.
for (const entry of ["oauth-wasm", "oauth-wasm/inline"]) {
  const { handleRedirect, restore, session, startLogin } = await import(entry);
  const endpoints = { authorizationEndpoint: "https://as.example/a", tokenEndpoint: "https://as.example/t" };
  const login = { ...endpoints, clientId: "1", redirectUri: "https://app.example/", resourceServers: ["https://api.example"] };
  const code = await startLogin(login).catch((e) => e.code);
  const seen = JSON.stringify([await handleRedirect(), await session(), await restore(), code]);
  const right = seen === '[null,null,null,"unsupported_environment"]';
  console.log(`${right ? "ok" : "WRONG"}  ${entry} on a server: ${seen}`);
  if (!right) process.exitCode = 1;
}
setTimeout(() => {
  console.log("WRONG  something keeps the process running");
  process.exit(1);
}, 10_000).unref();
