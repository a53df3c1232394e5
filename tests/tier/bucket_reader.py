"""Reads a volume from a copy of its bucket, by docs/format/bucket.md and rows.md alone and with none of our code.

Whatever is not as these pages say is refused.
"""
import hashlib
import os
import re
import struct

import lz4.block
import nacl.bindings
import nacl.exceptions
import nacl.pwhash.argon2id
import xxhash
import zstandard

UNIT_BYTES = 64 << 10
PIECE_BYTES = 1 << 20
TAIL_BYTES = 48
VERSION = 1
SEALED = 1
KINDS = {kind: re.compile(pattern) for kind, pattern in {
    "descriptor": r"volume/(\w{8})",
    "epoch": r"epochs/(\w{8})",
    "pack": r"packs/(\w{32})",
    "segment": r"rows/(\w{8})/(\w{16})",
    "part": r"checkpoints/(\w{8})/(\w{16})/(\w{6})",
    "manifest": r"checkpoints/(\w{8})/(\w{16})/manifest",
}.items()}
NONE, LZ4, ZSTANDARD = range(3)
LIVE, BLOCKS = 1, 4
REGULAR, DIRECTORY = 1, 2
BLOCK, INLINE, UNWRITTEN = 1, 2, 3
ROOT = 1


class Refused(Exception):
    pass


def require(condition, what):
    if not condition:
        raise Refused(what)


def xxh64(data, seed=0):
    return xxhash.xxh64_intdigest(data, seed)


