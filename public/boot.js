// Starts the page: loads the module and the WebAssembly that lie beside this file and hydrates what the server rendered.

const reloaded = `kube-ingress-dash.reloaded ${import.meta.url}`;

/** A replica with another build has taken over: one reload per build fetches a page whose files exist. */
async function reloadOnce(reason) {
  try {
    if (sessionStorage.getItem(reloaded)) throw reason;
    // Where no server answers, the rendered page is worth more than the browser's error page.
    await fetch(import.meta.url, { method: "HEAD", cache: "no-store" });
    sessionStorage.setItem(reloaded, "1");
  } catch {
    // Also without session storage: what cannot be remembered could become a loop.
    console.error("The page could not start and does not update by itself.", reason);
    return;
  }
  location.reload();
}

/** The rows come while the module does: the page's first request for them is answered by this one. */
function beginWithRows() {
  const rows = document.querySelector("link[rel=alternate][type='application/json']");
  if (!rows || document.hidden) return;
  const preload = document.createElement("link");
  Object.assign(preload, { rel: "preload", as: "fetch", crossOrigin: "anonymous", href: rows.href });
  document.head.append(preload);
}

/**
 * What the tabs of this browser share: a text that one tab at a time changes, and words that reach the other tabs.
 * The module decides what they say (`protocol::tabs`); without storage each tab is as if it were alone.
 */
function shareTabs() {
  let opening;
  const open = () =>
    (opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open("kube-ingress-dash.tabs", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("tabs");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    }));
  const channel = new BroadcastChannel("kube-ingress-dash.tabs");
  globalThis.kubeIngressDashTabs = {
    async change(step) {
      try {
        const database = await open();
        await new Promise((resolve, reject) => {
          const transaction = database.transaction("tabs", "readwrite", { durability: "relaxed" });
          const store = transaction.objectStore("tabs");
          store.get("table").onsuccess = ({ target }) => store.put(step(target.result ?? ""), "table");
          transaction.oncomplete = resolve;
          transaction.onabort = () => reject(transaction.error);
        });
      } catch (reason) {
        // The next one opens it anew.
        opening = undefined;
        throw reason;
      }
    },
    tell: (word) => channel.postMessage(word),
    listen: (hear) => (channel.onmessage = ({ data }) => hear(data)),
  };
}

async function load() {
  const page = await import("./frontend.js");
  await page.default();
  return page;
}

beginWithRows();
try {
  shareTabs();
} catch {
  // The browser keeps it closed here.
}
let page;
try {
  page = await load();
} catch (reason) {
  await reloadOnce(reason);
}
if (page) {
  page.hydrate();
  try {
    sessionStorage.removeItem(reloaded);
  } catch {
    // Nothing was remembered where storage is closed.
  }
}
