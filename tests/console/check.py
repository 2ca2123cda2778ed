"""The console in a real browser: each page opened, each action clicked, nothing in the browser's console.

Run by .ci/console, which starts a gateway with simulated providers.
"""

import argparse
import json
import pathlib
import sys
import time
import urllib.request
import uuid

from playwright.sync_api import Browser, Page, expect, sync_playwright

SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}
# Each size in each language, and light and dark among them.
LOOKS = [
    ("wide", "en-GB", "light"),
    ("narrow", "zh-CN", "light"),
    ("wide", "zh-CN", "dark"),
    ("narrow", "en-GB", "dark"),
]


# The playground's.
EXAMPLE = json.loads((pathlib.Path(__file__).parents[2] / "src/console/example_order.json").read_text())


class Api:
    """An application that calls the gateway."""

    def __init__(self, url, key, sandbox):
        self.url, self.key, self.sandbox = url, key, sandbox

    def call(self, method, path, body=None, base=None, **headers):
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **headers}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request((self.url if base is None else base) + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            text = response.read()
        return json.loads(text) if text else None

    def order(self, number, **changes):
        today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600))
        dates = {"pickup": {"date": today}, "delivery": {"date": today}}
        return {**EXAMPLE, "account": "otms-demo", "orderNumber": number, **dates, **changes}

    def place(self, order, wait=20):
        return self.call("POST", "/v1/orders", order, Prefer=f"wait={wait}")


def until(question, patience=30):
    """Waits for a state of the gateway."""
    end = time.monotonic() + patience
    while not question():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)


class Ledger:
    """What the pages show: placed, refused, doubtful, waiting."""

    def __init__(self, api):
        self.api = api
        run = uuid.uuid4().hex[:6].upper()
        references = {"customerReference": f"PO-{run}-77"}
        for number in range(12):
            api.call("POST", "/v1/orders", api.order(f"SO-{run}-{number:02}"))
        self.placed = api.place(api.order(f"SO-{run}-PLACED", **references))
        self.refused = api.place(api.order(f"SO-{run}-REFUSED", customer={"code": "UNKNOWN"}))
        self.again = api.place(api.order(f"SO-{run}-AGAIN", customer={"code": "UNKNOWN"}))
        faults = [{"kind": "commit_then_drop", "times": 1}]
        api.call("PUT", "/control/otms/faults", faults, base=api.sandbox)
        self.doubtful = api.place(api.order(f"SO-{run}-DOUBT"), wait=4)
        api.call("PUT", "/control/otms/faults", [], base=api.sandbox)
        api.call("POST", "/v1/accounts/otms-demo/pause")
        self.waiting = api.call("POST", "/v1/orders", api.order(f"SO-{run}-WAITING"))
        # Nobody listens there: what is delivered fails.
        endpoint = {"url": f"http://127.0.0.1:9/{run}", "types": ["account.paused"], "description": "ERP"}
        self.endpoint = api.call("POST", "/v1/webhook-endpoints", endpoint)
        for verb in ("pause", "resume"):
            api.call("POST", f"/v1/accounts/ile-demo/{verb}")
        path = f"/v1/webhook-endpoints/{self.endpoint['id']}"
        until(lambda: any(it["attempts"] for it in api.call("GET", f"{path}/deliveries")["items"]))
        callback = api.call("GET", "/v1/accounts/hongxun-demo")["callbackUrl"]
        for body in ({"request": {"customerNumber": f"RK-{run}"}}, {}):
            api.call("POST", callback if callback.startswith("http") else api.url + callback, body, base="")
        self.quarantined = api.call("GET", "/v1/callbacks?state=quarantined")["items"][0]
        for number in range(40):
            api.call("POST", "/v1/orders", api.order(f"SO-{run}-Q{number:02}"))


