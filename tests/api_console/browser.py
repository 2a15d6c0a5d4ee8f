"""Goes through the console as a person would, and keeps pictures of the pages."""

import configparser
import os
import sys
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.ui import WebDriverWait

origin, credentials, pictures = sys.argv[1:4]
os.makedirs(pictures, exist_ok=True)
keys = configparser.ConfigParser(interpolation=None)
keys.read(credentials)
key = keys["default"]

options = Options()
for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]:
    options.add_argument(argument)
options.add_experimental_option(
    "prefs", {"profile.managed_default_content_settings.javascript": 2}
)
options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
browser.implicitly_wait(5)


def find(selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def follow(element):
    """Clicks on what leads to another page, and waits until the old one is gone."""
    page = find("html")
    element.click()
    WebDriverWait(browser, 30).until(staleness_of(page))


def fill(name, text):
    field = find(f"[name={name}]")
    field.clear()
    field.send_keys(text)


def picture(name):
    """The page at both widths; nothing may reach beyond the narrow one."""
    for width in (1280, 400):
        browser.set_window_size(width, 1400)
        browser.save_screenshot(f"{pictures}/{name}-{width}.png")
    root = find("html")
    content = int(root.get_property("scrollWidth"))
    seen = int(root.get_property("clientWidth"))
    assert content <= seen, f"{name} is {content} wide where {seen} are seen"
    browser.set_window_size(1280, 1400)


def go(name):
    follow(browser.find_element(By.LINK_TEXT, name))
    heading = find("h1").text
    assert heading == name, heading


try:
    browser.get(origin + "/console/")
    assert find("h1").text == "Log in"
    picture("login")
    fill("id", key["aws_access_key_id"])
    fill("secret", "not the secret at all")
    follow(find("button.main"))
    assert "No key of this server" in find("[role=alert]").text
    fill("id", key["aws_access_key_id"])
    fill("secret", key["aws_secret_access_key"])
    find("[name=secret]").send_keys(Keys.ENTER)
    assert find("h1").text == "Dashboard", find("h1").text
    cookie = browser.get_cookies()[0]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict", cookie

    go("Assessment targets")
    fill("name", "Web <servers> & more")
    fill("tags", "sample=debian-12-planted")
    follow(find("main button.main"))
    assert "is there" in find("[role=status]").text
    assert "Web <servers> & more" in find("tbody th").text
    picture("targets")

    go("Assessment templates")
    follow(find("main a.main"))
    picture("template-new")
    fill("name", "Nightly")
    find("option[value='900']").click()
    fill("attributes", "team=web")
    follow(find("button[value=run]"))
    for _ in range(120):
        if "Analysis complete" in find("dl.about").text:
            break
        time.sleep(0.5)
        browser.refresh()
    picture("run")
    assert "High" in find(".counts").text

    follow(find("main a.main"))
    assert find("h1").text == "Findings"
    picture("findings")
    find("select[name=severity] option[value=Medium]").click()
    fill("text", "root credentials")
    follow(find(".filters button"))
    rows = browser.find_elements(By.CSS_SELECTOR, "tbody tr")
    assert len(rows) == 1, len(rows)
    follow(find("tbody th a"))
    picture("finding")
    assert "/etc/ssh/sshd_config" in find("main").text

    go("Assessment runs")
    picture("runs")
    go("Agents")
    picture("agents")
    go("Dashboard")
    picture("dashboard")

    # The first thing that the keyboard reaches leads to the content.
    find("body").send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to the content"

    bad = [line for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    bad = [line for line in bad if "status of 403" not in line["message"] and "favicon" not in line["message"]]
    assert not bad, bad
    follow(find(".bar button"))
    assert find("h1").text == "Log in"
finally:
    browser.quit()
