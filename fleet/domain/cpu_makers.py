"""Who made the CPUs of each instance family, for catalogues that do not say; facts of AWS as of October 2026.

Read from what EC2's DescribeInstanceTypes answered for 1,422 types (see NOTICE): all sizes of a family have
CPUs of one maker. A family that is not here is unknown, as a name says nothing certain: g5 has AMD's, g5g
Amazon's, g4dn Intel's.
"""

from __future__ import annotations

__all__ = ["MAKERS", "cpu_maker", "maker_named"]

MAKERS: dict[str, str] = {
    "intel": (
        "c1 c3 c4 c5 c5d c5n c6i c6id c6in c7i c7i-flex c8i c8i-flex c8ib c8id c8in c8ine d2 d3 d3en dl1 "
        "dl2q f1 g3 g3s g4dn g7 g7e h1 hpc6id i2 i3 i3en i4i i7i i7ie inf1 m1 m2 m3 m4 m5 m5d m5dn m5n m5zn "
        "m6i m6id m6idn m6in m7i m7i-flex m8i m8i-flex m8ib m8id m8idb m8idn m8in m8ine mac1 p2 p3 p3dn p4d "
        "p4de p5en p6-b200 p6-b300 r3 r4 r5 r5b r5d r5dn r5n r6i r6id r6idn r6in r7i r7iz r8i r8i-flex r8ib "
        "r8id r8idb r8idn r8in t1 t2 t3 t8i trn1 trn1n trn2 trn2u u-12tb1 u-18tb1 u-24tb1 u-3tb1 u-6tb1 "
        "u-9tb1 u7i-12tb u7i-6tb u7i-8tb u7in-16tb u7in-24tb u7in-32tb vt1 x1 x1e x2idn x2iedn x2iezn x8i "
        "z1d"
    ),
    "amd": (
        "c5a c5ad c6a c7a c8a f2 g4ad g5 g6 g6e g6f gr6 gr6f hpc6a hpc7a hpc8a inf2 m5a m5ad m6a m7a m8a "
        "m8azn p5 p5e r5a r5ad r6a r7a r8a t3a x8aedz"
    ),
    "amazon-web-services": (
        "a1 c6g c6gd c6gn c7g c7gd c7gn c8g c8gb c8gd c8gn c9g c9gd g5g hpc7g i4g i8g i8ge im4gn is4gen m6g "
        "m6gd m7g m7gd m8g m8gb m8gd m8gn m9g m9gd r6g r6gd r7g r7gd r8g r8gb r8gd r8gn r9g r9gd t4g x2gd "
        "x8g"
    ),
    "apple": ("mac-m3ultra mac-m4 mac-m4max mac-m4pro mac2 mac2-m1ultra mac2-m2 mac2-m2pro"),
}
"""Families by maker, as ``InstanceRequirements`` names it."""

OF_FAMILY = {family: maker for maker, families in MAKERS.items() for family in families.split()}
SPELLINGS = {
    "aws": "amazon-web-services",
    "amazon aws": "amazon-web-services",
    "amazon": "amazon-web-services",
}


def cpu_maker(instance_type: str) -> str | None:
    """Return who makes a type's CPU, ``None`` where its family is not known."""
    return OF_FAMILY.get(instance_type.partition(".")[0])


def maker_named(text: str) -> str:
    """Return a maker as ``InstanceRequirements`` names it: the API's answers say ``AWS``."""
    return SPELLINGS.get(text.lower(), text.lower())