class Visit:
    """A browser window in which nothing may go wrong unnoticed."""

    def __init__(self, browser: Browser, arguments, size, locale, scheme):
        self.arguments, self.name = arguments, f"{size}-{locale[:2]}-{scheme}"
        self.width = SIZES[size]["width"]
        self.wrong = []
        # The look of the window, and no animation in a picture.
        self.context = browser.new_context(
            base_url=arguments.url,
            viewport=SIZES[size],
            locale=locale,
            color_scheme=scheme,
            reduced_motion="reduce",
            is_mobile=size == "narrow",
            has_touch=size == "narrow",
            device_scale_factor=2 if size == "narrow" else 1,
        )
        self.page = self.context.new_page()
        self.page.on("console", self.on_console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        self.page.on("request", self.on_request)
        self.expected = set()

    def on_console(self, message):
        # What a test provokes on purpose is reported by the browser as well.
        if message.type in ("error", "warning") and not any(status in message.text for status in self.expected):
            self.wrong.append(f"{message.type} at {self.page.url}: {message.text}")

    def on_request(self, request):
        if not request.url.startswith((self.arguments.url, "data:", "blob:")):
            self.wrong.append(f"{self.page.url} asks {request.url}")

    def open(self, path):
        self.page.goto(path)
        return self.page

    def look(self, name):
        """A picture, and what must hold for every page."""
        page = self.page
        # A phone makes its window wider for a page that does not fit.
        wide = page.evaluate("Math.max(document.documentElement.scrollWidth, window.innerWidth)")
        if wide > self.width:
            self.wrong.append(f"{name} {self.name}: {wide} pixels wide in {self.width}")
        if page.locator("h1").count() != 1:
            self.wrong.append(f"{name} {self.name}: not one h1")
        if pathlib.Path(self.arguments.axe).is_file():
            page.evaluate(pathlib.Path(self.arguments.axe).read_text())
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            for violation in found["violations"]:
                nodes = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
                self.wrong.append(f"{name} {self.name}: {violation['id']}: {violation['help']}: {nodes}")
        pictures = pathlib.Path(self.arguments.pictures)
        pictures.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=pictures / f"{name}-{self.name}.png", full_page=True)

    def sign_in(self):
        """By keyboard alone."""
        self.open("/console")
        expect(self.page.locator("#key")).to_be_focused()
        self.page.keyboard.type(self.arguments.key)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/console")

    def close(self):
        self.context.close()


def charts_are_drawn(page: Page):
    page.wait_for_selector("#live.on")
    expect(page.locator("#throughput-chart canvas")).to_be_visible()
    expect(page.locator("#latency-chart canvas")).to_be_visible()


def every_page(visit: Visit, ledger: Ledger):
    visit.open("/console/sign-in")
    visit.look("sign-in")
    visit.expected = {"422"}
    visit.page.locator("#key").fill("olk_nobody")
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("alert")).to_be_visible()
    visit.look("sign-in-refused")
    visit.expected = set()
    visit.sign_in()
    charts_are_drawn(visit.page)
    visit.look("overview")
    visit.open("/console/orders")
    visit.look("orders")
    visit.open("/console/orders?from=2001-01-01&to=2001-01-01")
    visit.look("orders-none")
    for name in ("placed", "refused", "doubtful"):
        visit.open(f"/console/orders/{getattr(ledger, name)['id']}")
        visit.look(f"order-{name}")
    visit.open(f"/console/orders/{ledger.placed['id']}")
    for summary in visit.page.locator("main details > summary").all():
        if summary.is_visible():
            summary.click()
    visit.look("order-opened")
    visit.open(f"/console/orders/{ledger.waiting['id']}/cancel")
    visit.look("order-cancel")
    visit.open(f"/console/submissions/{ledger.doubtful['submission']['id']}/resolve")
    visit.look("resolve")
    visit.open("/console/submissions")
    visit.look("submissions")
    visit.open("/console/lanes")
    visit.look("lanes")
    for name, path in pages_of_keepers(ledger).items():
        visit.open(path)
        visit.look(name)
    visit.open("/console/playground?account=ttms-demo")
    # A member that went to more than one place marks all of them.
    order, document = visit.page.locator("pre.tall").all()
    order.locator("a.member[data-lines*=' ']").first.focus()
    expect(document.locator(".marked").nth(1)).to_be_visible()
    visit.look("playground-marked")
    visit.expected = {"404"}
    visit.open("/console/nothing")
    visit.look("nothing")
    visit.expected = set()


