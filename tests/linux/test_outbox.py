"""The telemetry queue: order, limit, acknowledgement."""

from anchorwatch.performers.outbox import Outbox


def _record(number):
    return {"mid": "m%d" % number, "properties": {}, "payload": b"%d" % number, "qos": 1}


def _outbox(at_most=3, device="dev-7"):
    where = [device]
    outbox = Outbox(lambda record: "devices/%s/%s" % (where[0], record["mid"]), at_most)
    return outbox, where


def _mids(outbox, n=10):
    return [record["mid"] for record in outbox.peek(n)]


def test_records_leave_in_the_order_they_came_and_stay_until_acknowledged():
    outbox, _ = _outbox()
    for number in range(3):
        outbox.put(_record(number))
    assert _mids(outbox, 2) == ["m0", "m1"] == _mids(outbox, 2)
    outbox.ack("m0")
    assert _mids(outbox) == ["m1", "m2"]
    assert (outbox.waiting, outbox.acknowledged, outbox.dropped) == (2, 1, 0)


def test_full_queue_drops_the_oldest_and_counts_it():
    outbox, _ = _outbox(at_most=3)
    for number in range(5):
        outbox.put(_record(number))
    assert _mids(outbox) == ["m2", "m3", "m4"] and outbox.dropped == 2


def test_late_acknowledgement_of_a_dropped_record_changes_nothing():
    outbox, _ = _outbox(at_most=1)
    outbox.put(_record(0))
    outbox.put(_record(1))
    outbox.ack("m0")
    assert _mids(outbox) == ["m1"] and outbox.acknowledged == 0


def test_same_message_id_is_queued_once():
    outbox, _ = _outbox()
    outbox.put(_record(1))
    outbox.put(_record(1))
    assert outbox.waiting == 1


def test_topic_is_made_when_the_record_is_sent_and_anew_for_another_device_id():
    outbox, where = _outbox()
    outbox.put(_record(1))
    where[0] = "assigned"
    assert outbox.peek(1)[0]["topic"] == "devices/assigned/m1"
    where[0] = "other"
    assert outbox.peek(1)[0]["topic"] == "devices/assigned/m1"
    outbox.readdress()
    assert outbox.peek(1)[0]["topic"] == "devices/other/m1"
