// GraphQL Mesh's OData handler in front of a version root: node server.mjs UPSTREAM [json|multipart]
import { createServer } from "node:http";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import odata from "@graphql-mesh/odata";
import { InMemoryStoreStorageAdapter, MeshStore } from "@graphql-mesh/store";
import { parse } from "graphql";

const [upstream, batch] = process.argv.slice(2);
const nothing = () => {};
const logger = {
  name: "peer",
  log: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: console.error,
  child: () => logger,
};
const Handler = odata.default ?? odata;
const { executor } = await new Handler({
  name: "Lifecycle",
  config: {
    endpoint: `${upstream}/identityGovernance/lifecycleWorkflows`,
    source: "./metadata.xml",
    operationHeaders: { Authorization: "Bearer sandbox" },
    ...(batch ? { batch } : {}),
  },
  baseDir: dirname(fileURLToPath(import.meta.url)),
  store: new MeshStore("peer", new InMemoryStoreStorageAdapter(), {
    validate: false,
    readonly: false,
  }),
  importFn: (name) => import(name),
  logger,
}).getMeshSource({ fetchFn: fetch });

const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const { query, variables } = JSON.parse(body || "{}");
  const answer = query ? await executor({ document: parse(query), variables, context: {} }) : {};
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(answer));
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/graphql`);
});
