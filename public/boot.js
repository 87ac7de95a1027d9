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

async function load() {
  const page = await import("./frontend.js");
  await page.default();
  return page;
}

beginWithRows();
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
