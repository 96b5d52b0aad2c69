// Loaded into each wrangler we start: when we die without a word, wrangler ends too, and takes workerd with it.
const parentId = process.ppid;
/** The system hands an orphan on to another parent only after its channel to the old one has closed. */
const ORPHANED_AFTER_MS = 200;

process.once("disconnect", () => {
  setTimeout(() => {
    if (process.ppid !== parentId) process.kill(process.pid, "SIGTERM");
  }, ORPHANED_AFTER_MS).unref();
});
process.channel?.unref();
