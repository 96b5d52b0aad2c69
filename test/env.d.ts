declare namespace Cloudflare {
  interface Env {
    DB: D1Database;
    TEST_SCHEMA: string;
    /** Repeats a run of the flood; empty for one of its own. */
    FLOOD_SEED: string;
  }
}
