// Imports every entry of the installed package; the arguments are the names it must export.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

const expected = process.argv.slice(2).sort().join(" ");
const directory = new URL("./node_modules/oauth-wasm/", import.meta.url);
const read = (name) => readFileSync(new URL(name, directory), "utf8");

const target = (entry) => (typeof entry === "string" ? entry : target(entry.import ?? entry.default));
const modules = Object.entries(JSON.parse(read("package.json")).exports)
  .filter(([, entry]) => target(entry).endsWith(".js") && !target(entry).endsWith("/classic.js"))
  .map(([name]) => name.replace(/^\./, "oauth-wasm"));

function check(entry, exported) {
  const actual = Object.keys(exported).sort().join(" ");
  const right = actual === expected;
  console.log(`${right ? "ok" : "WRONG"}  ${entry}: ${actual}`);
  if (!right) process.exitCode = 1;
}

for (const name of modules) check(name, await import(name));
runInThisContext(read("classic.js"), { filename: "classic.js" });
check("classic.js", globalThis.OAuthWasm);
