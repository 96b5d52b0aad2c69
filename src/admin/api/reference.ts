// The API about itself, for anybody: as an OpenAPI document, and as a page.
import { Hono } from "hono";
import type { AdminEnv } from "../authorize.ts";
import { openApiDocument } from "../openapi/document.ts";
import { pageHeaders } from "../pages/page-headers.ts";
import { ReferencePage } from "../pages/reference-page.tsx";

export const reference = new Hono<AdminEnv>();

reference.get("/openapi.json", (c) => c.json(openApiDocument()));
reference.get("/docs", pageHeaders, (c) => c.html(ReferencePage(openApiDocument())));
