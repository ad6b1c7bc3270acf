/**
 * The editor's web workers, next to this script.
 *
 * The build writes their (hashed) file names in the place of the three names below.
 */
/* global EDITOR_WORKER, GRAPHQL_WORKER, JSON_WORKER */
const files = { graphql: GRAPHQL_WORKER, json: JSON_WORKER };

globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    return new Worker(new URL(files[label] ?? EDITOR_WORKER, import.meta.url), { name: label });
  },
};
