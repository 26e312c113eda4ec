"""Run the lessons: which there are, each in a worker of its own, its page, progress and summary."""

import sys

# jsonschema would build a grammar with it on import: two seconds, for a format no notebook uses.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
