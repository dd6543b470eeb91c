// The public browser client, on a page that says where to send with window.setup = {writeKey, cdnURL, deliveryStrategy}.
// Everything else is in the settings document it fetches from there.
import { AnalyticsBrowser } from "@segment/analytics-next";

const { writeKey, cdnURL, deliveryStrategy } = window.setup;
window.analytics = AnalyticsBrowser.load({ writeKey, cdnURL }, { integrations: { "Segment.io": { deliveryStrategy } } });
