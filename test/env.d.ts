declare namespace Cloudflare {
  interface Env {
    DB: D1Database;
    TEST_SCHEMA: string;
  }
}
