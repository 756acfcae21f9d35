// OAuth clients that nobody here wrote, against a running Claviger. What it is to work with
// comes as JSON on stdin; what it found goes to stdout as JSON, for the test to look at.
import { readFileSync } from "node:fs";
import { createPrivateKey } from "node:crypto";
import * as oauth from "openid-client";
import { createRemoteJWKSet, jwtVerify, SignJWT } from "jose";

const given = JSON.parse(readFileSync(0, "utf8"));
const found = {};

// allowInsecureRequests: this machine alone speaks to itself here, without TLS.
const discover = (id, auth) =>
  oauth.discovery(new URL(given.issuer), id, undefined, auth, {
    algorithm: "oauth2",
    execute: [oauth.allowInsecureRequests],
  });

async function refusal(promise) {
  try {
    await promise;
    return "none";
  } catch (e) {
    return e.error ?? e.code ?? String(e);
  }
}

// VC6: both ways in which a client can authenticate itself.
const clients = {};
for (const [name, auth] of Object.entries({ basic: oauth.ClientSecretBasic, post: oauth.ClientSecretPost })) {
  const client = (clients[name] = await discover(given.client.id, auth(given.client.secret)));
  const token = await oauth.clientCredentialsGrant(client, { scope: given.client.scope });
  found[name] = { token_type: token.token_type, expires_in: token.expires_in, scope: token.scope, token: token.access_token };
  found[name + " without scope"] = await refusal(oauth.clientCredentialsGrant(client));
  found[name + " with another secret"] = await refusal(
    oauth.clientCredentialsGrant(await discover(given.client.id, auth(given.client.secret.slice(0, -1) + "x")), {
      scope: given.client.scope,
    }),
  );
}

// EE7: an app, which need not ask for scopes.
const app = await discover(given.app.key, oauth.ClientSecretBasic(given.app.secret));
found.app = await oauth.clientCredentialsGrant(app);

// The tokens, checked offline with the published keys.
const keys = createRemoteJWKSet(new URL(app.serverMetadata().jwks_uri));
const expected = { issuer: given.issuer, audience: given.issuer, typ: "at+jwt", algorithms: ["ES256"] };
const verified = await jwtVerify(found.app.access_token, keys, expected);
found.claims = verified.payload;
found.header = verified.protectedHeader;
const [head, body, signature] = found.app.access_token.split(".");
const changed = Buffer.from(JSON.stringify({ ...verified.payload, scope: "everything:always" })).toString("base64url");
found.changed = await refusal(jwtVerify([head, changed, signature].join("."), keys, expected));
found["another audience"] = await refusal(jwtVerify(found.app.access_token, keys, { ...expected, audience: "https://elsewhere.example" }));

// Introspection by a resource server, and revocation by the client.
const resource = await discover(given.verifier.id, oauth.ClientSecretBasic(given.verifier.key));
found.introspected = await oauth.tokenIntrospection(resource, found.app.access_token);
found["introspected key"] = await oauth.tokenIntrospection(resource, given.app.key);
await oauth.tokenRevocation(clients.basic, found.basic.token);
found.revoked = await oauth.tokenIntrospection(resource, found.basic.token);
found["not revoked"] = (await oauth.tokenIntrospection(resource, found.post.token)).active;
found["revoked again"] = await refusal(oauth.tokenRevocation(clients.basic, found.basic.token));

// VX4, VX5: a service account's own token.
const account = given.account;
found.assertion = await new SignJWT({ iss: account.account_id })
  .setProtectedHeader({ alg: "RS256", kid: account.key_id })
  .setIssuedAt()
  .setExpirationTime("1h")
  .sign(createPrivateKey(account.private_key));
found["assertion introspected"] = await oauth.tokenIntrospection(resource, found.assertion);

console.log(JSON.stringify(found));