class Fields:
    """What is read off some bytes, one field after another."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        require(self.at + count <= len(self.data), "fields end early")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, code):
        return struct.unpack(code, self.take(struct.calcsize(code)))[0]

    def u8(self):
        return self.number("<B")

    def u16(self):
        return self.number("<H")

    def u32(self):
        return self.number("<I")

    def u64(self):
        return self.number("<Q")

    def be64(self):
        return self.number(">Q")

    def id(self):
        return self.take(16)

    def varint(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 127) << shift
            if byte < 128:
                require(byte or not shift, "a varint is longer than it need be")
                return value
            shift += 7

    def sized(self):
        return self.take(self.varint())

    def left(self):
        return len(self.data) - self.at

    def rest(self):
        return self.take(self.left())


def frame(data, magic):
    """Whether it says that it is sealed, and the fields between the head and the sum."""
    fields = Fields(data)
    require(fields.take(4) == magic, f"no {magic}")
    require(fields.u16() == VERSION, f"{magic} of another version")
    flags = fields.u16()
    require(flags in (0, SEALED), f"{magic} has flags {flags}")
    require(struct.pack("<Q", xxh64(data[:-8])) == data[-8:], f"{magic} has a wrong sum")
    return bool(flags), Fields(data[8:-8])


def decompress(stored, size, compression):
    if len(stored) == size:
        return stored
    if compression == LZ4:
        return lz4.block.decompress(stored, uncompressed_size=size)
    require(compression == ZSTANDARD, f"compression {compression}")
    found = zstandard.ZstdDecompressor().decompress(stored, max_output_size=size)
    require(len(found) == size, "it has another size")
    return found


def unwrap(wrapped, how, secret, volume):
    """The key of the volume."""
    fields = Fields(wrapped)
    passes, memory_kib, salt, box = fields.u32(), fields.u32(), fields.take(16), fields.rest()
    if how == 1:
        outer = nacl.pwhash.argon2id.kdf(32, secret, salt, passes, memory_kib << 10)
    else:
        require(how == 2 and passes == memory_kib == 0, f"wrapped as {how}")
        outer = hashlib.blake2b(secret, digest_size=32, key=salt).digest()
    return decrypt(box, volume, outer)


def decrypt(box, associated, key):
    try:
        return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(box[24:], associated, box[:24], key)
    except nacl.exceptions.CryptoError as error:
        raise Refused(str(error)) from error


class Bucket:
    """The volume whose objects are files below the directory. The secret is that of a sealed one."""

    def __init__(self, directory, secret=None):
        self.directory, self.key = directory, None
        self.objects = {kind: {} for kind in KINDS}  # the numbers in each name: the name
        for place, _, names in os.walk(directory):
            for name in names:
                self.sort_in(os.path.relpath(os.path.join(place, name), directory))
        self.read_descriptor(secret)
        for (epoch,), name in self.objects["epoch"].items():
            self.read_epoch(self.read(name), epoch)
        self.blocks = {}  # place and bytes of each by pack and id
        for (pack,), name in self.objects["pack"].items():
            self.read_pack(pack, name)
        self.read_rows()

    def sort_in(self, name):
        require(name == name.lower(), name)
        found = [(kind, match) for kind, pattern in KINDS.items() if (match := pattern.fullmatch(name))]
        require(len(found) == 1, f"{name} is no name of ours")
        kind, match = found[0]
        numbers = [bytes.fromhex(each) if kind == "pack" else int(each, 16) for each in match.groups()]
        self.objects[kind][tuple(numbers)] = name

    def read(self, name):
        with open(os.path.join(self.directory, name), "rb") as file:
            return file.read()

    def frame(self, data, magic, is_sealed=None):
        sealed, fields = frame(data, magic)
        require(sealed == (self.key is not None if is_sealed is None else is_sealed), f"{magic} is sealed: {sealed}")
        return fields

    def open(self, stored, associated):
        """The x of protected(x; associated)."""
        if self.key is not None:
            return decrypt(stored, associated, self.key)
        found = stored[:-8]
        require(struct.pack("<Q", xxh64(found, xxh64(associated))) == stored[-8:], "it fails its sum")
        return found

    def read_descriptor(self, secret):
        (generation,), name = max(self.objects["descriptor"].items())
        data = self.read(name)
        require(len(data) <= 4096, name)
        fields = self.frame(data, b"NCBV", secret is not None)
        require(fields.take(24) == bytes(24), "features that are not known")
        self.volume = fields.id()
        self.created = fields.u64()
        require(fields.u32() == generation, name)
        require(16 <= fields.u8() <= 26, "block size")
        self.compression, how = fields.u8(), fields.u8()
        require((how != 0) == (secret is not None), f"wrapped as {how}")
        if how:
            self.key = unwrap(fields.take(96), how, secret, self.volume)
        before = data[:8 + fields.at]
        require(len(self.open(fields.rest(), before)) == 16, "name key")

    def read_epoch(self, data, epoch):
        fields = self.frame(data, b"NCBE", False)
        require(len(data) <= 4096 and fields.id() == self.volume and fields.u32() == epoch, f"epoch {epoch}")
        fields.take(8 + 16)
        host = fields.sized()
        require(re.fullmatch(rb"[!-~]{0,255}", host) and fields.left() == 0, f"host {host}")

    def read_pack(self, pack, name):
        """All its blocks, those that no row needs as well."""
        data = self.read(name)
        header, trailer = data[:64], data[-TAIL_BYTES:]
        fields = self.frame(header, b"NCPK")
        require(fields.id() == self.volume and fields.id() == pack, name)
        fields = self.frame(trailer, b"NCPT")
        require(fields.id() == pack, name)
        offset, size, count = fields.u64(), fields.u32(), fields.u32()
        require(offset + size + TAIL_BYTES == len(data) and count <= 65536, name)
        index = Fields(self.open(data[offset:offset + size], header + struct.pack("<QI", offset, count)))
        end = len(header)
        for _ in range(count):
            block, place = index.id(), self.place(index)
            require(place[0] >= end, "blocks overlap")
            end = place[0] + sum(place[3])
            require(end <= offset, "a block ends in the index")
            self.blocks[pack, block] = place, self.units(data, block, *place)
        require(index.left() == 0, name)

    def place(self, fields):
        offset, size, compression = fields.varint(), fields.varint(), fields.u8()
        stored = [fields.varint() for _ in range(-(-size // UNIT_BYTES))]
        return offset, size, compression, stored

    def block(self, block):
        """Its bytes, from where its row says that it lies."""
        fields = Fields(self.rows[BLOCKS, b"l" + block])
        pack, place = fields.id(), self.place(fields)
        found, content = self.blocks[pack, block]
        require(fields.left() == 0 and found == place, "the row of a block and the index of its pack differ")
        return content

    def units(self, data, block, offset, size, compression, stored):
        """The bytes of a block that lies there in a pack."""
        units = []
        for number, count in enumerate(stored):
            unit = self.open(data[offset:offset + count], block + struct.pack("<II", number, len(stored)))
            units.append(decompress(unit, min(UNIT_BYTES, size - number * UNIT_BYTES), compression))
            offset += count
        return b"".join(units)

    def items(self, name, magic, epoch, number):
        """First and last batch of an object with rows, and its items without their lengths."""
        data = self.read(name)
        header, at = data[:96], 96
        fields = self.frame(header, magic)
        require(fields.id() == self.volume and fields.u32() == epoch, name)
        fields.u32()
        require(fields.u64() == number, name)
        first, last = fields.u64(), fields.u64()
        contents, chunk, is_last = b"", 0, False
        while not is_last:
            head = Fields(data[at:at + 12])
            stored, piece, is_last = head.u32(), head.u32(), bool(head.u32())
            require(piece == PIECE_BYTES or is_last and piece <= PIECE_BYTES, name)
            at += 12
            associated = header + struct.pack("<I", chunk) + head.data[4:]
            contents += decompress(self.open(data[at:at + stored], associated), piece, ZSTANDARD)
            at, chunk = at + stored, chunk + 1
        require(at == len(data), f"{name} goes on behind its end")
        items, fields = [], Fields(contents)
        while fields.left():
            items.append(fields.take(fields.u32() - 4))
        return first, last, items

    def read_rows(self):
        """The rows of the newest checkpoint, and the batches since."""
        self.rows = {}
        batch = 0
        if self.objects["manifest"]:
            (epoch, batch), name = max(self.objects["manifest"].items())
            self.read_checkpoint(epoch, batch, self.read(name))
        for (epoch, number), name in sorted(self.objects["segment"].items()):
            first, last, records = self.items(name, b"NCRS", epoch, number)
            require(len(records) == last - first + 1, name)
            for expected, record in enumerate(records, first):
                length = struct.pack("<I", len(record) + 4)
                require(struct.pack("<Q", xxh64(length + record[:-8])) == record[-8:], f"batch {expected} fails its sum")
                fields = Fields(record[:-8])
                require(fields.u64() == expected, f"batch {expected}")
                if expected <= batch:
                    continue
                require(expected == batch + 1, f"batch {expected} after {batch}")
                batch = expected
                self.apply(fields)

    def apply(self, fields):
        fields.u64()
        while fields.left():
            row = fields.u8(), fields.sized()
            kind = fields.u8()
            require(kind in (0, 1), f"a change of kind {kind}")
            if kind:
                self.rows[row] = fields.sized()
            else:
                self.rows.pop(row, None)

    def read_checkpoint(self, epoch, batch, data):
        fields = self.frame(data, b"NCCM")
        require(fields.id() == self.volume and fields.u32() == epoch and fields.u64() == batch, "manifest")
        fields.u64()
        body = Fields(self.open(fields.rest(), data[:44]))
        body.varint()
        rows, row_bytes, inodes, _, parts = (body.varint() for _ in range(5))
        keys = []
        for number in range(parts):
            name = self.objects["part"][epoch, batch, number]
            part = self.read(name)
            require((body.u64(), body.u64()) == (len(part), xxh64(part)), f"{name} is not what the manifest says")
            first, last, items = self.items(name, b"NCCP", epoch, number)
            require(first == last == batch, name)
            for item in items:
                fields = Fields(item)
                keys.append((fields.u8(), fields.sized()))
                self.rows[keys[-1]] = fields.rest()
        require(body.left() == 0 and keys == sorted(set(keys)) and len(keys) == rows, "rows of a checkpoint")
        require(sum(len(key) + len(self.rows[family, key]) for family, key in keys) == row_bytes, "bytes of rows")
        require(len(self.live(b"i")) == inodes, "inodes")

    def live(self, prefix):
        """Key and value, without prefix and begin, of the live rows that begin so, in order."""
        return [(Fields(key[len(prefix):]), Fields(value[8:])) for (family, key), value in sorted(self.rows.items())
                if family == LIVE and key.startswith(prefix)]

    def tree(self, directory=ROOT, path=b""):
        """The content of each file by its path, and None for directories."""
        found = {}
        for _, fields in self.live(b"d" + struct.pack(">Q", directory)):
            inode, kind, name = fields.varint(), fields.u8(), fields.rest()
            require(kind in (REGULAR, DIRECTORY), f"{name} is of kind {kind}")
            found[path + name] = None if kind == DIRECTORY else self.content(inode)
            if kind == DIRECTORY:
                found.update(self.tree(inode, path + name + b"/"))
        return found

    def content(self, inode):
        number = struct.pack(">Q", inode)
        fields = Fields(self.rows[LIVE, b"i" + number][8:])
        fields.take(2)
        *_, size = (fields.varint() for _ in range(6))
        content = bytearray(size)
        for key, fields in self.live(b"e" + number):
            begin, kind, length = key.be64(), fields.u8(), fields.varint()
            if kind == BLOCK:
                block = self.block(fields.id())
                offset = fields.varint()
                require(offset + length <= len(block), "an extent ends behind its block")
                content[begin:begin + length] = block[offset:offset + length]
            elif kind == INLINE:
                content[begin:begin + length] = fields.rest()
            else:
                require(kind == UNWRITTEN, f"extent of kind {kind}")
        return bytes(content[:size])
