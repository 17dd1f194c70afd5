// Opens the interactive documentation in Chromium as a newcomer does: authorizes, executes an example that creates a contact,
// and lists it. Nothing may be fetched from elsewhere. WELLMET is where the server listens; CHROMIUM is the browser.
import assert from "node:assert/strict";
import puppeteer from "puppeteer-core";

const base = process.env.WELLMET ?? "http://127.0.0.1:8080";
const registration = { email: "ada@example.com", password: "lantern orbit mustard 27 quill", name: "Ada Lovelace" };
const account = await fetch(`${base}/v1/auth/register`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(registration),
});
const { access_token } = await account.json();

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
try {
  const page = await browser.newPage();
  const elsewhere = [];
  const faults = [];
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    const isOurs = request.url().startsWith(base) || request.url().startsWith("data:");
    if (!isOurs) elsewhere.push(request.url());
    return isOurs ? request.continue() : request.abort();
  });
  page.on("pageerror", (error) => faults.push(error.message));

  const begun = Date.now();
  await page.goto(`${base}/docs/`);
  await page.waitForSelector(".opblock-tag", { timeout: 60_000 });
  const untilShown = Date.now() - begun;
  const resolved = () => window.ui.getStore().getState().getIn(["spec", "resolvedSubtrees"])?.size ?? 0;
  assert.equal(await page.evaluate(resolved), 0, "the page waits for references");
  assert.equal(await page.title(), "Wellmet API");
  assert.equal((await page.$$(".opblock")).length, 0, "the tags are folded");
  assert((await page.$$(".opblock-tag")).length > 30);
  assert(await page.$(".operation-filter-input"), "there is a filter");

  await page.click(".btn.authorize");
  await page.waitForSelector(".auth-container input");
  await page.type(".auth-container input", access_token);
  await page.click(".auth-btn-wrapper .authorize");
  await page.click(".auth-btn-wrapper .btn-done");

  const untilOpen = [];
  /** The status and the text of the answer to an operation, as it is filled in. */
  const execute = async (operation) => {
    await page.waitForSelector(operation);
    await page.click(`${operation} .opblock-summary-control`);
    const opened = Date.now();
    await page.waitForSelector(`${operation} .btn.execute`, { timeout: 60_000 });
    untilOpen.push(Date.now() - opened);
    await page.click(`${operation} .btn.execute`);
    const answer = await page.waitForSelector(`${operation} .live-responses-table .response`);
    const status = await answer.$eval(".response-col_status", (cell) => cell.textContent);
    return [status, await answer.evaluate((row) => row.textContent)];
  };
  await page.type(".operation-filter-input", "contacts");
  await page.waitForFunction(() => document.querySelectorAll(".opblock-tag").length < 5);
  await page.click('[data-tag="contacts"]');
  const [created, contact] = await execute("#operations-contacts-create_contact");
  assert.equal(created, "201", contact);
  const [listed, contacts] = await execute("#operations-contacts-list_contacts");
  assert.equal(listed, "200", contacts);
  assert.match(contacts, /Dorota/);

  // Neither the page nor the first operation that is opened waits for the references of the whole document.
  const whole = await page.evaluate(async () => {
    const { fn, specSelectors } = window.ui.getSystem();
    const begun = Date.now();
    await fn.resolveSubtree(specSelectors.specJson().toJS(), ["components", "securitySchemes"]);
    return Date.now() - begun;
  });
  assert((await page.evaluate(resolved)) > 0, "an operation resolves its own");
  const [first] = untilOpen;
  console.log(`The page was there after ${untilShown} ms, the first operation ${first} ms after it was opened;`);
  console.log(`all references of the document take ${whole} ms.`);
  assert(first < whole, "an operation waits for the references of the document");
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(faults, []);
  console.log("The documentation works in a browser.");
} finally {
  await browser.close();
}
