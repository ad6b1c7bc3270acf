// Asks operations through a client with a normalising cache; prints whether the client shows what
// the server said, right after each answer and again, from the cache, after all of them.
// Arguments: the client's name, the URL of the endpoint, the module of keys or "none", a file with
// the operations as JSON: [{ name, text, variables }].
import { readFile } from "node:fs/promises";
import {
  buildClientSchema,
  getIntrospectionQuery,
  getNamedType,
  getNullableType,
  isAbstractType,
  isListType,
  parse,
  print,
  TypeInfo,
  valueFromASTUntyped,
  visit,
  visitWithTypeInfo,
} from "graphql";

const [name, url, module, file] = process.argv.slice(2);
const own = module === "none" ? {} : await import(module);
const operations = JSON.parse(await readFile(file, "utf8"));
for (const method of ["warn", "error", "debug"]) console[method] = () => {};

async function ask(query, variables) {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ query, variables });
  const answer = await (await fetch(url, { method: "POST", headers, body })).json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer;
}

async function apollo() {
  const { ApolloClient, InMemoryCache, HttpLink, gql } = await import("@apollo/client");
  const { typePolicies, possibleTypes } = own;
  const cache = new InMemoryCache({ typePolicies, possibleTypes });
  const client = new ApolloClient({ cache, link: new HttpLink({ uri: url }) });
  const run = (fetchPolicy) => async ({ text, variables }) =>
    (await client.query({ query: gql(text), variables, fetchPolicy })).data;
  return { first: run("network-only"), again: run("cache-only") };
}

async function urql() {
  const { Client, fetchExchange } = await import("@urql/core");
  const { cacheExchange } = await import("@urql/exchange-graphcache");
  const exchanges = [cacheExchange({ keys: own.keys }), fetchExchange];
  const client = new Client({ url, exchanges, preferGetMethod: false });
  const run = (requestPolicy) => async ({ text, variables }) => {
    const { data, error } = await client.query(text, variables ?? {}, { requestPolicy });
    if (error) throw error;
    return data;
  };
  return { first: run("network-only"), again: run("cache-only") };
}

async function relay() {
  const runtime = (await import("relay-runtime")).default;
  const { Environment, Network, RecordSource, Store, createOperationDescriptor } = runtime;
  const { getDataID } = own;
  const schema = buildClientSchema((await ask(getIntrospectionQuery())).data);
  const environment = new Environment({
    getDataID,
    store: new Store(new RecordSource()),
    network: Network.create((request, variables) => ask(request.text, variables)),
  });
  const seen = new Map();
  const describe = ({ text, variables }) => {
    if (!seen.has(text)) seen.set(text, compiled(schema, text));
    return createOperationDescriptor(seen.get(text), variables ?? {});
  };
  const again = async (operation) => environment.lookup(describe(operation).fragment).data;
  const first = async (operation) => {
    const descriptor = describe(operation);
    environment.retain(descriptor);
    await environment.execute({ operation: descriptor }).toPromise();
    return again(operation);
  };
  return { first, again };
}

/** What relay-compiler makes of an operation, as far as the operations here go. */
function compiled(schema, text) {
  const typename = { kind: "Field", name: { kind: "Name", value: "__typename" } };
  const document = visit(parse(text), {
    SelectionSet: {
      leave: (node, _key, parent) =>
        parent.kind === "OperationDefinition"
          ? undefined
          : { ...node, selections: [...node.selections, typename] },
    },
  });
  const argument = ({ name, value }) =>
    value.kind === "Variable"
      ? { kind: "Variable", name: name.value, variableName: value.name.value }
      : { kind: "Literal", name: name.value, value: valueFromASTUntyped(value) };
  const info = new TypeInfo(schema);
  const types = new Map();
  visit(document, visitWithTypeInfo(info, { Field: { enter: (f) => void types.set(f, info.getType()) } }));
  const selection = (node) => {
    if (node.kind === "InlineFragment") {
      const type = node.typeCondition.name.value;
      return { kind: "InlineFragment", type, abstractKey: null, selections: all(node) };
    }
    const common = {
      name: node.name.value,
      alias: node.alias?.value ?? null,
      args: node.arguments?.length ? node.arguments.map(argument) : null,
      storageKey: null,
    };
    if (!node.selectionSet) return { kind: "ScalarField", ...common };
    const type = types.get(node);
    return {
      kind: "LinkedField",
      ...common,
      plural: isListType(getNullableType(type)),
      concreteType: isAbstractType(getNamedType(type)) ? null : getNamedType(type).name,
      selections: all(node),
    };
  };
  const all = (node) => node.selectionSet.selections.map(selection);
  const [operation] = document.definitions;
  const argumentDefinitions = operation.variableDefinitions.map(({ variable }) => ({
    kind: "LocalArgument",
    name: variable.name.value,
    defaultValue: null,
  }));
  const named = operation.name.value;
  const selections = all(operation);
  return {
    kind: "Request",
    fragment: {
      kind: "Fragment",
      name: named,
      type: "Query",
      metadata: null,
      abstractKey: null,
      argumentDefinitions,
      selections,
    },
    operation: { kind: "Operation", name: named, argumentDefinitions, selections },
    params: {
      id: null,
      cacheID: named,
      metadata: {},
      name: named,
      operationKind: "query",
      text: print(document),
    },
  };
}

/** Without type names, and with members in a fixed order. */
const plain = (value) => {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value ?? null;
  const members = Object.entries(value).filter(([key]) => !key.startsWith("__"));
  return Object.fromEntries(members.sort().map(([key, member]) => [key, plain(member)]));
};
const shows = async (run, operation, said) => {
  const shown = JSON.stringify(plain(await run(operation)));
  return shown === said ? "same" : `${shown} instead of ${said}`;
};

const client = await { apollo, urql, relay }[name]();
const said = new Map();
const outcome = {};
for (const operation of operations) {
  const { data } = await ask(operation.text, operation.variables);
  said.set(operation, JSON.stringify(plain(data)));
  outcome[operation.name] = { first: await shows(client.first, operation, said.get(operation)) };
}
for (const operation of operations)
  outcome[operation.name].again = await shows(client.again, operation, said.get(operation));
console.log(JSON.stringify(outcome));
