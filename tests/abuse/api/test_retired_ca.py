"""`ca retire` is for a CA whose key somebody else may have: from then on its certificates are nobody's, on connections that are open too."""

from site_of_abuse import DOCUMENT
from wire import request_bytes

PATIENCE_S = 30


def push(connection, own):
    connection.send(request_bytes("POST", "/api/v1/metrics/push", [own.bearer], DOCUMENT))
    return connection.answer().status


def test_what_a_retired_ca_signed_ends_with_it(make_site):
    site = make_site()
    own = site.enrol("of-the-old-ca")
    with site.connect(own.certificate) as open_one:
        assert push(open_one, own) == 200
        site.server.cli("ca", "rotate")
        assert push(open_one, own) == 200
        site.server.cli("ca", "promote", "--force")
        assert push(open_one, own) == 200  # both are trusted until the old one is retired
        site.server.cli("ca", "retire", "--force")
        assert open_one.ended(PATIENCE_S)
    with site.connect(own.certificate) as again:
        assert push(again, own) == 401
    assert site.enrol("of-the-new-ca").push().status == 200
    site.check_health()
    site.close()
