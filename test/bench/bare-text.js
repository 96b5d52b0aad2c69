// The least a Worker can do that looks at the body: it reads it with text() before sending it on. The bench's yardstick.
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    const { method, headers } = request;
    return fetch(env.SANDBOX_UPSTREAM + pathname, { method, headers, body: await request.text() });
  },
};
