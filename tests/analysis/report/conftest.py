"""Pages of small runs, and what is in them."""

import json
from html.parser import HTMLParser

import numpy as np
import pytest

from analysis.report.packed import unpack
from tests.analysis.report.browser import Browser, find


class Page(HTMLParser):
    """A page's elements, texts and data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements, self.texts, self._open = [], [], []
        self.scripts, self.links = [], []
        self.feed(text)
        self.size = len(text.encode())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.links += [value for name, value in attrs if name in ("src", "href", "action", "data", "poster", "srcset")]
        self._open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if self._open and self._open[-1] == "script":
            self.scripts[-1] += data
        elif self._open and self._open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    @property
    def data(self):
        """What the page draws from."""
        return json.loads(self.scripts[0])

    def array(self, packed, lattice):
        """[facets, y, x]."""
        shape = len(lattice["facets"]), len(lattice["y"]["values"]), len(lattice["x"]["values"])
        return np.array(unpack(packed)).reshape(shape)

    def find(self, tag, **attributes):
        return [found for name, found in self.elements if name == tag and attributes.items() <= found.items()]


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if find() is None:
        pytest.skip("no Chromium here: apt-get install chromium, and the page is tested in it")
    opened = Browser(tmp_path_factory.mktemp("chromium"))
    yield opened
    opened.close()
