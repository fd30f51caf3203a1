"""An issuer's command: a certificate request on standard input, its chain on standard output.

`python -m hil.cloud.issue MANAGE ISSUER`, where MANAGE is that of the ready line and ISSUER "est",
"tenant" or a policy. Ends with 1 when it is refused, with 3 when the cloud is not there.
"""

import http.client
import json
import sys


def main(arguments: list[str] | None = None) -> int:
    place, issuer = sys.argv[1:] if arguments is None else arguments
    body = json.dumps({"from": issuer, "csr": sys.stdin.read()})
    connection = http.client.HTTPConnection(place, timeout=30)
    try:
        connection.request("POST", "/issue", body, {"Connection": "close"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    except OSError as e:
        print(f"hil.cloud.issue: {place}: {e}", file=sys.stderr)
        return 3
    finally:
        connection.close()
    if response.status != 200:
        error = answer["error"]
        print(f"hil.cloud.issue: {error['what']}: {error['remedy']}", file=sys.stderr)
        return 1
    sys.stdout.write(answer["chain"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