def pages_of_keepers(ledger: Ledger):
    """What administrators keep in order, and the playground."""
    return {
        "quarantine": "/console/callbacks?state=quarantined",
        "quarantine-none": "/console/callbacks?state=quarantined&account=otms-demo",
        "callbacks": "/console/callbacks",
        "callback": f"/console/callbacks/{ledger.quarantined['id']}",
        "webhooks": "/console/webhooks",
        "webhook": f"/console/webhooks/{ledger.endpoint['id']}",
        "accounts": "/console/accounts",
        "account": "/console/accounts/ttms-demo",
        "account-paused": "/console/accounts/otms-demo",
        "account-add": "/console/add-account",
        "account-form": "/console/add-account?provider=otms",
        "account-credentials": "/console/accounts/hongxun-demo/credentials",
        "account-callback-path": "/console/accounts/hongxun-demo/callback-path",
        "playground": "/console/playground?account=otms-demo",
        "playground-refused": "/console/playground?account=hongxun-demo",
    }


def every_action_of_keepers(visit: Visit, ledger: Ledger):
    page, api = visit.page, ledger.api
    visit.sign_in()
    # Quarantine, from the navigation.
    page.get_by_role("link", name="Quarantine", exact=True).click()
    page.wait_for_url("**state=quarantined")
    page.locator(f"a[href='/console/callbacks/{ledger.quarantined['id']}']").click()
    page.get_by_role("button", name="Process again").click()
    expect(page.get_by_role("status")).to_contain_text("still in quarantine")
    with page.expect_download() as download:
        page.get_by_role("link", name="Exact bytes").click()
    came = api.call("GET", f"/v1/callbacks/{ledger.quarantined['id']}")["body"]["content"]
    assert pathlib.Path(download.value.path()).read_text() == came, "the download is not what came"
    # Webhooks.
    page.get_by_role("link", name="Webhooks").click()
    page.get_by_role("link", name=ledger.endpoint["url"]).click()
    page.get_by_role("button", name="Deliver again").first.click()
    expect(page.get_by_role("status")).to_contain_text("on its way once more")
    api.call("PATCH", f"/v1/webhook-endpoints/{ledger.endpoint['id']}", {"enabled": False})
    page.reload()
    visit.look("webhook-disabled")
    page.get_by_role("button", name="Enable again").click()
    expect(page.get_by_role("status")).to_contain_text("enabled")
    # Accounts: added with a mistake first, then tried, held, let go, and its secrets replaced.
    page.get_by_role("link", name="Accounts").click()
    page.get_by_role("link", name="Add an account").click()
    page.get_by_role("link", name="Choose 3TMS").click()
    name = f"second-{uuid.uuid4().hex[:6]}"
    account = api.call("GET", "/v1/accounts/ttms-demo")
    page.get_by_label("Id", exact=True).fill(name)
    page.get_by_label("Where the provider is reached").fill(account["baseUrl"])
    page.get_by_label("username").fill("nobody")
    page.get_by_label("password").fill("geheim")
    visit.expected = {"422"}
    page.get_by_role("button", name="Add the account").click()
    expect(page.get_by_role("alert")).to_be_visible()
    visit.look("account-form-refused")
    visit.expected = set()
    page.get_by_label("password").fill("geheim")
    page.get_by_label("allowPlainHttp").check()
    page.get_by_role("button", name="Add the account").click()
    expect(page.get_by_role("status")).to_contain_text("added")
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_role("status")).to_contain_text("does not work")
    visit.look("account-not-working")
    visit.open("/console/accounts/ttms-demo")
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_role("status")).to_contain_text("It works")
    visit.look("account-works")
    visit.open(f"/console/accounts/{name}")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_contain_text("paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status")).to_contain_text("goes on")
    page.get_by_role("link", name="Replace the credentials").click()
    page.get_by_label("username").fill("somebody")
    page.get_by_label("password").fill("noch-geheimer")
    page.get_by_role("button", name="Replace the credentials").click()
    expect(page.get_by_role("status")).to_contain_text("replaced")
    page.get_by_role("link", name="New callback path").click()
    page.get_by_label("Hours").fill("1")
    page.get_by_role("button", name="Make a new path").click()
    expect(page.get_by_role("status")).to_contain_text("new callback path")
    api.call("DELETE", f"/v1/accounts/{name}")
    # The playground: another account acts at once, a mistake is said, and the example comes back.
    page.get_by_role("link", name="Playground").click()
    page.get_by_label("Account", exact=True).select_option("ttms-demo")
    expect(page.locator("pre.tall").nth(1)).to_contain_text("orderList")
    page.get_by_text("Edit the order").click()
    page.get_by_label("Order", exact=True).fill('{"colour": "red"}')
    visit.expected = {"422"}
    page.get_by_role("button", name="Translate").click()
    expect(page.get_by_role("alert")).to_contain_text("/order/colour")
    visit.expected = set()
    page.get_by_role("link", name="Back to the example").click()
    page.locator("#to-0").focus()
    expect(page.locator("#from-0.marked")).to_be_visible()


