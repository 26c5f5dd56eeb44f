"""Reads an archive as the web archiving community does (first argument), and writes one of its own (second)."""

import io
import json
import sys

from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter


class Check:
    inputs = [sys.argv[1]]
    verbose = False


if Checker(Check).process_all() != 0:
    sys.exit("warcio finds digests that do not match")

with open(sys.argv[1], "rb") as stream:
    for record in ArchiveIterator(stream, check_digests=True):
        fields = record.rec_headers
        print(json.dumps({
            "type": record.rec_type,
            "url": fields.get_header("WARC-Target-URI"),
            "date": fields.get_header("WARC-Date"),
            "refers_to": fields.get_header("WARC-Refers-To-Date"),
            "status": record.http_headers.get_statuscode() if record.http_headers else None,
            "cookies": [v for n, v in record.http_headers.headers if n == "set-cookie"] if record.http_headers else [],
            "content": record.content_stream().read().decode("utf-8"),
        }))

with open(sys.argv[2], "wb") as stream:
    writer = WARCWriter(stream, gzip=True)
    writer.write_record(writer.create_warcinfo_record("own.warc.gz", {"software": "warcio"}))
    http = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.0")
    writer.write_record(writer.create_warc_record(
        "https://harbour.example/own", "response", payload=io.BytesIO(b"<p>ferry"), http_headers=http))
