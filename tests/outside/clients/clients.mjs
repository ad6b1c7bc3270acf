// Runs the same operations through a client; prints what came back as JSON.
// Arguments: the client's name, the URL of the endpoint.
import { createHash } from "node:crypto";

const { ApolloClient, InMemoryCache, HttpLink, gql } = await import("@apollo/client");
const { PersistedQueryLink } = await import("@apollo/client/link/persisted-queries");
const { Client, fetchExchange } = await import("@urql/core");
const { persistedExchange } = await import("@urql/exchange-persisted");
const { GraphQLClient, ClientError } = await import("graphql-request");

const [name, url] = process.argv.slice(2);
const QUERY = "query Plain { workflows(first: 1) { nodes { id displayName } } }";
const VARIABLES =
  "query Some($n: Int, $c: LifecycleWorkflowCategory) { workflows(first: $n, filter: { category: { eq: $c } }) { nodes { id category } } }";
const PARTIAL = 'query Missing { workflow(id: "nobody") { id } }';
const INVALID = "query Invalid { nothing }";
const VALUES = { n: 2, c: "LEAVER" };

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** The requests as they went out: whether each had a text and a hash, and by which method. */
const sent = [];
const counting = async (input, init = {}) => {
  const method = init.method ?? "GET";
  const given =
    method === "POST"
      ? JSON.parse(init.body)
      : Object.fromEntries(new URL(input).searchParams.entries());
  const extensions =
    typeof given.extensions === "string" ? JSON.parse(given.extensions) : given.extensions;
  sent.push({ method, query: "query" in given, hash: Boolean(extensions?.persistedQuery) });
  return fetch(input, init);
};

const codes = (errors) => (errors ?? []).map((error) => error.extensions?.code);

function apollo() {
  const http = new HttpLink({ uri: url, fetch: counting });
  const client = (link) =>
    new ApolloClient({
      link,
      cache: new InMemoryCache(),
      defaultOptions: { query: { fetchPolicy: "no-cache", errorPolicy: "all" } },
    });
  const run = (link) => async (text, variables) => {
    const { data, error } = await client(link).query({ query: gql(text), variables });
    return { data, codes: codes(error?.errors) };
  };
  const hashed = (options) => new PersistedQueryLink({ sha256, ...options }).concat(http);
  return {
    plain: run(http),
    persisted: run(hashed({})),
    persistedByGet: run(hashed({ useGETForHashedQueries: true })),
  };
}

function urql() {
  const run = (exchanges) => async (text, variables) => {
    const client = new Client({ url, fetch: counting, exchanges, preferGetMethod: false });
    const { data, error } = await client.query(text, variables ?? {}).toPromise();
    return { data, codes: codes(error?.graphQLErrors) };
  };
  const hashed = (options) => [
    persistedExchange({ generateHash: async (text) => sha256(text), ...options }),
    fetchExchange,
  ];
  return {
    plain: run([fetchExchange]),
    persisted: run(hashed({ preferGetForPersistedQueries: false })),
    persistedByGet: run(hashed({ preferGetForPersistedQueries: true })),
  };
}

function graphqlRequest() {
  const run = (requestMiddleware) => async (text, variables) => {
    const client = new GraphQLClient(url, { fetch: counting, requestMiddleware });
    try {
      return { data: await client.request(text, variables), codes: [] };
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return { data: error.response.data, codes: codes(error.response.errors) };
    }
  };
  const hashing = (withText) => (request) => {
    const { query, ...rest } = JSON.parse(request.body);
    const extensions = { persistedQuery: { version: 1, sha256Hash: sha256(query) } };
    const body = JSON.stringify({ ...rest, extensions, ...(withText ? { query } : {}) });
    return { ...request, body };
  };
  // It has no persisted queries of its own; the protocol is in its middleware here.
  const persisted = async (text, variables) => {
    const answer = await run(hashing(false))(text, variables);
    if (!answer.codes.includes("PERSISTED_QUERY_NOT_FOUND")) return answer;
    return run(hashing(true))(text, variables);
  };
  return { plain: run(), persisted };
}

const { plain, persisted, persistedByGet } = { apollo, urql, graphqlRequest }[name]();
const outcome = {
  query: await plain(QUERY),
  variables: await plain(VARIABLES, VALUES),
  partial: await plain(PARTIAL),
  invalid: await plain(INVALID),
};
sent.length = 0;
outcome.persisted = [await persisted(VARIABLES, VALUES), await persisted(VARIABLES, VALUES)];
outcome.sent = sent.splice(0);
if (persistedByGet) {
  outcome.persistedByGet = [await persistedByGet(QUERY), await persistedByGet(QUERY)];
  outcome.sentByGet = sent.splice(0);
}
console.log(JSON.stringify(outcome));
