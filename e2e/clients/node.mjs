// Sends the traffic of a small shop through the public client: node node.mjs HOST WRITE_KEY
import { Analytics } from "@segment/analytics-node";

const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, flushAt: 20, maxRetries: 5 });
const errors = [];
analytics.on("error", (error) => errors.push(error));

for (let i = 1; i <= 60; i++) {
  const userId = `user-${i}`;
  analytics.identify({
    userId,
    traits: { email: `${userId}@example.com`, plan: i % 3 === 0 ? "pro" : "free", seats: i, company: { name: "Zoë & Söhne" } },
  });
  for (let n = 0; n < i % 5; n++) {
    analytics.track({ userId, event: "purchase", properties: { amount: 10 * n, currency: "EUR", items: ["book", "pen"] } });
  }
}
analytics.track({ anonymousId: "visitor-1", event: "viewed" });
analytics.page({ userId: "user-1", name: "Pricing", properties: { path: "/pricing" } });
analytics.screen({ userId: "user-1", category: "Docs", name: "Home", context: { app: { version: "1.2" } } });
analytics.group({ userId: "user-2", groupId: "acme", traits: { employees: 12, name: "Acme" } });
analytics.alias({ userId: "user-1", previousId: "shopper-1" });
analytics.identify({
  userId: "user-2",
  anonymousId: "visitor-2",
  timestamp: new Date(Date.now() - 86_400_000),
  traits: { phone: null, trial: true, roles: ["owner", 2], since: "2026-01-02T03:04:05Z" },
});
analytics.track({
  userId: "user-3",
  event: "odd values",
  messageId: "of-our-own",
  properties: { tiny: 5e-324, huge: 1e300, whole: 9007199254740991, none: null, empty: "", "a.b": 1, deep: { er: { no: false } } },
});

await analytics.closeAndFlush();
if (errors.length > 0) {
  console.error(errors);
  process.exit(1);
}
