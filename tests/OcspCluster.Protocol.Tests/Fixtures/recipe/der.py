"""A small DER writer that can also write what DER forbids. Shares no code with the library under test."""

import copy


def length(n):
    if n < 0x80:
        return bytes([n])
    octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


class Node:
    """One TLV with the name of its field, so that a recipe can address it by path and break just that one."""

    def __init__(self, name, tag, body=b""):
        self.name = name
        self.tag = bytes([tag]) if isinstance(tag, int) else tag
        self.body = body  # octets, or the nodes inside
        self.form = None  # replaces the writer of tag and length

    def content(self):
        return self.body if isinstance(self.body, bytes) else b"".join(child.encode() for child in self.body)

    def encode(self):
        content = self.content()
        return self.form(self.tag, content) if self.form else self.tag + length(len(content)) + content

    def find(self, path):
        node = self
        for name in path.split("."):
            node = next(child for child in node.body if child.name == name)
        return node

    def walk(self, prefix=""):
        for child in self.body if isinstance(self.body, list) else []:
            path = f"{prefix}{child.name}"
            yield path, child
            yield from child.walk(path + ".")

    def changed(self, path, change):
        """A copy in which change was applied to the node at the path ('' is the outermost)."""
        tree = copy.deepcopy(self)
        change(tree.find(path) if path else tree)
        return tree


class Raw(Node):
    """Octets that were encoded elsewhere."""

    def __init__(self, name, octets):
        super().__init__(name, octets[:1], octets)

    def encode(self):
        return self.form(self.tag, self.body) if self.form else self.body


def seq(name, *children):
    return Node(name, 0x30, list(children))


def ctx(name, number, *children):
    return Node(name, 0xA0 | number, list(children))


def octets(name, value):
    return Node(name, 0x04, value)


def wrapped(name, *children):
    """An OCTET STRING that holds DER."""
    return Node(name, 0x04, list(children))


def integer(name, value):
    return Node(name, 0x02, value if isinstance(value, bytes) else integer_content(value))


def integer_content(value):
    return value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "big", signed=True)


def enumerated(name, value):
    return Node(name, 0x0A, value if isinstance(value, bytes) else bytes([value]))


def null(name="null"):
    return Node(name, 0x05)


def true(name="critical"):
    return Node(name, 0x01, b"\xff")


def bits(name, value):
    return Node(name, 0x03, b"\0" + value)


def time(name, text):
    return Node(name, 0x18, text.encode())


def arc(value):
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(0x80 | value & 0x7F)
    return bytes(reversed(groups))


def oid_content(dotted):
    first, second, *rest = map(int, dotted.split("."))
    return b"".join(arc(value) for value in (first * 40 + second, *rest))


def oid(name, dotted):
    return Node(name, 0x06, oid_content(dotted) if isinstance(dotted, str) else dotted)


# Forms that DER forbids (X.690 sections 8.1.3, 10.1, 10.2).

def indefinite(tag, content):
    return tag + b"\x80" + content + b"\0\0"


def overlong(tag, content):
    """One length octet more than needed: 81 nn below 128, a leading 00 above."""
    short = length(len(content))
    if short[0] < 0x80:
        return tag + b"\x81" + short + content
    return tag + bytes([short[0] + 1, 0]) + short[1:] + content


def with_length(octets_):
    return lambda tag, content: tag + octets_ + content


def constructed_string(tag, content):
    """The same string in two segments under a constructed tag; a BIT STRING's first segment has no unused bits."""
    segments = [content[:3], b"\0" + content[3:]] if tag == b"\x03" else [content[:3], content[3:]]
    body = b"".join(tag + length(len(s)) + s for s in segments)
    return bytes([tag[0] | 0x20]) + length(len(body)) + body


def multi_byte_tag(tag, content):
    """The tag number in high-tag-number form, which is for numbers above 30 only (X.690 section 8.1.2.2)."""
    return bytes([tag[0] | 0x1F, tag[0] & 0x1F]) + length(len(content)) + content


def constructed_bit_flipped(tag, content):
    return bytes([tag[0] ^ 0x20]) + length(len(content)) + content


def other_class(tag, content):
    return bytes([tag[0] ^ 0x40]) + length(len(content)) + content
