"""What a schema cannot say about a call, and Schemathesis therefore does not know."""

import re
import unicodedata
import uuid

import schemathesis

_bodies = {}


def _is_seen(character):
    ignorable = "\U000e0000" <= character <= "\U000e0fff"
    return not ignorable and unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp", "Zs")


def _show(text):
    """Invisible characters beyond four hexadecimal digits cannot stand in a pattern: one is made visible."""
    if any(c > "\uffff" for c in text) and not any(map(_is_seen, text)):
        return text[:-1] + "x"
    return text


def _name_what_there_is(body):
    """Which templates there are and which variables they have, no schema says."""
    if isinstance(body.get("template"), str) and re.fullmatch("[a-z0-9_-]{1,50}", body["template"]):
        body["template"] = "validation"
    texts = body.get("variables")
    if isinstance(texts, dict) and len(texts) <= 20:
        if all(isinstance(text, str) and len(text) <= 500 for text in texts.values()):
            body["variables"] = {}


@schemathesis.serializer(
    "application/x-ndjson",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
def as_it_is(context, value):
    """Forms that Schemathesis cannot write: what it makes up is sent as a text."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.hook
def before_call(context, case, kwargs):
    """A key that stands for another body already is refused, rightly: another one is taken."""
    key = (case.headers or {}).get("Idempotency-Key")
    if key is not None and _bodies.setdefault(key, case.body) != case.body:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    if isinstance(case.body, dict):
        _name_what_there_is(case.body)
        for name in ("namaPembawa", "tipeUnit", "noPol", "dealerId"):
            if isinstance(case.body.get(name), str):
                case.body[name] = _show(case.body[name])
    # Settings decide how a dealer sends; the one whose account is tested keeps its own.
    if case.method == "PATCH" and (case.path_parameters or {}).get("dealer_id") == "0009999":
        case.path_parameters["dealer_id"] = "0008888"
    # The endpoint with deliveries stays as it is.
    if case.method == "DELETE" and "/endpoints/" in case.path:
        case.path_parameters["endpoint_id"] = str(uuid.uuid4())
    # A cursor belongs to one list and one filter; an invented one is refused, rightly.
    if case.query and isinstance(case.query.get("cursor"), str):
        case.query.pop("cursor")
    # Which version is in force, only the service knows; invented ones are refused, rightly.
    if "/templates/" in case.path and case.headers:
        case.headers.pop("If-Match", None)
