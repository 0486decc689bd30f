// An authorization server that others wrote. The client id says how it answers: `without-scope`, `denied` and so on.
import { OAuth2Server } from "oauth2-mock-server";

const server = new OAuth2Server(undefined, undefined, {
  endpoints: { authorize: "/oauth/authorize", token: "/api/v1/oauth/token" },
});
await server.issuer.keys.generate("RS256");

const spent = new Set();

const ANSWERS = {
  "without-scope": (response) => delete response.body.scope,
  "without-expires-in": (response) => delete response.body.expires_in,
  "without-refresh-token": (response) => delete response.body.refresh_token,
  "without-access-token": (response) => delete response.body.access_token,
  "expires-in-text": (response) => (response.body.expires_in = String(response.body.expires_in)),
  "wrong-secret": (response) => refuse(response, 401, "invalid_client"),
  "wrong-scope": (response) => refuse(response, 400, "invalid_scope"),
  unavailable: (response) => refuse(response, 503, "temporarily_unavailable"),
};

function refuse(response, status, error) {
  response.statusCode = status;
  response.body = { error };
}

server.service.on("beforeAuthorizeRedirect", ({ url }, request) => {
  if (request.query.client_id !== "denied") return;
  url.searchParams.delete("code");
  url.searchParams.set("error", "access_denied");
});

// Codes work once, as the standard wants it, and so do refresh tokens, as Apollo documents it.
server.service.on("beforeResponse", (response, request) => {
  const { client_id: client, code, refresh_token: token } = request.body;
  const grant = code ?? token;
  if (!grant || spent.has(grant)) return refuse(response, 400, "invalid_grant");
  if (client !== "without-refresh-token") spent.add(grant);
  ANSWERS[client]?.(response);
});

await server.start(0, "127.0.0.1");
console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
process.stdin.on("end", () => process.exit(0)).resume();
