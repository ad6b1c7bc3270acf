/**
 * The explorer: GraphiQL on the endpoint which serves this page.
 *
 * The server writes the endpoint (relative to the page) and the default query into the page's
 * `explorer-config` element; nothing is read from, or sent to, any other place.
 */
import './workers.js';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import 'graphiql/style.css';
import './page.css';

const config = JSON.parse(document.getElementById('explorer-config').textContent);
const endpoint = new URL(config.endpoint, document.baseURI);
endpoint.search = '';
endpoint.hash = '';

const UNAUTHORIZED_HINT =
  'The gateway wants a bearer token: put {"Authorization": "Bearer <token>"} into the Headers ' +
  'editor, then re-fetch the schema.';

/** Sends one operation; an answer which is not a GraphQL response is shown as an error. */
async function fetcher(params, options) {
  let response;
  try {
    response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        Accept: 'application/graphql-response+json, application/json',
        'Content-Type': 'application/json',
        ...options?.headers,
      },
      body: JSON.stringify(params),
    });
  } catch (error) {
    return { errors: [{ message: `The gateway did not answer: ${error.message}` }] };
  }
  const text = await response.text();
  let result;
  try {
    result = JSON.parse(text);
  } catch {
    result = null;
  }
  if (result === null || typeof result !== 'object' || !('data' in result || 'errors' in result)) {
    const line = `HTTP ${response.status} ${response.statusText}`.trim();
    const message = text ? `${line}: ${text.slice(0, 500)}` : line;
    result = { errors: [{ message }] };
  }
  if (response.status === 401) {
    result = { ...result, errors: [...(result.errors ?? []), { message: UNAUTHORIZED_HINT }] };
  }
  return result;
}

/** Tabs and history under names of this page's own: other GraphiQL pages may share the origin. */
function ownStorage() {
  let store;
  try {
    store = window.localStorage;
  } catch {
    return undefined; // The browser forbids storage; GraphiQL keeps its state in memory.
  }
  const prefix = `lifecycle-gateway:${endpoint.pathname}:`;
  const keys = () => Object.keys(store).filter((key) => key.startsWith(prefix));
  return {
    getItem: (key) => store.getItem(prefix + key),
    setItem: (key, value) => store.setItem(prefix + key, value),
    removeItem: (key) => store.removeItem(prefix + key),
    clear: () => keys().forEach((key) => store.removeItem(key)),
    get length() {
      return keys().length;
    },
  };
}

createRoot(document.getElementById('explorer')).render(
  <GraphiQL
    fetcher={fetcher}
    defaultQuery={config.defaultQuery}
    storage={ownStorage()}
    isHeadersEditorEnabled
    shouldPersistHeaders={false}
    showPersistHeadersSettings={false}
  >
    <GraphiQL.Logo>Lifecycle Gateway</GraphiQL.Logo>
  </GraphiQL>,
);
