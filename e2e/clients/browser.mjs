// The public browser client, on a page that says where to send with
// window.setup = {writeKey, apiHost, deliveryStrategy}.
import { AnalyticsBrowser } from "@segment/analytics-next";

const { writeKey, apiHost, deliveryStrategy } = window.setup;
window.analytics = AnalyticsBrowser.load(
  { writeKey, cdnSettings: { integrations: { "Segment.io": { apiKey: writeKey } } } },
  { integrations: { "Segment.io": { apiHost, protocol: "http", deliveryStrategy } } },
);
