// Keeps what a page says on its console, and its uncaught errors, where a test can read them.
window.__console = [];
{
  const text = (value) => {
    if (value instanceof Error) return `${value.name}: ${value.message}\n${value.stack}`;
    if (typeof value !== "object" || value === null) return String(value);
    try {
      return JSON.stringify(value);
    } catch {
      return String(value);
    }
  };
  const keep = (level, values) => window.__console.push(`${level}: ${values.map(text).join(" ")}`);
  for (const level of ["debug", "log", "info", "warn", "error", "trace"]) {
    const original = console[level];
    console[level] = (...values) => {
      keep(level, values);
      original.apply(console, values);
    };
  }
  addEventListener("error", (event) => keep("uncaught", [event.error ?? event.message]));
  addEventListener("unhandledrejection", (event) => keep("unhandled", [event.reason]));
  addEventListener("securitypolicyviolation", (event) => keep("csp", [event.violatedDirective, event.blockedURI]));
}
