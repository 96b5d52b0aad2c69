// The headers of every page: nothing but this Worker's own may be loaded, and nobody may frame it.
import { secureHeaders } from "hono/secure-headers";

const self = ["'self'"];
const none = ["'none'"];

export const pageHeaders = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: none,
    scriptSrc: self,
    styleSrc: self,
    imgSrc: ["'self'", "data:"],
    connectSrc: self,
    formAction: self,
    frameAncestors: none,
    baseUri: none,
  },
  // Without a referrer browsers send `Origin: null` with a form, and the same-origin check would refuse it.
  referrerPolicy: "same-origin",
  xFrameOptions: "DENY",
  strictTransportSecurity: "max-age=31536000",
});
