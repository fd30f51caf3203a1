"""The x509-limbo suite through the agent's own dial: what differs is known, and why."""

import json
import subprocess
import sys

import pytest

from tests import house
from tests.vectors import limbo, limbo_known

pytestmark = pytest.mark.tls

RUNNER = house.ROOT / "tests" / "vectors" / "limbo.py"


@pytest.fixture(scope="module")
def suite(shared_data):
    file = shared_data / "vectors" / "x509-limbo.json"
    if not file.exists():
        pytest.skip("../shared/data has no x509-limbo.json")
    return file


@pytest.fixture(scope="module")
def found(suite):
    return limbo.played(suite)


def test_frozen_suite_takes_part_whole(found):
    assert (found["cases"], found["must_fail"], found["must_pass"]) == (153, 121, 32)


def test_no_wrong_verdict_appears_and_none_goes_without_being_taken_off(found):
    assert sorted(found["wrong_accepts"]) == sorted(limbo_known.ACCEPTS)
    assert sorted(found["wrong_rejects"]) == sorted(limbo_known.REJECTS)


def test_lists_only_shrink_and_give_reasons():
    assert len(limbo_known.ACCEPTS) == limbo_known.MOST_ACCEPTS <= 15
    assert len(limbo_known.REJECTS) == limbo_known.MOST_REJECTS <= 6
    reasons = [*limbo_known.ACCEPTS.values(), *limbo_known.REJECTS.values()]
    assert all(len(reason) > 20 for reason in reasons)


def test_script_says_it_in_json_by_itself(suite):
    done = subprocess.run([sys.executable, str(RUNNER), str(suite), "--json"], timeout=120,
                          capture_output=True, check=True, cwd=suite.parent)
    told = json.loads(done.stdout)
    assert set(told) == {"cases", "must_fail", "must_pass", "wrong_accepts", "wrong_rejects"}
    assert sorted(told["wrong_accepts"]) == sorted(limbo_known.ACCEPTS)


def test_file_that_is_no_suite_is_wrong_usage(tmp_path):
    (tmp_path / "x.json").write_text("[]")
    for name in ("x.json", "none.json"):
        with pytest.raises(SystemExit) as ended:
            limbo.main([str(tmp_path / name)])
        assert ended.value.code == 2


def test_case_without_a_chain_worth_the_name_is_refused_and_not_raised():
    text = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
    case = {"id": "empty", "peer_certificate": text, "untrusted_intermediates": [],
            "trusted_certs": [text], "expected_peer_name": {"kind": "DNS", "value": "a.example"}}
    assert limbo.verdict(case) == "no-anchor"