def every_action(visit: Visit, ledger: Ledger):
    page = visit.page
    visit.sign_in()
    # The language, there and back.
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    # A filter acts at once; the search leads to its order.
    page.get_by_role("link", name="Orders", exact=True).click()
    page.get_by_label("Status").select_option("rejected")
    page.wait_for_url("**status=rejected**")
    expect(page.locator("tbody")).to_contain_text(ledger.refused["orderNumber"])
    page.get_by_role("link", name="Clear").click()
    page.get_by_role("link", name="Next page").click()
    page.get_by_role("link", name="First page").click()
    page.get_by_label("Any number").fill(ledger.placed["customerReference"])
    page.get_by_label("Any number").press("Enter")
    page.wait_for_url(f"**/console/orders/{ledger.placed['id']}")
    # What went over the wire, and its bytes.
    page.get_by_text("What went over the wire").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Exact bytes").first.click()
    attempts = ledger.api.call("GET", f"/v1/submissions/{ledger.placed['submission']['id']}/attempts")
    sent = attempts["items"][0]["request"]["body"]["content"]
    assert pathlib.Path(download.value.path()).read_text() == sent, "the download is not what was sent"
    # Retry.
    visit.open(f"/console/orders/{ledger.again['id']}")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("status")).to_contain_text("Back in the queue")
    # Decide, with a mistake first.
    visit.open(f"/console/orders/{ledger.doubtful['id']}")
    page.get_by_role("link", name="Decide").click()
    page.get_by_label("It was done").check()
    page.get_by_label("Provider number").fill("OT-4711")
    page.get_by_label("How do you know?").fill(" ")
    visit.expected = {"422"}
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("alert")).to_be_visible()
    visit.look("resolve-refused")
    visit.expected = set()
    page.get_by_label("How do you know?").fill("Seen in the portal")
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("status")).to_contain_text("decision is recorded")
    expect(page.get_by_text("OT-4711").first).to_be_visible()
    visit.look("order-decided")
    # Cancel: not at once, then really.
    visit.open(f"/console/orders/{ledger.waiting['id']}")
    page.get_by_role("link", name="Cancel order").click()
    page.get_by_role("link", name="Keep it").click()
    page.get_by_role("link", name="Cancel order").click()
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.get_by_role("status")).to_contain_text("The order is cancelled")
    # The rest of the navigation, and out.
    for name in ("Submissions", "Lanes", "Overview"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
    charts_are_drawn(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("signed out")
    visit.open("/console/orders")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def keyboard(visit: Visit, paths):
    """Everything that can be clicked is reached by Tab, and is seen when it is."""
    page = visit.page
    visit.sign_in()
    for path in paths:
        visit.open(path)
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        visit.open(path)
        wanted = page.evaluate(
            """() => {
                const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")];
                const seen = all.filter((it) => it.type !== "hidden" && it.checkVisibility());
                seen.forEach((it, at) => { it.dataset.wanted = at; });
                return seen.length;
            }"""
        )
        reached = set()
        for _ in range(wanted * 3 + 20):
            page.keyboard.press("Tab")
            at = page.evaluate(
                """() => {
                    const it = document.activeElement;
                    // A link that fills a tile is outlined with it.
                    const shown = [null, "::after"].some((part) => {
                        const style = getComputedStyle(it, part);
                        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
                    });
                    return it.dataset.wanted === undefined ? null : [it.dataset.wanted, shown, it.outerHTML.slice(0, 120)];
                }"""
            )
            if at is not None:
                reached.add(at[0])
                if not at[1]:
                    visit.wrong.append(f"{path}: focus is not seen at {at[2]}")
            elif len(reached) == wanted:
                break
        if len(reached) < wanted:
            missing = page.evaluate(
                "(reached) => [...document.querySelectorAll('[data-wanted]')]"
                ".filter((it) => !reached.includes(it.dataset.wanted)).map((it) => it.outerHTML.slice(0, 120))",
                list(reached),
            )
            # Of radio buttons of one name the keyboard reaches one, and the others by arrows.
            missing = [it for it in missing if 'type="radio"' not in it]
            visit.wrong.extend(f"{path}: not reached by Tab: {it}" for it in missing)


def without_scripts(browser: Browser, arguments, ledger: Ledger):
    """Signing in, finding and retrying need no scripts."""
    context = browser.new_context(base_url=arguments.url, java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto("/console")
    page.locator("#key").fill(arguments.key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.goto("/console/orders")
    page.get_by_label("Any number").fill(ledger.refused["orderNumber"])
    page.get_by_role("button", name="Find").click()
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("status")).to_contain_text("Back in the queue")
    context.close()


def main():
    parser = argparse.ArgumentParser()
    for name in ("browser", "url", "key", "sandbox", "axe", "pictures"):
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    ledger = Ledger(Api(arguments.url, arguments.key, arguments.sandbox))
    wrong = []
    with sync_playwright() as playwright:
        # Whoever runs it as root has no sandbox of the browser; only our own pages are opened.
        browser = playwright.chromium.launch(executable_path=arguments.browser, args=["--no-sandbox"])
        for look in LOOKS:
            visit = Visit(browser, arguments, *look)
            every_page(visit, ledger)
            wrong += visit.wrong
            visit.close()
        visit = Visit(browser, arguments, "wide", "en-GB", "light")
        order = f"/console/orders/{ledger.refused['id']}"
        resolve = f"/console/submissions/{ledger.doubtful['submission']['id']}/resolve"
        keyboard(visit, ["/console", "/console/orders", order, resolve, "/console/submissions", "/console/lanes"] + list(pages_of_keepers(ledger).values()))
        wrong += visit.wrong
        visit.close()
        visit = Visit(browser, arguments, "narrow", "en-GB", "light")
        every_action(visit, ledger)
        wrong += visit.wrong
        visit.close()
        visit = Visit(browser, arguments, "wide", "en-GB", "light")
        every_action_of_keepers(visit, ledger)
        wrong += visit.wrong
        visit.close()
        without_scripts(browser, arguments, ledger)
        browser.close()
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{len(list(pathlib.Path(arguments.pictures).glob('*.png')))} pictures in {arguments.pictures}")
    sys.exit(1 if wrong else 0)


main()
