"""What a schema cannot say about a call, and Schemathesis therefore does not know."""

import uuid

import schemathesis

_bodies = {}


@schemathesis.hook
def before_call(context, case, kwargs):
    """A key that stands for another body already is refused, rightly: another one is taken."""
    key = (case.headers or {}).get("Idempotency-Key")
    if key is not None and _bodies.setdefault(key, case.body) != case.body:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    # Settings decide how a dealer sends; the one whose account is tested keeps its own.
    if case.method == "PATCH" and (case.path_parameters or {}).get("dealer_id") == "0009999":
        case.path_parameters["dealer_id"] = "0008888"
    # A cursor belongs to one list and one filter; an invented one is refused, rightly.
    if case.query and isinstance(case.query.get("cursor"), str):
        case.query.pop("cursor")
