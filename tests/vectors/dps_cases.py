"""What the provisioning service is told, and what its answers mean."""

from anchorwatch.wire import dps

_RES = "$dps/registrations/res/"
_ASSIGNED = (
    b'{"operationId":"4.a.b","status":"assigned","registrationState":{"x509":{},"registrationId":"dev-7",'
    b'"assignedHub":"hub.azure-devices.net","deviceId":"dev-7","status":"assigned",'
    b'"substatus":"initialAssignment","etag":"x"}}'
)
_ERROR = (
    b'{"errorCode":401002,"trackingId":"7f-1","message":"CA certificate not found.",'
    b'"timestampUtc":"2026-11-22T00:00:00Z","info":{"x":[1]}}'
)


def _meaning(topic, body):
    return dps.parse_response(_RES + topic, body)


def _malformed(reason):
    return ("raises", "MalformedMessage", reason)


CASES = (
    ("the user name has no question mark", dps.user_name, ("0ne1", "dev-7"),
     "0ne1/registrations/dev-7/api-version=2019-03-31"),
    ("the agent's own name is encoded", dps.user_name, ("0ne1", "dev-7", "anchorwatch/0.1 (x)"),
     "0ne1/registrations/dev-7/api-version=2019-03-31&ClientVersion=anchorwatch%2F0.1%20%28x%29"),
    ("what a token is for", dps.sas_resource, ("0ne1", "dev-7"), "0ne1/registrations/dev-7"),
    ("register", dps.register_topic, ("1",), "$dps/registrations/PUT/iotdps-register/?$rid=1"),
    ("the body of a registration", dps.register_body, ("dev-7",), b'{"registrationId":"dev-7"}'),
    ("the body with a model", dps.register_body, ("dev-7", "dtmi:x:y;1"),
     b'{"payload":{"modelId":"dtmi:x:y;1"},"registrationId":"dev-7"}'),
    ("ask for the operation", dps.status_topic, ("2", "4.a/b"),
     "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId=4.a%2Fb"),
    ("where the look-up goes", dps.lookup_path, ("0ne1", "a:b"),
     "/0ne1/registrations/a%3Ab?api-version=2019-03-31"),
    ("assigning, with a wait", _meaning, ("202/?$rid=1&retry-after=3",
     b'{"operationId":"4.a","status":"assigning"}'),
     ("1", ("assigning", "4.a", 3))),
    ("assigning, without a wait", _meaning, ("202/?$rid=1",
     b'{"operationId":"4.a","status":"assigning","new":1}'),
     ("1", ("assigning", "4.a", 0))),
    ("assigned", _meaning, ("200/?$rid=2", _ASSIGNED),
     ("2", ("assigned", "hub.azure-devices.net", "dev-7", "initialAssignment"))),
    ("assigned without a substatus", _meaning,
     ("200/?$rid=2",
     b'{"status":"assigned","registrationState":{"assignedHub":"h.x.net","deviceId":"d"}}'),
     ("2", ("assigned", "h.x.net", "d", ""))),
    ("assigned to nothing", _meaning, ("200/?$rid=2",
     b'{"status":"assigned","registrationState":{"deviceId":"d"}}'),
     _malformed("reply without a usable assignedHub")),
    ("assigned to a number", _meaning,
     ("200/?$rid=2", b'{"status":"assigned","registrationState":{"assignedHub":7,"deviceId":"d"}}'),
     _malformed("reply without a usable assignedHub")),
    ("assigned without a device id", _meaning,
     ("200/?$rid=2", b'{"status":"assigned","registrationState":{"assignedHub":"h.x.net"}}'),
     _malformed("reply without a usable deviceId")),
    ("assigned without a state", _meaning, ("200/?$rid=2", b'{"status":"assigned"}'),
     _malformed("reply without a usable assignedHub")),
    ("throttled", _meaning, ("429/?$rid=1&retry-after=7", b'{"errorCode":429001,"trackingId":"t"}'),
     ("1", ("busy", 429, 7, "t", 429001))),
    ("throttled without a hint", _meaning, ("429/?$rid=1", b""), ("1", ("busy", 429, 0, "", 0))),
    ("a gateway's page", _meaning, ("502/?$rid=1", b"<html>"), ("1", ("busy", 502, 0, "", 0))),
    ("refused", _meaning, ("401/?$rid=1", _ERROR), ("1", ("refused", 401, 401002, "7f-1",
     "CA certificate not found."))),
    ("not found", _meaning, ("404/?$rid=1", b'{"errorCode":404201}'), ("1", ("refused", 404, 404201,
     "", ""))),
    ("a refusal with a code of a wrong type", _meaning, ("400/?$rid=1",
     b'{"errorCode":"x","message":7}'),
     ("1", ("refused", 400, 0, "", ""))),
    ("failed", _meaning,
     ("200/?$rid=1",
     b'{"status":"failed","registrationState":{"errorCode":400207,"errorMessage":"Custom"}}'),
     ("1", ("refused", 200, 400207, "", "failed: Custom"))),
    ("disabled", _meaning, ("200/?$rid=1", b'{"status":"disabled"}'), ("1", ("refused", 200, 0, "",
     "disabled"))),
    ("unassigned", _meaning, ("200/?$rid=1", b'{"status":"unassigned"}'),
     ("1", ("refused", 200, 0, "", "unassigned"))),
    ("a status word nobody knows", _meaning, ("200/?$rid=1", b'{"status":"moved"}'),
     _malformed("registration status nobody documented")),
    ("a status number nobody knows", _meaning, ("302/?$rid=1", b"{}"),
     _malformed("status nobody documented")),
    ("success without JSON", _meaning, ("200/?$rid=1", b""), _malformed("JSON: no value")),
    ("success with a list", _meaning, ("200/?$rid=1", b"[]"), _malformed("JSON is not an object")),
    ("no operation id", _meaning, ("202/?$rid=1", b'{"status":"assigning"}'),
     _malformed("reply without a usable operationId")),
    ("no request id", _meaning, ("200/?retry-after=3", b"{}"),
     _malformed("response topic without a request id")),
    ("two request ids", _meaning, ("200/?$rid=1&$rid=2", b"{}"),
     _malformed("response topic names a property twice")),
    ("no query", _meaning, ("200", b"{}"), _malformed("response topic without a request id")),
    ("a status that is no number", _meaning, ("2x0/?$rid=1", b"{}"), _malformed("not a number")),
    ("a wait that is no number", _meaning, ("429/?$rid=1&retry-after=soon", b"{}"),
     _malformed("not a number")),
    ("a wait of years", _meaning, ("429/?$rid=1&retry-after=999999999", b"{}"),
     _malformed("not a number")),
    ("another topic", dps.parse_response, ("$iot/x", b"{}"),
     _malformed("not a topic of the provisioning service")),
    ("a look-up that names the hub", dps.parse_lookup,
     (200, None, b'{"status":"assigned","assignedHub":"h.x.net","deviceId":"d"}'), ("assigned",
     "h.x.net", "d", "")),
    ("a look-up while assigning", dps.parse_lookup, (200, None, b'{"status":"assigning"}'),
     ("assigning", "", 0)),
    ("a look-up of nobody", dps.parse_lookup, (404, None, b'{"errorCode":404201}'), ("refused", 404,
     404201, "", "")),
    ("a look-up throttled by seconds", dps.parse_lookup, (429, " 9 ", b""), ("busy", 429, 9, "",
     0)),
    ("a look-up throttled by a date", dps.parse_lookup, (503, "Sun, 06 Nov 1994 08:49:37 GMT", b""),
     ("busy", 503, 0, "", 0)),
    ("a look-up without JSON", dps.parse_lookup, (200, None, b"ok"), _malformed("JSON: no value")),
)  # fmt: skip
