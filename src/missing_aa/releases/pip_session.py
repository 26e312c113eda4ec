"""Ask the person's package index the way pip does: its address, proxy, certificates, passwords.

    python pip_session.py page NAME      the index's page of a package, as JSON: a list of pages
    python pip_session.py get URL FILE   one file

Runs as a process of its own. How pip is set up is not reproduced here but asked for, from pip.
"""

import json
import sys

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html"


def main(task: str, *words: str) -> None:
    from pip._internal.commands.download import DownloadCommand

    command = DownloadCommand("download", "")
    options, _ = command.parse_args([])
    session = command._build_session(options)
    if task == "page":
        indexes = [] if options.no_index else [options.index_url, *options.extra_index_urls]
        print(json.dumps(list(pages(session, indexes, words[0]))))
        return
    with session.get(words[0], stream=True, headers={"Accept-Encoding": "identity"}) as answer:
        answer.raise_for_status()
        with open(words[1], "wb") as file:
            for piece in answer.iter_content(2**20):
                file.write(piece)


def pages(session, indexes: list[str], name: str):
    """The page that each index has of a package: its address, kind and text."""
    for index in indexes:
        url = f"{index.rstrip('/')}/{name}/"
        if url.startswith("file:"):
            url += "index.html"
        answer = session.get(url, headers={"Accept": ACCEPT})
        if answer.status_code == 404:
            continue
        answer.raise_for_status()
        kind = answer.headers.get("Content-Type", "")
        yield {"url": answer.url, "json": "json" in kind, "text": answer.text}


if __name__ == "__main__":
    main(*sys.argv[1:])
