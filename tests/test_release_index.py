"""The package index, asked over HTTP as pip or uv is set up: a small server stands for it."""

import base64
import http.server
import os
import sys
import threading

import pytest

from missing_aa.releases import index
from missing_aa.releases.cache import ReleaseProblem

LOGIN = "Basic " + base64.b64encode(b"me:s3cret/").decode()


class Server(http.server.ThreadingHTTPServer):
    """Answers what `there` has for a path, from whoever gives the password that it wants."""

    def __init__(self, there, wants=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.there, self.wants, self.heard = there, wants, []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        given = self.headers.get("Authorization")
        self.server.heard.append((self.path, given))
        body = self.server.there.get(self.path)
        code = 401 if given != self.server.wants else 404 if body is None else 200
        if code == 200 and body.startswith("http"):
            self.send_response(302)
            self.send_header("Location", body)
            self.end_headers()
            return
        self.send_response(code)
        self.end_headers()
        self.wfile.write((body or "").encode() if code == 200 else b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    servers = []

    def start(there, wants=None):
        servers.append(Server(there, wants))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """A person who has set up nothing."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))


def with_login(server):
    return server.url.replace("//", "//me:s3cret%2F@")


def test_where_nothing_is_set_it_is_pypi():
    assert index.settings().indexes == ["https://pypi.org/simple"]


def test_a_file_of_pips_settings_is_read_and_a_variable_is_stronger(monkeypatch, tmp_path):
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://a.example/simple\nproxy = http://p.example:3128\n"
        "[install]\nextra-index-url = https://b.example/simple\n    https://c.example/simple\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    told = index.settings()
    assert told.proxy == "http://p.example:3128"
    assert told.indexes == [f"https://{one}.example/simple" for one in "abc"]
    monkeypatch.setenv("PIP_INDEX_URL", "https://d.example/simple")
    assert index.settings().indexes[0] == "https://d.example/simple"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert index.settings().indexes == []


def test_settings_that_pip_cannot_read_are_a_sentence(monkeypatch, tmp_path):
    (tmp_path / "pip.conf").write_text("no settings")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    with pytest.raises(ReleaseProblem, match="pip does not give its settings"):
        index.settings()


def test_without_pip_it_is_what_uv_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pip", None)
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    assert index.settings().indexes == ["https://pypi.org/simple"]
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://a.example/simple")
    monkeypatch.setenv("UV_INDEX", "ours=https://b.example/simple?x=1 https://c.example/simple")
    assert index.settings().indexes == [
        "https://b.example/simple?x=1",
        "https://c.example/simple",
        "https://a.example/simple",
    ]


def test_an_index_that_lacks_the_package_is_left_out(serve):
    empty, full = serve({}), serve({"/simple/pack/": "<a>"})
    told = index.Settings([f"{empty.url}/simple/", f"{full.url}/simple"])
    assert [page.text for page in index.pages("pack", told)] == ["<a>"]


def test_an_index_that_does_not_answer_is_a_sentence(serve):
    gone = serve({})
    gone.shutdown()
    gone.server_close()
    with pytest.raises(ReleaseProblem, match="127.0.0.1.*refused"):
        index.pages("pack", index.Settings([gone.url]))


def test_a_password_goes_to_its_index_and_into_no_message(serve, tmp_path):
    server = serve({"/simple/pack/": "<a>", "/files/pack.whl": "wheel"}, wants=LOGIN)
    told = index.Settings([f"{with_login(server)}/simple"])
    (page,) = index.pages("pack", told)
    assert page.url == f"{server.url}/simple/pack/"
    index.get(f"{server.url}/files/pack.whl", tmp_path / "pack.whl", told)
    assert (tmp_path / "pack.whl").read_text() == "wheel"
    other = with_login(server).replace("s3cret", "t0psecret")
    with pytest.raises(ReleaseProblem, match="Unauthorized") as said:
        index.pages("pack", index.Settings([f"{other}/simple"]))
    assert "t0psecret" not in str(said.value)


def test_a_password_is_not_sent_on_to_where_the_index_leads(serve, tmp_path):
    elsewhere = serve({"/pack.whl": "wheel"})
    server = serve({"/files/pack.whl": f"{elsewhere.url}/pack.whl"}, wants=LOGIN)
    told = index.Settings([f"{with_login(server)}/simple"])
    index.get(f"{server.url}/files/pack.whl", tmp_path / "pack.whl", told)
    index.get(f"{elsewhere.url}/pack.whl", tmp_path / "pack.whl", told)
    assert elsewhere.heard == [("/pack.whl", None)] * 2


def test_netrc_is_asked_for_a_password(serve, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password s3cret/\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server = serve({"/simple/pack/": "<a>"}, wants=LOGIN)
    assert index.pages("pack", index.Settings([f"{server.url}/simple"]))


def test_an_index_in_the_net_cannot_lead_to_a_file_of_this_machine(tmp_path):
    (tmp_path / "private").write_text("private")
    told = index.Settings(["https://a.example/simple"])
    with pytest.raises(ReleaseProblem, match="no web address"):
        index.get((tmp_path / "private").as_uri(), tmp_path / "copy", told)
    assert not (tmp_path / "copy").exists()


def test_certificates_that_cannot_be_read_are_a_sentence(tmp_path):
    told = index.Settings(["https://a.example"], certificates=str(tmp_path / "none.pem"))
    with pytest.raises(ReleaseProblem, match=r"certificates in .*none\.pem cannot be read"):
        index.pages("pack", told)
