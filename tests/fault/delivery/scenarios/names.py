"""N7: the server's name does not resolve, resolves late, or to another address. In a mount namespace with hosts, nsswitch.conf and resolv.conf of its own."""

import os
import shlex
import socket
import threading
import time

from network.hurry import hurry
from network.proxy import FaultProxy
from private_disk import NEW_USER, PROPAGATION
from rig import eventually
from scenario import scenario

WRAPPER = """#!/bin/sh
exec unshare {options} -m sh -c 'for file in hosts nsswitch.conf resolv.conf; do mount --bind {folder}/$file /etc/$file || exit 99; done; exec "$0" "$@"' {program} "$@"
"""
ELSEWHERE = "127.0.0.66"  # nobody listens there


class Names:
    """What the collector's resolver knows."""

    def __init__(self, rig, collector, sources="files", nameserver="127.0.0.1"):
        self.folder = os.path.join(rig.folder, "names")
        os.mkdir(self.folder)
        self.write("nsswitch.conf", f"hosts: {sources}\n")
        self.write("resolv.conf", f"nameserver {nameserver}\noptions timeout:1 attempts:1 ndots:0\n")
        self.write("hosts", "")
        wrapper = os.path.join(self.folder, "pganalytics")
        self.write("pganalytics", WRAPPER.format(options=" ".join((*NEW_USER, *PROPAGATION)), folder=shlex.quote(self.folder), program=shlex.quote(collector.binary)))
        os.chmod(wrapper, 0o755)
        collector.binary = wrapper

    def write(self, name, text):
        """In place: what is bound elsewhere is this very file."""
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def point_to(self, address):
        self.write("hosts", f"{address} {socket.gethostname()}\n" if address else "")


class Nameserver(threading.Thread):
    """Answers every question for an A record after a while, or never."""

    def __init__(self, address, delay_s):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.delay_s, self.asked = delay_s, 0
        self.start()

    def run(self):
        while True:
            try:
                question, sender = self.socket.recvfrom(4096)
            except OSError:
                return
            self.asked += 1
            if self.delay_s is not None:
                threading.Timer(self.delay_s, self.answer, (question, sender)).start()

    def answer(self, question, sender):
        kind = question[-4:-2]
        name_end = question.index(b"\0", 12) + 5
        count, record = (b"\0\1", b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1") if question[name_end - 4 : name_end - 2] == b"\0\1" or kind == b"\0\1" else (b"\0\0", b"")
        try:  # RFC 1035, section 4.1: an answer with the question repeated
            self.socket.sendto(question[:2] + b"\x81\x80\0\1" + count + b"\0\0\0\0" + question[12:name_end] + record, sender)
        except OSError:
            pass  # closed meanwhile

    def close(self):
        self.socket.close()


def named(rig, **names):
    proxy = FaultProxy(("127.0.0.1", rig.server.port))
    rig.to_close.append(proxy.close)
    collector = rig.collector(url=f"https://{socket.gethostname()}:{proxy.port}", interval="3s", register=False)
    collector.url = None
    collector.configure()
    collector.register()  # by address
    collector.url = f"https://{socket.gethostname()}:{proxy.port}"
    collector.configure()
    return proxy, hurry(collector, 10), Names(rig, collector, **names)


@scenario(row="N7", expect="a name that is not known is asked for again until it is", runs={"unknown-at-start": dict(at_start=True), "unknown-later": dict(at_start=False)})
def unknown_name(rig, at_start):
    proxy, collector, names = named(rig)
    if not at_start:
        names.point_to("127.0.0.1")
    collector.start()
    if at_start:
        eventually(lambda: "resolve" in collector.log(), 30, "the log says that the name does not resolve")
    else:
        collector.wait_fresh()
        names.point_to(None)
        proxy.drop()
        time.sleep(3)
    rig.count("faults")
    assert collector.running
    names.point_to("127.0.0.1")
    collector.wait_fresh(120)
    rig.settle(collector)


@scenario(row="N7", expect="a server that moves is found", runs={"address-changes": {}})
def moved_server(rig):
    proxy, collector, names = named(rig)
    names.point_to("127.0.0.1")
    collector.start()
    collector.wait_fresh()
    proxy.move("127.0.0.9")
    proxy.drop()
    names.point_to("127.0.0.9")
    rig.count("faults")
    collector.wait_fresh(150)  # 25 minutes of its time: an address that is kept for ever is not a slow one
    rig.settle(collector)


@scenario(row="N7", expect="a resolver that is slow or silent costs time, not data",
          runs={"slow": dict(delay_s=0.3), "silent": dict(delay_s=None), "nobody": dict(delay_s=None, listens=False), "wrong-address-first": dict(delay_s=0.0, wrong=True)})
def slow_names(rig, delay_s, listens=True, wrong=False):
    if os.getuid() != 0 and listens:
        listens = False  # port 53 is root's; then it is a resolver that is not there
    nameserver = f"127.{rig.random.randint(1, 250)}.{rig.random.randint(1, 250)}.{rig.random.randint(1, 250)}"
    if listens:
        server = Nameserver(nameserver, delay_s)
        rig.to_close.append(server.close)
    proxy, collector, names = named(rig, sources="files dns", nameserver=nameserver)
    if wrong:
        names.point_to(ELSEWHERE)
    collector.start()
    if delay_s is not None and listens and not wrong:
        collector.wait_fresh(120)
    else:
        eventually(lambda: "away" in collector.log() or "resolve" in collector.log(), 60, f"it says that it cannot reach the server, see {collector.log_path}")
    assert collector.running
    rig.count("faults")
    names.point_to("127.0.0.1")
    collector.wait_fresh(150)
    rig.settle(collector)
